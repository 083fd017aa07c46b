// Whole stages on rows in memory: time, lateness, groups, errors, what comes back.
#include <doctest/doctest.h>

#include "codegen/graph_for_tests.h"

using namespace weir::codegen::test;
using weir::compiler::KeyedNode;
using weir::compiler::StageStep;

namespace {

constexpr int64_t kSecond = 1000000;

StageStep where(Expr predicate, std::vector<StageStep> next) { return {StageStep::Where{std::move(predicate)}, "rows", std::move(next)}; }
StageStep update(weir::compiler::NodeId keyed, std::vector<StageStep> late = {}) { return {StageStep::Update{keyed, std::move(late)}, "groups", {}}; }
StageStep emit(weir::compiler::NodeId sink) { return {StageStep::Emit{sink}, "out", {}}; }

const Type kText = of(TypeKind::String);
const Type kAmount = weir::compiler::decimal_type(12, 2);
const Type kMillis = weir::compiler::timestamp_type(weir::compiler::TimeUnit::Milli);

// rides | where event_type != "heartbeat" | window hop(60s, 30s) by event_type { count(), sum(amount) }
struct Rides : Program {
  explicit Rides(weir::compiler::WindowSpec window = {60 * kSecond, 30 * kSecond, 0, 0}, int64_t delay = 10 * kSecond, bool late_sink = false) {
    auto ride = record("Ride", {{"event_type", kText}, {"amount", kAmount.nullable()}, {"ts", kMillis}});
    auto source_id = source(ride, field(2, kMillis), delay);
    auto out = record("", {{"window_start", weir::compiler::timestamp_type(weir::compiler::TimeUnit::Micro)},
                           {"window_end", weir::compiler::timestamp_type(weir::compiler::TimeUnit::Micro)},
                           {"event_type", kText}, {"count", of(TypeKind::Int64)}, {"sum", weir::compiler::decimal_type(38, 2)}});
    KeyedNode groups;
    groups.window = window;
    groups.keys = {{"event_type", field(0, kText)}};
    count(groups);
    Expr amount = field(1, kAmount.nullable());
    sum(groups, node(Op::Unwrap, kAmount, {amount}), node(Op::Not, of(TypeKind::Bool), {node(Op::IsNull, of(TypeKind::Bool), {amount})}));
    auto groups_id = keyed(groups, out);
    auto sink_id = sink(out, field(2, kText));
    std::vector<StageStep> late;
    if (late_sink) late.push_back(emit(sink(ride)));
    stage(source_id, {where(node(Op::NotEqual, of(TypeKind::Bool), {field(0, kText), text("heartbeat")}), {update(groups_id, late)})});
    stage(groups_id, {emit(sink_id)});
  }
};

void ride(Run& run, const char* type, int64_t amount, int64_t ts, bool has_amount = true, uint64_t bad = 0) {
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

struct Group { WeirGroupHeader header; char rest[40]; };
int64_t count_of(const char* group) { int64_t n; memcpy(&n, group + 32, 8); return n; }
int64_t sum_of(const char* group) { int64_t n; memcpy(&n, group + 16, 8); return n; }

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
