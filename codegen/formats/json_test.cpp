// JSON in and out through compiled stages: each kind of value, what is refused and why, and random
// records against a plain model.
#include "codegen/formats/json_for_tests.h"

#include <doctest/doctest.h>

#include <random>

using namespace weir::codegen::test;
using weir::compiler::decimal_type;
using weir::compiler::timestamp_type;
using weir::compiler::TimeUnit;

namespace {

std::unique_ptr<JsonStage> one(Type type, std::optional<weir::compiler::Constant> initial = {}) {
  auto schema = std::make_unique<JsonStage::Schema>();
  schema->record = schema->program.record("R", {{"v", type}});
  schema->program.compiled.graph.types.records[schema->record].fields[0].initial =
      std::move(initial);
  auto stage = std::make_unique<JsonStage>(std::move(schema));
  REQUIRE(stage->failure == "");
  return stage;
}

// What {"v": value} becomes: the value, or the error without the field's name.
std::string value(JsonStage& stage, const std::string& text) {
  std::string out = stage.run("{\"v\":" + text + "}");
  if (out.starts_with("{\"v\":")) return out.substr(5, out.size() - 6);
  return out.substr(0, 4);
}

using Cases = std::vector<std::pair<const char*, const char*>>;
void check_values(Type type, const Cases& cases) {
  auto stage = one(type);
  // Twice: before an order is known, and with one.
  for (int round = 0; round < 2; round++) {
    for (auto& [in, out] : cases) {
      CAPTURE(in);
      CHECK(value(*stage, in) == out);
      CHECK(value(*stage, std::string("  ") + in + " \n") == out);
    }
  }
}

}  // namespace

TEST_CASE("integers, at the limits of each type") {
  check_values(of(TypeKind::Int8), {{"-128", "-128"},
                                    {"127", "127"},
                                    {"128", "7005"},
                                    {"-129", "7005"},
                                    {"0", "0"},
                                    {"-0", "0"},
                                    {"1.0", "1"},
                                    {"1e2", "100"},
                                    {"1.5", "7005"},
                                    {"1e3", "7005"}});
  check_values(of(TypeKind::UInt8), {{"255", "255"}, {"256", "7005"}, {"-1", "7005"}});
  check_values(of(TypeKind::Int16), {{"32767", "32767"}, {"32768", "7005"}, {"-32768", "-32768"}});
  check_values(of(TypeKind::UInt16), {{"65535", "65535"}, {"65536", "7005"}});
  check_values(
      of(TypeKind::Int32),
      {{"2147483647", "2147483647"}, {"2147483648", "7005"}, {"-2147483648", "-2147483648"}});
  check_values(of(TypeKind::UInt32), {{"4294967295", "4294967295"}, {"4294967296", "7005"}});
  check_values(of(TypeKind::Int64), {{"9223372036854775807", "9223372036854775807"},
                                     {"9223372036854775808", "7005"},
                                     {"-9223372036854775808", "-9223372036854775808"},
                                     {"-9223372036854775809", "7005"},
                                     {"1234567890123456", "1234567890123456"},
                                     {"12345678901234567", "12345678901234567"},
                                     {"99999999", "99999999"},
                                     {"123456789", "123456789"},
                                     {"01", "7004"},
                                     {"-", "7004"},
                                     {"+1", "7004"},
                                     {"1.", "7004"},
                                     {".5", "7004"},
                                     {"1e", "7004"},
                                     {"0x10", "7004"},
                                     {"\"1\"", "7004"},
                                     {"true", "7004"},
                                     {"null", "7003"},
                                     {"{}", "7004"},
                                     {"[1]", "7004"},
                                     {"nul", "7004"},
                                     {"1e18", "1000000000000000000"},
                                     {"1e19", "7005"},
                                     {"1e999999999999", "7005"},
                                     {"0e999999999999", "0"},
                                     {"10000000000000000000000000000000000000000000e-40", "1000"}});
  check_values(of(TypeKind::UInt64), {{"18446744073709551615", "18446744073709551615"},
                                      {"18446744073709551616", "7005"},
                                      {"-1", "7005"}});
}

TEST_CASE("decimals are exact or refused") {
  check_values(decimal_type(12, 2), {{"12.3", "12.30"},
                                     {"12.30", "12.30"},
                                     {"12.345", "7005"},
                                     {"12.3400", "12.34"},
                                     {"-0.01", "-0.01"},
                                     {"7", "7.00"},
                                     {"9999999999.99", "9999999999.99"},
                                     {"10000000000", "7005"},
                                     {"\"12.30\"", "12.30"},
                                     {"\"x\"", "7004"},
                                     {"\"\"", "7004"},
                                     {"1e2", "100.00"},
                                     {"1.23e1", "12.30"},
                                     {"1e-3", "7005"},
                                     {"12345678.1234567", "7005"},
                                     {"00.1", "7004"}});
  check_values(decimal_type(3, 3), {{"0.999", "0.999"}, {"1", "7005"}, {"-0.5", "-0.500"}});
  check_values(decimal_type(38, 10), {{"1.5", "1.5000000000"},
                                      {"9999999999999999999999999999.9999999999",
                                       "9999999999999999999999999999.9999999999"},
                                      {"10000000000000000000000000000", "7005"},
                                      {"-0.0000000001", "-0.0000000001"}});
}

TEST_CASE("floats are correctly rounded") {
  check_values(of(TypeKind::Float64), {{"0.1", "0.1"},
                                       {"-1.5", "-1.5"},
                                       {"1e308", "1e+308"},
                                       {"1e309", "7005"},
                                       {"123456789.125", "123456789.125"},
                                       {"0.30000000000000004", "0.30000000000000004"},
                                       {"8.5e-5", "8.5e-05"},
                                       {"12345678.1234567", "12345678.1234567"},
                                       {"NaN", "7004"},
                                       {"-0", "-0"},
                                       {"2.2250738585072011e-308", "2.225073858507201e-308"}});
  check_values(of(TypeKind::Float32),
               {{"0.1", "0.1"}, {"16777217", "16777216"}, {"3.5e38", "7005"}});
}

TEST_CASE("text") {
  check_values(of(TypeKind::String),
               {{"\"\"", "\"\""},
                {"\"a\"", "\"a\""},
                {"\"a\\nb\"", "\"a\\nb\""},
                {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "\"Aé€😀\""},
                {"\"é€😀\"", "\"é€😀\""},
                {"\"\\ud83d\"", "7006"},
                {"\"\\ude00\"", "7006"},
                {"\"\\ud83dx\"", "7006"},
                {"\"\\x\"", "7006"},
                {"\"\\u12\"", "7006"},
                {"\"\xff\"", "7006"},
                {"\"\xc0\x80\"", "7006"},
                {"\"\xed\xa0\x80\"", "7006"},
                {"\"\xf4\x90\x80\x80\"", "7006"},
                {"\"a\tb\"", "7006"},
                {"\"\\\"\\\\\\/\\b\\f\\r\\t\\u0001\"", "\"\\\"\\\\/\\b\\f\\r\\t\\u0001\""},
                {"1", "7004"},
                {"null", "7003"},
                {"\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
                 "\"0123456789012345678901234567890123456789012345678901234567890123456789\""}});
}

TEST_CASE("times, identifiers, bytes, any JSON") {
  check_values(timestamp_type(TimeUnit::Milli),
               {{"1700000000000", "1700000000000"},
                {"-1", "-1"},
                {"\"2023-11-14T22:13:20Z\"", "1700000000000"},
                {"\"2023-11-14T23:13:20.5+01:00\"", "1700000000500"},
                {"\"2023-11-14\"", "7007"},
                {"\"2023-11-14T22:13:20.0005Z\"", "7005"},
                {"1.5", "7005"},
                {"true", "7004"}});
  check_values(timestamp_type(TimeUnit::Nano),
               {{"\"1970-01-01T00:00:00.000000001Z\"", "1"}, {"\"9999-01-01T00:00:00Z\"", "7005"}});
  check_values(of(TypeKind::Date), {{"\"1970-01-02\"", "\"1970-01-02\""},
                                    {"\"2024-02-29\"", "\"2024-02-29\""},
                                    {"\"2023-02-29\"", "7007"},
                                    {"1", "7004"}});
  check_values(of(TypeKind::Duration), {{"1500000", "1500000"}, {"\"1s\"", "7004"}});
  check_values(of(TypeKind::Uuid), {{"\"123E4567-e89b-12d3-a456-426614174000\"",
                                     "\"123e4567-e89b-12d3-a456-426614174000\""},
                                    {"\"123\"", "7004"}});
  check_values(of(TypeKind::Bytes), {{"\"aGVsbG8=\"", "\"aGVsbG8=\""},
                                     {"\"aGVsbG8\"", "\"aGVsbG8=\""},
                                     {"\"\"", "\"\""},
                                     {"\"a\"", "7006"},
                                     {"\"*GVs\"", "7006"}});
  check_values(of(TypeKind::Json),
               {{"{\"a\":[1,2,{}],\"b\":\"x\"}", "{\"a\":[1,2,{}],\"b\":\"x\"}"},
                {"[]", "[]"},
                {"1.5e3", "1.5e3"},
                {"[1,,2]", "7004"},
                {"{\"a\"}", "7004"},
                {"tru", "7004"},
                {"\"\\q\"", "7004"}});
  check_values(
      of(TypeKind::Bool),
      {{"true", "true"}, {"false", "false"}, {"True", "7004"}, {"truex", "7004"}, {"1", "7004"}});
}

TEST_CASE("optional values, defaults, absent keys") {
  auto optional = one(of(TypeKind::Int64).nullable());
  CHECK(optional->run("{}") == "{\"v\":null}");
  CHECK(optional->run("{\"v\":null}") == "{\"v\":null}");
  CHECK(optional->run("{\"v\" : null }") == "{\"v\":null}");
  CHECK(optional->run("{\"v\":5}") == "{\"v\":5}");
  CHECK(optional->run("{\"v\":\"x\"}") == "7004 v: wrong_type at byte 5");
  auto required = one(of(TypeKind::Int64));
  CHECK(required->run("{}") == "7002 v: missing_field");
  CHECK(required->run("{\"V\":1}") == "7002 v: missing_field");
  CHECK(required->run("{\"v\":null}") == "7003 v: null_field at byte 5");
  auto with_default = one(of(TypeKind::Int64), weir::compiler::Constant{int64_t(7)});
  CHECK(with_default->run("{}") == "{\"v\":7}");
  CHECK(with_default->run("{\"v\":1}") == "{\"v\":1}");
  CHECK(with_default->run("{\"v\":null}") == "7003 v: null_field at byte 5");
  auto text_default =
      one(of(TypeKind::String).nullable(), weir::compiler::Constant{std::string("none")});
  CHECK(text_default->run("{}") == "{\"v\":\"none\"}");
  CHECK(text_default->run("{\"v\":null}") == "{\"v\":null}");
}

TEST_CASE("the first of equal keys counts, whatever the second holds") {
  auto stage = one(of(TypeKind::Int64));
  for (int round = 0; round < 3; round++) {
    CHECK(stage->run("{\"v\":1,\"v\":2}") == "{\"v\":1}");
    CHECK(stage->run("{\"v\":1,\"x\":2,\"v\":\"y\"}") == "{\"v\":1}");
    CHECK(stage->run("{\"v\":\"y\",\"v\":2}") == "7004 v: wrong_type at byte 5");
    CHECK(stage->run("{\"\\u0076\":3,\"v\":2}") == "{\"v\":3}");
  }
}

TEST_CASE("structure") {
  auto stage = one(of(TypeKind::Int64));
  for (int round = 0; round < 2; round++) {
    for (const char* bad : {"",
                            " ",
                            "null",
                            "[]",
                            "{",
                            "{\"v\"",
                            "{\"v\":",
                            "{\"v\":}",
                            "{\"v\":1",
                            "{\"v\":1,",
                            "{\"v\":1,}",
                            "{\"v\":1}}",
                            "{\"v\":1}x",
                            "{\"v\":1]",
                            "{\"v\" 1}",
                            "{v:1}",
                            "{\"v\":1 \"x\":2}",
                            "{\"v\":1,\"x\":[1,2}",
                            "{\"v\":1,\"x\":\"a}",
                            "{\"v\":1,\"x\":{]}",
                            "{\"v\":1,\"x\":{}",
                            "{\"v\":1 2}",
                            "{,\"v\":1}",
                            "{\"x\":\"a\\\"}",
                            "\"v\"",
                            "{\"v\":1}{\"v\":1}",
                            "{\"x\":1{\"x\":1,\"v\":1}",
                            "{\"v\":1{\"v\":1}"}) {
      CAPTURE(bad);
      CHECK(stage->run(bad).substr(0, 4) == "7001");
    }
    for (const char* good :
         {"{\"v\":1}", " { \"v\" : 1 } \n", "{\"v\":1,\"x\":{\"v\":[{}]}}",
          "{\"x\":\"\\\"}\",\"v\":1}", "{\"x\":[[],{\"a\":\"]\"}],\"v\":1}",
          "{\"x\":01.2.3,\"v\":1}", "{\"x\":nonsense,\"v\":1}", "{\"\":null,\"v\":1}",
          "{\"x\":\"\xff\",\"v\":1}", "{\"v\":1,\"x\":[1 2,,]}"}) {
      CAPTURE(good);
      CHECK(stage->run(good) == "{\"v\":1}");
    }
  }
  CHECK(stage->run("{\"v\":1;}").substr(0, 4) ==
        "7004");  // delimited, so the field is bad, not the record
  std::string deep = "{\"v\":1,\"x\":" + std::string(1024, '[') + std::string(1024, ']') + "}";
  CHECK(stage->run(deep) == "{\"v\":1}");
  std::string too_deep = "{\"v\":1,\"x\":" + std::string(1025, '[') + std::string(1025, ']') + "}";
  CHECK(stage->run(too_deep).substr(0, 4) == "7016");
}

namespace {

struct Part {
  std::string key, text, out;  // out: its part of the output, or an error's number
};

// Random records: what stands in them, and what has to come out, made together.
struct Generator {
  std::mt19937_64 random;
  explicit Generator(uint64_t seed) : random(seed) {}
  uint64_t below(uint64_t n) { return random() % n; }
  std::string space() { return below(6) ? "" : std::string(below(4), " \n\t\r"[below(4)]); }
  template <typename... T>
  std::string pick(T... options) {
    std::string all[] = {options...};
    return all[below(sizeof...(options))];
  }
  std::string junk(int depth = 0) {
    switch (below(depth > 3 ? 5 : 7)) {
      case 0:
        return std::to_string(random());
      case 1:
        return pick("null", "true", "-1.5e7", "\"\"");
      case 2:
        return "\"" + std::string(below(80), 'j') + "\\\"{[,\"";
      case 3:
        return "\"" + std::string(below(70), 'k') + "\"";
      case 4:
        return "\"\\u0041 é\"";
      case 5: {
        std::string text = "[";
        for (uint64_t n = below(4), i = 0; i < n; i++)
          text += (i ? "," : "") + space() + junk(depth + 1);
        return text + "]";
      }
      default: {
        std::string text = "{";
        for (uint64_t n = below(4), i = 0; i < n; i++)
          text += std::string(i ? "," : "") + "\"n\":" + space() + junk(depth + 1);
        return text + space() + "}";
      }
    }
  }
  std::string key(const std::string& name) {
    if (below(12)) return "\"" + name + "\"";
    size_t at = below(name.size());
    char escaped[8];
    snprintf(escaped, sizeof escaped, "\\u%04x", unsigned(name[at]));
    return "\"" + name.substr(0, at) + escaped + name.substr(at + 1) + "\"";
  }
  std::string object(std::vector<std::pair<std::string, std::string>> members, bool shuffle) {
    if (shuffle) std::shuffle(members.begin(), members.end(), random);
    std::string text = space() + "{";
    bool first = true;
    for (auto& [name, value] : members) {
      text += std::string(first ? "" : ",") + space() + key(name) + space() + ":" + space() +
              value + space();
      first = false;
    }
    return text + "}" + space();
  }

  // {text, out}; out of four digits is an error.
  using Made = std::pair<std::string, std::string>;
  Made integer() {
    auto n = int64_t(random()) >> below(64);
    if (below(30) == 0) return {"\"5\"", "7004"};
    if (below(30) == 0) return {"99999999999999999999", "7005"};
    return {std::to_string(n), std::to_string(n)};
  }
  Made text() {
    if (below(40) == 0) return {"\"\\ud800\"", "7006"};
    if (below(5) == 0) return {"\"\\t" + std::string(below(40), 'z') + "\\u00e4\"", ""};
    std::string plain = "\"" +
                        std::string(below(3) ? below(20) : below(100), char('a' + below(26))) +
                        (below(5) ? "" : "ü") + "\"";
    return {plain, plain};
  }
};

}  // namespace

TEST_CASE("random records give what a plain model says") {
  for (auto validation :
       {weir::compiler::Validation::Structural, weir::compiler::Validation::Projected,
        weir::compiler::Validation::Strict}) {
    JsonStage stage(JsonStage::many_kinds(validation));
    REQUIRE(stage.failure == "");
    Generator g(validation == weir::compiler::Validation::Structural ? 1 : 2);
    for (int i = 0; i < 30000; i++) {
      // In phases: one order, changing orders, unknown keys; so that orders are learned and lost.
      bool shuffle = i / 1000 % 3 == 1, unknown = i / 1000 % 2 == 1;
      std::vector<std::pair<std::string, std::string>> members;
      std::vector<Part> parts;
      auto add = [&](const std::string& name, Generator::Made made, bool optional,
                     const std::string& out_name = "") {
        const std::string& written = out_name.empty() ? name : out_name;
        uint64_t way = g.below(25);
        if (way == 0) {
          parts.push_back({written, "", optional ? "null" : "7002"});
        } else if (way == 1) {
          members.emplace_back(name, "null");
          parts.push_back({written, "", optional ? "null" : "7003"});
        } else {
          members.emplace_back(name, made.first);
          parts.push_back({written, "", made.second});
        }
      };
      auto text = [&] {
        auto made = g.text();
        if (made.second.empty()) made.second = made.first.substr(0, made.first.size() - 7) + "ä\"";
        return made;
      };
      add("id", text(), false);
      add("n", g.integer(), false);
      uint64_t cents = g.below(100000);
      char price[32];
      snprintf(price, sizeof price, "%lu.%02lu", cents / 100, cents % 100);
      add("price", {price, price}, true);
      add("kind",
          g.below(2)    ? Generator::Made{"\"start\"", "\"start\""}
          : g.below(20) ? Generator::Made{"\"E-2\"", "\"E-2\""}
                        : Generator::Made{"\"end\"", "7008"},
          false);
      add("ok", g.below(2) ? Generator::Made{"true", "true"} : Generator::Made{"false", "false"},
          false);
      // `where` is read by its parts.
      uint64_t way = g.below(20);
      auto x = int32_t(g.random());
      auto name = text();
      bool has_name = g.below(4) != 0;
      if (way == 0) {
        parts.push_back({"x", "", "7002"});
        parts.push_back({"name", "", "7002"});
      } else if (way == 1 || way == 2) {
        members.emplace_back("where", way == 1 ? "null" : "17");
        for (const char* part : {"x", "name"})
          parts.push_back({part, "", way == 1 ? "7003" : "7004"});
      } else {
        std::vector<std::pair<std::string, std::string>> inner;
        bool has_x = way != 3;
        if (has_x) inner.emplace_back("x", std::to_string(x));
        if (unknown) inner.emplace_back("more", g.junk());
        if (has_name) inner.emplace_back("name", name.first);
        members.emplace_back("where", g.object(inner, shuffle));
        parts.push_back({"x", "", has_x ? std::to_string(x) : "7002"});
        parts.push_back({"name", "", has_name ? name.second : "null"});
      }
      // `spare` is read whole.
      std::string spare_name = g.below(2) ? "null" : "\"s\"";
      add("spare",
          {g.object({{"x", "3"}, {"name", spare_name}, {"other", g.junk()}}, shuffle),
           "{\"x\":3,\"name\":" + spare_name + "}"},
          true);
      add("list",
          g.below(10) ? Generator::Made{"[1, null,3 ]", "[1,null,3]"}
                      : Generator::Made{"[1,\"2\"]", "7004"},
          false);
      add("map", {"{\"a\":\"1\", \"b\":\"2\",\"a\":\"3\"}", "{\"a\":\"1\",\"b\":\"2\"}"}, false);
      add("ts", {"1700000000123", "1700000000123"}, false);
      if (unknown) {
        for (uint64_t n = g.below(4); n > 0; n--) {
          members.insert(
              members.begin() + int64_t(g.below(members.size() + 1)),
              {g.pick("u", "unknown_key_that_is_long_enough_for_two_vectors_of_32_bytes_each", "nn",
                      "i"),
               g.junk()});
        }
      }
      // A second value of a key never counts.
      if (!shuffle && !members.empty() && g.below(10) == 0)
        members.push_back({members[g.below(members.size())].first, g.junk()});
      std::string record = g.object(members, shuffle);

      std::string expected = "{", error;
      for (const Part& part : parts) {
        bool bad = part.out.size() == 4 && part.out[0] == '7' && part.key != "n" &&
                   part.key != "x" && part.key != "price";
        // Numbers of the data may look like a reason: those of `n` and `x` come from known places
        // only.
        bad |= part.out == "7002" || part.out == "7003" || part.out == "7004" || part.out == "7005";
        if (bad && error.empty()) error = part.out;
        expected += (expected.size() > 1 ? ",\"" : "\"") + part.key + "\":" + part.out;
      }
      expected += "}";
      std::string out = stage.run(record);
      CAPTURE(record);
      if (!error.empty()) {
        REQUIRE(out.substr(0, 4) == error);
      } else {
        REQUIRE(out == expected);
      }
      // Cut off anywhere, it is malformed. (`projected` does not look that far.)
      if (i % 100 == 0 && validation == weir::compiler::Validation::Structural) {
        size_t last = record.find_last_of('}');
        for (size_t cut = 0; cut <= last; cut++) {
          CAPTURE(cut);
          REQUIRE(stage.run(record.substr(0, cut)).substr(0, 4) == "7001");
        }
      }
    }
  }
}

TEST_CASE("a record in the schema's or in the learned order takes the short way") {
  JsonStage stage(JsonStage::many_kinds());
  std::string record =
      R"({"id":"1","n":2,"price":3.50,"kind":"start","ok":true,"where":{"x":1,"name":"a"},"spare":null,"list":[],"map":{},"ts":5})";
  std::string out =
      R"({"id":"1","n":2,"price":3.50,"kind":"start","ok":true,"x":1,"name":"a","spare":null,"list":[],"map":{},"ts":5})";
  for (int i = 0; i < 10; i++) CHECK(stage.run(record) == out);
  CHECK(stage.slow() == 0);
  // Another writer, with spaces: learned after a while.
  std::string other =
      R"({ "ts": 5, "id": "1", "n": 2, "price": 3.50, "kind": "start", "ok": true, "where": { "name": "a", "x": 1 }, "spare": null, "list": [], "map": {} })";
  for (int i = 0; i < 100; i++) CHECK(stage.run(other) == out);
  CHECK(stage.slow() < 40);
}

// What json_flat.h takes and what it leaves, against the way from key to key: the same comes out of
// both.
TEST_CASE("strict: what structural lets pass") {
  JsonStage strict(JsonStage::many_kinds(weir::compiler::Validation::Strict));
  JsonStage loose(JsonStage::many_kinds());
  REQUIRE(strict.failure == "");
  auto record = [](const std::string& more) {
    return R"({"id":"1","n":2,"price":3.50,"kind":"start","ok":true,"where":{"x":1,"name":"a"},"spare":null,"list":[],"map":{})" +
           more + R"(,"ts":5})";
  };
  std::string out = loose.run(record(""));
  REQUIRE(out.starts_with("{"));
  const char* fine[] = {R"(,"other":[1,-0.5e+3,{"a":[]},"\u00e9\n",true,false,null])",
                        " , \"other\" : 0 ", R"(,"other":"é")"};
  for (const std::string more : fine) CHECK(strict.run(record(more)) == out);
  const char* broken[] = {R"(,"other":01)",    R"(,"other":1.)",      R"(,"other":+1)",
                          R"(,"other":tru)",   R"(,"other":"\x")",    R"(,"other":"\u12g4")",
                          R"(,"other":[1 2])", R"(,"other":[1,])",    R"(,"other":{"a" 1})",
                          R"(,"other":{1:2})", ",\"other\":\"\x01\"", ",\"other\":\"\xff\"",
                          ",\"\xc0\x80\":1"};
  for (const std::string more : broken) {
    CAPTURE(more);
    CHECK(strict.run(record(more)).starts_with("7001 malformed at byte "));
    CHECK(loose.run(record(more)) == out);
  }
  CHECK(strict.run("[1]") == "7001 malformed at byte 0");
  CHECK(strict.run(record("") + "x").starts_with("7001 malformed at byte "));
  CHECK(strict.run(record("").substr(0, 20)) == "7001 malformed at byte 16");
}

TEST_CASE("records in no order, whole and damaged") {
  auto make = [] {
    auto schema = std::make_unique<JsonStage::Schema>();
    schema->record =
        schema->program.record("Flat", {{"id", of(TypeKind::String)},
                                        {"n", of(TypeKind::Int64)},
                                        {"price", decimal_type(12, 2).nullable()},
                                        {"a_name_of_more_than_sixteen", of(TypeKind::Bool)},
                                        {"a_name_of_more_than_sixteem", of(TypeKind::Int32)},
                                        {"ts", timestamp_type(TimeUnit::Milli)}});
    return std::make_unique<JsonStage>(std::move(schema));
  };
  auto flat = make(), step_by_step = make();
  REQUIRE(flat->failure == "");
  uint64_t taken = 0, damaged_taken = 0;
  auto compare = [&](const std::string& record) {
    WeirJsonOrder& order = flat->order();
    order.misses = 0;
    order.misses_max = 1000;
    order.streak = kJsonStreakLong;
    step_by_step->forget();
    CAPTURE(record);
    std::string expected = step_by_step->run(record);
    REQUIRE(flat->run(record) == expected);
    return order.streak == kJsonStreakLong;
  };
  Generator g(3);
  for (int i = 0; i < 5000; i++) {
    std::vector<std::string> members = {
        "\"id\":\"" + std::string(g.below(70), 'x') + g.pick("", "ä", "{,:]", " ") + "\"",
        "\"n\":" + std::to_string(g.random() >> g.below(64)),
        "\"price\":" + g.pick("12.34", "null", "1", "\"1.5\"", "x"),
        "\"a_name_of_more_than_sixteen\":" + g.pick("true", "false"),
        "\"a_name_of_more_than_sixteem\":" + std::to_string(int32_t(g.random())),
        "\"ts\":1700000000123",
        "\"other\":" + g.pick("1", "\"\"", "\"{\""),
        "\"\":0",
        "\"n\":3"};
    std::shuffle(members.begin(), members.end(), g.random);
    members.resize(members.size() - g.below(3));
    std::string record = "{";
    for (const std::string& member : members) record += (record.size() > 1 ? "," : "") + member;
    record += g.pick("}", "}", "}\n");
    taken += compare(record);
    // One byte more, less, or another; or an end too early.
    for (int damage = 0; damage < 8; damage++) {
      std::string other = record;
      size_t at = g.below(other.size());
      char byte = "\"{}[],:\\ \n0n\x01"[g.below(13)];
      switch (g.below(4)) {
        case 0:
          other[at] = byte;
          break;
        case 1:
          other.erase(at, 1);
          break;
        case 2:
          other.insert(at, 1, byte);
          break;
        case 3:
          other.resize(at);
          break;
      }
      damaged_taken += compare(other);
    }
  }
  CHECK(taken == 5000);
  CHECK(damaged_taken > 1000);
}
