#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "runtime/connectors/connectors.h"

namespace weir::runtime {
namespace {

using nlohmann::json;
using Options = std::map<std::string, std::string>;
using contract::Type;

struct Given {
  contract::Plan plan;
  contract::Source source;

  Given() {
    source.set_name("rides");
    source.set_connector("generate");
    contract::Record& ride = *plan.add_records();
    field(ride, "event_id", Type::STRING);
    field(ride, "user_id", Type::STRING);
    field(ride, "event_type", Type::STRING);
    Type& amount = field(ride, "amount", Type::DECIMAL);
    amount.set_precision(12);
    amount.set_scale(2);
    amount.set_optional(true);
    field(ride, "ts", Type::TIMESTAMP);
  }
  static Type& field(contract::Record& record, const std::string& name, Type::Kind kind) {
    contract::Field& added = *record.add_fields();
    added.set_name(name);
    added.mutable_type()->set_kind(kind);
    return *added.mutable_type();
  }
  Result<std::unique_ptr<Feed>> feed(const Options& options) {
    return open_feed({&plan, &source, options});
  }
};

const Options kRides{{"fields.event_id", "e-{partition}-{row}"},
                     {"fields.user_id", "user-{zipf 100000}"},
                     {"fields.event_type", "start:40 stop:30 heartbeat:30"},
                     {"fields.amount", "uniform 1.00 60.00 null:0.1 absent:0.1"},
                     {"fields.ts", "clock"},
                     {"seed", "7"}};
Options with(Options options, const Options& more) {
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

std::vector<std::string> rows_of(Feed& feed, const TopicPartition& partition, size_t count,
                                 uint32_t rows_max = 1000) {
  std::vector<std::string> rows;
  while (rows.size() < count) {
    Fetched fetched = feed.fetch(
        partition, static_cast<uint32_t>(std::min<size_t>(rows_max, count - rows.size())));
    if (!fetched.batch) break;
    for (uint32_t i = 0; i < fetched.batch->count; i++) {
      rows.emplace_back(fetched.batch->records[i].value, fetched.batch->records[i].value_size);
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("rows are of the record, with the shares that were asked for") {
  Given given;
  auto feed = given.feed(kRides);
  if (!feed.ok()) MESSAGE(feed.status().message());
  REQUIRE(feed.ok());
  REQUIRE((*feed)->start({}).ok());
  CHECK(!(*feed)->bounded());
  auto rows = rows_of(**feed, {"rides", 0}, 20'000);
  REQUIRE(rows.size() == 20'000);
  std::map<std::string, int> types, users;
  int nulls = 0, absent = 0;
  int64_t number = 0;
  for (const std::string& text : rows) {
    json row = json::parse(text);
    CHECK(row["event_id"] == "e-0-" + std::to_string(number));
    CHECK(row["ts"] == 1735689600000 + number);
    types[row["event_type"]]++;
    users[row["user_id"]]++;
    if (!row.contains("amount"))
      absent++;
    else if (row["amount"].is_null())
      nulls++;
    else
      CHECK((row["amount"] >= 1.0 && row["amount"] <= 60.0));
    number++;
  }
  CHECK(types.size() == 3);
  CHECK(std::abs(types["start"] - 8000) < 400);
  CHECK(std::abs(absent - 2000) < 300);
  CHECK(std::abs(nulls - 1800) < 300);
  CHECK(users["user-1"] > 20 * users["user-100"]);
  CHECK(users.size() > 2000);
}

// Stored runs are replayed from positions: what a seed gives is a format.
TEST_CASE("the same seed gives the same rows, for ever") {
  Given given;
  auto feed = std::move(*given.feed(with(kRides, {{"partitions", "2"}})));
  REQUIRE(feed->start({}).ok());
  CHECK(
      rows_of(*feed, {"rides", 1}, 3) ==
      std::vector<std::string>{
          R"({"event_id":"e-1-0","user_id":"user-11","event_type":"stop","amount":38.20,"ts":1735689600000})",
          R"({"event_id":"e-1-1","user_id":"user-996","event_type":"stop","amount":19.70,"ts":1735689600001})",
          R"({"event_id":"e-1-2","user_id":"user-23","event_type":"start","amount":1.98,"ts":1735689600002})"});
}

TEST_CASE("a row depends on its place only: any position, any batch") {
  Given given;
  Options options =
      with(kRides, {{"disorder", "5000000"}, {"late_share", "0.1"}, {"broken_share", "0.1"}});
  auto feed = std::move(*given.feed(options));
  REQUIRE(feed->start({}).ok());
  auto all = rows_of(*feed, {"rides", 0}, 1000);
  auto again = std::move(*given.feed(options));
  REQUIRE(again->start({{{"rides", 0}, {700, -1}}}).ok());
  CHECK(rows_of(*again, {"rides", 0}, 300, 7) ==
        std::vector<std::string>(all.begin() + 700, all.end()));
  auto other = std::move(*given.feed(with(options, {{"seed", "8"}})));
  REQUIRE(other->start({}).ok());
  CHECK(rows_of(*other, {"rides", 0}, 1000) != all);
}

TEST_CASE("disorder, late and broken rows") {
  Given given;
  auto feed = std::move(*given.feed(with(kRides, {{"disorder", "5000000"},
                                                  {"late_share", "0.05"},
                                                  {"late_by", "7200000000"},
                                                  {"broken_share", "0.02"}})));
  REQUIRE(feed->start({}).ok());
  int broken = 0, late = 0, backwards = 0;
  int64_t before = 0, row = 0;
  for (const std::string& text : rows_of(*feed, {"rides", 0}, 20'000)) {
    json parsed = json::parse(text, nullptr, false);
    int64_t clock = 1735689600000 + row++;
    if (parsed.is_discarded() || parsed.size() < 3) {
      broken++;
      continue;
    }
    int64_t ts = parsed["ts"];
    CHECK(ts <= clock);
    if (ts < clock - 5000) {
      CHECK(ts >= clock - 5000 - 7'200'000);
      late++;
    }
    backwards += ts < before;
    before = ts;
  }
  CHECK(std::abs(broken - 400) < 120);
  CHECK(std::abs(late - 1000) < 200);
  CHECK(backwards > 5000);
}

TEST_CASE("an end: rows are dealt over the partitions") {
  Given given;
  auto feed = std::move(*given.feed(with(kRides, {{"rows", "10"}, {"partitions", "3"}})));
  CHECK(feed->bounded());
  CHECK(feed->size() == 10);
  REQUIRE(feed->start({}).ok());
  CHECK(rows_of(*feed, {"rides", 0}, 100).size() == 4);
  CHECK(rows_of(*feed, {"rides", 1}, 100).size() == 3);
  Fetched last = feed->fetch({"rides", 2}, 100);
  CHECK(last.batch->count == 3);
  CHECK(last.at_end);
  CHECK(last.next_offset == 3);
}

TEST_CASE("a rate holds rows back") {
  Given given;
  auto feed = std::move(*given.feed(with(kRides, {{"rate", "1"}})));
  REQUIRE(feed->start({}).ok());
  Fetched none = feed->fetch({"rides", 0}, 100);
  CHECK(!none.batch);
  CHECK(!none.at_end);
}

TEST_CASE("every type has values of its own") {
  Given given;
  contract::Record& inner = *given.plan.add_records();
  Given::field(inner, "status", Type::INT32);
  Given::field(inner, "path", Type::STRING);
  contract::Enum& level = *given.plan.add_enums();
  level.add_cases("low");
  level.add_cases("high");
  level.add_wire_names("");
  level.add_wire_names("HIGH \"1\"");
  contract::Record& all = *given.plan.add_records();
  for (int kind = Type::BOOL; kind <= Type::MAP; kind++) {
    auto name = contract::Type_Kind_Name(static_cast<Type::Kind>(kind));
    Type& type = Given::field(all, name, static_cast<Type::Kind>(kind));
    if (kind == Type::RECORD) type.set_ref(1);
    if (kind == Type::LIST) {
      type.mutable_element()->set_kind(Type::RECORD);
      type.mutable_element()->set_ref(1);
    }
    if (kind == Type::MAP) type.mutable_element()->set_kind(Type::INT64);
  }
  given.source.set_record(2);
  auto feed = given.feed({{"fields.RECORD.status", "200:90 500:10"}, {"fields.INT8", "5"}});
  if (!feed.ok()) MESSAGE(feed.status().message());
  REQUIRE(feed.ok());
  REQUIRE((*feed)->start({}).ok());
  std::set<size_t> lengths;
  std::set<std::string> cases;
  for (const std::string& text : rows_of(**feed, {"rides", 0}, 200)) {
    json row = json::parse(text);
    CHECK(row.size() == 23);
    CHECK(row["INT8"] == 5);
    CHECK((row["RECORD"]["status"] == 200 || row["RECORD"]["status"] == 500));
    lengths.insert(row["LIST"].size());
    cases.insert(row["ENUM"]);
    CHECK(row["UUID"].get<std::string>().size() == 36);
    CHECK(row["DATE"] == "2025-01-01");
  }
  CHECK(lengths == std::set<size_t>{0, 1, 2, 3});
  CHECK(cases == std::set<std::string>{"low", "HIGH \"1\""});
}

TEST_CASE("rules that can't be read are named") {
  Given given;
  for (const auto& [rule, part] : Options{{"uniform 5", "uniform"},
                                          {"uniform 5 1", "smaller"},
                                          {"zipf 0", "zipf"},
                                          {"{nothing}", "nothing"},
                                          {"{row", "`}`"},
                                          {"x null:2", "null:2"}}) {
    Status status = given.feed({{"fields.user_id", rule}}).take_status();
    CHECK(status.exit() == Exit::Configuration);
    CHECK(status.message().find("fields.user_id") != std::string::npos);
    CHECK(status.message().find(part) != std::string::npos);
  }
  CHECK(given.feed({{"fields.nobody", "1"}}).status().message().find("nobody") !=
        std::string::npos);
  CHECK(given.feed({{"rate", "-1"}}).status().exit() == Exit::Configuration);
}

}  // namespace weir::runtime
