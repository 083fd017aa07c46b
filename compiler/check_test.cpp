// What expressions are, and what is said about those that can't be. The whole language page in one
// table each.
#include <doctest/doctest.h>

#include "compiler/compile_text.h"
#include "compiler/print_expr.h"
#include "compiler/standard_library.h"

namespace weir::compiler {
namespace {

const char* const kRecord = R"(
enum Kind { start, stop as "STOP", other }
record Point { x: float64, y: float64?, tag: string? }
record R {
  i8: int8, i32: int32, i: int64, u32: uint32, u: uint64, f: float64, f32: float32, d: decimal(12, 2), e: decimal(10, 4)
  b: bool, s: string, k: Kind, ts: timestamp(ms), us: timestamp(us), day: date, dur: duration, id: uuid
  oi: int64?, od: decimal(12, 2)?, os: string?, ok: Kind?, ob: bool?
  p: Point, op: Point?, list: list<int64>, names: list<string?>, m: map<string, int64>
}
param limit: int64 = 10
param word: string = "x"
secret password
fn double(x: int64) -> int64 = x + x
fn either(a: int64?, b: int64) -> int64 = a ?? b
fn forever(x: int64) -> int64 = forever(x)
source s: R = kafka("s") { format = json, event_time = ts, watermark = 1m }
)";

// The type of an expression over R, or the codes of what is said about it.
std::string type_of_text(const std::string& expr, const std::string& before = "") {
  CompiledText text(kRecord + ("stream t = s " + before + " | select { v = " + expr +
                               " }\nsink t -> discard()\n"));
  if (!text.compiled) return text.codes();
  const Graph& graph = text.compiled->graph;
  return to_text(graph.types, graph.types.records[graph.nodes.back().row].fields[0].type);
}

struct Row {
  const char* expr;
  const char* type;
};

void check_all(std::initializer_list<Row> rows) {
  for (const Row& row : rows) CHECK_MESSAGE(type_of_text(row.expr) == row.type, row.expr);
}

}  // namespace

TEST_CASE("the standard library can be read") {
  for (const EmbeddedText& module : standard_library_texts()) {
    dsl::Sources sources;
    dsl::Diagnostics diagnostics;
    dsl::parse(sources, sources.add(std::string(module.name), std::string(module.text)),
               diagnostics);
    CHECK_MESSAGE(diagnostics.all().empty(), dsl::render(diagnostics, sources));
  }
}

TEST_CASE("numbers: literals adapt, integers widen, decimals are exact") {
  check_all({
      {"1", "int64"},
      {"18446744073709551615", "uint64"},
      {"1.50", "decimal(3, 2)"},
      {"1.5e0", "float64"},
      {"i8 + 1", "int8"},
      {"i8 + 300", "int64"},
      {"i8 + i32", "int32"},
      {"i32 + u32", "int64"},
      {"i + u", "W0202"},
      {"f32 + i8", "float32"},
      {"f32 + i", "float64"},
      {"f + 1.5", "float64"},
      {"f + d", "W0202"},
      {"float64(d) + f", "float64"},
      {"i / i", "float64"},
      {"div(i, 2)", "int64"},
      {"d + 1", "decimal(13, 2)"},
      {"d + e", "decimal(15, 4)"},
      {"d * e", "decimal(22, 6)"},
      {"d * 2", "decimal(13, 2)"},
      {"d * 1.5", "decimal(14, 3)"},
      {"d / 3", "decimal(16, 6)"},
      {"d % 2", "decimal(12, 2)"},
      {"d + i", "decimal(22, 2)"},
      {"-i", "int64"},
      {"-u", "W0200"},
      {"decimal(10, 2)(s)", "decimal(10, 2)"},
      {"int64(oi)", "int64?"},
      {"int8(300)", "W0203"},
      {"list > 1", "W0202"},
  });
}

TEST_CASE("time: instants, durations, dates") {
  check_all({
      {"ts - us", "duration"},
      {"ts + 5m", "timestamp(ms)"},
      {"5m + ts", "timestamp(ms)"},
      {"ts - 5m", "timestamp(ms)"},
      {"day - day", "duration"},
      {"day + 7d", "date"},
      {"dur + 5m", "duration"},
      {"dur * 2", "duration"},
      {"2 * dur", "duration"},
      {"dur / 2", "duration"},
      {"dur / 1m", "float64"},
      {"ts + ts", "W0202"},
      {"ts > @2025-01-01T00:00:00Z", "bool"},
      {"ts > us", "bool"},
      {"date(ts)", "date"},
      {"timestamp(us)(ts)", "timestamp(us)"},
      {"event_time()", "timestamp(us)"},
      {"meta.partition", "int32"},
      {"meta.key", "bytes?"},
      {"meta.headers[\"a\"]", "bytes?"},
      {"meta.topik", "W0103"},
  });
}

TEST_CASE("null is handled before a value is wanted") {
  check_all({
      {"oi + 1", "W0201"},
      {"oi ?? 0", "int64"},
      {"oi ?? null", "int64?"},
      {"i ?? 0", "int64"},  // with a warning
      {"od ?? 0", "decimal(12, 2)"},
      {"od ?? i", "decimal(21, 2)"},
      {"oi == null", "bool"},
      {"oi == 5", "bool"},
      {"oi == i", "bool"},
      {"oi < 5", "W0201"},
      {"oi is not null and oi > 3", "bool"},
      {"oi is null or oi > 3", "bool"},
      {"oi is null and oi > 3", "W0201"},
      {"if oi is not null then oi + 1 else 0", "int64"},
      {"if oi is null then 0 else oi + 1", "int64"},
      {"if not (oi is null) then oi else 1", "int64"},
      {"if oi == 5 then oi else 1", "int64"},
      {"if b then null else i", "int64?"},
      {"op.x", "W0201"},
      {"op?.x", "float64?"},
      {"p.y", "float64?"},
      {"if p.y is not null then p.y * 2e0 else 0e0", "float64"},
      {"if op is not null then op.x else 0e0", "float64"},
      {"if op?.x is not null then 1 else 0", "int64"},
      {"try int64(s)", "int64?"},
      {"try list[5]", "int64?"},
      {"oi ?? fail(\"no value\")", "int64"},
      {"if b then fail(\"no\") else i", "int64"},
      {"list[0]", "int64"},
      {"m[\"a\"]", "int64?"},
      {"either(oi, 1)", "int64"},
      {"os?.len()", "int64?"},
      {"names?.len()", "int64"},
  });
}

TEST_CASE("facts last from a where to what follows") {
  CHECK(type_of_text("oi + 1", "| where oi is not null") == "int64");
  CHECK(type_of_text("oi", "| where oi is not null and b") == "int64");
  CHECK(type_of_text("p.tag", "| where p.tag is not null") == "string");
  CHECK(type_of_text("q.tag", "| where p.tag is not null | select { q = p }") == "string");
  CHECK(type_of_text("oi", "| where oi is not null or b") == "int64?");
  CHECK(type_of_text("oi", "| where oi is not null | extend { oi = try int64(s) }") == "int64?");
}

TEST_CASE("choices: if, match, in, between, like") {
  check_all({
      {"if b then 1 else 2.5", "decimal(20, 1)"},
      {"if b then 1 else \"a\"", "W0202"},
      {"if oi then 1 else 2", "W0200"},
      {"match k { start => 1, stop => 2, other => 3 }", "int64"},
      {"match k { start => 1, stop => 2 }", "W0206"},
      {"match k { start => 1, start => 2, _ => 3 }", "W0206"},
      {"match k { _ => 3, start => 1 }", "W0206"},
      {"match k { start or stop => \"a\", _ => \"b\" }", "string"},
      {"match k { strat => 1, _ => 2 }", "W0103"},
      {"match ok { start => 1, stop => 2, other => 3 }", "W0206"},
      {"match ok { null => 0, start => 1, stop => 2, other => 3 }", "int64"},
      {"match oi { null => 0, _ => 1 }", "int64"},
      {"match i { 1 => \"one\", 2 or 3 => \"few\", _ => \"many\" }", "string"},
      {"match b { true => 1, false => 0 }", "int64"},
      {"i in [1, 2, 3]", "bool"},
      {"k in [start, stop]", "bool"},
      {"k not in [start]", "bool"},
      {"oi in [1, 2]", "bool"},
      {"i in list", "bool"},
      {"i in s", "W0200"},
      {"i between 1 and 10", "bool"},
      {"i not between 1 and 10", "bool"},
      {"s like \"a%\"", "bool"},
      {"s matches r\"a+\"", "bool"},
      {"k == start", "bool"},
      {"k == Kind.stop", "bool"},
      {"k == \"start\"", "W0202"},
      {"k < stop", "W0205"},
      {"p == p", "bool"},
      {"list == [1, 2]", "bool"},
      {"list < list", "W0205"},
  });
}

TEST_CASE("texts, lists, functions, names") {
  check_all({
      {"\"{i} of {s}\"", "string"},
      {"\"{oi}\"", "W0201"},
      {"s + s", "W0202"},
      {"upper(s)", "string"},
      {"s.upper()", "string"},
      {"upper(i)", "W0200"},
      {"uper(s)", "W0300"},
      {"upper(s, s)", "W0301"},
      {"text.upper(s)", "string"},
      {"math.upper(s)", "W0300"},
      {"len(s) + len(list)", "int64"},
      {"abs(i)", "int64"},
      {"abs(f)", "float64"},
      {"exp(i)", "float64"},
      {"double(i)", "int64"},
      {"double(i8)", "int64"},
      {"double(s)", "W0200"},
      {"forever(i)", "W0104"},
      {"list.map(x => x * 2)", "list<int64>"},
      {"list.map(x => \"{x}\")", "list<string>"},
      {"list.filter(x => x > i)", "list<int64>"},
      {"list.any(x => x > limit)", "bool"},
      {"names.all(x => x is not null and x == word)", "bool"},
      {"[1, 2.5]", "list<decimal(20, 1)>"},
      {"[]", "W0200"},
      {"limit + 1", "int64"},
      {"password", "W0106"},
      {"nam", "W0100"},
      {"p.z", "W0103"},
      {"i.x", "W0200"},
      {"sum(i)", "W0302"},
      {"row", "R"},
  });
}

TEST_CASE("casts are written where types change") {
  CompiledText text(kRecord + std::string("stream t = s | where i8 + i32 > u32 and d > 10.0 | "
                                          "select { i }\nsink t -> discard()\n"));
  REQUIRE_MESSAGE(text.compiled, text.rendered());
  auto& where = std::get<StageStep::Where>(text.compiled->graph.stages[0].steps[0].is);
  CHECK(print_expr(text.compiled->graph, where.predicate, text.compiled->graph.nodes[0].row) ==
        "(int64(int32(i8) + i32) > int64(u32)) and (d > 10.00)");
}

TEST_CASE("a missing value is shown with its repair") {
  CompiledText text(kRecord + std::string("stream t = s | where oi > 3\nsink t -> discard()\n"));
  REQUIRE(text.diagnostics.error_count() == 1);
  const auto& diagnostic = text.diagnostics.all()[0];
  CHECK(diagnostic.label == "int64?");
  REQUIRE(diagnostic.fix);
  CHECK(diagnostic.fix->replacement == "oi ?? 0");
}

}  // namespace weir::compiler
