// Whole runs over the in-memory log, with stages that are C++ functions.
#include "runtime/pipeline.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "runtime/fake_pipeline.h"

using namespace weir;
using namespace weir::runtime;

namespace {

using Rows = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "a tumbling window is fired when the watermark has reached its end, whatever the batches") {
  for (uint32_t batch : {1u, 2u, 7u, 4096u}) {
    CAPTURE(batch);
    MemoryLog log;
    make_topics(log);
    append_rows(log, {"a 1 10", "b 2 5", "a 9 1", "a 10 7", "b 25 1"});
    FakePipeline pipeline;
    pipeline.size = pipeline.slide = 10;
    RunOptions options = fake_options();
    options.rows_per_batch = batch;
    FakeRun run = run_fake(pipeline, log, options);
    CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    CHECK(sorted(run.rows) ==
          Rows{"a [0,10) 2 11", "a [10,20) 1 7", "b [0,10) 1 5", "b [20,30) 1 1"});
    CHECK(run.summary.rows_in == 5);
    CHECK(run.summary.rows_out == 4);
  }
}

namespace {

// The plain model: every window of every row, counted, but windows that are closed by then; final
// results, "key [s,e) count sum".
Rows model(const FakePipeline& p, const Rows& rows) {
  int64_t watermark = INT64_MIN;
  std::map<std::pair<int64_t, std::string>, std::pair<int64_t, int64_t>> groups;
  for (const std::string& row : rows) {
    size_t first = row.find(' '), second = row.find(' ', first + 1);
    int64_t t = std::stoll(row.substr(first + 1)), amount = std::stoll(row.substr(second + 1));
    for (int64_t s = t - p.size - p.slide; s <= t; ++s) {
      bool starts = ((s - p.offset) % p.slide + p.slide) % p.slide == 0;
      if (!starts || t < s || t >= s + p.size || s + p.size + p.grace <= watermark) continue;
      auto& group = groups[{s, row.substr(0, first)}];
      ++group.first;
      group.second += amount;
    }
    watermark = std::max(watermark, t - p.delay);
  }
  Rows out;
  for (const auto& [at, group] : groups) {
    out.push_back(at.second + " [" + std::to_string(at.first) + "," +
                  std::to_string(at.first + p.size) + ") " + std::to_string(group.first) + " " +
                  std::to_string(group.second));
  }
  return sorted(out);
}

Rows random_rows(int count, int64_t disorder, uint32_t seed) {
  Rows rows;
  uint64_t state = seed * 2654435761u + 1;
  auto next = [&] {
    return state = state * 6364136223846793005u + 1442695040888963407u, uint32_t(state >> 33);
  };
  for (int i = 0; i < count; ++i) {
    rows.push_back(std::string(1, char('a' + next() % 5)) + " " +
                   std::to_string(i / 3 - int64_t(next() % (disorder + 1))) + " " +
                   std::to_string(next() % 100));
  }
  return rows;
}

}  // namespace

TEST_CASE(
    "hops agree with the model: size a multiple of the slide or not, smaller than the slide, "
    "shifted") {
  for (auto [size, slide, offset] :
       {std::tuple{20, 5, 0}, {20, 20, 7}, {7, 3, 0}, {10, 4, -3}, {3, 5, 1}, {60, 1, 0}}) {
    for (uint32_t batch : {1u, 7u, 4096u}) {
      CAPTURE(size);
      CAPTURE(slide);
      CAPTURE(batch);
      FakePipeline pipeline;
      pipeline.size = size;
      pipeline.slide = slide;
      pipeline.offset = offset;
      pipeline.delay = 10;
      MemoryLog log;
      Rows rows = random_rows(300, 10, uint32_t(size));
      append_rows(make_topics(log), rows);
      RunOptions options = fake_options();
      options.rows_per_batch = batch;
      FakeRun run = run_fake(pipeline, log, options);
      REQUIRE(run.status.ok());
      CHECK(run.summary.rows_late == 0);
      CHECK(sorted(run.rows) == model(pipeline, rows));
    }
  }
}

TEST_CASE(
    "rows late for some of their windows count in the others, however many panes have been "
    "combined by then, grace or not") {
  for (auto [size, slide, grace] :
       {std::tuple{20, 1, 0}, {20, 1, 4}, {60, 2, 0}, {60, 7, 3}, {24, 4, 0}}) {
    for (uint32_t shards : {1u, 16u}) {
      for (uint32_t batch : {1u, 7u, 4096u}) {
        CAPTURE(size);
        CAPTURE(slide);
        CAPTURE(grace);
        CAPTURE(shards);
        CAPTURE(batch);
        FakePipeline pipeline;
        pipeline.size = size;
        pipeline.slide = slide;
        pipeline.grace = grace;
        pipeline.delay = 3;
        MemoryLog log;
        Rows rows = random_rows(900, size / 2, uint32_t(size + grace));
        rows.push_back("never-seen-before 290 1");  // a new key in old panes
        for (const std::string& row : random_rows(30, size / 2, 77))
          rows.push_back(row.substr(0, 2) + std::to_string(295 + std::stoll(row.substr(2))) + " 5");
        append_rows(make_topics(log), rows);
        RunOptions options = fake_options();
        options.rows_per_batch = batch;
        options.shards = shards;
        FakeRun run = run_fake(pipeline, log, options);
        REQUIRE(run.status.ok());
        CHECK(sorted(run.rows) == model(pipeline, rows));
      }
    }
  }
}

TEST_CASE("updates of a hop end at what the model says, with late rows") {
  for (int64_t slide : {1, 7}) {
    for (uint32_t epoch : {1u, 13u, 200u}) {
      CAPTURE(slide);
      CAPTURE(epoch);
      FakePipeline pipeline;
      pipeline.size = 30;
      pipeline.slide = slide;
      pipeline.delay = 3;
      pipeline.emissions = {{contract::Emission::UPDATE}, {}};
      MemoryLog log;
      Rows rows = random_rows(400, 20, 9);
      append_rows(make_topics(log), rows);
      REQUIRE(log.ensure_topic("out1", 1, {}).ok());
      RunOptions options = fake_options();
      options.rows_per_batch = options.rows_per_epoch_max = epoch;
      FakeRun run;
      std::map<std::string, std::string> last;
      Rows appended;
      uint64_t updates = 0;
      options.log = &log;
      options.collect = [&](const std::string& sink, std::string_view, std::string_view value) {
        std::string row(value);
        size_t group = row.find(')') + 1;
        if (sink == "out") ++updates;
        if (sink == "out")
          CHECK(std::exchange(last[row.substr(0, group)], row) != row);  // never the same twice
        if (sink != "out") appended.push_back(row);
      };
      REQUIRE(run_pipeline(*pipeline.image(), options, &run.summary).ok());
      Rows ends;
      for (const auto& [group, row] : last) ends.push_back(row);
      CHECK(sorted(ends) == model(pipeline, rows));
      CHECK(sorted(appended) == model(pipeline, rows));
      CHECK(updates > ends.size());
    }
  }
}

TEST_CASE("four partitions give the result of one") {
  FakePipeline pipeline;
  pipeline.size = 10;
  pipeline.slide = 5;
  pipeline.delay = 400;  // however the lanes take turns, nothing is late
  Rows rows = random_rows(1000, 5, 3);
  MemoryLog log;
  make_topics(log, 4);
  for (size_t i = 0; i < rows.size(); ++i) append_rows(log, {rows[i]}, int32_t(i % 4));
  FakeRun run = run_fake(pipeline, log);
  REQUIRE(run.status.ok());
  CHECK(sorted(run.rows) == model(pipeline, rows));
}

TEST_CASE("late is decided per window, results do not depend on batches") {
  // W is 30 behind "b 30"; "c 21" is late for [10,30), not for [20,40); "d 5" is late for all.
  Rows rows = {"a 12 1", "a 22 1", "b 30 1", "c 21 1", "d 5 1", "e 50 1"};
  Rows first;
  for (uint32_t batch : {1u, 2u, 3u, 4096u}) {
    CAPTURE(batch);
    FakePipeline pipeline;
    pipeline.size = 20;
    pipeline.slide = 10;
    MemoryLog log;
    append_rows(make_topics(log), rows);
    RunOptions options = fake_options();
    options.rows_per_batch = batch;
    FakeRun run = run_fake(pipeline, log, options);
    REQUIRE(run.status.ok());
    CHECK(run.summary.rows_late == 1);
    CHECK(sorted(run.rows) == Rows{"a [0,20) 1 1", "a [10,30) 2 2", "a [20,40) 1 1",
                                   "b [20,40) 1 1", "b [30,50) 1 1", "c [20,40) 1 1",
                                   "e [40,60) 1 1", "e [50,70) 1 1"});
  }
}

TEST_CASE("grace keeps a window open behind its end, and an append waits for it") {
  FakePipeline pipeline;
  pipeline.size = pipeline.slide = 10;
  pipeline.grace = 5;
  MemoryLog log;
  append_rows(make_topics(log), {"a 1 1", "b 14 1", "a 2 1", "b 15 1", "a 3 1"});
  FakeRun run = run_fake(pipeline, log);
  REQUIRE(run.status.ok());
  CHECK(run.summary.rows_late == 1);
  CHECK(sorted(run.rows) == Rows{"a [0,10) 2 2", "b [10,20) 2 2"});
}

TEST_CASE("a window behind a window sees results that are never late, grace or not") {
  for (int64_t grace : {0, 15}) {
    FakePipeline pipeline;
    pipeline.size = pipeline.slide = 10;
    pipeline.grace = grace;
    pipeline.second_size = 30;
    MemoryLog log;
    append_rows(make_topics(log), {"a 1 1", "b 2 2", "a 11 4", "b 25 8", "a 35 16", "a 95 32"});
    FakeRun run = run_fake(pipeline, log);
    REQUIRE(run.status.ok());
    CHECK(run.summary.rows_late == 0);
    CHECK(run.rows == Rows{"all [0,30) 4 15", "all [30,60) 1 16", "all [90,120) 1 32"});
  }
}

TEST_CASE("update: what changed leaves at each commit, the rest when the window closes") {
  FakePipeline pipeline;
  pipeline.size = pipeline.slide = 10;
  pipeline.emissions = {{contract::Emission::UPDATE}};
  MemoryLog log;
  append_rows(make_topics(log), {"a 1 1", "b 2 1", "a 3 1", "c 12 1"});
  RunOptions options = fake_options();
  options.rows_per_batch = 1;
  options.rows_per_epoch_max = 1;
  FakeRun run = run_fake(pipeline, log, options);
  REQUIRE(run.status.ok());
  CHECK(run.rows == Rows{"a [0,10) 1 1", "b [0,10) 1 1", "a [0,10) 2 2", "c [10,20) 1 1"});
  CHECK(run.summary.epochs >= 4);
}

TEST_CASE("update of a hop: every open window of a changed pane") {
  FakePipeline pipeline;
  pipeline.size = 20;
  pipeline.slide = 10;
  pipeline.emissions = {{contract::Emission::UPDATE}};
  MemoryLog log;
  append_rows(make_topics(log), {"a 5 1", "a 15 1"});
  RunOptions options = fake_options();
  options.rows_per_batch = 1;
  options.rows_per_epoch_max = 1;
  FakeRun run = run_fake(pipeline, log, options);
  REQUIRE(run.status.ok());
  CHECK(sorted(run.rows) ==
        Rows{"a [-10,10) 1 1", "a [0,20) 1 1", "a [0,20) 2 2", "a [10,30) 1 1"});
}

TEST_CASE("update every hour: once, at the end of input") {
  FakePipeline pipeline;
  pipeline.emissions = {{contract::Emission::UPDATE, 3'600'000'000}};
  MemoryLog log;
  append_rows(make_topics(log), {"a 1 1", "b 2 1", "a 3 1"});
  RunOptions options = fake_options();
  options.rows_per_batch = options.rows_per_epoch_max = 1;
  FakeRun run = run_fake(pipeline, log, options);
  REQUIRE(run.status.ok());
  CHECK(sorted(run.rows) == Rows{"a [0,0) 2 2", "b [0,0) 1 1"});
}

TEST_CASE("complete: all groups at each commit that has changes") {
  FakePipeline pipeline;
  pipeline.emissions = {{contract::Emission::COMPLETE}};
  MemoryLog log;
  append_rows(make_topics(log), {"a 1 1", "b 2 1"});
  RunOptions options = fake_options();
  options.rows_per_batch = options.rows_per_epoch_max = 1;
  options.shards = 1;
  FakeRun run = run_fake(pipeline, log, options);
  REQUIRE(run.status.ok());
  CHECK(run.rows == Rows{"a [0,0) 1 1", "a [0,0) 1 1", "b [0,0) 1 1"});
}

TEST_CASE("rows that can't be read are dead letters, a failure, or skipped") {
  auto run_with = [](contract::Source::OnError on_error, MemoryLog& log) {
    FakePipeline pipeline;
    pipeline.size = pipeline.slide = 10;
    pipeline.on_error = on_error;
    make_topics(log);
    LogProducer::Message bad;
    std::vector<Header> headers = {{"trace", "7"}};
    bad.topic = "in";
    bad.partition = 0;
    bad.has_key = true;
    bad.key = "k";
    bad.value = "bad";
    bad.headers = &headers;
    append_rows(log, {"a 1 1"});
    REQUIRE(log.append(bad).ok());
    append_rows(log, {"b 2 1"});
    return run_fake(pipeline, log);
  };
  SUBCASE("dead letter") {
    MemoryLog log;
    FakeRun run = run_with(contract::Source::DEAD_LETTER, log);
    REQUIRE(run.status.ok());
    CHECK(run.rows.size() == 2);
    CHECK(run.summary.rows_dead == 1);
    auto dead = log.records({"dead", 0});
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].key == "k");
    CHECK(dead[0].value == "bad");
    std::map<std::string, std::string> headers(dead[0].headers.begin(), dead[0].headers.end());
    CHECK(headers == std::map<std::string, std::string>{{"trace", "7"},
                                                        {"weir.reason", "malformed"},
                                                        {"weir.code", "W7001"},
                                                        {"weir.detail", "not three words"},
                                                        {"weir.topic", "in"},
                                                        {"weir.partition", "0"},
                                                        {"weir.offset", "1"},
                                                        {"weir.stream", "counts"}});
    REQUIRE(run.aside.size() == 1);
    CHECK(run.aside[0].find("\"reason\":\"malformed\"") != std::string::npos);
  }
  SUBCASE("fail") {
    MemoryLog log;
    FakeRun run = run_with(contract::Source::FAIL, log);
    CHECK(run.status.exit() == Exit::BadData);
    CHECK(run.status.message() ==
          "in/0 at offset 1, stream `counts`: W7001 malformed (not three words)");
    CHECK(log.group_offsets("fake").empty());
  }
  SUBCASE("skip") {
    MemoryLog log;
    FakeRun run = run_with(contract::Source::SKIP, log);
    REQUIRE(run.status.ok());
    CHECK(run.summary.rows_dead == 1);
    CHECK(log.records({"dead", 0}).empty());
  }
}

TEST_CASE("rows without keyed operators go from log to log in the order of their partition") {
  FakePipeline pipeline;
  pipeline.grouped = false;
  pipeline.emissions[0].to_log = true;
  MemoryLog log;
  make_topics(log);
  Rows rows = random_rows(500, 0, 5);
  append_rows(log, rows);
  FakeRun run = run_fake(pipeline, log);
  REQUIRE(run.status.ok());
  Rows out;
  for (const auto& record : log.records({"out", 0})) out.push_back(record.value);
  CHECK(out == rows);
  CHECK(log.group_offsets("fake").at({"in", 0}).offset == 500);
}
