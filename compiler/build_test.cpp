// Graphs: operators, windows, sinks, stages, and what is refused.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "compiler/compile_text.h"
#include "compiler/connectors.h"

namespace weir::compiler {
namespace {

const char* const kPreamble = R"(
record R { k: string, x: int64?, y: float64, d: decimal(12, 2), ts: timestamp(ms), tag: string as "Tag" }
source s: R = kafka("s") { format = json, event_time = ts, watermark = 1m }
source untimed: R = kafka("u") { format = json }
)";

std::string codes(const std::string& program) { return CompiledText(kPreamble + program).codes(); }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string stages_of(const std::string& program) {
  CompiledText text(kPreamble + program);
  return text.compiled ? print_stages(text.compiled->graph) : text.rendered();
}

std::string row_of(const CompiledText& text) {
  Type type = type_of(TypeKind::Record);
  type.ref = text.compiled->graph.nodes.back().row;
  return to_text(text.compiled->graph.types, type);
}

}  // namespace

TEST_CASE("select, extend and drop shape rows") {
  auto row = [](const std::string& ops) {
    CompiledText text(kPreamble + ("stream t = s " + ops + "\nsink t -> discard()\n"));
    return text.compiled ? row_of(text) : text.codes();
  };
  CHECK(row("| select { k, n = x ?? 0, m = n + 1 }") == "{ k: string, n: int64, m: int64 }");
  CHECK(row("| select { .. except (x, y, d, ts) }") == "{ k: string, tag: string }");
  CHECK(row("| drop x, y, d, ts") == "{ k: string, tag: string }");
  CHECK(row("| select { k } | extend { n = 1, k = n }") == "{ k: int64, n: int64 }");
  CHECK(row("| select { k, k = x }") == "W0101");
  CHECK(row("| select { x + 1 }") == "W0405");
  CHECK(row("| drop nothing") == "W0103");
  CHECK(row("| select { a = b, b = k }") == "W0100");
}

TEST_CASE("a value that is used again is computed in a step of its own, not written out again") {
  std::string items = "a0 = y * 2e0 + 1e0 - y * 3e0 + y * 4e0 - 5e0";
  for (int i = 1; i < 60; ++i) {
    std::string last = "a" + std::to_string(i - 1);
    items += ", a" + std::to_string(i) + " = " + last + " * " + last + " + " + last + " * " + last +
             " - " + last;
  }
  CompiledText text(kPreamble + ("stream t = s | select { " + items + " }\nsink t -> discard()\n"));
  CHECK_MESSAGE(text.compiled, text.rendered());
}

TEST_CASE("windows: the row, and aggregates inside expressions") {
  CompiledText text(
      kPreamble +
      std::string(
          "stream t = s | window tumble(1m) by k, big = d > 10.00 { n = count(), share = sum(y) / "
          "count(), total = sum(d), "
          "least = min(x), some = sum(x where x > 3 or x is null) }\nsink t -> discard()\n"));
  CHECK(text.codes() == "W0201");
  CompiledText good(kPreamble +
                    std::string("stream t = s | window tumble(1m) by k, big = d > 10.00 { n = "
                                "count(), share = sum(y) / float64(count()), "
                                "total = sum(d), least = min(x), mean = avg(d), late = last(y) "
                                "}\nsink t -> discard()\n"));
  REQUIRE_MESSAGE(good.compiled, good.rendered());
  CHECK(row_of(good) ==
        "{ window_start: timestamp(us), window_end: timestamp(us), k: string, big: bool, n: int64, "
        "share: float64, "
        "total: decimal(38, 2), least: int64?, mean: decimal(38, 6), late: float64 }");
  // count() is written twice and kept once.
  CHECK(std::get<KeyedNode>(good.compiled->graph.nodes[1].is).aggregates.size() == 6);
}

TEST_CASE("what an aggregate may be empty of") {
  CompiledText text(kPreamble +
                    std::string("stream t = s | group by k { a = sum(x), b = sum(y), c = sum(y "
                                "where y > 1.0), n = count(x), f = max(d where d > 1) }\n"
                                "sink t -> stdout() { emit = update }\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  CHECK(row_of(text) ==
        "{ k: string, a: int64?, b: float64, c: float64?, n: int64, f: decimal(12, 2)? }");
  CHECK(text.codes() == "W0402");
}

TEST_CASE("predicates move to the source and only what is read is decoded") {
  std::string stages = stages_of(
      "stream t = s | extend { cents = d * 100 } | where cents > 5000 | where k != \"a\" | window "
      "tumble(1m) by k { total = sum(cents) }\n"
      "sink t -> discard()\n");
  CHECK(has(stages, "reads k, d, ts (3 of 6 fields)"));
  CHECK(stages.find("where (d * ") < stages.find("select {"));
  CHECK(stages.find("where k != \"a\"") < stages.find("select {"));
}

TEST_CASE("several consumers of a stream are branches of one stage") {
  CompiledText text(
      kPreamble +
      std::string(
          "stream a = s | where y > 1.0\nstream b = a | window tumble(1m) by k { n = count() }\n"
          "stream c = a | select { k }\nsink b -> discard()\nsink c -> discard()\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  REQUIRE(text.compiled->graph.stages.size() == 2);
  CHECK(text.compiled->graph.stages[0].steps.size() == 1);
  CHECK(text.compiled->graph.stages[0].steps[0].next.size() == 2);
  CHECK(text.compiled->plan.stages(0).updates_size() == 1);
  CHECK(text.compiled->plan.stages(0).emits_size() == 1);
}

TEST_CASE("one fired stage for each way to emit") {
  CompiledText text(kPreamble +
                    std::string("stream t = s | window tumble(1m) by k { n = count() }\n"
                                "sink a = t -> discard() { emit = append }\nsink b = t -> "
                                "discard() { emit = update every 5s }\n"
                                "sink c = t -> discard() { emit = update every 5s }\nsink d = t | "
                                "select { n } -> discard() { emit = complete }\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  REQUIRE(text.compiled->plan.keyed(0).emissions_size() == 3);
  CHECK(text.compiled->plan.keyed(0).emissions(1).every_us() == 5'000'000);
  CHECK(text.compiled->plan.stages(2).emits_size() == 2);
}

TEST_CASE("late rows go on in their own stream") {
  CompiledText text(
      kPreamble +
      std::string(
          "stream t = s | window tumble(1m) by k { n = count() } late -> tardy\n"
          "stream seen = tardy | select { k }\nsink t -> discard()\nsink seen -> discard()\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  auto& update = std::get<StageStep::Update>(text.compiled->graph.stages[0].steps[0].is);
  REQUIRE(update.late.size() == 1);
  CHECK(std::holds_alternative<StageStep::Project>(update.late[0].is));
  CHECK(text.compiled->graph.stages[0].steps.size() == 1);
}

TEST_CASE("a window over a window takes its final rows") {
  CompiledText text(kPreamble +
                    std::string("stream a = s | window tumble(1m) by k { n = count() }\n"
                                "stream b = a | window tumble(1h) by k { peak = max(n), final = "
                                "last(n) }\nsink b -> discard()\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  REQUIRE(text.compiled->graph.stages.size() == 3);
  CHECK(text.compiled->plan.keyed(1).inputs(0) == 1);
  CHECK(codes("stream a = s | window tumble(1m) by k { n = count() }\nstream b = a | window "
              "tumble(1h) by k { peak = max(n) }\n"
              "sink b -> discard() { emit = update }\n") == "W0900");
}

TEST_CASE("unions follow each of their inputs") {
  CompiledText text(
      kPreamble +
      std::string(
          "stream a = s | where y > 1.0\nstream b = s | where y < 0.0 | union a\n"
          "stream c = b | group by k { n = count() }\nsink c -> stdout() { emit = complete }\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  CHECK(text.compiled->graph.stages[0].steps.size() == 2);
  CHECK(codes("stream a = s | select { k } | union s\nsink a -> discard()\n") == "W0202");
}

TEST_CASE("time, emit and keys are checked") {
  CHECK(
      codes("stream t = untimed | window tumble(1m) by k { n = count() }\nsink t -> discard()\n") ==
      "W0400");
  CHECK(codes("stream t = untimed | group by k { n = last(y) }\nsink t -> discard() { emit = "
              "update }\n") == "W0400");
  CHECK(codes("stream t = s | window tumble(0s) by k { n = count() }\nsink t -> discard()\n") ==
        "W0401");
  CHECK(
      codes(
          "stream t = s | window hop(1d, every 1us) by k { n = count() }\nsink t -> discard()\n") ==
      "W0401");
  CHECK(codes("stream t = s | window hop(90s, every 1m) offset -10s grace 1m by k { n = count() "
              "}\nsink t -> discard()\n") == "");
  CHECK(codes("stream t = s | group by k { n = count() }\nsink t -> discard()\n") == "W0504 W0402");
  CHECK(codes("stream t = s | where y > 1.0\nsink t -> discard() { emit = complete }\n") ==
        "W0504");
  CHECK(codes("stream t = s | window tumble(1m) by k { n = count() } | where n > 3\nsink t -> "
              "discard() { emit = update }\n") == "W0900");
  CHECK(codes("stream t = s | window tumble(1m) by k { n = count() } | where n > 3\nsink t -> "
              "discard()\n") == "");
  CHECK(codes("stream t = s | window tumble(1m) by k { n = count() }\nsink t -> kafka(\"t\") { "
              "format = json, key = n, emit = update }\n") == "W0505");
  CHECK(codes("stream t = s | window tumble(1m) by k { n = count() }\nsink t -> kafka(\"t\") { "
              "format = json, emit = update }\n") == "W0505");
  CHECK(codes("stream t = s | window tumble(1m) by k { n = count() } | select { key2 = k, "
              "window_start, n }\n"
              "sink t -> kafka(\"t\") { format = json, key = { key2, window_start }, emit = update "
              "}\n") == "");
  CHECK(codes("sink s -> stdout() { deliver = exactly_once }\n") == "W0506");
  CHECK(
      codes("stream t = s | window tumble(1m) by x, d { n = count(), y }\nsink t -> discard()\n") ==
      "W0303");
  CHECK(codes("stream t = s | window tumble(1m) by row { n = count() }\nsink t -> discard()\n") ==
        "W0404");
}

TEST_CASE("over and dedup keep only those fields of rows that are read behind them") {
  auto kept = [](const Compiled& compiled) {
    std::string names;
    for (const Node& node : compiled.graph.nodes) {
      if (auto* keyed = std::get_if<KeyedNode>(&node.is); keyed && keyed->rows) {
        for (const StateField& field : keyed->state) names += field.name + " ";
      }
    }
    return names;
  };
  CompiledText text(kPreamble +
                    std::string("stream t = s | dedup by x within 1m | over by k { n = count("
                                "within 10m), m = max(x within 1h) } | select { k, n }\n"
                                "sink t -> discard()\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  CHECK(kept(*text.compiled) == "row.k row.x row.k count6.n max7.value ");
  CHECK(text.compiled->plan.keyed(1).rows().frames(0).state(0) == 1);
  CHECK(text.compiled->plan.keyed(1).rows().frames(1).state(0) == 2);
}

TEST_CASE("what this version can't run is refused by name") {
  for (const char* op :
       {"join untimed on k", "window session(gap 1m) by k { n = count() }", "top 3 by y",
        "to table by k", "changes", "group by k { n = count() } expire after 1d",
        "window tumble(1m) using processing_time by k { n = count() }", "window tumble(1m) by k"}) {
    CHECK_MESSAGE(codes(std::string("stream t = s | ") + op + "\nsink t -> discard()\n") == "W0900",
                  op);
  }
  CHECK(codes("table t: R = kafka(\"t\") { format = json, key = k }\nsink s -> discard()\n") ==
        "W0900");
  CHECK(codes("sink s -> kafka(\"t\") { format = avro }\n") == "W0900");
  CHECK(codes("sink s -> redis(\"t\") { format = json }\n") == "W0900");
}

TEST_CASE("declarations: twice, cycles, unknown") {
  CHECK(codes("stream a = b\nstream b = a\nsink a -> discard()\n") == "W0104");
  CHECK(codes("stream a = s\nstream a = s\nsink a -> discard()\n") == "W0101");
  CHECK(codes("record N { n: N? }\nsink s -> discard()\n") == "W0104");
  CHECK(codes("record N { n: list<N> }\nsink s -> discard()\n") == "W0104");
  CHECK(codes("record N { n: strin }\nsink s -> discard()\n") == "W0102");
  CHECK(codes("record N { n: decimal(40, 2) }\nsink s -> discard()\n") == "W0207");
  CHECK(codes("param p: int8 = 300\nsink s -> discard()\n") == "W0203");
  CHECK(codes("sink s -> discard()\nsink s -> stdout()\n") == "W0101");
  CHECK(codes("stream a = s\n") == "W0507");
  CHECK(codes("source z: R = kafka(\"z\") { watermak = 1m }\nsink s -> discard()\n") ==
        "W0501 W0502");
  CHECK(codes("source z: R = kafkas(\"z\")\nsink s -> discard()\n") == "W0500");
  CHECK(codes("source z: R = kafka() {}\nsink s -> discard()\n") == "W0502");
}

TEST_CASE("options and parameters reach the plan") {
  CompiledText text(R"(
record R { k: string, ts: timestamp(ms) }
param broker: string = "localhost:9092"
param count: int64 = 5
secret key
source s: R = kafka("s") { brokers = broker, start = @2025-01-01T00:00:00Z, properties = { "sasl.password" = key, "a.b" = 5 } }
source g: R = generate() { rows = count, rate = 1000, disorder = 5s, fields = { "k" = "uuid" } }
stream u = s | union g
sink u -> discard()
)");
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  const contract::Plan& plan = text.compiled->plan;
  REQUIRE(plan.params_size() == 3);
  CHECK(plan.params(2).secret());
  CHECK(plan.params(0).default_value() == "localhost:9092");
  std::map<std::string, const contract::Option*> options;
  for (const auto& source : plan.sources()) {
    for (const auto& option : source.options())
      options[source.name() + "." + option.name()] = &option;
  }
  CHECK(options.at("s.brokers")->param() == 1);
  CHECK(options.at("s.start")->value() == "2025-01-01T00:00:00Z");
  CHECK(options.at("s.properties.sasl.password")->secret());
  CHECK(options.at("s.properties.a.b")->value() == "5");
  CHECK(options.at("g.rows")->param() == 2);
  CHECK(options.at("g.rate")->value() == "1000");
  CHECK(options.at("g.disorder")->value() == "5000000");
  CHECK(options.at("g.fields.k")->value() == "uuid");
}

TEST_CASE("connectors' options are those of their documented records") {
  std::set<std::string> documented, known;
  for (const char* name : {"kafka", "file", "generate", "stdin", "stdout", "discard"}) {
    std::ifstream in(std::string(WEIR_SOURCE_DIR) + "/runtime/connectors/" + name + "/" + name +
                     ".weir");
    std::stringstream text;
    text << in.rdbuf();
    dsl::Sources sources;
    dsl::Diagnostics diagnostics;
    dsl::Program program = dsl::parse(sources, sources.add(name, text.str()), diagnostics);
    for (const auto& declaration : program.declarations) {
      auto* record = std::get_if<dsl::RecordDecl>(&declaration.node);
      bool sink = declaration.name.text.ends_with("Sink");
      if (!record) continue;
      for (const auto& field : record->fields)
        documented.insert(std::string(name) + (sink ? " sink " : " source ") + field.name.text);
    }
  }
  for (const OptionInfo& option : all_options()) {
    known.insert(std::string(option.connector) +
                 (option.role == Role::Sink ? " sink " : " source ") + std::string(option.name));
  }
  CHECK(documented == known);
}

TEST_CASE("a group's first bytes and signature") {
  CompiledText text(kPreamble + std::string("stream t = s | window tumble(1m) by k { n = count(), "
                                            "m = max(x), total = sum(d) }\nsink t -> discard()\n"));
  REQUIRE(text.compiled);
  const auto& keyed = text.compiled->plan.keyed(0);
  CHECK(keyed.group_initial() == std::string(keyed.group_bytes(), '\0'));
  CHECK(keyed.signature() ==
        "keys(string) window(size 60000000, slide 60000000, offset 0) aggregates(count, max, sum) "
        "state(int64, int64?, decimal(38, 2))");
}

TEST_CASE("tests become JSON rows and collect sinks") {
  const char* program = R"(
stream t = s | window tumble(1m) by k { n = count() }
sink t -> kafka("t") { format = json, key = k, emit = update }
test "one" {
  given s [ { k = "a", x = null, tag = "T", d = 1.5, ts = @1970-01-01T00:00:01Z } ]
  expect t final [ { k = "a", n = 1 } ]
}
test "two" {
  given s [ { kk = "a" } ]
  expect t [ { n = "x" } ]
}
)";
  CompiledText wrong(kPreamble + std::string(program));
  CHECK(wrong.codes() == "W0103 W0200");
  std::string good(program);
  good.resize(good.find("test \"two\""));
  Options options;
  options.test = 0;
  CompiledText text(kPreamble + good, options);
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  REQUIRE(text.compiled->plan.sinks_size() == 1);
  CHECK(text.compiled->plan.sinks(0).connector() == "collect");
  CHECK(text.compiled->plan.sinks(0).emit() == contract::Emission::APPEND);
  const TestCase& test = text.compiled->tests[0];
  CHECK(test.steps[0].rows[0] == R"({"k":"a","x":null,"Tag":"T","d":1.50,"ts":1000})");
  CHECK(test.steps[1].mode == TestStep::Mode::Final);
}

TEST_CASE("streams that double at each step end with a message") {
  std::string program = "stream a0 = s\n";
  for (int i = 1; i < 40; ++i) {
    std::string last = "a" + std::to_string(i - 1);
    program += "stream a" + std::to_string(i) + " = " + last + " | union " + last + "\n";
  }
  CHECK(codes(program + "sink a39 -> discard()\n") == "W0005");
}

}  // namespace weir::compiler
