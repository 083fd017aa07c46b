// Conditions that are tested while a record is read: the same comes out as if they had waited for
// its end.
#include <doctest/doctest.h>

#include <random>

#include "codegen/formats/json_for_tests.h"

using namespace weir::codegen::test;
using weir::compiler::timestamp_type;
using weir::compiler::TimeUnit;
using weir::compiler::Validation;

namespace {

// where n > 3 and name == "a", then where where.x * 1_000_000_000 > 0 (fails for a large x), then
// where spare is null or spare > 7.
std::unique_ptr<JsonStage> make(bool early, Validation validation) {
  auto schema = std::make_unique<JsonStage::Schema>();
  Program& program = schema->program;
  schema->validation = validation;
  Type text_type = of(TypeKind::String), integer_type = of(TypeKind::Int64);
  auto inner = program.record("Inner", {{"x", integer_type}, {"y", integer_type.nullable()}});
  Type inner_type = of(TypeKind::Record);
  inner_type.ref = inner;
  schema->record = program.record("R", {{"id", text_type},
                                        {"n", integer_type},
                                        {"price", of(TypeKind::Int32)},
                                        {"name", text_type},
                                        {"where", inner_type},
                                        {"spare", integer_type.nullable()},
                                        {"ts", timestamp_type(TimeUnit::Milli)},
                                        {"last", text_type}});
  schema->event_time = field(6, timestamp_type(TimeUnit::Milli));
  Type boolean = of(TypeKind::Bool);
  if (!early) {
    // Something that has to wait for the record's end stands in front.
    Expr partition =
        node(Op::Meta, of(TypeKind::Int32), {}, uint32_t(weir::compiler::MetaField::Partition));
    schema->wheres.push_back(
        node(Op::Equal, boolean, {partition, integer(0, of(TypeKind::Int32))}));
  }
  schema->wheres.push_back(node(Op::And, boolean,
                                {node(Op::Greater, boolean, {field(1, integer_type), integer(3)}),
                                 node(Op::Equal, boolean, {field(3, text_type), text("a")})}));
  Expr x = node(Op::Member, integer_type, {field(4, inner_type)}, 0);
  schema->wheres.push_back(
      node(Op::Greater, boolean,
           {node(Op::Multiply, integer_type, {x, integer(1'000'000'000)}), integer(0)}));
  Expr spare = field(5, integer_type.nullable());
  schema->wheres.push_back(
      node(Op::Or, boolean,
           {node(Op::IsNull, boolean, {spare}),
            node(Op::Greater, boolean, {node(Op::Unwrap, integer_type, {spare}), integer(7)})}));
  auto stage = std::make_unique<JsonStage>(std::move(schema));
  REQUIRE(stage->failure == "");
  return stage;
}

class Records {
 public:
  std::string next(bool shuffle) {
    std::vector<std::string> members;
    auto add = [&](const std::string& key, const std::string& value) {
      switch (below(40)) {
        case 0:
          return;
        case 1:
          return members.push_back("\"" + key + "\":null");
        case 2:
          return members.push_back("\"" + key + "\":" + pick({"[]", "\"\"", "1e3", "x", "{}"}));
        default:
          return members.push_back("\"" + key + "\":" + value);
      }
    };
    add("id", "\"" + std::string(below(40), 'i') + "\"");
    add("n", pick({"1", "4", "5", "99", "9"}));
    add("price", std::to_string(int64_t(below(1ull << 33))));
    add("name", pick({"\"a\"", "\"a\"", "\"b\"", "\"\\u0061\""}));
    std::string x = pick({"1", "2", "7", "-1", "10000000000", "\"1\""});
    add("where", pick({"{\"x\":" + x + ",\"y\":2}", "{\"x\":" + x + ",\"y\":\"\"}", "{\"y\":1}",
                       "{\"z\":[{}],\"x\":" + x + "}"}));
    add("spare", pick({"null", "8", "9", "5"}));
    add("ts", pick({"1700000000123", "1700000000124", "9", "9999999999999999"}));
    add("last", pick({"\"\\ud800\"", "\"z\"", "\"\\u00e4\""}));
    if (below(4) == 0) members.push_back(pick({"\"n\":0", "\"name\":7", "\"ts\":1", "\"u\":{}"}));
    if (shuffle) std::shuffle(members.begin(), members.end(), random_);
    std::string record;
    for (const std::string& member : members) record += (record.empty() ? "{" : ",") + member;
    return record + (members.empty() ? "{}" : "}");
  }
  void damage(std::string& record) {
    if (below(2)) return record.resize(below(record.size()));
    record[below(record.size())] = "\"{}[],:\\ \n0n"[below(12)];
  }
  uint64_t below(uint64_t n) { return random_() % n; }

 private:
  std::string pick(std::vector<std::string> options) { return options[below(options.size())]; }
  std::mt19937_64 random_{11};
};

}  // namespace

TEST_CASE("a record that is tested early gives what it gives at its end") {
  for (Validation validation : {Validation::Structural, Validation::Projected}) {
    auto early = make(true, validation), late = make(false, validation);
    Records records;
    uint64_t rows = 0, dropped = 0, failed = 0;
    for (int i = 0; i < 40000; i++) {
      // In phases: the schema's order, any order (orders are given up), any again.
      std::string record = records.next(i / 2000 % 3 != 0);
      // `projected` looks as far as it needs to, and a row that is dropped needs less.
      if (validation == Validation::Structural && records.below(8) == 0) records.damage(record);
      CAPTURE(record);
      std::string out = late->run(record);
      REQUIRE(early->run(record) == out);
      rows += out[0] == '{';
      dropped += out == "no row";
      failed += out[0] == '7';
    }
    CHECK(rows > 200);
    CHECK(dropped > 5000);
    CHECK(failed > 3000);
  }
}

TEST_CASE("of a dropped record only its event time is read") {
  auto stage = make(true, Validation::Structural);
  auto record = [](const char* n, const char* ts) {
    return std::string(R"({"id":"1","n":)") + n +
           R"(,"price":"bad","name":3,"where":[],"spare":{},"ts":)" + ts + "}";
  };
  for (int i = 0; i < 50; i++) {
    CHECK(stage->run(record("1", "5")) == "no row");
    CHECK(stage->run(record("1", "null")).substr(0, 7) == "7003 ts");
    CHECK(stage->run(record("9", "5")).substr(0, 9) == "7004 name");
    CHECK(stage->run(record("\"1\"", "5")).substr(0, 6) == "7004 n");
    CHECK(stage->run(record("1", "5") + "}").substr(0, 4) == "7001");
  }
}
