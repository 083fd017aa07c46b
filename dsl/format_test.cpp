#include "dsl/format.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "dsl/parser.h"
#include "dsl/print_ast.h"
#include "dsl/render.h"

namespace weir::dsl {
namespace {

std::string formatted(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  auto result = format(sources, sources.add("t.weir", text), diagnostics);
  CHECK_MESSAGE(result.has_value(), render(diagnostics, sources));
  return result.value_or("");
}

std::string tree(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  Program program = parse(sources, sources.add("t.weir", text), diagnostics);
  CHECK_MESSAGE(!diagnostics.has_errors(), text << render(diagnostics, sources));
  return print_ast(program);
}

// Formatting changes no meaning, and nothing when done again.
void check_properties(const std::string& text) {
  std::string once = formatted(text);
  CHECK(tree(once) == tree(text));
  CHECK(formatted(once) == once);
}

const char kRides[] =
    R"(/// Ride activity: events and revenue per type, every 30 s over the last minute.
record RideEvent {
  event_id:   string
  event_type: string
  amount:     decimal(12, 2)?  // `?`: may be null or absent
  ts:         timestamp(ms)    // epoch milliseconds on the wire
}

source rides: RideEvent = kafka("transport.ride-event.v1") {
  format     = json
  event_time = ts
  watermark  = 10m  // how far events may be out of order
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
    { event_id = "1", event_type = "start", ts = @2025-01-01T00:00:40Z },
    { event_id = "2", event_type = "start", ts = @2025-01-01T00:00:10Z },
  ]
  expect counts final [
    { window_start = @2024-12-31T23:59:30Z, event_type = "start", rides = 1 },
  ]
}
)";

TEST_CASE("a formatted program stays as it is") { CHECK(formatted(kRides) == kRides); }

TEST_CASE("spaces") {
  CHECK(formatted("fn  f<T>( a :T,b:list< T >? )->(T)->V=- a+b [ 0 ] . c( x=>x ) * { }") ==
        "fn f<T>(a: T, b: list<T>?) -> (T) -> V = -a + b[0].c(x => x) * {}\n");
  CHECK(formatted("stream x=a|select{a,..r except(d,f),..,b=\"x { y+1 }\"}|over by "
                  "k{n=count(within(-7d,-1d))}") ==
        "stream x = a | select { a, ..r except (d, f), .., b = \"x {y + 1}\" } | over by k { n = "
        "count(within (-7d, -1d)) }\n");
  CHECK(formatted("stream x = a | detect by k { s = p times 2 .. 5, then t = q times 3 .. }") ==
        "stream x = a | detect by k { s = p times 2..5, then t = q times 3.. }\n");
  CHECK(formatted("test \"t\" { given a[{x=1},]\nexpect a final[ ] }") ==
        "test \"t\" {\n  given a [{ x = 1 }]\n  expect a final []\n}\n");
}

TEST_CASE("lines, commas and pipes") {
  CHECK(formatted("stream x = a |\n where p | drop b\n") ==
        "stream x = a\n  | where p\n  | drop b\n");
  CHECK(formatted("stream x = a | select {\n a, b\n , c = d +\n e, }") ==
        "stream x = a | select {\n  a, b\n  c = d +\n    e\n}\n");
  CHECK(formatted("fn f() -> T = {\na\nb,\n-c}") == "fn f() -> T = {\n  a\n  b,\n  -c\n}\n");
  CHECK(formatted("fn f() -> T = { a\n,-b\n, c }") == "fn f() -> T = { a,\n  -b,\n  c }\n");
  CHECK(formatted("fn f() -> T = [\n 1, 2 ]") == "fn f() -> T = [\n  1, 2,\n]\n");
  CHECK(formatted("fn f() -> T = { a = 1, b = 2,\nc = 3 }") ==
        "fn f() -> T = { a = 1, b = 2,\n  c = 3 }\n");
  CHECK(formatted("stream x = (\na\n| where p)\n| drop b") ==
        "stream x = (\n  a\n    | where p\n)\n  | drop b\n");
}

TEST_CASE("blank lines") {
  CHECK(formatted("\n\nparam a: int64\nparam b: int64\n\n\n\nsecret s\nrecord R {\n\n  a: T\n\n\n  "
                  "b: T\n\n}\nstream x = a") ==
        "param a: int64\nparam b: int64\n\nsecret s\n\nrecord R {\n  a: T\n\n  b: T\n}\n\nstream x "
        "= a\n");
  CHECK(formatted("") == "");
  CHECK(formatted("// only\n\n\n// comments") == "// only\n\n// comments\n");
}

TEST_CASE("comments are kept where they were") {
  CHECK(
      formatted(
          "stream x = a | // first\n  where p // second\n// third\n| drop b // fourth\n// last") ==
      "stream x = a  // first\n  | where p   // second\n  // third\n  | drop b  // fourth\n// "
      "last\n");
  CHECK(formatted(
            "record R {   // head\n  a: T // one\n  // two\n  , bcd: U // three\n  // end\n}") ==
        "record R {  // head\n  a:   T    // one\n  // two\n  bcd: U  // three\n  // end\n}\n");
  CHECK(formatted("/// doc\nstream x = a\n/// doc of y\nstream y = x") ==
        "/// doc\nstream x = a\n\n/// doc of y\nstream y = x\n");
  CHECK(formatted("/// file\n\nstream x = a") == "/// file\n\nstream x = a\n");
}

TEST_CASE("nothing is formatted that can't be read") {
  Sources sources;
  Diagnostics diagnostics;
  CHECK(!format(sources, sources.add("t.weir", "stream x = "), diagnostics));
  CHECK(diagnostics.error_count() == 1);
}

// Programs by a seed: every production that lines and spaces matter for, with random layout.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  std::string program() {
    std::string text;
    for (int i = 0; i < 5; ++i) text += comments() + declaration() + "\n";
    return text;
  }

 private:
  uint32_t pick(uint32_t n) { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random_); }
  std::string space() {
    static const char* kSpaces[] = {" ", "  ", " ", " ", "\t"};
    return kSpaces[pick(5)];
  }
  // Where a line may end without changing anything.
  std::string gap() {
    switch (pick(9)) {
      case 0:
        return "\n";
      case 1:
        return " // c\n\n ";
      case 2:
        return "\n  // own\n";
      default:
        return space();
    }
  }
  std::string comments() { return pick(4) == 0 ? "/// doc\n" : pick(3) == 0 ? "\n\n// c\n" : ""; }
  std::string separator() {
    return pick(3) == 0 ? "\n" : pick(3) == 0 ? gap() + "," + gap() : pick(2) == 0 ? ",\n" : ", ";
  }
  std::string name() {
    static const char* kNames[] = {"a", "b", "by", "late", "window", "`in`", "stream"};
    return kNames[pick(7)];
  }
  std::string expr(int depth = 0) {
    if (depth > 3) return pick(2) ? name() : std::to_string(pick(100));
    auto next = [&] { return expr(depth + 1); };
    static const char* kOps[] = {"+", "-", "*", "??", "and", "or"};
    switch (pick(14)) {
      case 0:
        return "(" + gap() + next() + gap() + ")";
      case 1:
        return "-" + next();
      case 2:
        return "(not " + next() + ")";
      case 3:
        return "(" + next() + gap() + "<" + gap() + next() + ")";
      case 4:
        return name() + "(" + gap() + next() + gap() + "," + gap() + next() + ")";
      case 5:
        return "[" + gap() + next() + "," + gap() + next() + (pick(2) ? "," : "") + gap() + "]";
      case 6:
        return block(depth + 1);
      case 7:
        return "\"t {" + name() + "} // no\"";
      case 8:
        return name() + gap() + "." + gap() + name() + "[" + next() + "]";
      case 9:
        return "(if " + next() + gap() + "then " + next() + gap() + "else " + next() + ")";
      case 10:
        return "xs.map(" + gap() + "x =>" + gap() + next() + ")";
      case 11:
        return "sum(x where " + next() + " within (-7d, -1d))";
      default:
        return "(" + next() + gap() + kOps[pick(6)] + gap() + next() + ")";
    }
  }
  std::string block(int depth = 0) {
    std::string text = "{" + gap();
    uint32_t n = pick(4);
    for (uint32_t i = 0; i < n; ++i) {
      if (i > 0) text += separator();
      text += pick(5) == 0 ? ".."
              : pick(2)    ? name() + " =" + gap() + expr(depth + 1)
                           : expr(depth + 1);
    }
    return text + gap() + "}";
  }
  std::string pipeline() {
    std::string text = pick(5) == 0 ? "(" + gap() + "s | where " + expr() + gap() + ")" : "s";
    uint32_t n = pick(4);
    for (uint32_t i = 0; i < n; ++i) {
      text += gap() + "|" + gap();
      switch (pick(5)) {
        case 0:
          text += "where" + gap() + expr();
          break;
        case 1:
          text += "select" + gap() + block();
          break;
        case 2:
          text += "window tumble(1m) by " + name() + gap() + block() + " late -> l";
          break;
        case 3:
          text += "join t as u on " + expr() + gap() + "within 5m";
          break;
        default:
          text += "drop a," + gap() + "b";
          break;
      }
    }
    return text;
  }
  std::string declaration() {
    switch (pick(6)) {
      case 0:
        return "record R {" + gap() + "a: T?" + separator() + "bcd:" + gap() + "list<T> = 1" +
               gap() + "}";
      case 1:
        return "param p: int64 = " + expr();
      case 2:
        return "fn f(a: T," + gap() + "b: U) -> V =" + gap() + expr();
      case 3:
        return "sink " + pipeline() + gap() + "-> kafka(\"t\") {" + gap() + "k = " + expr() +
               separator() + "emit = update every 30s" + gap() + "}";
      case 4:
        return "test \"t\" {" + gap() + "given a [" + gap() + block() + "," + gap() + block() +
               gap() + "]" + separator() + "advance 5m" + gap() + "}";
      default:
        return "stream x = " + pipeline();
    }
  }
  std::mt19937 random_;
};

TEST_CASE("generated programs: the same meaning, and formatting twice changes nothing") {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    std::string text = Generator(seed).program();
    CAPTURE(text);
    check_properties(text);
  }
}

}  // namespace
}  // namespace weir::dsl
