// State that is larger than its share of the budget: the results are those of a run that has the
// memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "runtime/fake_pipeline.h"
#include "runtime/names.h"
#include "runtime/scratch_directory.h"

using namespace weir;
using namespace weir::runtime;

namespace {

using Rows = std::vector<std::string>;

constexpr int kKeys = 20'000;
constexpr uint64_t kSmall = 1 << 20, kLarge = 1 << 30;

// Every key once in each round, in no order, ten seconds later than in the round before.
Rows rounds_of_keys(int first, int rounds) {
  Rows rows;
  for (int round = first; round < first + rounds; ++round) {
    for (int key = 0; key < kKeys; ++key)
      rows.push_back("user-with-a-long-name-" + std::to_string(key * 7919 % kKeys) + " " +
                     std::to_string(round * 10 + key % 10) + " 1");
  }
  return rows;
}

FakePipeline updating(int64_t size, int64_t slide, int64_t every_us) {
  FakePipeline pipeline;
  pipeline.size = size;
  pipeline.slide = slide;
  pipeline.delay = 10'000;
  pipeline.emissions = {{contract::Emission::UPDATE, every_us, true}};
  return pipeline;
}

struct Ran {
  Rows rows;  // as they came
  uint64_t spills = 0, epochs = 0, aborts = 0;
};

// Two runs on one state: a stop, then on to the end.
Ran run_twice(FakePipeline& pipeline, uint64_t memory) {
  ScratchDirectory directory;
  MemoryLog log;
  make_topics(log);
  Ran ran;
  for (bool last : {false, true}) {
    append_rows(log, rounds_of_keys(last ? 2 : 0, 2));
    RunOptions options = fake_options();
    options.state_dir = directory.path;
    options.memory_bytes = memory;
    options.commit_interval_ms = 10;
    if (!last) options.until = Until::Now;
    FakeRun run = run_fake(pipeline, log, options);
    REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    ran.spills += run.summary.spills;
    ran.epochs += run.summary.epochs;
    ran.aborts += run.summary.aborts;
  }
  ran.rows = out_rows(log);
  return ran;
}

// The last row of each group and window; none comes twice the same in turn.
Rows last_rows(const Rows& rows) {
  std::map<std::string, std::string> last;
  for (const std::string& row : rows) {
    std::string& before = last[row.substr(0, row.find(')') + 1)];
    CHECK(before != row);
    before = row;
  }
  Rows ends;
  for (const auto& [group, row] : last) ends.push_back(row);
  return ends;
}

}  // namespace

TEST_CASE("spilled: updates of running groups, at each commit and at the end") {
  for (int64_t every_us : {int64_t{0}, int64_t{3'600'000'000}}) {
    CAPTURE(every_us);
    FakePipeline pipeline = updating(0, 0, every_us);
    Ran small = run_twice(pipeline, kSmall), large = run_twice(pipeline, kLarge);
    CHECK(small.spills > 0);
    CHECK(large.spills == 0);
    Rows ends = last_rows(small.rows);
    CHECK(ends.size() == kKeys);
    CHECK(ends == last_rows(large.rows));
    if (every_us == 0) continue;
    // Each group once, and in bounded pieces: epochs end in between.
    CHECK(small.rows.size() == kKeys);
    CHECK(small.epochs > large.epochs);
  }
}

TEST_CASE("spilled: updates of overlapping windows") {
  FakePipeline pipeline = updating(20, 10, 0);
  Ran small = run_twice(pipeline, kSmall), large = run_twice(pipeline, kLarge);
  CHECK(small.spills > 0);
  Rows ends = last_rows(small.rows);
  CHECK(ends.size() == kKeys * 5);
  CHECK(ends == last_rows(large.rows));
}

TEST_CASE("spilled: overlapping windows that close") {
  FakePipeline pipeline = updating(20, 10, 0);
  pipeline.emissions[0].mode = contract::Emission::APPEND;
  Ran small = run_twice(pipeline, kSmall), large = run_twice(pipeline, kLarge);
  CHECK(small.spills > 0);
  CHECK(small.rows.size() == kKeys * 5);
  CHECK(small.rows == large.rows);  // in the same order
}

TEST_CASE("spilled: a failing commit between the pieces of an update loses and repeats nothing") {
  setenv("WEIR_FAILPOINT", "C7:error:40", 1);
  FakePipeline pipeline = updating(0, 0, 3'600'000'000);
  Ran ran = run_twice(pipeline, kSmall);
  unsetenv("WEIR_FAILPOINT");
  CHECK(ran.aborts > 0);
  CHECK(ran.rows.size() == kKeys);
  CHECK(last_rows(ran.rows).size() == kKeys);
  for (const std::string& row : ran.rows) CHECK(row.ends_with(" 4 4"));
}

TEST_CASE("spilled: parts in the changelog restore a lost disk") {
  FakePipeline pipeline = updating(100, 100, 0);
  pipeline.emissions[0].mode = contract::Emission::APPEND;
  MemoryLog log;
  make_topics(log);
  for (int round = 0; round < 3; ++round) {
    ScratchDirectory directory;  // a new one each time
    append_rows(log, rounds_of_keys(round, 1));
    RunOptions options = fake_options();
    options.state_dir = directory.path;
    options.memory_bytes = kSmall;
    options.commit_interval_ms = 10;
    if (round < 2) options.until = Until::Now;
    FakeRun run = run_fake(pipeline, log, options);
    REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
  }
  Rows rows;
  for (const auto& record : log.records({"out", 0})) rows.push_back(record.value);
  CHECK(last_rows(rows).size() == kKeys);
  CHECK(rows.size() == kKeys);
  for (const std::string& row : rows) CHECK(row.ends_with(") 3 3"));
}
