#include "tools/weir/test_run.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "runtime/dev.h"
#include "runtime/machine.h"
#include "runtime/memory_log.h"
#include "runtime/pipeline.h"

namespace weir::tools {

using compiler::TestCase;
using compiler::TestStep;
using runtime::Exit;
using runtime::Result;
using runtime::Status;

namespace {

// Time stands still but for `advance`.
class TestMachine final : public runtime::Machine {
 public:
  Time now() override { return Time(std::chrono::microseconds(clock_us_.load())); }
  int64_t wall_ms() override { return clock_us_ / 1000; }
  void sleep(std::chrono::milliseconds) override { std::this_thread::yield(); }
  std::unique_ptr<runtime::Worker> worker() override { return runtime::this_machine().worker(); }
  Status reach(const char* step) override {
    // Everything has been produced, nothing is committed.
    if (commits_to_crash == 0 || std::string_view(step) != "C6" || --commits_to_crash > 0)
      return {};
    crashed = true;
    return Status::error(Exit::Bug, "a crash of the test");
  }

  void advance(int64_t by_us) { clock_us_ += by_us; }
  int commits_to_crash = 0;
  std::atomic<bool> crashed = false;

 private:
  std::atomic<int64_t> clock_us_ = int64_t{1'700'000'000} * 1'000'000;
};

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

// Hands the phases' rows to the log, one phase after the other.
class Giver {
 public:
  Giver(runtime::MemoryLog& log, std::map<std::string, std::string> topics,
        const std::vector<TestPhase>& phases, const TestWay& way, TestMachine& machine)
      : log_(log), topics_(std::move(topics)), phases_(phases), way_(way), machine_(machine) {}

  Status give() {
    for (const GivenRow& row : phases_[phase_].rows) {
      runtime::LogProducer::Message message;
      message.topic = topics_[row.source];
      message.partition = way_.dealt.empty() ? int32_t(of_source_[row.source]++ % way_.partitions)
                                             : way_.dealt[given_];
      ++given_;
      message.value = row.value;
      message.has_value = !row.value.empty();  // JSON is never empty: a record without a value
      if (auto offset = log_.append(message); !offset.ok()) return offset.take_status();
    }
    return {};
  }

  // All of the phase is committed. False: it was the last.
  bool more() {
    if (phases_[phase_].advance_us > 0 && advances_ == phase_) {
      machine_.advance(phases_[phase_].advance_us);
      ++advances_;
      return true;
    }
    if (phase_ + 1 == phases_.size()) return false;
    advances_ = ++phase_;
    status_ = give();
    return status_.ok();
  }

  size_t advances() const { return advances_; }
  const Status& status() const { return status_; }

 private:
  runtime::MemoryLog& log_;
  std::map<std::string, std::string> topics_;
  const std::vector<TestPhase>& phases_;
  const TestWay& way_;
  TestMachine& machine_;
  std::map<std::string, uint32_t> of_source_;
  size_t phase_ = 0, advances_ = 0, given_ = 0;
  Status status_;
};

}  // namespace

std::string TestWay::text() const {
  std::string all = "batches of " + std::to_string(batch) + ", " + std::to_string(partitions) +
                    (partitions == 1 ? " partition" : " partitions");
  return crashes ? all + ", a crash between epochs" : all;
}

Result<std::vector<TestPhase>> phases_of(const TestCase& test, const std::string& program_path) {
  std::vector<TestPhase> phases(1);
  for (const TestStep& step : test.steps) {
    if (step.kind == TestStep::Kind::Advance) {
      phases.back().advance_us = step.advance_us;
      phases.emplace_back();
    }
    if (step.kind != TestStep::Kind::Given) continue;
    std::vector<std::string> rows = step.rows;
    if (!step.file.empty()) {
      auto lines = runtime::read_lines(
          (std::filesystem::path(program_path).parent_path() / step.file).string());
      if (!lines.ok()) return lines.take_status();
      rows = std::move(*lines);
    }
    for (std::string& row : rows) phases.back().rows.push_back({step.stream, std::move(row)});
  }
  return phases;
}

bool any_epochs(const compiler::Compiled& compiled, const TestCase& test) {
  for (const TestStep& step : test.steps) {
    if (step.kind != TestStep::Kind::Expect || step.what != TestStep::What::Rows) continue;
    if (step.mode == TestStep::Mode::Changes) return false;
    for (const contract::Sink& sink : compiled.plan.sinks()) {
      if (sink.name() == step.stream && step.mode == TestStep::Mode::Appeared &&
          sink.emit() != contract::Emission::APPEND)
        return false;
    }
  }
  return true;
}

Status run_test(const compiler::Compiled& compiled, const WeirPipelineImage& image,
                const TestCase& test, const std::vector<TestPhase>& phases, const TestWay& way,
                TestOutcome& outcome) {
  runtime::MemoryLog log;
  auto topics = topics_of(compiled.plan);
  contract::Plan plan = runtime::dev_plan(compiled.plan, runtime::DevSources::All);
  for (contract::Source& source : *plan.mutable_sources()) {
    source.set_address(topics[source.name()]);
    Status status = log.ensure_topic(source.address(), way.partitions, {});
    if (status.ok() && !source.dead_letter().empty())
      status = log.ensure_topic(source.dead_letter(), 1, {});
    if (!status.ok()) return status;
  }
  std::string serialized = plan.SerializeAsString();
  WeirPipelineImage own = image;
  own.plan = serialized.data();
  own.plan_size = serialized.size();

  std::string state = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
  if (!mkdtemp(state.data()))
    return Status::error(Exit::Disk, "no directory for the test's state can be made");
  TestMachine machine;
  Giver giver(log, topics, phases, way, machine);
  Status status = giver.give();

  runtime::RunOptions options;
  options.name = "test";
  options.state_dir = state;
  options.rows_per_batch = way.batch;
  // Epochs end at each `advance` and at the end: nothing depends on how fast this machine is.
  options.commit_interval_ms = int64_t{1} << 40;
  options.log = &log;
  options.machine = &machine;
  options.more = [&] { return giver.more(); };
  options.collect_begins = [&](const std::string& sink) { outcome.last_epoch[sink].clear(); };
  options.collect = [&](const std::string& sink, std::string_view key, std::string_view value) {
    outcome.rows[sink].push_back({giver.advances(), std::string(key), std::string(value)});
    outcome.last_epoch[sink].emplace_back(value);
    if (!key.empty()) outcome.last[sink][std::string(key)] = std::string(value);
  };
  options.aside = [&](const std::string& stream, const std::string& kind, const std::string& row) {
    (kind == "late" ? outcome.late : outcome.errors)[stream].push_back(row);
  };
  if (way.crashes) {
    size_t rows = 0;
    for (const TestPhase& phase : phases) rows += phase.rows.size();
    bool cuts = any_epochs(compiled, test) && rows > 1;
    if (cuts) options.rows_per_epoch_max = uint32_t(std::max<size_t>(1, rows / 3));
    // A partition has to be quiet for all of its `idle` again after a restart.
    bool waits = phases.size() > 1 &&
                 std::any_of(plan.sources().begin(), plan.sources().end(),
                             [](const contract::Source& source) { return source.idle_us() > 0; });
    machine.commits_to_crash = (cuts || phases.size() > 1) && !waits ? 2 : 1;
  }
  runtime::RunSummary summary;
  if (status.ok()) status = runtime::run_pipeline(own, options, &summary);
  outcome.crashed = machine.crashed;
  if (machine.crashed) status = runtime::run_pipeline(own, options, &summary);
  if (status.ok()) status = giver.status();
  outcome.rows_late = summary.rows_late;
  std::error_code ignored;
  std::filesystem::remove_all(state, ignored);
  return status;
}

}  // namespace weir::tools
