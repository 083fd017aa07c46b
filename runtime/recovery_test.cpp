// What survives: restarts from the store, from the changelog alone, and epochs that fail at any
// step.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "runtime/fake_pipeline.h"
#include "runtime/names.h"
#include "runtime/scratch_directory.h"

using namespace weir;
using namespace weir::runtime;

namespace {

using Rows = std::vector<std::string>;
using Operation = MemoryLog::Operation;
using Moment = MemoryLog::Moment;

FakePipeline counting() {
  FakePipeline pipeline;
  pipeline.size = pipeline.slide = 10;
  pipeline.emissions[0].to_log = true;
  return pipeline;
}

}  // namespace

TEST_CASE("a restart goes on from the store; without the store, from the changelog") {
  for (bool keeps_disk : {true, false}) {
    CAPTURE(keeps_disk);
    ScratchDirectory first, second;
    FakePipeline pipeline = counting();
    pipeline.delay = 5;
    MemoryLog log;
    make_topics(log);
    append_rows(log, {"a 1 1", "b 2 1", "a 12 1"});
    FakeRun run = run_fake(pipeline, log, until_now(first.path));
    REQUIRE(run.status.ok());
    CHECK(out_rows(log).empty());
    append_rows(log, {"a 9 1", "b 15 1",
                      "a 4 1"});  // a 4: late now (W = 10), because the watermark was kept, too
    RunOptions options = fake_options();
    options.state_dir = keeps_disk ? first.path : second.path;
    run = run_fake(pipeline, log, options);
    CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    CHECK(sorted(out_rows(log)) ==
          Rows{"a [0,10) 2 2", "a [10,20) 1 1", "b [0,10) 1 1", "b [10,20) 1 1"});
    CHECK(run.summary.rows_in == 3);
    CHECK(run.summary.rows_late == 1);
  }
}

TEST_CASE("another state signature is refused, and names the operator and both signatures") {
  ScratchDirectory directory;
  FakePipeline pipeline = counting();
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 1 1"});
  REQUIRE(run_fake(pipeline, log, until_now(directory.path)).status.ok());
  pipeline.signature = "v2";
  FakeRun run = run_fake(pipeline, log, until_now(directory.path));
  CHECK(run.status.exit() == Exit::Configuration);
  for (const char* part : {"counts.window.0", "v1", "v2"})
    CHECK(run.status.message().find(part) != std::string::npos);
}

TEST_CASE("group offsets that somebody moved are refused with both numbers") {
  ScratchDirectory directory;
  FakePipeline pipeline = counting();
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 1 1", "a 2 1"});
  REQUIRE(run_fake(pipeline, log, until_now(directory.path)).status.ok());
  log.set_group_offsets("fake", {{{"in", 0}, {1, -1}}});
  FakeRun run = run_fake(pipeline, log, until_now(directory.path));
  CHECK(run.status.exit() == Exit::Configuration);
  CHECK(run.status.message().find("up to offset 2") != std::string::npos);
  CHECK(run.status.message().find("committed 1") != std::string::npos);
}

TEST_CASE("a group that somebody else has used is refused, unless `start` says to go on from it") {
  for (const char* start : {"earliest", "committed"}) {
    FakePipeline pipeline = counting();
    pipeline.start = start;
    MemoryLog log;
    make_topics(log);
    append_rows(log, {"a 1 1", "a 2 1"});
    log.set_group_offsets("fake", {{{"in", 0}, {1, -1}}});
    FakeRun run = run_fake(pipeline, log);
    if (pipeline.start == "committed") {
      CHECK(run.status.ok());
      CHECK(run.summary.rows_in == 1);
      continue;
    }
    CHECK(run.status.exit() == Exit::Configuration);
    CHECK(run.status.message().find("committed 1") != std::string::npos);
    CHECK(out_rows(log).empty());
  }
}

TEST_CASE("an epoch that fails at any step neither loses nor repeats a row") {
  Rows rows;
  for (int i = 0; i < 200; ++i)
    rows.push_back(std::string(1, char('a' + i % 3)) + " " + std::to_string(i / 2) + " 1");
  rows.push_back("bad");
  auto run_with = [&](bool grouped, MemoryLog::Hook hook, const std::string& state_dir,
                      FakeRun* run) {
    MemoryLog log;
    make_topics(log);
    append_rows(log, rows);
    if (hook) log.set_hook(hook);
    FakePipeline pipeline = counting();
    pipeline.grouped = grouped;
    RunOptions options = fake_options();
    options.rows_per_batch = 10;
    options.rows_per_epoch_max = 20;
    options.state_dir = state_dir;
    *run = run_fake(pipeline, log, options);
    log.set_hook({});
    Rows out = sorted(out_rows(log));
    for (const auto& record : log.records({"dead", 0})) out.push_back(record.value);
    return out;
  };
  for (bool grouped : {true, false}) {
    FakeRun good;
    Rows expected = run_with(grouped, {}, "", &good);
    REQUIRE(good.status.ok());
    REQUIRE(good.summary.aborts == 0);
    REQUIRE(expected.size() > 20);
    for (Operation operation : {Operation::Begin, Operation::Produce, Operation::Flush,
                                Operation::SendOffsets, Operation::Commit}) {
      for (Moment moment : {Moment::Before, Moment::After}) {
        for (uint64_t nth : {1u, 3u, 6u}) {
          CAPTURE(grouped);
          CAPTURE(int(operation));
          CAPTURE(int(moment));
          CAPTURE(nth);
          bool failed = false;
          auto hook = [&](Operation o, uint64_t number, Moment m) -> Status {
            if (o != operation || m != moment || number != nth || failed) return {};
            failed = true;
            return Status::error(Exit::Unavailable, "the answer got lost");
          };
          ScratchDirectory directory;
          FakeRun run;
          Rows got = run_with(grouped, hook, nth == 3 ? directory.path : "", &run);
          CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
          CHECK(failed);
          CHECK(run.summary.aborts == 1);
          CHECK(got == expected);
        }
      }
    }
  }
}

TEST_CASE("a call that may be tried again is, without an abort") {
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 1 1", "a 12 1"});
  log.fail_nth(Operation::Commit, 1, Status::error(Exit::Unavailable, "not now", true));
  FakePipeline pipeline = counting();
  FakeRun run = run_fake(pipeline, log);
  CHECK(run.status.ok());
  CHECK(run.summary.aborts == 0);
  CHECK(out_rows(log).size() == 2);
}

TEST_CASE("lost partitions: the epoch is thrown away and done again") {
  MemoryLog log;
  make_topics(log);
  Rows rows;
  for (int i = 0; i < 100; ++i) rows.push_back("a " + std::to_string(i) + " 1");
  append_rows(log, rows);
  bool expired = false;
  log.set_hook([&](Operation operation, uint64_t number, Moment moment) -> Status {
    if (operation == Operation::Produce && number == 7 && moment == Moment::Before && !expired) {
      expired = true;
      log.expire_members("fake");
    }
    return {};
  });
  FakePipeline pipeline = counting();
  RunOptions options = fake_options();
  options.rows_per_batch = options.rows_per_epoch_max = 10;
  FakeRun run = run_fake(pipeline, log, options);
  CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  CHECK(expired);
  CHECK(out_rows(log).size() == 10);
}

TEST_CASE("an epoch that fails in front of the store's write is made up for from the changelog") {
  setenv("WEIR_FAILPOINT", "C8:error:2", 1);
  ScratchDirectory directory;
  MemoryLog log;
  make_topics(log);
  Rows rows;
  for (int i = 0; i < 100; ++i) rows.push_back("a " + std::to_string(i) + " 1");
  append_rows(log, rows);
  FakePipeline pipeline = counting();
  RunOptions options = fake_options();
  options.rows_per_batch = options.rows_per_epoch_max = 7;
  options.state_dir = directory.path;
  FakeRun run = run_fake(pipeline, log, options);
  unsetenv("WEIR_FAILPOINT");
  CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  CHECK(run.summary.aborts == 1);
  Rows expected;
  for (int w = 0; w < 10; ++w)
    expected.push_back("a [" + std::to_string(w * 10) + "," + std::to_string(w * 10 + 10) +
                       ") 10 10");
  std::sort(expected.begin(), expected.end());
  CHECK(sorted(out_rows(log)) == expected);
}

TEST_CASE("a partition that appears later is read from its beginning, whatever start says") {
  ScratchDirectory directory;
  FakePipeline pipeline = counting();
  pipeline.start = "latest";
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 1 1"});
  FakeRun run = run_fake(pipeline, log, until_now(directory.path));
  REQUIRE(run.status.ok());
  CHECK(run.summary.rows_in == 0);
  append_rows(log, {"b 2 1"});
  run = run_fake(pipeline, log, until_now(directory.path));
  CHECK(run.summary.rows_in == 1);  // `latest` was resolved at the first start, not now
}

TEST_CASE("damaged state is thrown away with one clear message, and restored") {
  ScratchDirectory directory;
  FakePipeline pipeline = counting();
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 1 1"});
  REQUIRE(run_fake(pipeline, log, until_now(directory.path)).status.ok());
  for (const auto& file : std::filesystem::directory_iterator(directory.path)) {
    if (file.path().filename().string().starts_with("MANIFEST"))
      std::filesystem::resize_file(file.path(), 20);
  }
  RunOptions options = fake_options();
  options.state_dir = directory.path;
  std::string said;
  options.say = [&](const std::string& line, bool) { said += line; };
  FakeRun run = run_fake(pipeline, log, options);
  CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  CHECK(said.find("`" + directory.path + "` can't be read") != std::string::npos);
  CHECK(sorted(out_rows(log)) == Rows{"a [0,10) 1 1"});
}

TEST_CASE("state ten times its share of the budget gives the same result") {
  Rows rows;
  for (int round = 0; round < 3; ++round) {
    for (int key = 0; key < 60'000; ++key)
      rows.push_back("user-with-a-long-name-" + std::to_string(key * 7919 % 60'000) + " " +
                     std::to_string(round) + " 1");
  }
  Rows results[2];
  uint64_t spills_seen = 0;
  for (bool small : {false, true}) {
    ScratchDirectory directory;
    MemoryLog log;
    make_topics(log);
    append_rows(log, rows);
    FakePipeline pipeline = counting();
    pipeline.size = pipeline.slide = 100;
    RunOptions options = fake_options();
    options.state_dir = directory.path;
    options.commit_interval_ms = 20;
    if (small) options.memory_bytes = 3 << 20;  // about 1.1 MiB for 9 MiB of groups
    FakeRun run = run_fake(pipeline, log, options);
    CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    results[small] = sorted(out_rows(log));
    spills_seen += run.summary.spills;
  }
  CHECK(results[0].size() == 60'000);
  CHECK(results[0][0].find(") 3 3") != std::string::npos);
  CHECK(results[0] == results[1]);
  CHECK(spills_seen > 0);
}
