// Whole stages on rows in memory: time, lateness, groups, errors, what comes back.
#include <doctest/doctest.h>

#include "codegen/graph_for_tests.h"

using namespace weir::codegen::test;
using namespace std::string_view_literals;
using weir::compiler::KeyedNode;
using weir::compiler::StageStep;

namespace {

constexpr int64_t kSecond = 1000000;

StageStep where(Expr predicate, std::vector<StageStep> next) {
  return {StageStep::Where{std::move(predicate)}, "rows", std::move(next)};
}
StageStep update(weir::compiler::NodeId keyed, std::vector<StageStep> late = {}) {
  return {StageStep::Update{keyed, std::move(late)}, "groups", {}};
}
StageStep emit(weir::compiler::NodeId sink) { return {StageStep::Emit{sink}, "out", {}}; }

const Type kText = of(TypeKind::String);
const Type kAmount = weir::compiler::decimal_type(12, 2);
const Type kMillis = weir::compiler::timestamp_type(weir::compiler::TimeUnit::Milli);

// rides | where event_type != "heartbeat" | window hop(60s, 30s) by event_type { count(),
// sum(amount) }
struct Rides : Program {
  explicit Rides(weir::compiler::WindowSpec window = {60 * kSecond, 30 * kSecond, 0, 0},
                 int64_t delay = 10 * kSecond, bool late_sink = false) {
    auto ride =
        record("Ride", {{"event_type", kText}, {"amount", kAmount.nullable()}, {"ts", kMillis}});
    auto source_id = source(ride, field(2, kMillis), delay);
    auto out = record(
        "", {{"window_start", weir::compiler::timestamp_type(weir::compiler::TimeUnit::Micro)},
             {"window_end", weir::compiler::timestamp_type(weir::compiler::TimeUnit::Micro)},
             {"event_type", kText},
             {"count", of(TypeKind::Int64)},
             {"sum", weir::compiler::decimal_type(38, 2)}});
    KeyedNode groups;
    groups.window = window;
    groups.keys = {{"event_type", field(0, kText)}};
    count(groups);
    Expr amount = field(1, kAmount.nullable());
    sum(groups, node(Op::Unwrap, kAmount, {amount}),
        node(Op::Not, of(TypeKind::Bool), {node(Op::IsNull, of(TypeKind::Bool), {amount})}));
    auto groups_id = keyed(groups, out);
    auto sink_id = sink(out, field(2, kText));
    std::vector<StageStep> late;
    if (late_sink) late.push_back(emit(sink(ride)));
    stage(source_id,
          {where(node(Op::NotEqual, of(TypeKind::Bool), {field(0, kText), text("heartbeat")}),
                 {update(groups_id, late)})});
    stage(groups_id, {emit(sink_id)});
  }
};

void ride(Run& run, const char* type, int64_t amount, int64_t ts, bool has_amount = true,
          uint64_t bad = 0) {
  run.row([&](char* row, uint64_t& bad_bits) {
    auto& slots = run.layout.slots;
    WeirBytes text{type, strlen(type)};
    memcpy(row + slots[0].offset, &text, 16);
    memcpy(row + slots[1].offset, &amount, 8);
    row[slots[1].presence] = has_amount;
    memcpy(row + slots[2].offset, &ts, 8);
    bad_bits = bad;
  });
}

int64_t count_of(const char* group) {
  int64_t n;
  memcpy(&n, group + 32, 8);
  return n;
}
int64_t sum_of(const char* group) {
  int64_t n;
  memcpy(&n, group + 16, 8);
  return n;
}

}  // namespace

TEST_CASE("the ride query counts and sums by pane") {
  Rides rides;
  Run run(rides);
  REQUIRE_MESSAGE(run.jit, run.failure);
  ride(run, "start", 150, 1000);
  ride(run, "start", 250, 29999);
  ride(run, "start", 0, 30000, false);
  ride(run, "heartbeat", 7, 30000);
  ride(run, "a key of more than sixteen bytes", -5, 31000);
  CHECK(run.call() == kStageDone);
  CHECK(run.batch.next == 5);
  CHECK(run.errors().empty());
  REQUIRE(run.group("start", 0));
  CHECK(count_of(run.group("start", 0)) == 2);
  CHECK(sum_of(run.group("start", 0)) == 400);
  CHECK(count_of(run.group("start", 30 * kSecond)) == 1);
  CHECK(sum_of(run.group("start", 30 * kSecond)) == 0);
  CHECK(sum_of(run.group("a key of more than sixteen bytes", 30 * kSecond)) == -5);
  CHECK(run.group("heartbeat", 30 * kSecond) == nullptr);
  CHECK(run.batch.event_time_max == 31 * kSecond);
  CHECK(run.stage.counters.rows_in == 5);
}

TEST_CASE("a bad field harms only a row that uses it") {
  Rides rides;
  Run run(rides);
  REQUIRE(run.jit);
  ride(run, "heartbeat", 0, 1000, true, 2);  // its amount is bad, but it is filtered out
  ride(run, "start", 0, 1000, true, 2);
  ride(run, "start", 0, 1000, true, 1);
  ride(run, "heartbeat", 0, 1000, true, 4);  // the event time is used of every row
  ride(run, "start", 0, 1000, true, 5);      // the first in program order is the reason
  ride(run, "start", 0, 1000, true, ~0ull);
  run.records.push_back({});
  ride(run, "start", 1, 1000);
  CHECK(run.call() == kStageDone);
  CHECK(run.errors() == std::vector<std::string>{
                            "1 7004 groups amount: wrong_type",
                            "2 7004 rows event_type: wrong_type", "3 7004 rows ts: wrong_type",
                            "4 7004 rows ts: wrong_type", "5 7001 rows malformed", "6 7009 rows "});
  CHECK(count_of(run.group("start", 0)) == 1);  // rows that failed left no trace
  CHECK(run.batch.next == 8);
}

TEST_CASE("an event time outside the years is a row error") {
  Rides rides;
  Run run(rides);
  ride(run, "start", 1, INT64_MAX);
  ride(run, "start", 1, -62135596800001);
  ride(run, "start", 1, 253402300799999);
  run.call();
  CHECK(run.errors() == std::vector<std::string>{"0 7017 rows event_time: time_out_of_range",
                                                 "1 7017 rows event_time: time_out_of_range"});
  CHECK(run.batch.event_time_max == 253402300799999000);
}

TEST_CASE(
    "a row is late when its last window ended at or before the watermark that stood before it") {
  Rides rides({60 * kSecond, 30 * kSecond, 0, 5 * kSecond}, 10 * kSecond);
  Run run(rides);
  ride(run, "start", 1, 94999);   // W = 84.999 s afterwards
  ride(run, "start", 1, 29999);   // last window ends at 60 + 30 = [0, 60) → 60 + 5 ≤ 84.999: late
  ride(run, "start", 1, 30000);   // [30, 90): open until W = 95
  ride(run, "start", 1, 105000);  // W = 95
  ride(run, "start", 1, 59999);   // [30, 90) ends at 90 + 5 ≤ 95: late now
  ride(run, "start", 1, 60000);
  CHECK(run.call() == kStageDone);
  CHECK(run.stage.counters.rows_late == 2);
  CHECK(run.group("start", 0) == nullptr);
  CHECK(count_of(run.group("start", 30 * kSecond)) == 1);
  CHECK(count_of(run.group("start", 60 * kSecond)) == 1);
  CHECK(count_of(run.group("start", 90 * kSecond)) == 2);
}

TEST_CASE("results do not depend on how batches are split") {
  auto late_with = [](uint32_t batch_rows) {
    Rides rides;
    Run run(rides);
    uint32_t seed = 7;
    for (int i = 0; i < 500; i++) {
      seed = seed * 1103515245 + 12345;
      ride(run, i % 3 ? "start" : "end", i, int64_t(i) * 400 + seed / 65536 % 60000);
    }
    auto all = run.records;
    for (uint32_t from = 0; from < all.size(); from += batch_rows) {
      run.records.assign(all.begin() + from,
                         all.begin() + std::min<size_t>(from + batch_rows, all.size()));
      run.batch.next = 0;
      CHECK(run.call() == kStageDone);
    }
    uint64_t sum = 0;  // a checksum: it may wrap
    for (int64_t pane = 0; pane < 300 * kSecond; pane += 30 * kSecond) {
      for (const char* key : {"start", "end"}) {
        if (const char* group = run.group(key, pane))
          sum = sum * 31 + uint64_t(sum_of(group)) + uint64_t(count_of(group));
      }
    }
    return std::pair(run.stage.counters.rows_late, sum);
  };
  auto whole = late_with(500);
  CHECK(whole.first > 0);
  CHECK(late_with(1) == whole);
  CHECK(late_with(7) == whole);
}

TEST_CASE("panes before 1970, and with an offset") {
  Rides rides({60 * kSecond, 30 * kSecond, 10 * kSecond, 0}, 1000 * kSecond);
  Run run(rides);
  ride(run, "start", 1, -1);
  ride(run, "start", 1, 9999);
  ride(run, "start", 1, -20000);
  ride(run, "start", 1, -20001);
  run.call();
  CHECK(count_of(run.group("start", -20 * kSecond)) == 3);
  CHECK(count_of(run.group("start", -50 * kSecond)) == 1);
}

TEST_CASE("a size that is no multiple of the slide") {
  Rides rides({50 * kSecond, 30 * kSecond, 0, 0}, 0);
  Run run(rides);
  ride(run, "start", 1, 39999);  // pane [30, 40)
  ride(run, "start", 1, 80000);  // W = 80: [30, 80) is over, [60, 110) is not
  ride(run, "start", 1, 59999);  // last window [30, 80): late
  ride(run, "start", 1, 60000);
  run.call();
  CHECK(run.stage.counters.rows_late == 1);
  CHECK(count_of(run.group("start", 30 * kSecond)) == 1);
  CHECK(count_of(run.group("start", 60 * kSecond)) == 1);
}

TEST_CASE("slides wider than windows: rows between are in none, and not late") {
  Rides rides({20 * kSecond, 30 * kSecond, 0, 0}, 0);
  Run run(rides);
  ride(run, "start", 1, 19999);
  ride(run, "start", 1, 20000);
  ride(run, "start", 1, 29999);
  ride(run, "start", 1, 30000);
  ride(run, "start", 1, 25000);  // in none, though the window before is over
  ride(run, "start", 1, 5000);   // late
  run.call();
  CHECK(run.stage.counters.rows_late == 1);
  CHECK(count_of(run.group("start", 10 * kSecond)) == 1);
  CHECK(run.group("start", 20 * kSecond) == nullptr);
  CHECK(count_of(run.group("start", 30 * kSecond)) == 1);
}

TEST_CASE("late rows go to their steps") {
  Rides rides({60 * kSecond, 60 * kSecond, 0, 0}, 0, true);
  Run run(rides);
  ride(run, "start", 1, 120000);
  ride(run, "end", 25, 59999);
  ride(run, "end", 0, 59998, false);
  run.call();
  CHECK(run.stage.counters.rows_late == 2);
  CHECK(run.stage.counters.rows_out == 2);
  CHECK(run.rows() == std::vector<std::string>{"end|25|59999", "end|null|59998"});
}

TEST_CASE("the stage stops behind the row that fires, and when a table is full") {
  Rides rides;
  Run run(rides);
  ride(run, "start", 1, 1000);
  ride(run, "start", 1, 70000);  // W = 60
  ride(run, "start", 1, 71000);
  run.batch.fire_at = 60 * kSecond;
  CHECK(run.call() == kStageFires);
  CHECK(run.batch.next == 2);
  run.batch.fire_at = kNeverFires;
  CHECK(run.call() == kStageDone);
  CHECK(run.batch.next == 3);
  CHECK(run.stage.counters.rows_in == 3);

  Run full(rides);
  full.tables[0]->panes()->groups_max = 1;
  for (const char* type : {"a", "b", "c"}) ride(full, type, 1, 1000);
  CHECK(full.call() == kStageFull);
  CHECK(full.batch.next == 2);
}

TEST_CASE("the watermark counts other partitions, and never goes back") {
  Rides rides({60 * kSecond, 60 * kSecond, 0, 0}, 0);
  Run run(rides);
  run.batch.watermark_others = 50 * kSecond;  // behind: nothing is late yet
  ride(run, "start", 1, 130000);
  ride(run, "start", 1, 1000);
  run.call();
  CHECK(run.stage.counters.rows_late == 0);
  run.batch.watermark_floor = 60 * kSecond;
  run.batch.next = 1;
  run.call();
  CHECK(run.stage.counters.rows_late == 1);
}

TEST_CASE("fired groups are written, with their key") {
  Rides rides;
  Run run(rides);
  ride(run, "start", 150, 1000);
  ride(run, "start", -50, 1000);
  run.call();
  char* group = run.group("start", 0);
  WeirFired fired{"start", 5, group, -30 * kSecond, 30 * kSecond, 30 * kSecond - 1};
  run.fired = {fired};
  run.batch.next = 0;
  CHECK(run.call(1) == kStageDone);
  CHECK(run.rows() == std::vector<std::string>{"start -> -30000000|30000000|start|2|100"});
  // A group whose updates failed has no result.
  reinterpret_cast<WeirGroupHeader*>(group)->error = 7010;
  run.batch.next = 0;
  run.call(1);
  CHECK(run.rows().empty());
  CHECK(run.errors() == std::vector<std::string>{"0 7010 out count: count"});
}

TEST_CASE("groups are merged") {
  Rides rides;
  Run run(rides);
  ride(run, "a", 150, 1000);
  ride(run, "b", 1, 1000);
  ride(run, "b", 2, 1000);
  run.call();
  WeirArena none{};
  char* a = run.group("a", 0);
  char* b = run.group("b", 0);
  run.jit->image().keyed[0].merge(a, b, &none);
  CHECK(count_of(a) == 3);
  CHECK(sum_of(a) == 153);
  CHECK(count_of(b) == 2);
  // The sum of the greatest decimal and 1 is an error of the group.
  __int128 most = 0;
  for (int i = 0; i < 38; i++) most = most * 10 + 9;
  memcpy(a + 16, &most, 16);
  run.jit->image().keyed[0].merge(a, b, &none);
  CHECK(reinterpret_cast<WeirGroupHeader*>(a)->error == 7010);
}

TEST_CASE("overflow in a step is the group's error, the row is fine") {
  Rides rides;
  Run run(rides);
  ride(run, "a", 1, 1000);
  run.call();
  int64_t most = INT64_MAX;
  memcpy(run.group("a", 0) + 32, &most, 8);
  run.batch.next = 0;
  run.call();
  CHECK(run.errors().empty());
  CHECK(reinterpret_cast<WeirGroupHeader*>(run.group("a", 0))->error == 7010);
  CHECK(sum_of(run.group("a", 0)) == 2);
}

TEST_CASE("one branch fails, the other goes on") {
  Program program;
  auto row = program.record("Row", {{"x", of(TypeKind::Int64)}, {"y", of(TypeKind::Int64)}});
  auto half = program.record("", {{"y", of(TypeKind::Int64)}});
  auto from = program.source(row);
  auto all = program.sink(row);
  auto halves = program.sink(half);
  StageStep project{StageStep::Project{half, {field(1, of(TypeKind::Int64))}},
                    "other",
                    {{StageStep::Emit{halves}, "other", {}}}};
  program.stage(from, {emit(all), project});
  Run run(program);
  REQUIRE_MESSAGE(run.jit, run.failure);
  for (uint64_t bad : {0, 1, 2}) {
    run.row([&](char* at, uint64_t& bad_bits) {
      int64_t values[2] = {10, 20};
      memcpy(at, values, 16);
      bad_bits = bad;
    });
  }
  run.call();
  CHECK(run.rows() == std::vector<std::string>{"10|20", "20", "20"});
  CHECK(run.errors() == std::vector<std::string>{"1 7004 out x: wrong_type",
                                                 "2 7004 out y: wrong_type",
                                                 "2 7004 other y: wrong_type"});
}

TEST_CASE("keys of several components are canonical bytes, and are read back") {
  Program program;
  Type small = of(TypeKind::Int16).nullable();
  auto row = program.record(
      "Row", {{"n", small}, {"s", kText}, {"f", of(TypeKind::Float64)}, {"last", kText}});
  auto out = program.record("", {{"n", small},
                                 {"s", kText},
                                 {"f", of(TypeKind::Float64)},
                                 {"last", kText},
                                 {"count", of(TypeKind::Int64)}});
  KeyedNode groups;
  groups.keys = {{"n", field(0, small)},
                 {"s", field(1, kText)},
                 {"f", field(2, of(TypeKind::Float64))},
                 {"last", field(3, kText)}};
  Program::count(groups, node(Op::Equal, of(TypeKind::Bool), {field(3, kText), text("counted")}));
  auto from = program.source(row);
  auto keyed = program.keyed(groups, out);
  program.stage(from, {update(keyed)});
  program.stage(keyed, {emit(program.sink(out))});
  Run run(program);
  REQUIRE_MESSAGE(run.jit, run.failure);
  auto add = [&](std::optional<int16_t> n, std::string_view s, double f, std::string_view last) {
    run.row([&](char* at, uint64_t&) {
      auto& slots = run.layout.slots;
      int16_t number = n.value_or(0);
      WeirBytes texts[2] = {{s.data(), s.size()}, {last.data(), last.size()}};
      memcpy(at + slots[0].offset, &number, 2);
      at[slots[0].presence] = n.has_value();
      memcpy(at + slots[1].offset, &texts[0], 16);
      memcpy(at + slots[2].offset, &f, 8);
      memcpy(at + slots[3].offset, &texts[1], 16);
    });
  };
  using namespace std::string_literals;
  add(-2, "a\0b"sv, -0.0, "counted");
  add(std::nullopt, "", 1.0, "x");
  add(-2, "a\0b"sv, 0.0, "counted");
  CHECK(run.call() == kStageDone);
  std::string first = "\x01\x7f\xfe"s + "a\0\xff"s + "b\0\0"s + "\x80\0\0\0\0\0\0\0"s + "counted";
  std::string second = "\0\0\0"s + "\xbf\xf0\0\0\0\0\0\0"s + "x";
  REQUIRE(run.group(first));
  REQUIRE(run.group(second));
  run.fired = {{first.data(), first.size(), run.group(first), 0, 0, 0},
               {second.data(), second.size(), run.group(second), 0, 0, 0}};
  run.batch.next = 0;
  run.call(1);
  CHECK(run.rows() == std::vector<std::string>{"-2|a\0b|0|counted|2"s, "null||1|x|0"});
}

TEST_CASE("texts in state are copied, and survive the rows they came from") {
  Program program;
  auto row = program.record("Row", {{"s", kText}});
  auto out = program.record("", {{"last", kText.nullable()}});
  KeyedNode groups;
  groups.state = {{"last", kText.nullable(), {}}};
  weir::compiler::AggregateUse last;
  last.name = last.function = "last";
  last.arguments = {field(0, kText)};
  last.step = {{0, node(Op::Wrap, kText.nullable(), {node(Op::Argument, kText, {}, 0)})}};
  last.merge = {{0, node(Op::Coalesce, kText.nullable(),
                         {node(Op::Other, kText.nullable(), {}, 0),
                          node(Op::State, kText.nullable(), {}, 0)})}};
  last.finish = node(Op::State, kText.nullable(), {}, 0);
  last.state_end = 1;
  groups.aggregates = {last};
  auto from = program.source(row);
  auto keyed = program.keyed(groups, out);
  program.stage(from, {update(keyed)});
  program.stage(keyed, {emit(program.sink(out))});
  Run run(program);
  REQUIRE_MESSAGE(run.jit, run.failure);
  std::string text = "a text that will be overwritten";
  run.row([&](char* at, uint64_t&) {
    WeirBytes bytes{text.data(), text.size()};
    memcpy(at, &bytes, 16);
  });
  run.call();
  std::fill(text.begin(), text.end(), '?');
  run.fired = {{"", 0, run.group(""), 0, 0, 0}};
  run.batch.next = 0;
  run.call(1);
  CHECK(run.rows() == std::vector<std::string>{"a text that will be overwritten"});
}
