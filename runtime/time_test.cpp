// Arithmetic of windows, watermarks of partitions, parameters' texts, percentiles.
#include <doctest/doctest.h>

#include <cstdlib>
#include <tuple>

#include "runtime/failpoint.h"
#include "runtime/metrics.h"
#include "runtime/names.h"
#include "runtime/parameters.h"
#include "runtime/progress.h"
#include "runtime/watermark.h"
#include "runtime/window_time.h"

using namespace weir;
using namespace weir::runtime;

TEST_CASE("the windows of a pane, found by trying all") {
  for (auto [size, slide, offset, pane] :
       {std::tuple<int64_t, int64_t, int64_t, int64_t>{20, 5, 0, 5},
        {7, 3, 1, 1},
        {10, 10, -4, 10},
        {3, 5, 2, 1}}) {
    WindowTime window{size, slide, offset, 2, pane};
    for (int64_t p = offset - 40 * pane; p < offset + 40 * pane; p += pane) {
      int64_t first = INT64_MAX, last = INT64_MIN;
      for (int64_t k = -200; k <= 200; ++k) {
        int64_t start = k * slide + offset;
        if (start <= p && p + pane <= start + size)
          first = std::min(first, start), last = std::max(last, start);
      }
      if (first == INT64_MAX) {
        CHECK(window.first_with(p) > window.last_with(p));
      } else {
        CHECK(window.first_with(p) == first);
        CHECK(window.last_with(p) == last);
      }
    }
    for (int64_t w = -50; w < 50; ++w) {
      int64_t next = window.next_to_close(w);
      CHECK(window.close(next) > w);
      CHECK(window.close(next - slide) <= w);
    }
  }
}

TEST_CASE("the watermark is the minimum over live partitions and never goes back") {
  PartitionTime a, b;
  a.has_watermark = b.has_watermark = true;
  a.delay_us = b.delay_us = 10;
  std::vector<PartitionTime*> both = {&a, &b};
  Watermarks watermarks(1);
  a.event_time_max = 100;
  watermarks.advance(both, false);
  CHECK(watermarks.floor(0) == INT64_MIN);  // b has not seen anything
  CHECK(Watermarks::others(both) == std::vector<int64_t>{INT64_MIN, 90});
  b.event_time_max = 50;
  watermarks.advance(both, false);
  CHECK(watermarks.floor(0) == 40);

  b.idle_us = 1000;
  b.at_end_since_us = 5000;
  CHECK_FALSE(Watermarks::update_idle(both, 5999));
  CHECK(Watermarks::update_idle(both, 6000));
  watermarks.advance(both, false);
  CHECK(watermarks.floor(0) == 90);
  CHECK(Watermarks::others(both) == std::vector<int64_t>{INT64_MAX, 90});
  b.idle = false;  // it has rows again, and is behind
  b.event_time_max = 60;
  watermarks.advance(both, false);
  CHECK(watermarks.floor(0) == 90);

  a.ended = true;
  b.event_time_max = 200;
  watermarks.advance(both, true);
  CHECK(watermarks.floor(0) == 190);
  b.ended = true;
  watermarks.advance(both, false);
  CHECK(watermarks.floor(0) == 190);
  watermarks.advance(both, true);
  CHECK(watermarks.floor(0) == INT64_MAX);
}

TEST_CASE("parameters come from --set, the environment, the program, in this order") {
  contract::Plan plan;
  auto add = [&](const char* name, contract::Type::Kind kind, const char* value,
                 uint32_t offset) -> contract::Param& {
    contract::Param* param = plan.add_params();
    param->set_name(name);
    param->mutable_type()->set_kind(kind);
    param->set_has_default(true);
    param->set_default_value(value);
    param->set_offset(offset);
    param->set_presence(-1);
    return *param;
  };
  add("least", contract::Type::INT32, "3", 0);
  add("town", contract::Type::STRING, "Ulm", 8);
  auto& price = add("price", contract::Type::DECIMAL, "10.5", 24);
  price.mutable_type()->set_precision(10);
  price.mutable_type()->set_scale(2);
  add("since", contract::Type::TIMESTAMP, "2025-01-01T00:00:00Z", 32);
  add("wait", contract::Type::DURATION, "1h30m", 40);
  plan.set_params_bytes(48);
  setenv("WEIR_LEAST", "7", 1);
  setenv("WEIR_TOWN", "Bonn", 1);
  Result<Parameters> parameters = Parameters::make(plan, {{"town", "Trier"}});
  unsetenv("WEIR_LEAST");
  unsetenv("WEIR_TOWN");
  REQUIRE(parameters.ok());
  const char* block = static_cast<const char*>(parameters->block());
  CHECK(*reinterpret_cast<const int32_t*>(block) == 7);
  WeirBytes town;
  memcpy(&town, block + 8, sizeof town);
  CHECK(std::string(town.data, town.size) == "Trier");
  CHECK(*reinterpret_cast<const int64_t*>(block + 24) == 1050);
  CHECK(*reinterpret_cast<const int64_t*>(block + 32) == 1735689600000);
  CHECK(*reinterpret_cast<const int64_t*>(block + 40) == 5'400'000'000);
  CHECK(parameters->values()[1] == "Trier");
  CHECK(Parameters::make(plan, {{"least", "many"}}).status().exit() == Exit::Usage);
  CHECK(Parameters::make(plan, {{"leest", "1"}}).status().message().find("`least`") !=
        std::string::npos);
  CHECK(Parameters::make(plan, {{"price", "1.555"}}).status().exit() == Exit::Usage);
  CHECK(Parameters::make(plan, {{"since", "2025-02-29T00:00:00Z"}}).status().exit() == Exit::Usage);
  CHECK(Parameters::make(plan, {{"since", "2024-02-29T00:00:00Z"}}).ok());
  CHECK(Parameters::make(plan, {{"wait", "-5m"}}).ok());
  CHECK(Parameters::make(plan, {{"wait", "5 m"}}).status().exit() == Exit::Usage);
}

TEST_CASE("instants and durations as texts") {
  CHECK(parse_instant_us("1970-01-01T00:00:01.5Z") == 1'500'000);
  CHECK(parse_instant_us("1969-12-31T23:59:59Z") == -1'000'000);
  CHECK(parse_instant_us("2024-02-29T12:00:00+02:00") == 1'709'200'800'000'000);
  CHECK_FALSE(parse_instant_us("2024-02-29").has_value());
  CHECK_FALSE(parse_instant_us("2024-02-29T12:00:00").has_value());
  CHECK(parse_duration_us("250ms") == 250'000);
  CHECK(parse_duration_us("42") == 42);
  CHECK_FALSE(parse_duration_us("1 hour").has_value());
  CHECK_FALSE(parse_duration_us("").has_value());
}

TEST_CASE("percentiles are upper ends of buckets") {
  Histogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  histogram.observe(0.003, 98);
  histogram.observe(1.0, 2);
  CHECK(histogram.percentile(0.5) == doctest::Approx(0.004));
  CHECK(histogram.percentile(0.99) == doctest::Approx(1.024));
}

TEST_CASE("metrics are Prometheus' text, served on loopback only") {
  Metrics metrics("a \"b\"");
  metrics.update([](MetricsValues& v) {
    v.rows_in = 5;
    v.dead["malformed"] = 2;
    v.partitions.push_back({"in", 0, 7, 0});
    v.epoch_seconds.observe(0.01);
  });
  std::string text = metrics.text();
  for (const char* line :
       {"weir_records_in_total{pipeline=\"a \\\"b\\\"\"} 5\n",
        "weir_dlq_records_total{pipeline=\"a \\\"b\\\"\",reason=\"malformed\"} 2\n",
        "weir_consumer_lag_records{pipeline=\"a \\\"b\\\"\",topic=\"in\",partition=\"0\"} 7\n",
        "weir_transaction_duration_seconds_count{pipeline=\"a \\\"b\\\"\"} 1\n"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(metrics.serve("0.0.0.0:9464").exit() == Exit::NotSupported);
  CHECK(metrics.serve("nonsense").exit() == Exit::Usage);
}

TEST_CASE("progress says rate, lag, watermark, and how long bounded input takes") {
  ProgressState state;
  state.rows_in = 1'500'000;
  state.lag = 12;
  CHECK(Progress::line(state, 10, 150'000) ==
        "150.0 k rows/s  1.50 M in  0 out  lag 12  watermark none yet");
  state.done = 25;
  state.size = 100;
  state.watermark_us = 0;
  CHECK(Progress::line(state, 30, 50) ==
        " 25 %  1 min 30 s left  50 rows/s  1.50 M in  0 out  lag 12  watermark "
        "1970-01-01T00:00:00Z");
}

TEST_CASE("failpoints and names") {
  CHECK(Failpoints::parse("C7:kill").status().exit() == Exit::Usage);
  CHECK(Failpoints::parse("C7:burn:1").status().exit() == Exit::Usage);
  Result<Failpoints> points = Failpoints::parse("C5:error:2,C1:delay:9");
  REQUIRE(points.ok());
  CHECK(points->reach("C5").ok());
  CHECK_FALSE(points->reach("C5").ok());
  CHECK(points->reach("C5").ok());
  CHECK(changelog_topic("ride count", "counts.window.0") == "ride_count.counts.window.0.changelog");
  CHECK(commits_topic("a/b") == "a_b.commits");
}
