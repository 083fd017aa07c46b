#include "compiler/compile.h"

#include <doctest/doctest.h>

#include "compiler/compile_text.h"

namespace weir::compiler {

const char* const kRides = R"(
record RideEvent {
  event_id:   string
  user_id:    string
  event_type: string
  amount:     decimal(12, 2)?
  ts:         timestamp(ms)
}

source rides: RideEvent = kafka("transport.ride-event.v1") {
  format     = json
  event_time = ts
  watermark  = 10m
  on_error   = dead_letter("transport.ride-event.v1.dlq")
}

stream counts = rides
  | where event_type != "heartbeat"
  | window hop(1m, every 30s) by event_type {
      rides   = count()
      revenue = sum(amount)
    }

sink counts -> kafka("transport.ride-event-count.v1") {
  key    = event_type
  format = json
  emit   = update every 30s
}

test "a late event still counts inside the watermark" {
  given rides [
    { event_id = "1", user_id = "a", event_type = "start", ts = @2025-01-01T00:00:40Z },
    { event_id = "2", user_id = "b", event_type = "start", ts = @2025-01-01T00:00:10Z },
  ]
  expect counts final [
    { window_start = @2024-12-31T23:59:30Z, event_type = "start", rides = 1 },
    { window_start = @2025-01-01T00:00:00Z, event_type = "start", rides = 2 },
    { window_start = @2025-01-01T00:00:30Z, event_type = "start", rides = 1 },
  ]
}
)";

TEST_CASE("the ride program compiles to a graph and a plan") {
  CompiledText text(kRides);
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  const contract::Plan& plan = text.compiled->plan;
  REQUIRE(plan.sources_size() == 1);
  CHECK(plan.sources(0).connector() == "kafka");
  CHECK(plan.sources(0).watermark_us() == 600'000'000);
  CHECK(plan.sources(0).dead_letter() == "transport.ride-event.v1.dlq");
  REQUIRE(plan.keyed_size() == 1);
  CHECK(plan.keyed(0).identity() == "counts.window.0");
  CHECK(plan.keyed(0).window().pane_us() == 30'000'000);
  CHECK(plan.keyed(0).group_bytes() == plan.keyed(0).group_initial().size());
  REQUIRE(plan.keyed(0).emissions_size() == 1);
  CHECK(plan.keyed(0).emissions(0).mode() == contract::Emission::UPDATE);
  CHECK(plan.keyed(0).emissions(0).every_us() == 30'000'000);
  CHECK(plan.stages_size() == 2);
  CHECK(plan.sinks(0).deliver() == "exactly_once");
  // event_id and user_id are not read.
  CHECK(std::get<SourceNode>(text.compiled->graph.nodes[0].is).used ==
        std::vector<bool>{false, false, true, true, true});
  REQUIRE(text.compiled->tests.size() == 1);
  CHECK(text.compiled->tests[0].steps[0].rows[0] ==
        R"({"event_id":"1","user_id":"a","event_type":"start","ts":1735689640000})");
  CHECK(text.compiled->tests[0].steps[1].rows[0] ==
        R"({"window_start":1735689570000000,"event_type":"start","rides":1})");
}

}  // namespace weir::compiler
