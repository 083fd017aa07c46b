// Rows that operators keep: against plain models, over restarts and failures, and as bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "runtime/fake_pipeline.h"
#include "runtime/scratch_directory.h"
#include "runtime/state/changelog.h"

using namespace weir;
using namespace weir::runtime;

namespace {

using Rows = std::vector<std::string>;
using Operation = MemoryLog::Operation;
using Moment = MemoryLog::Moment;
using Frame = contract::Rows::Frame;

FakePipeline dedup(int64_t within, int64_t delay) {
  FakePipeline pipeline;
  pipeline.delay = delay;
  pipeline.emissions[0].to_log = true;
  pipeline.rows.emplace();
  pipeline.rows->set_kind(contract::Rows::DEDUP);
  pipeline.rows->set_within_us(within * 1'000'000);
  return pipeline;
}

// The count over one frame, the sum over another.
FakePipeline over(const Frame& count, const Frame& sum, int64_t delay) {
  FakePipeline pipeline = dedup(0, delay);
  pipeline.rows->set_kind(contract::Rows::OVER);
  *pipeline.rows->add_frames() = count;
  pipeline.rows->mutable_frames(0)->add_state(0);
  // A frame is there once.
  bool same = count.SerializeAsString() == sum.SerializeAsString();
  if (!same) *pipeline.rows->add_frames() = sum;
  pipeline.rows->mutable_frames(same ? 0 : 1)->add_state(1);
  return pipeline;
}

// Counts and sums up from row to row, as `over` of all rows does.
FakePipeline scan(bool on_arrival, int64_t delay) {
  FakePipeline pipeline = dedup(0, delay);
  pipeline.rows->set_kind(contract::Rows::SCAN);
  pipeline.rows->set_on_arrival(on_arrival);
  return pipeline;
}

Frame within(int64_t from, int64_t to = 0) {
  Frame frame;
  frame.set_kind(Frame::TIME);
  frame.set_from_us(from * 1'000'000);
  frame.set_to_us(to * 1'000'000);
  return frame;
}
Frame last(uint32_t rows) {
  Frame frame;
  frame.set_kind(Frame::ROWS);
  frame.set_rows(rows);
  return frame;
}
Frame all() {
  Frame frame;
  frame.set_kind(Frame::ALL);
  return frame;
}

struct Row {
  std::string key;
  int64_t time, amount;
  std::string text() const {
    return key + " " + std::to_string(time) + " " + std::to_string(amount);
  }
};

std::vector<Row> some_rows(unsigned seed, int count, int64_t disorder) {
  std::mt19937 random(seed);
  std::vector<Row> rows;
  for (int i = 0; i < count; ++i) {
    rows.push_back({std::string(1, char('a' + random() % 4)),
                    1000 + i / 3 - int64_t(random() % uint32_t(disorder + 1)),
                    int64_t(random() % 100)});
  }
  return rows;
}

// Rows in their order of one partition, none late.
// A row more than `expire` behind the one before of its key is the first of it.
Rows model_over(const std::vector<Row>& arrived, const Frame& count, const Frame& sum,
                int64_t expire = INT64_MAX) {
  std::multimap<int64_t, Row> by_time;  // equal ones stay in their order
  for (const Row& row : arrived) by_time.emplace(row.time, row);
  std::vector<Row> rows;
  for (const auto& [time, row] : by_time) rows.push_back(row);
  Rows out;
  for (size_t i = 0; i < rows.size(); ++i) {
    auto in_frame = [&](const Frame& frame) {
      std::vector<const Row*> found;
      for (size_t j = 0; j <= i; ++j) {
        if (rows[j].key != rows[i].key) continue;
        if (!found.empty() && rows[j].time - found.back()->time > expire) found.clear();
        found.push_back(&rows[j]);
      }
      if (frame.kind() == Frame::ROWS && found.size() > frame.rows())
        found.erase(found.begin(), found.end() - frame.rows());
      if (frame.kind() == Frame::TIME) {
        std::erase_if(found, [&](const Row* row) {
          int64_t before = (rows[i].time - row->time) * 1'000'000;
          return before > frame.from_us() || before < frame.to_us();
        });
      }
      return found;
    };
    int64_t total = 0;
    for (const Row* row : in_frame(sum)) total += row->amount;
    out.push_back(rows[i].key + " @" + std::to_string(rows[i].time) + " " +
                  std::to_string(in_frame(count).size()) + " " + std::to_string(total));
  }
  return out;
}

Rows model_scan_on_arrival(const std::vector<Row>& rows, int64_t expire = INT64_MAX) {
  struct State {
    int64_t count = 0, sum = 0, used = INT64_MAX;
  };
  std::map<std::string, State> state;
  Rows out;
  for (const Row& row : rows) {
    auto& [count, sum, used] = state[row.key];
    if (used != INT64_MAX && row.time - used > expire) count = sum = 0;
    used = used == INT64_MAX ? row.time : std::max(used, row.time);
    count += 1;
    sum += row.amount;
    out.push_back(row.key + " @" + std::to_string(row.time) + " " + std::to_string(count) + " " +
                  std::to_string(sum));
  }
  return out;
}

Rows model_dedup(const std::vector<Row>& rows, int64_t within) {
  std::map<std::string, std::set<int64_t>> firsts;
  Rows out;
  for (const Row& row : rows) {
    std::set<int64_t>& times = firsts[row.key];
    auto near = times.lower_bound(row.time - within);
    if (near != times.end() && *near <= row.time + within) continue;
    times.insert(row.time);
    out.push_back(row.key + " @" + std::to_string(row.time) + " 1 " + std::to_string(row.amount));
  }
  return out;
}

Rows texts(const std::vector<Row>& rows) {
  Rows out;
  for (const Row& row : rows) out.push_back(row.text());
  return out;
}

}  // namespace

TEST_CASE("over: each row once, in order, with what its frames hold") {
  const Frame frames[] = {within(10), within(0), within(30, 5), last(1), last(7), all()};
  for (const Frame& count : frames) {
    for (const Frame& sum : frames) {
      CAPTURE(count.ShortDebugString());
      CAPTURE(sum.ShortDebugString());
      std::vector<Row> rows = some_rows(1, 300, 8);
      Rows expected = model_over(rows, count, sum);
      for (uint32_t batch : {1u, 7u, 4096u}) {
        CAPTURE(batch);
        MemoryLog log;
        make_topics(log);
        append_rows(log, texts(rows));
        FakePipeline pipeline = over(count, sum, 8);
        RunOptions options = fake_options();
        options.rows_per_batch = batch;
        options.rows_per_epoch_max = 50;
        FakeRun run = run_fake(pipeline, log, options);
        REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
        CHECK(run.summary.rows_late == 0);
        CHECK(out_rows(log) == expected);
      }
    }
  }
}

TEST_CASE("over: several partitions give the rows of one") {
  std::vector<Row> rows = some_rows(2, 400, 0);
  MemoryLog log;
  make_topics(log, 4);
  // By partition, then offset: that is the order of equal event times.
  std::vector<Row> in_order;
  for (int32_t partition = 0; partition < 4; ++partition) {
    std::vector<Row> own;
    for (size_t i = size_t(partition); i < rows.size(); i += 4) own.push_back(rows[i]);
    append_rows(log, texts(own), partition);
    in_order.insert(in_order.end(), own.begin(), own.end());
  }
  FakePipeline pipeline = over(last(5), within(20), 400);
  FakeRun run = run_fake(pipeline, log);
  REQUIRE(run.status.ok());
  CHECK(sorted(out_rows(log)) == sorted(model_over(in_order, last(5), within(20))));
}

TEST_CASE("over on arrival: rows leave as they come, and later ones are not seen") {
  MemoryLog log;
  make_topics(log);
  append_rows(log, {"a 100 1", "a 90 2", "a 95 4", "a 100 8", "a 70 16", "a 112 32"});
  FakePipeline pipeline = over(within(10), last(3), 20);
  pipeline.rows->set_on_arrival(true);
  FakeRun run = run_fake(pipeline, log);
  REQUIRE(run.status.ok());
  CHECK(run.summary.rows_late == 1);  // 70
  CHECK(out_rows(log) ==
        Rows{"a @100 1 1", "a @90 1 3", "a @95 2 7", "a @100 4 14", "a @112 1 44"});
}

TEST_CASE("scan: rows of a key one after the other, however they are batched") {
  for (bool on_arrival : {false, true}) {
    for (uint32_t batch : {1u, 7u, 4096u}) {
      CAPTURE(on_arrival);
      CAPTURE(batch);
      std::vector<Row> rows = some_rows(6, 3000, 8);
      MemoryLog log;
      make_topics(log);
      append_rows(log, texts(rows));
      FakePipeline pipeline = scan(on_arrival, 8);
      RunOptions options = fake_options();
      options.rows_per_batch = batch;
      options.rows_per_epoch_max = 500;
      FakeRun run = run_fake(pipeline, log, options);
      REQUIRE(run.status.ok());
      CHECK(run.summary.rows_late == 0);
      CHECK(out_rows(log) ==
            (on_arrival ? model_scan_on_arrival(rows) : model_over(rows, all(), all())));
    }
  }
}

TEST_CASE("keys expire: by their rows alone, over restarts, and nothing is kept of them") {
  constexpr int64_t kExpire = 3;
  auto with_expiry = [](FakePipeline pipeline) {
    pipeline.rows->set_within_us(kExpire * 1'000'000);
    return pipeline;
  };
  for (int kind = 0; kind < 6; ++kind) {
    for (uint32_t batch : {1u, 7u, 4096u}) {
      for (size_t piece : {60u, 1200u}) {
        CAPTURE(kind);
        CAPTURE(batch);
        CAPTURE(piece);
        // Rare enough that some of each key are far apart.
        std::vector<Row> rows = some_rows(7, 1200, 4);
        for (size_t i = 0; i < rows.size(); ++i) rows[i].key += std::to_string(i % 7);
        Frame count = kind == 2 ? last(7) : all(), sum = kind == 3 ? within(20) : all();
        FakePipeline pipeline = with_expiry(kind < 2 ? scan(kind == 1, 4) : over(count, sum, 4));
        if (kind == 5) pipeline.rows->set_on_arrival(true);
        MemoryLog log;
        make_topics(log);
        ScratchDirectory directory;
        RunOptions options = until_now(directory.path);
        options.rows_per_batch = batch;
        options.rows_per_epoch_max = 50;
        for (size_t at = 0; at < rows.size(); at += piece) {
          append_rows(log, texts({rows.begin() + int64_t(at), rows.begin() + int64_t(at + piece)}));
          if (at + piece == rows.size()) options.until = Until::End;
          FakeRun run = run_fake(pipeline, log, options);
          REQUIRE(run.status.ok());
          CHECK(run.summary.rows_late == 0);
        }
        bool as_they_come = kind == 1 || kind == 5;
        CHECK(out_rows(log) == (as_they_come ? model_scan_on_arrival(rows, kExpire)
                                             : model_over(rows, count, sum, kExpire)));
      }
    }
  }
  // The state of a key that nobody uses goes from the changelog, too.
  MemoryLog log;
  make_topics(log);
  ScratchDirectory directory;
  FakePipeline pipeline = with_expiry(scan(true, 0));
  append_rows(log, {"a 10 1", "b 20 2", "b 21 4", "b 22 8", "b 23 16"});
  RunOptions options = until_now(directory.path);
  options.shards = 1;
  options.rows_per_batch = options.rows_per_epoch_max = 1;
  REQUIRE(run_fake(pipeline, log, options).status.ok());
  int removed = 0;
  for (const auto& record : log.records({"fake.counts.window.0.changelog", 0})) {
    ChangelogHeader header;
    std::vector<ChangelogEntry> found;
    REQUIRE(read_changelog(record.value, &header, &found).ok());
    for (const ChangelogEntry& entry : found) removed += entry.removed;
  }
  CHECK(removed == 1);
}

TEST_CASE("dedup: against a model, however rows are batched") {
  for (int64_t near : {1, 5, 40}) {
    for (uint32_t batch : {1u, 7u, 4096u}) {
      CAPTURE(near);
      CAPTURE(batch);
      std::vector<Row> rows = some_rows(3, 500, 12);
      MemoryLog log;
      make_topics(log);
      append_rows(log, texts(rows));
      FakePipeline pipeline = dedup(near, 12);
      RunOptions options = fake_options();
      options.rows_per_batch = batch;
      options.rows_per_epoch_max = 50;
      FakeRun run = run_fake(pipeline, log, options);
      REQUIRE(run.status.ok());
      CHECK(run.summary.rows_late == 0);
      CHECK(out_rows(log) == model_dedup(rows, near));
    }
  }
}

TEST_CASE("a restart knows the rows in front of it; without the store, from the changelog") {
  const std::pair<Frame, Frame> frames[] = {
      {within(10), within(30, 5)}, {last(4), within(12)}, {all(), last(2)}, {all(), all()}};
  for (bool keeps_disk : {true, false}) {
    for (int kind = 0; kind < 7; ++kind) {
      CAPTURE(keeps_disk);
      CAPTURE(kind);
      std::vector<Row> rows = some_rows(4, 300, 8);
      ScratchDirectory first, second;
      FakePipeline pipeline = kind == 4  ? dedup(9, 8)
                              : kind > 4 ? scan(kind == 6, 8)
                                         : over(frames[kind].first, frames[kind].second, 8);
      MemoryLog log;
      make_topics(log);
      for (size_t at = 0; at < rows.size(); at += 60) {
        append_rows(log, texts({rows.begin() + int64_t(at), rows.begin() + int64_t(at) + 60}));
        bool is_last = at + 60 == rows.size();
        RunOptions options = until_now(first.path);
        if (is_last) {
          options = fake_options();
          options.state_dir = keeps_disk ? first.path : second.path;
        }
        FakeRun run = run_fake(pipeline, log, options);
        REQUIRE_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
        CHECK(run.summary.rows_late == 0);
      }
      CHECK(out_rows(log) == (kind == 4   ? model_dedup(rows, 9)
                              : kind == 5 ? model_over(rows, all(), all())
                              : kind == 6
                                  ? model_scan_on_arrival(rows)
                                  : model_over(rows, frames[kind].first, frames[kind].second)));
    }
  }
}

TEST_CASE(
    "behind the end of input a later run goes on: what has left is late, the rest is compared") {
  ScratchDirectory directory;
  MemoryLog log;
  make_topics(log);
  FakePipeline pipeline = over(within(10), all(), 5);
  RunOptions options = fake_options();
  options.state_dir = directory.path;
  append_rows(log, {"a 100 1", "a 96 2"});
  REQUIRE(run_fake(pipeline, log, options).status.ok());
  append_rows(log, {"a 100 4", "a 101 8", "a 110 16"});
  FakeRun run = run_fake(pipeline, log, options);
  REQUIRE(run.status.ok());
  CHECK(run.summary.rows_late == 1);
  CHECK(out_rows(log) == Rows{"a @96 1 2", "a @100 2 3", "a @101 3 11", "a @110 3 27"});
}

TEST_CASE("an epoch that fails at any step neither loses nor repeats a row that is kept") {
  std::vector<Row> rows = some_rows(5, 200, 4);
  auto run_with = [&](int kind, MemoryLog::Hook hook, const std::string& state_dir, FakeRun* run) {
    MemoryLog log;
    make_topics(log);
    append_rows(log, texts(rows));
    log.set_hook(hook);
    FakePipeline pipeline = kind == 0   ? dedup(6, 4)
                            : kind == 1 ? over(within(20), last(3), 4)
                            : kind == 2 ? over(all(), within(8), 4)
                                        : scan(kind == 4, 4);
    RunOptions options = fake_options();
    options.rows_per_batch = 10;
    options.rows_per_epoch_max = 20;
    options.state_dir = state_dir;
    *run = run_fake(pipeline, log, options);
    log.set_hook({});
    return out_rows(log);
  };
  for (int kind = 0; kind < 5; ++kind) {
    FakeRun run;
    ScratchDirectory calm;
    Rows expected = run_with(kind, {}, calm.path, &run);
    REQUIRE(run.status.ok());
    CHECK(expected == (kind == 0   ? model_dedup(rows, 6)
                       : kind == 1 ? model_over(rows, within(20), last(3))
                       : kind == 2 ? model_over(rows, all(), within(8))
                       : kind == 3 ? model_over(rows, all(), all())
                                   : model_scan_on_arrival(rows)));
    for (Operation operation : {Operation::Begin, Operation::Produce, Operation::Flush,
                                Operation::SendOffsets, Operation::Commit}) {
      for (Moment moment : {Moment::Before, Moment::After}) {
        for (uint64_t nth : {1u, 4u}) {
          CAPTURE(kind);
          CAPTURE(int(operation));
          CAPTURE(int(moment));
          CAPTURE(nth);
          bool failed = false;
          auto hook = [&](Operation at, uint64_t number, Moment when) -> Status {
            if (at != operation || when != moment || number != nth || failed) return {};
            failed = true;
            return Status::error(Exit::Unavailable, "the answer got lost");
          };
          ScratchDirectory directory;
          CHECK(run_with(kind, hook, nth == 4 ? directory.path : "", &run) == expected);
          CHECK(run.status.ok());
          CHECK(failed);
        }
      }
    }
  }
}

// Version 1: a change of these bytes is a new version, and the old ones stay readable.
TEST_CASE("golden bytes of a row in the changelog") {
  auto entries = [](FakePipeline pipeline, std::vector<std::string>* records) {
    ScratchDirectory directory;
    MemoryLog log;
    make_topics(log);
    append_rows(log, {"a 3 7"});
    RunOptions options = until_now(directory.path);
    options.shards = 1;
    REQUIRE(run_fake(pipeline, log, options).status.ok());
    for (const auto& record : log.records({"fake.counts.window.0.changelog", 0}))
      records->push_back(record.value);
    REQUIRE(records->size() == 1);
    ChangelogHeader header;
    std::vector<ChangelogEntry> found;
    REQUIRE(read_changelog((*records)[0], &header, &found).ok());
    REQUIRE(found.size() == 1);
    return found[0];
  };
  auto hex = [](std::string_view bytes) {
    std::string text;
    for (char c : bytes) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", uint8_t(c));
      text += two;
    }
    return text;
  };
  std::vector<std::string> records;
  ChangelogEntry row = entries(over(within(10), last(2), 1), &records);
  CHECK(hex(row.key) ==
        "0000"
        "80000000002dc6c0"
        "61"
        "00000000"
        "8000000000000000"
        "40bd0883"
        "00000000");
  CHECK(hex(row.value) ==
        "01"
        "00000000"
        "00000000"
        "0100000000000000"
        "0700000000000000");
  records.clear();
  row = entries(dedup(10, 1), &records);
  CHECK(hex(row.key) ==
        "0000"
        "80000000002dc6c0"
        "61");
  CHECK(hex(row.value) ==
        "01"
        "00000000"
        "00000000");
  // A scan on arrival keeps nothing but the state of its key.
  records.clear();
  row = entries(scan(true, 1), &records);
  CHECK(hex(row.key) ==
        "0000"
        "ffffffffffffffff"
        "61");
  CHECK(hex(row.value) ==
        "01"
        "00000000"
        "00000000"
        "0100000000000000"
        "0700000000000000");
}
