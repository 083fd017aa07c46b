// `weir test FILE…`: runs the `test` blocks on the machine code that is deployed, over the
// in-memory log, under several splits of the input.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "codegen/codegen.h"
#include "runtime/dev.h"
#include "runtime/memory_log.h"
#include "runtime/pipeline.h"
#include "tools/weir/commands.h"
#include "tools/weir/image.h"
#include "tools/weir/program.h"
#include "tools/weir/rows.h"
#include "tools/weir/test_report.h"

namespace weir::tools {

using compiler::TestCase;
using compiler::TestStep;
using runtime::Exit;
using runtime::Result;
using runtime::Status;

namespace {

struct TestOptions {
  std::vector<std::string> files;
  std::vector<uint32_t> batches = {1, 7, 4096};
  std::vector<int32_t> partitions = {1};
  bool aot = false;
  std::string only, junit;
};

// One way to run a test.
struct Way {
  uint32_t batch;
  int32_t partitions;
  std::string text() const {
    return "batches of " + std::to_string(batch) + ", " + std::to_string(partitions) +
           (partitions == 1 ? " partition" : " partitions");
  }
};

// What came out, by the name that an `expect` uses. Of rows with a key only the last of each key is
// kept in `last`; `last_epoch` has those of the last epoch that had any.
struct Outcome {
  std::map<std::string, std::vector<std::string>> rows, last_epoch;
  std::map<std::string, std::map<std::string, std::string>> last;
  std::map<std::string, std::vector<std::string>> late, errors;
};

Result<std::vector<std::string>> given_rows(const TestStep& step, const std::string& program_path) {
  if (step.file.empty()) return step.rows;
  return runtime::read_lines(
      (std::filesystem::path(program_path).parent_path() / step.file).string());
}

// The topic of each source: its own, as `meta.topic` shows it, unless another one has it, too.
std::map<std::string, std::string> topics_of(const contract::Plan& plan) {
  std::map<std::string, int> users;
  for (const contract::Source& source : plan.sources()) {
    ++users[source.address()];
    ++users[source.dead_letter()];
  }
  std::map<std::string, std::string> topics;
  for (const contract::Source& source : plan.sources()) {
    bool own = source.connector() == "kafka" && users[source.address()] == 1;
    topics[source.name()] = own ? source.address() : runtime::dev_topic(source.name());
  }
  return topics;
}

Status run_once(const compiler::Compiled& compiled, const WeirPipelineImage& image,
                const TestCase& test, const std::string& path, const Way& way, Outcome& outcome) {
  std::map<std::string, std::vector<std::string>> given;
  for (const contract::Source& source : compiled.plan.sources()) given[source.name()];
  for (const TestStep& step : test.steps) {
    if (step.kind == TestStep::Kind::Advance) {
      return Status::error(Exit::NotSupported, "not supported yet: `advance` in a test");
    }
    if (step.kind != TestStep::Kind::Given) continue;
    auto rows = given_rows(step, path);
    if (!rows.ok()) return rows.take_status();
    std::vector<std::string>& all = given[step.stream];
    all.insert(all.end(), rows->begin(), rows->end());
  }

  runtime::MemoryLog log;
  auto topics = topics_of(compiled.plan);
  for (const auto& [source, rows] : given) {
    Status status = runtime::fill_topic(log, topics[source], way.partitions, rows);
    if (!status.ok()) return status;
  }
  for (const contract::Source& source : compiled.plan.sources()) {
    if (source.dead_letter().empty()) continue;
    Status status = log.ensure_topic(source.dead_letter(), 1, {});
    if (!status.ok()) return status;
  }

  contract::Plan plan = runtime::dev_plan(compiled.plan, runtime::DevSources::All);
  for (contract::Source& source : *plan.mutable_sources())
    source.set_address(topics[source.name()]);
  std::string serialized = plan.SerializeAsString();
  WeirPipelineImage own = image;
  own.plan = serialized.data();
  own.plan_size = serialized.size();

  std::string state = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
  if (!mkdtemp(state.data()))
    return Status::error(Exit::Disk, "no directory for the test's state can be made");
  runtime::RunOptions options;
  options.name = "test";
  options.until = runtime::Until::End;
  options.state_dir = state;
  options.rows_per_batch = way.batch;
  options.commit_interval_ms = 3'600'000;  // one epoch: nothing depends on how fast this machine is
  options.log = &log;
  options.wall_clock_off = true;
  options.collect_begins = [&](const std::string& sink) { outcome.last_epoch[sink].clear(); };
  options.collect = [&](const std::string& sink, std::string_view key, std::string_view value) {
    outcome.rows[sink].emplace_back(value);
    outcome.last_epoch[sink].emplace_back(value);
    if (!key.empty()) outcome.last[sink][std::string(key)] = std::string(value);
  };
  options.aside = [&](const std::string& stream, const std::string& kind, const std::string& row) {
    (kind == "late" ? outcome.late : outcome.errors)[stream].push_back(row);
  };
  runtime::RunSummary summary;
  Status status = runtime::run_pipeline(own, options, &summary);
  std::error_code ignored;
  std::filesystem::remove_all(state, ignored);
  return status;
}

// The differences, as lines; empty: as expected.
std::string check(const contract::Plan& plan, const TestCase& test, const Outcome& outcome) {
  std::string text;
  auto shows_all = [&](const std::string& name) {
    for (const contract::Sink& sink : plan.sinks()) {
      if (sink.name() == name) return sink.emit() == contract::Emission::COMPLETE;
    }
    return false;
  };
  for (const TestStep& step : test.steps) {
    if (step.kind != TestStep::Kind::Expect) continue;
    std::vector<std::string> found;
    auto take = [&](const auto& map) {
      auto entry = map.find(step.stream);
      if (entry != map.end()) found = entry->second;
    };
    if (step.what == TestStep::What::Late) {
      take(outcome.late);
    } else if (step.what == TestStep::What::Errors) {
      take(outcome.errors);
    } else if (auto last = outcome.last.find(step.stream);
               step.mode == TestStep::Mode::Final && last != outcome.last.end()) {
      for (const auto& [key, row] : last->second) found.push_back(row);
    } else {
      bool all = step.mode == TestStep::Mode::Final && shows_all(step.stream);
      take(all ? outcome.last_epoch : outcome.rows);
    }
    RowDifference difference = compare_rows(step.rows, found);
    if (difference.empty()) continue;
    text += "  expect " + step.stream + "   (- expected, + found)\n" + difference_text(difference);
  }
  return text;
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
    return worst;
  }

  size_t passed = 0, failed = 0;
  std::vector<TestResult> results;

 private:
  Exit one(const std::string& path, int number, const std::string& title) {
    std::unique_ptr<Loaded> loaded;
    Exit exit = Exit::Done;
    auto compiled = compile_file(path, {.test = number}, loaded, exit);
    if (!compiled) {
      ++failed;
      return exit;
    }
    auto image = options_.aot ? load_ahead_of_time(*compiled) : load_just_in_time(*compiled);
    if (!image.ok()) {
      ++failed;
      return Exit(fail(image.status()));
    }
    for (uint32_t batch : options_.batches) {
      for (int32_t partitions : options_.partitions) {
        Way way{batch, partitions};
        Outcome outcome;
        Status status = run_once(*compiled, (*image)->image(), compiled->tests[size_t(number)],
                                 path, way, outcome);
        std::string difference =
            status.ok() ? check(compiled->plan, compiled->tests[size_t(number)], outcome)
                        : "  " + status.message() + "\n";
        if (difference.empty()) continue;
        ++failed;
        results.back().failure = way.text() + "\n" + difference;
        std::printf("FAILED  %s: %s (%s)\n%s", path.c_str(), title.c_str(), way.text().c_str(),
                    difference.c_str());
        return status.ok() ? Exit::Failed : status.exit();
      }
    }
    ++passed;
    std::printf("ok      %s: %s\n", path.c_str(), title.c_str());
    return Exit::Done;
  }

  const TestOptions& options_;
};

}  // namespace

Command add_test(CLI::App& app) {
  auto options = std::make_shared<TestOptions>();
  app.add_option("FILE", options->files, "programs with `test` blocks")->required();
  app.add_option("--batch", options->batches, "rows in a batch, several ways")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option("--partitions", options->partitions,
                 "partitions that given rows are dealt out to, several ways")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_flag("--aot", options->aot, "compile ahead of time, as `weir build` does");
  app.add_option("--junit", options->junit, "also write the results to this file, as JUnit XML");
  app.add_option("--only", options->only, "tests with this text in their title");
  return [options] {
    TestRun run(*options);
    Exit worst = Exit::Done;
    for (const std::string& path : options->files) {
      Exit exit = run.file(path);
      if (exit != Exit::Done) worst = exit;
    }
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
