// `weir test FILE…`: runs the `test` blocks on the machine code that is deployed, over the
// in-memory log: under several splits of the input, with a crash between epochs, and with the rows
// dealt to several partitions.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <utility>

#include "dsl/format.h"
#include "tools/weir/commands.h"
#include "tools/weir/image.h"
#include "tools/weir/program.h"
#include "tools/weir/test_expect.h"
#include "tools/weir/test_report.h"
#include "tools/weir/test_update.h"

namespace weir::tools {

using compiler::TestCase;
using compiler::TestStep;
using runtime::Exit;
using runtime::Status;

namespace {

struct TestOptions {
  std::vector<std::string> files;
  std::vector<uint32_t> batches = {1, 7, 4096};
  std::vector<int32_t> partitions;  // empty: one, and rows dealt to several by chance
  bool aot = false;
  bool update = false;
  std::string only, junit;
};

// All rows of a test dealt to partitions: by chance, but always the same.
std::vector<int32_t> deal(size_t rows, int32_t partitions, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<int32_t> dealt(rows);
  for (int32_t& partition : dealt) partition = int32_t(random() % uint32_t(partitions));
  return dealt;
}

class TestRun {
 public:
  explicit TestRun(const TestOptions& options) : options_(options) {}

  Exit file(const std::string& path) {
    auto loaded = load(path);
    if (!loaded.ok()) return Exit(fail(loaded.status()));
    Loaded& program = **loaded;
    std::vector<TestCase> tests;
    if (!program.diagnostics.has_errors()) {
      tests = compiler::tests_of(program.program, program.sources, program.diagnostics);
    }
    if (program.diagnostics.has_errors()) return report(program);
    if (tests.empty()) return Exit(fail(Exit::Usage, "`" + path + "` has no `test`"));
    Exit worst = Exit::Done;
    edits_.clear();
    for (size_t i = 0; i < tests.size(); ++i) {
      if (!options_.only.empty() && tests[i].title.find(options_.only) == std::string::npos)
        continue;
      auto begin = std::chrono::steady_clock::now();
      results.push_back({path, tests[i].title, 0, ""});
      Exit exit = one(path, int(i), tests[i].title);
      std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      results.back().seconds = took.count();
      if (exit != Exit::Done && results.back().failure.empty())
        results.back().failure = "did not run: see the output";
      if (exit != Exit::Done) worst = exit;
    }
    if (edits_.empty()) return worst;
    if (Exit exit = rewrite(path, program); exit != Exit::Done) return exit;
    return worst;
  }

  size_t passed = 0, failed = 0, updated = 0;
  std::vector<TestResult> results;

 private:
  // A test that is being run.
  struct Running {
    const compiler::Compiled& compiled;
    const WeirPipelineImage& image;
    const TestCase& test;
    std::vector<TestPhase> phases;
  };

  Exit one(const std::string& path, int number, const std::string& title) {
    std::unique_ptr<Loaded> loaded;
    Exit exit = Exit::Done;
    auto compiled = compile_file(path, {.test = number}, loaded, exit);
    if (!compiled) {
      ++failed;
      return exit;
    }
    auto image = options_.aot ? load_ahead_of_time(*compiled) : load_just_in_time(*compiled);
    auto phases = phases_of(compiled->tests[size_t(number)], path);
    if (!image.ok() || !phases.ok()) {
      ++failed;
      return Exit(fail(image.ok() ? phases.status() : image.status()));
    }
    Running running{*compiled, (*image)->image(), compiled->tests[size_t(number)], *phases};
    if (options_.update) {
      TestOutcome outcome;
      TestWay first{options_.batches.front(), 1, {}, false};
      Status status =
          run_test(running.compiled, running.image, running.test, running.phases, first, outcome);
      if (!status.ok()) return Exit(fail(status));
      std::vector<TestEdit> edits = edits_for(*compiled, running.test, outcome);
      if (!edits.empty()) {
        ++updated;
        edits_.insert(edits_.end(), edits.begin(), edits.end());
        std::printf("updated %s: %s\n", path.c_str(), title.c_str());
        return Exit::Done;
      }
    }
    std::string failure;
    exit = all_ways(running, failure);
    if (exit != Exit::Done) {
      ++failed;
      results.back().failure = failure;
      std::printf("FAILED  %s: %s (%s", path.c_str(), title.c_str(), failure.c_str());
      return exit;
    }
    ++passed;
    std::printf("ok      %s: %s\n", path.c_str(), title.c_str());
    return Exit::Done;
  }

  // Until one fails; `failure` is that way and its differences.
  Exit all_ways(const Running& running, std::string& failure) {
    uint64_t rows_late = 0;
    std::vector<int32_t> partitions = options_.partitions;
    if (partitions.empty()) partitions = {1};
    auto differs = [&](const TestWay& way) {
      TestOutcome outcome;
      Status status =
          run_test(running.compiled, running.image, running.test, running.phases, way, outcome);
      rows_late = outcome.rows_late;
      std::string difference = status.ok()
                                   ? check_test(running.compiled.plan, running.test, outcome)
                                   : "  " + status.message() + "\n";
      if (!difference.empty()) failure = way.text() + ")\n" + difference;
      return difference.empty() ? Exit::Done : status.ok() ? Exit::Failed : status.exit();
    };
    for (uint32_t batch : options_.batches) {
      for (int32_t count : partitions) {
        if (Exit exit = differs({batch, count, {}, false}); exit != Exit::Done) return exit;
      }
    }
    if (Exit exit = differs({options_.batches.front(), partitions.front(), {}, true});
        exit != Exit::Done)
      return exit;

    // Which rows are late depends on how partitions are read beside each other. Where none is late
    // in one partition none is in several.
    size_t rows = 0;
    for (const TestPhase& phase : running.phases) rows += phase.rows.size();
    if (!options_.partitions.empty() || rows_late > 0 || rows < 2 || expects_places(running.test) ||
        depends_on_arrival(running.compiled.plan))
      return Exit::Done;
    for (uint32_t seed = 1; seed <= kDeals; ++seed) {
      TestWay way{7, int32_t(seed + 1), deal(rows, int32_t(seed + 1), seed), false};
      Exit exit = differs(way);
      if (exit == Exit::Done) continue;
      // As many rows as may be go to the first partition.
      std::string last = failure;
      for (int32_t& partition : way.dealt) {
        int32_t there = std::exchange(partition, 0);
        if (there != 0 && differs(way) == Exit::Done) partition = there;
        if (partition == 0 && there != 0) last = failure;
      }
      failure = last;
      failure += dealt_text(running, way);
      return exit;
    }
    return Exit::Done;
  }

  // Which of two rows was there first: only one partition says.
  static bool depends_on_arrival(const contract::Plan& plan) {
    return std::any_of(plan.keyed().begin(), plan.keyed().end(), [](const contract::Keyed& keyed) {
      return keyed.has_rows() &&
             (keyed.rows().kind() == contract::Rows::DEDUP || keyed.rows().on_arrival());
    });
  }

  // In the rows of `errors(…)`: they are other ones where the rows lie otherwise.
  static bool expects_places(const TestCase& test) {
    for (const TestStep& step : test.steps) {
      if (step.what != TestStep::What::Errors) continue;
      for (const std::string& row : step.rows) {
        if (row.find("\"offset\":") != std::string::npos ||
            row.find("\"partition\":") != std::string::npos)
          return true;
      }
    }
    return false;
  }

  static std::string dealt_text(const Running& running, const TestWay& way) {
    std::string text = "  with all rows in one partition it passes. Partition 0 has all but\n";
    size_t row = 0;
    for (const TestPhase& phase : running.phases) {
      for (const GivenRow& given : phase.rows) {
        if (int32_t partition = way.dealt[row++]; partition != 0)
          text += "    partition " + std::to_string(partition) + ": " + given.source + " " +
                  (given.value.empty() ? "null" : given.value) + "\n";
      }
    }
    return text + "  Where the program is meant for one partition: `weir test --partitions 1`\n";
  }

  static constexpr uint32_t kDeals = 3;

  // The program with what was found, in canonical form.
  Exit rewrite(const std::string& path, const Loaded& program) {
    std::string text = edited(std::string(program.sources.file(program.file).text()), edits_);
    auto changed = load_text(path, text, true);
    if (!changed.ok()) return Exit(fail(changed.status()));
    Loaded& loaded = **changed;
    std::optional<std::string> formatted;
    if (!loaded.diagnostics.has_errors())
      formatted = dsl::format(loaded.sources, loaded.file, loaded.diagnostics);
    if (!formatted) return report(loaded);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << *formatted;
    out.close();
    return out ? Exit::Done : Exit(fail(Exit::Disk, "`" + path + "` can't be written"));
  }

  const TestOptions& options_;
  std::vector<TestEdit> edits_;  // of the file that is being tested
};

}  // namespace

Command add_test(CLI::App& app) {
  auto options = std::make_shared<TestOptions>();
  app.add_option("FILE", options->files, "programs with `test` blocks")->required();
  app.add_option("--batch", options->batches, "rows in a batch, several ways")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option(
         "--partitions", options->partitions,
         "partitions that given rows are dealt out to, several ways (default: 1, and some by "
         "chance)")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_flag("--aot", options->aot, "compile ahead of time, as `weir build` does");
  app.add_flag("--update", options->update,
               "write what was found into the tests, in place of what they expect");
  app.add_option("--junit", options->junit, "also write the results to this file, as JUnit XML");
  app.add_option("--only", options->only, "tests with this text in their title");
  return [options] {
    TestRun run(*options);
    Exit worst = Exit::Done;
    for (const std::string& path : options->files) {
      Exit exit = run.file(path);
      if (exit != Exit::Done) worst = exit;
    }
    if (run.updated > 0)
      std::printf("%zu updated: read the diff before you keep it\n", run.updated);
    std::printf("%zu passed, %zu failed\n", run.passed, run.failed);
    if (!options->junit.empty()) {
      std::ofstream out(options->junit, std::ios::binary | std::ios::trunc);
      out << junit_xml(run.results);
      out.close();
      if (!out) return fail(Exit::Disk, "`" + options->junit + "` can't be written");
    }
    return int(worst);
  };
}

}  // namespace weir::tools
