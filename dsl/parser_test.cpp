#include "dsl/parser.h"
#include "dsl/fix.h"

#include <doctest/doctest.h>

#include <string>

#include "dsl/print_ast.h"
#include "dsl/render.h"

namespace weir::dsl {
namespace {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  Program program;
  explicit Parsed(std::string text) {
    FileId file = sources.add("t.weir", std::move(text));
    program = parse(sources, file, diagnostics);
  }
  std::string shown() const { return render(diagnostics, sources); }
  // Messages in the order of their places, with what stands after `fix:`: of an edit of another
  // place the lines that it makes.
  std::string messages() const {
    std::string all;
    for (const Diagnostic& d : diagnostics.sorted()) {
      all += d.message;
      if (!d.fix_text.empty())
        all += " => " + d.fix_text;
      else if (d.fix && d.fix->span.begin == d.span.begin && d.fix->span.end == d.span.end)
        all += " => " + d.fix->replacement;
      else if (d.fix)
        all += " => " + fixed_lines(sources.file(0), *d.fix).text;
      all += '\n';
    }
    return all;
  }
};

std::string tree(std::string text) {
  Parsed parsed(std::move(text));
  CHECK_MESSAGE(!parsed.diagnostics.has_errors(), parsed.shown());
  return print_ast(parsed.program);
}

// The tree of one expression, and what is said about one.
std::string expr(const std::string& text) {
  Parsed parsed("fn f() -> int64 = " + text);
  CHECK_MESSAGE(!parsed.diagnostics.has_errors(), parsed.shown());
  REQUIRE(parsed.program.declarations.size() == 1);
  return print_ast(*std::get<FnDecl>(parsed.program.declarations[0].node).body);
}
std::string wrong(const std::string& text) {
  const std::string before = "fn f() -> int64 = ";
  std::string all = Parsed(before + text).messages();
  while (all.find(before) != std::string::npos) all.erase(all.find(before), before.size());
  return all;
}
std::string wrong_program(const std::string& text) { return Parsed(text).messages(); }

const char kRides[] = R"(/// Ride activity.
record RideEvent {
  event_id:   string
  amount:     decimal(12, 2)?          // may be null
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
  emit   = update every 30s
}

test "a late event" {
  given rides [
    { event_id = "1", ts = @2025-01-01T00:00:40Z },
    { event_id = "2", ts = @2025-01-01T00:00:10Z },
  ]
  expect counts final [
    { window_start = @2024-12-31T23:59:30Z, rides = 1 },
  ]
}
)";

TEST_CASE("the first program of the language") {
  CHECK(tree(kRides) ==
        "(record RideEvent (event_id: string) (amount: decimal( 12 2 )?) (ts: timestamp( ms )) doc "
        "\"Ride activity.\")\n"
        "(source rides RideEvent (kafka \"transport.ride-event.v1\" { format= json event_time= ts "
        "watermark= 10m on_error= "
        "(call dead_letter \"transport.ride-event.v1.dlq\") }))\n"
        "(stream counts (rides | where (!= event_type \"heartbeat\") | window hop 1m (every 30s) "
        "(by event_type)"
        "{ rides=(call count) revenue=(call sum amount) }))\n"
        "(sink (counts) (kafka \"transport.ride-event-count.v1\" { key= event_type emit= update "
        "(every 30s) }))\n"
        "(test \"a late event\" (given (rides) { event_id=\"1\" ts=@1735689640s } { event_id=\"2\" "
        "ts=@1735689610s }) "
        "(expect final (counts) { window_start=@1735689570s rides=1 }))\n");
}

TEST_CASE("every declaration") {
  CHECK(
      tree(
          "import \"a.weir\"\nimport schema \"r.avsc\" as R\nimport schema registry(\"s\") as S") ==
      "(import \"a.weir\")\n(import R schema \"r.avsc\")\n(import S schema registry \"s\")\n");
  CHECK(tree("enum E { a, b as \"B-1\" }\nparam p: int64 = 5\nparam q: string?\nsecret s") ==
        "(enum E a b as \"B-1\")\n(param p: int64 (= 5))\n(param q: string?)\n(secret s)\n");
  CHECK(tree("record R { a: list<map<string, T?>>, b: string as \"B\" = \"x\", `in`: int64 }") ==
        "(record R (a: list< map< string T? > >) (b: string as \"B\" (= \"x\")) (in: int64))\n");
  CHECK(tree("extern fn g<T, U>(a: T, h: (T, U) -> U) -> list<T>?") ==
        "(fn g extern < T U > ( a:T h:->< T U U > ) -> list< T >?)\n");
  CHECK(tree("aggregate fn f(x: T) -> V { state { n: int64 = 0 } step { n = n + 1 } merge { n = n "
             "+ other.n } finish = n }") ==
        "(aggregate f ( x:T ) -> V (state n:int64 0) { (= n (+ n 1)) } { (= n (+ n (. other n))) } "
        "n)\n");
  CHECK(tree("pipe p<R>(s: stream<R>, k: (R) -> string) -> stream<R> = s | dedup by k(row) within "
             "1d") ==
        "(pipe p < R > ( s:stream< R > k:->< R string > ) -> stream< R > (s | dedup (by (call k "
        "row)) (within 1d)))\n");
  CHECK(
      tree("table t: R = kafka(\"t\") { key = id }\ntable u = s | to table by k expire after 1d") ==
      "(source t table R (kafka \"t\" { key= id }))\n(stream u table (s | to (by k) (expire "
      "1d)))\n");
  CHECK(tree("split s | where x { when p -> a, else -> b }") ==
        "(split (s | where x) (when p a) (when - b))\n");
  CHECK(tree("sink m = s -> stdout { properties = { \"a.b\" = c }, format = csv { delimiter = "
             "\";\" }, emit = append immediately }") ==
        "(sink m (s) (stdout { properties= (map \"a.b\" c) format= csv { delimiter= \";\" } emit= "
        "append immediately }))\n");
  CHECK(tree("test \"t\" { given a file \"x\"\n advance 5m\n expect errors(a) []\n expect b "
             "changes [insert { a = 1 }, delete { a = 2 }, insert] }") ==
        "(test \"t\" (given (a) file \"x\") (advance 5m) (expect (errors() a)) (expect changes (b) "
        "insert { a=1 } delete { a=2 } insert))\n");
}

TEST_CASE("every operator") {
  CHECK(tree("stream x = a | select { a, r.b, c = e, .., ..r except (d, f), ..q.z except d } | "
             "drop a, b") ==
        "(stream x (a | select{ a (. r b) c=e .. ..r except ( d f ) ..(. q z) except ( d ) } | "
        "drop a b))\n");
  CHECK(tree("stream x = (a | where p) | union b, (c | changes), errors(d) | flatten m as k, v") ==
        "(stream x (nested (a | where p) | union (b) (nested (c | changes)) (errors() d) | flatten "
        "m k v))\n");
  CHECK(tree("stream x = a | window session(gap 5m) offset 1s grace 2s using processing_time by k, "
             "n = f(k) { c = count(where p) } late -> l") ==
        "(stream x (a | window session 5m (offset 1s) (grace 2s) processing_time (by k n= (call f "
        "k)){ c=(call count (where p)) } (late l)))\n");
  CHECK(tree("stream x = a | group { n = count() } expire after 1d | over by k on arrival { n = "
             "count(within 10 rows), m = sum(x where p within (-7d, -1d)) } late -> l") ==
        "(stream x (a | group{ n=(call count) } (expire 1d) | over (by k) on-arrival{ n=(call "
        "count (within 10 rows)) "
        "m=(call sum x (where p) (within (neg 7d) (neg 1d))) } (late l)))\n");
  CHECK(tree("stream x = a | join b as c on k == c.k and p within 5m | left join t on k, l | anti "
             "join u on k within window late -> w") ==
        "(stream x (a | join inner (b) (as c) (on (and (== k (. c k)) p)) (within 5m) | left left "
        "(t) (on k l) | anti anti (u) (on k) "
        "within-window (late w)))\n");
  CHECK(tree("stream x = a | scan by k state { n: int64 = 0 } { n = n + 1\n let y = n\n when y > 3 "
             "{ emit { k, y } }\n set t at e + 5m\n "
             "set t after 5m using processing_time\n clear t\n on t { emit { k } } } expire after "
             "1d") ==
        "(stream x (a | scan (by k) (state n:int64 0) { (= n (+ n 1)) (let y n) (when (> y 3) { "
        "(emit { k y }) }) (set t at (+ e 5m)) "
        "(set t after 5m processing_time) (clear t) (on t { (emit { k }) }) } (expire 1d)))\n");
  CHECK(tree("stream x = a | detect by k { s = p, then b = q > s.x times 2..5 within 10m, next c = "
             "r times 3.., then no d = z within 1m } within 1h") ==
        "(stream x (a | detect (by k) (first s p) (then b (> q (. s x)) times 2..5 (within 10m)) "
        "(next c r times 3..) (then no d z (within 1m)) "
        "(within 1h)))\n");
  CHECK(tree("stream x = a | top 10 by e, f asc per k with ties as rank expire after 1d | p(x => "
             "x.id, n = 1)") ==
        "(stream x (a | top 10 e f asc (per k) with-ties (as rank) (expire 1d) | p-call (fn (x ) "
        "(. x id)) n= 1))\n");
}

TEST_CASE("precedence") {
  CHECK(expr("a + b * c - d % e") == "(- (+ a (* b c)) (% d e))");
  CHECK(expr("-a.b * try c / d") == "(/ (* (neg (. a b)) (try c)) d)");
  CHECK(expr("a ?? b ?? c + 1 == d") == "(== (?? a (?? b (+ c 1))) d)");
  CHECK(expr("not a == b and not c or d") == "(or (and (not (== a b)) (not c)) d)");
  CHECK(expr("a between b + 1 and c and d") == "(and (between a (+ b 1) c) d)");
  CHECK(expr("a not between b and c or a not in [1, 2] and b not like \"x%\" and c matches "
             "r\"\\d\"") ==
        "(or (not-between a b c) (and (and (not-in a (list 1 2)) (not-like b \"x%\")) (matches c "
        "\"\\\\d\")))");
  CHECK(expr("a is null or a.b is not null") == "(or (is-null a) (is-not-null (. a b)))");
  CHECK(expr("if a then b else if c then d else e + 1") == "(if a b (if c d (+ e 1)))");
  CHECK(expr("xs.map(x => x + 1).any((a, b) => a == b)") ==
        "(call (. (call (. xs map) (fn (x ) (+ x 1))) any) (fn (a b ) (== a b)))");
  CHECK(expr("decimal(10, 2)(s)[0]?.in") == "(?. (index (call (call decimal 10 2) s) 0) in)");
  CHECK(expr("match e { \"a\" or \"b\" => 1, E.b => 2, -3 => 4, null => 5, _ => 0 }") ==
        "(match e (\"a\" \"b\" => 1) (E.b => 2) ((neg 3) => 4) (null => 5) (_ => 0))");
  CHECK(expr("\"a {x + 1} b {f(\"{y}\")}\"") ==
        "(text \"a \" (+ x 1) \" b \" (call f (text \"\" y \"\")) \"\")");
  CHECK(expr("quantile(x, 0.5 by b approx 0.01 where p within 1h)") ==
        "(call quantile x 0.5 (by b) (approx 0.01) (where p) (within 1h))");
  CHECK(expr("f(by, within + 1, by.x, within)") == "(call f by (+ within 1) (. by x) within)");
  CHECK(expr("{}") == "{ }");
  CHECK(expr("{ \"k\" = 1 }") == "(map \"k\" 1)");
  CHECK(expr("1_000 + 1.50 + 1.5e3") == "(+ (+ 1000 1.50) 1.5e3)");
}

TEST_CASE("lines") {
  // An infix operator at either end of a line continues it; `(`, `[` and `{` don't.
  CHECK(expr("{ a = b\n + c,\n d = e and\n not f\n g }") == "{ a=(+ b c) d=(and e (not f)) g }");
  CHECK(expr("{ a\n (b)\n [c]\n -d }") == "{ a b (- (list c) d) }");
  CHECK(expr("{ .. \n r }") == "{ .. r }");
  CHECK(tree("stream x =\n a |\n where p\n | drop b\nstream y = x") ==
        "(stream x (a | where p | drop b))\n(stream y (x))\n");
  CHECK(tree("sink s -> stdout {\n emit = update\n every = 5s\n}") ==
        "(sink (s) (stdout { emit= update every= 5s }))\n");
}

TEST_CASE("words of the grammar are names elsewhere") {
  CHECK(tree("record stream { source: string, by: string, late: int64, every: int64 }\nstream "
             "table = sink | where by == within | select { window, top, test }") ==
        "(record stream (source: string) (by: string) (late: int64) (every: int64))\n"
        "(stream table (sink | where (== by within) | select{ window top test }))\n");
}

TEST_CASE("doc comments") {
  CHECK(tree("/// The file.\n\n/// The record,\n/// in two lines.\nrecord R {\n  /// a field\n  a: "
             "string\n}") ==
        "doc \"The file.\"\n(record R (a: string doc \"a field\") doc \"The record,\\nin two "
        "lines.\")\n");
}

TEST_CASE("habits of other languages are understood, and repaired") {
  CHECK(wrong("a = 1") == "`=` gives a value; to compare, write `==` => ==\n");
  CHECK(wrong("a && b || !c") ==
        "`&&` is written `and` => and\n`||` is written `or` => or\n`!` is written `not` => not\n");
  CHECK(wrong("a <> 'b'") ==
        "`<>` is written `!=` => !=\na text stands in double quotes => \"b\"\n");
  CHECK(wrong("a IS NOT NULL AND b IN (1, 2)") ==
        "`IS NOT NULL` is written `is not null` => is not null\n`AND` is written `and` => and\n"
        "`IN` is written `in` => in\na list stands in brackets => [1, 2]\n");
  CHECK(wrong("count(*)") == "`count()` counts rows, without a `*` => count()\n");
  CHECK(wrong("count(DISTINCT a)") ==
        "distinct values are counted by `count_distinct(x)` => count_distinct(a)\n");
  CHECK(wrong("CASE WHEN a THEN b END") ==
        "a choice is `if … then … else …` => if a then b else null\n");
  CHECK(wrong("case when a then 1 when b then 2 else 3 end + 1") ==
        "a choice is `if … then … else …` => if a then 1 else if b then 2 else 3 + 1\n");
  CHECK(wrong("a + 1 > b ? b : c") ==
        "a choice is `if … then … else …` => if a + 1 > b then b else c\n");
  CHECK(wrong("a ? b").starts_with("`?` stands only after types"));
  CHECK(wrong("if (a) b else c") ==
        "`then` stands between a condition and its value => if (a) then b else c\n");
  CHECK(wrong("if a then b") == "an `if` without `else` has no value => if a then b else null\n");
  CHECK(wrong("cast(a as decimal(10, 2))") ==
        "a cast is the type's name with the value in parentheses => decimal(10, 2)(a)\n");
  CHECK(wrong("CAST(a AS INT) === 1") ==
        "a cast is the type's name with the value in parentheses => int64(a) === 1\n"
        "`===` is written `==` => ==\n");
  CHECK(wrong_program("stream x = a | select *") == "all fields are `{ .. }` => { .. }\n");
  CHECK(wrong_program("stream x = a | SELECT b, c") ==
        "`SELECT` is written `select` => select\nthese stand in braces => { b, c }\n");
  CHECK(wrong_program("stream x = a | select b, c") == "these stand in braces => { b, c }\n");
  CHECK(wrong_program("stream x = a | extend { sum(y) as z }") ==
        "a name stands before its value: `name = value` => stream x = a | extend { z = sum(y) }\n");
  CHECK(wrong_program("stream x = a |> where b") == "`|>` is written `|` => |\n");
  CHECK(wrong_program("stream x = a.where(b)") == "operators follow `|` =>  | \n");
  CHECK(wrong_program("stream x = a | filter b") == "`filter` is called `where` here => where\n");
  CHECK(wrong_program("stream x = a\n  where b") == "an operator follows `|` => | where b\n");
  CHECK(wrong_program("SELECT a FROM b") ==
        "this is SQL; a Weir program is made of sources, streams and sinks => stream result = b | "
        "select { a }\n");
  CHECK(
      wrong_program("SELECT a, count(*) AS n FROM b WHERE c > 1 GROUP BY a HAVING n > 2\nsecret s")
          .ends_with(
              "=> stream result = b | where c > 1 | group by a { n = count() } | where n > 2\n"));
  CHECK(wrong_program("SELECT a FROM b JOIN c ON a = d").ends_with("select { a, b }\n"));
  CHECK(wrong_program("x = a | where b") ==
        "expected a declaration, found `x` => stream x = a | where b\n");
  CHECK(wrong_program("strem x = a") ==
        "`strem` begins no declaration; did you mean `stream`? => stream\n");
  CHECK(wrong_program("sink x => stdout") == "`->` says where rows go => ->\n");
  CHECK(wrong_program("fn f(a: int64): int64 = a") ==
        "the type of a result stands after `->` =>  ->\n");
}

TEST_CASE("`:` and `=`, commas, reserved words") {
  CHECK(wrong_program("record R { a = string, b string, where: int64 }") ==
        "a field has a type after `:`; `=` gives a value => :\nexpected `:` between a field and "
        "its type, found `string` => record R { a = string, b: string, where: int64 }\n"
        "`where` is a reserved word, where a field's name was expected => `where`\n");
  CHECK(wrong_program("source s: R = kafka(\"t\") { format: json }") ==
        "`=` gives a value; `:` gives a type =>  =\n");
  CHECK(wrong("{ a: 1 }") == "`=` gives a value; `:` gives a type =>  =\n");
  CHECK(wrong("{ a b }") == "expected `,` or a new line after an item, found `b` => { a, b }\n");
  CHECK(wrong("[\n  { a = 1 }\n  { a = 2 }\n]") ==
        "expected `,` or `]`, found `{` => { a = 1 },\n");
  CHECK(wrong("f(a b)") == "expected `,` or `)`, found `b`\n");
  CHECK(wrong("{ a.b = 1 }") == "`a.b` is not a name, where `=` gives a value\n");
}

TEST_CASE("comparisons don't chain") {
  CHECK(wrong("a < b < c") ==
        "comparisons don't chain; two are joined by `and` => a < b and b < c\n");
  CHECK(wrong("a == b == 1 and c") ==
        "comparisons don't chain; two are joined by `and` => a == b and b == 1\n");
  CHECK(wrong("a is null == b") == "comparisons don't chain; two are joined by `and`\n");
  CHECK(wrong("1 + not a").starts_with("`not` binds looser"));
  CHECK(wrong("1 + if a then b else c") ==
        "an `if` beside an operator stands in parentheses => 1 + (if a then b else c)\n");
}

TEST_CASE("one error a mistake, several in a run") {
  Parsed parsed(R"(record R {
  a: ,
  b: list<int64
  c: string
}
stream x = s | where a + | select { a }
stream y = s | where (a + b
stream z = s | where a == "open
stream w = s | where f(a,
sink z -> stdout {
  k = [1, 2
  l = 3
}
stream ok = s
)");
  CHECK(parsed.messages() ==
        "expected a type, found `,`\n"
        "expected `>`, found `c`\n"
        "expected an expression, found `|`\n"
        "this `(` is not closed => stream y = s | where (a + b)\n"
        "the text that begins here does not end on its line => close it with `\"`; a line end "
        "inside is `\\n`\n"
        "this `(` is not closed => stream w = s | where f(a,)\n"
        "this `[` is not closed => k = [1, 2]\n");
  CHECK(parsed.program.declarations.back().name.text == "ok");
  CHECK(wrong_program("record R {\n  a: string\nstream s = r\n") ==
        "this `{` is not closed => }\n");
  CHECK(wrong_program("test \"t\" {\n  given a [\n    { x = f(1\nstream s = r\n") ==
        "this `(` is not closed => { x = f(1)\n");
  CHECK(wrong_program("stream x = a | where b)\nstream y = x")
            .starts_with("expected `|`, an operator or the next declaration, found `)`"));
  CHECK(wrong_program("}").starts_with("expected a declaration, found `}`"));
}

TEST_CASE("depth and length are bounded") {
  auto deep = [](std::string open, std::string middle, std::string close, size_t n) {
    std::string text = "fn f() -> int64 = ";
    for (size_t i = 0; i < n; ++i) text += open;
    text += middle;
    for (size_t i = 0; i < n; ++i) text += close;
    return text;
  };
  CHECK(!Parsed(deep("(", "1", ")", 150)).diagnostics.has_errors());
  for (size_t n : {300, 100'000}) {
    for (const std::string& text :
         {deep("(", "1", ")", n), deep("[", "1", "]", n), deep("{ a = ", "1", "}", n),
          deep("-", "1", "", n), deep("not ", "a", "", n), deep("f(", "1", ")", n),
          deep("a ?? ", "1", "", n), deep("if a then b else ", "1", "", n),
          deep("x => ", "1", "", n), deep("\"{", "1", "}\"", n), deep("a[", "1", "]", n),
          deep("match a { _ => ", "1", "}", n), deep("1 + if a then b else ", "1", "", n),
          deep("a + ", "1", "", 3 * n), deep("", "a", ".b", 3 * n), deep("", "a", "(1)", 3 * n),
          deep("a and ", "b", "", 3 * n)}) {
      Parsed parsed(text);
      CAPTURE(text.substr(0, 60));
      CHECK(parsed.diagnostics.error_count() == 1);
      CHECK(parsed.diagnostics.all()[0].code == Code::too_deep);
    }
  }
  std::string types, heads, bodies = "stream x = a | scan by k state {} ", options = "sink a -> k";
  for (int i = 0; i < 1000; ++i)
    types += "list<", heads += "(", bodies += "{ when a ", options += " { a = b";
  CHECK(Parsed("param p: " + types).diagnostics.all()[0].code == Code::too_deep);
  CHECK(Parsed("stream x = " + heads).diagnostics.all()[0].code == Code::too_deep);
  CHECK(Parsed(bodies).diagnostics.all()[0].code == Code::too_deep);
  CHECK(Parsed(options).diagnostics.all()[0].code == Code::too_deep);
}

}  // namespace
}  // namespace weir::dsl
