// Expressions on one row, through a stage that writes their value: what they give, and how they
// fail.
#include <doctest/doctest.h>

#include "codegen/graph_for_tests.h"

using namespace weir::codegen::test;
using weir::compiler::StageStep;
using weir::compiler::TimeUnit;

namespace {

const Type kBool = of(TypeKind::Bool), kInt = of(TypeKind::Int64), kInt8 = of(TypeKind::Int8),
           kFloat = of(TypeKind::Float64), kText = of(TypeKind::String),
           kDuration = of(TypeKind::Duration), kDate = of(TypeKind::Date);

// The row that expressions read: fields 0 … 3.
struct Input {
  int64_t i = 7;
  std::optional<int64_t> maybe;
  std::string s = "abc";
  double f = 1.5;
  uint64_t bad_bits = 0;
};
Expr i() { return field(0, kInt); }
Expr maybe() { return field(1, kInt.nullable()); }
Expr s() { return field(2, kText); }
Expr f() { return field(3, kFloat); }

// The value as text, "null", or "! reason detail".
std::string value_of(const Expr& expr, const Input& input = {},
                     const std::function<void(Program&)>& prepare = nullptr,
                     const WeirHeaders* headers = nullptr) {
  Program program;
  auto row =
      program.record("Row", {{"i", kInt}, {"maybe", kInt.nullable()}, {"s", kText}, {"f", kFloat}});
  auto out = program.record("", {{"x", expr.type}});
  if (prepare) prepare(program);
  auto from = program.source(row);
  StageStep emit{StageStep::Emit{program.sink(out)}, "out", {}};
  program.stage(from, {{StageStep::Project{out, {expr}}, "rows", {emit}}});
  Run run(program);
  if (!run.jit) return run.failure;
  run.row([&](char* at, uint64_t& bad) {
    WeirBytes text{input.s.data(), input.s.size()};
    memcpy(at + run.layout.slots[0].offset, &input.i, 8);
    int64_t present = input.maybe.value_or(0);
    memcpy(at + run.layout.slots[1].offset, &present, 8);
    at[run.layout.slots[1].presence] = input.maybe.has_value();
    memcpy(at + run.layout.slots[2].offset, &text, 16);
    memcpy(at + run.layout.slots[3].offset, &input.f, 8);
    bad = input.bad_bits;
  });
  run.records[0].headers = headers;
  run.call();
  if (!run.errors().empty()) return "! " + run.errors()[0].substr(2);
  auto rows = run.rows();
  return rows.empty() ? "nothing" : rows[0];
}

Expr binary(Op op, Expr a, Expr b) { return node(op, a.type, {a, b}); }
Expr test_of(Op op, Expr a, Expr b) { return node(op, kBool, {a, b}); }
Expr cast(Expr a, Type to) { return node(Op::Cast, to, {a}); }
Expr none() {
  Expr e = node(Op::Constant, kInt.nullable());
  return e;
}
Type dec(uint8_t p, uint8_t s) { return weir::compiler::decimal_type(p, s); }
const __int128 kTen37 = static_cast<__int128>(1000000000000000000) * 1000000000000000000 * 10;

}  // namespace

TEST_CASE("integers") {
  CHECK(value_of(binary(Op::Add, i(), integer(3))) == "10");
  CHECK(value_of(binary(Op::Multiply, i(), integer(-3))) == "-21");
  CHECK(value_of(binary(Op::Modulo, integer(-7), integer(3))) == "-1");
  CHECK(value_of(binary(Op::Modulo, i(), integer(-1)), {INT64_MIN}) == "0");
  CHECK(value_of(binary(Op::Add, i(), integer(1)), {INT64_MAX}) == "! 7010 out x: overflow");
  CHECK(value_of(binary(Op::Divide, i(), integer(-1)), {INT64_MIN}) == "! 7010 out x: overflow");
  CHECK(value_of(binary(Op::Divide, integer(1), i()), {0}) == "! 7011 out x: division_by_zero");
  CHECK(value_of(node(Op::Negate, kInt, {i()}), {INT64_MIN}) == "! 7010 out x: overflow");
  CHECK(value_of(binary(Op::Add, cast(i(), kInt8), integer(1, kInt8)), {127}) ==
        "! 7010 out x: overflow");
}

TEST_CASE("casts between integers") {
  CHECK(value_of(cast(i(), kInt8), {-128}) == "-128");
  CHECK(value_of(cast(i(), kInt8), {128}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(i(), of(TypeKind::UInt64)), {-1}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(cast(i(), of(TypeKind::UInt64)), kInt8), {200}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(f(), kInt), {.f = -1.9}) == "-1");
  CHECK(value_of(cast(f(), kInt), {.f = 9223372036854775808.0}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(f(), kInt), {.f = __builtin_nan("")}) == "! 7012 out x: bad_cast");
}

TEST_CASE("decimals") {
  CHECK(value_of(cast(i(), dec(12, 2)), {7}) == "700");
  CHECK(value_of(cast(i(), dec(4, 2)), {100}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(i(), dec(4, 2)), {-99}) == "-9900");
  CHECK(value_of(binary(Op::Add, wide(999, dec(3, 0)), wide(1, dec(3, 0)))) ==
        "! 7010 out x: overflow");
  // On both sides of the limit of 38 digits, and where the upper half of the number decides.
  __int128 most = kTen37 * 10 - 1;
  CHECK(value_of(binary(Op::Subtract, wide(most, dec(38, 0)), wide(1, dec(38, 0)))) ==
        "99999999999999999999999999999999999998");
  CHECK(value_of(binary(Op::Add, wide(most, dec(38, 0)), wide(1, dec(38, 0)))) ==
        "! 7010 out x: overflow");
  CHECK(value_of(binary(Op::Subtract, wide(-most, dec(38, 0)), wide(1, dec(38, 0)))) ==
        "! 7010 out x: overflow");
  CHECK(value_of(binary(Op::Add, wide(-most, dec(38, 0)), cast(i(), dec(38, 0)))) ==
        "-99999999999999999999999999999999999992");
  Expr product = node(Op::Multiply, dec(10, 3), {wide(-1250, dec(6, 2)), wide(3, dec(4, 1))});
  CHECK(value_of(product) == "-3750");
  CHECK(value_of(node(Op::Multiply, dec(4, 0), {wide(99, dec(2, 0)), wide(999, dec(3, 0))})) ==
        "! 7010 out x: overflow");
}

TEST_CASE("floats") {
  CHECK(value_of(binary(Op::Multiply, f(), real(2))) == "3");
  CHECK(value_of(binary(Op::Divide, f(), real(0))) == "! 7011 out x: division_by_zero");
  CHECK(value_of(test_of(Op::Equal, f(), f()), {.f = __builtin_nan("")}) == "0");
  CHECK(value_of(test_of(Op::NotEqual, f(), f()), {.f = __builtin_nan("")}) == "1");
  CHECK(value_of(test_of(Op::Less, f(), real(2))) == "1");
}

TEST_CASE("texts") {
  CHECK(value_of(test_of(Op::Equal, s(), text("abc"))) == "1");
  CHECK(value_of(test_of(Op::Equal, s(), text("abd"))) == "0");
  CHECK(value_of(test_of(Op::Equal, s(), text("ab"))) == "0");
  CHECK(value_of(test_of(Op::Less, text("ab"), s())) == "1");
  CHECK(value_of(test_of(Op::Less, s(), text("abc"))) == "0");
  CHECK(value_of(test_of(Op::GreaterEqual, s(), text("b"))) == "0");
  CHECK(value_of(test_of(Op::Greater, s(), text("b")), {.s = "\xff"}) == "1");
}

TEST_CASE("null") {
  CHECK(value_of(maybe()) == "null");
  CHECK(value_of(node(Op::IsNull, kBool, {maybe()})) == "1");
  CHECK(value_of(node(Op::Coalesce, kInt, {maybe(), integer(5)})) == "5");
  CHECK(value_of(node(Op::Coalesce, kInt, {maybe(), integer(5)}), {.maybe = 2}) == "2");
  CHECK(value_of(test_of(Op::Equal, maybe(), none())) == "1");
  CHECK(value_of(test_of(Op::Equal, maybe(), node(Op::Wrap, kInt.nullable(), {i()})),
                 {.maybe = 7}) == "1");
  CHECK(value_of(test_of(Op::Equal, maybe(), node(Op::Wrap, kInt.nullable(), {i()}))) == "0");
  CHECK(value_of(cast(maybe(), kInt8.nullable())) == "null");
  CHECK(value_of(cast(maybe(), kInt8.nullable()), {.maybe = 300}) == "! 7012 out x: bad_cast");
}

TEST_CASE("errors count only where they are used") {
  Expr quotient = binary(Op::Divide, integer(1), i());
  Expr guarded = node(Op::If, kInt, {test_of(Op::Equal, i(), integer(0)), integer(-1), quotient});
  CHECK(value_of(guarded, {0}) == "-1");
  CHECK(value_of(guarded, {1}) == "1");
  CHECK(value_of(test_of(Op::And, test_of(Op::NotEqual, i(), integer(0)),
                         test_of(Op::Equal, quotient, integer(1))),
                 {0}) == "0");
  CHECK(value_of(node(Op::Try, kInt.nullable(), {quotient}), {0}) == "null");
  CHECK(value_of(node(Op::Try, kInt.nullable(), {quotient}), {1}) == "1");
  CHECK(value_of(node(Op::Fail, kInt, {text("no such thing")})) == "! 7014 out no such thing");
  CHECK(value_of(node(Op::Try, kInt.nullable(), {node(Op::Fail, kInt, {text("no")})})) == "null");
  // A bad field: where it is read, not where it is not.
  CHECK(value_of(i(), {.bad_bits = 1}) == "! 7004 out i: wrong_type");
  CHECK(value_of(i(), {.bad_bits = 4}) == "7");
  CHECK(value_of(node(Op::Try, kInt.nullable(), {i()}), {.bad_bits = 1}) == "null");
  Expr first_tried =
      node(Op::If, kInt,
           {node(Op::IsNull, kBool, {node(Op::Try, kInt.nullable(), {i()})}), integer(0), i()});
  CHECK(value_of(first_tried, {.bad_bits = 1}) == "0");
  CHECK(value_of(first_tried) == "7");
}

TEST_CASE("time") {
  Type ms = weir::compiler::timestamp_type(TimeUnit::Milli),
       us = weir::compiler::timestamp_type(TimeUnit::Micro);
  CHECK(value_of(node(Op::Subtract, kDuration, {cast(i(), ms), cast(integer(2), ms)})) == "5000");
  CHECK(value_of(node(Op::Add, ms, {cast(i(), ms), integer(3000, kDuration)})) == "10");
  CHECK(value_of(node(Op::Add, ms, {cast(i(), ms), integer(3500, kDuration)})) ==
        "! 7012 out x: bad_cast");
  CHECK(value_of(cast(cast(i(), us), ms), {-1}) == "-1");
  CHECK(value_of(cast(cast(i(), ms), kDate), {-1}) == "-1");
  CHECK(value_of(cast(cast(cast(i(), of(TypeKind::Int32)), kDate), ms), {-2}) == "-172800000");
  CHECK(value_of(cast(cast(i(), ms), us), {INT64_MAX}) == "! 7010 out x: overflow");
}

TEST_CASE("lists, records, let") {
  Type list = of(TypeKind::List);
  // Types are made in the program that uses them, by number.
  auto prepare = [](Program& program) { program.compiled.graph.types.elements = {kInt, kInt8}; };
  Expr three = node(Op::MakeList, list, {integer(1), i(), integer(3)});
  Expr element = node(Op::Local, kInt, {}, 9);
  CHECK(value_of(node(Op::Index, kInt, {three, integer(1)}), {}, prepare) == "7");
  CHECK(value_of(node(Op::Index, kInt, {three, i()}), {}, prepare) ==
        "! 7013 out x: index_out_of_range");
  CHECK(value_of(node(Op::Index, kInt, {three, integer(-1)}), {}, prepare) ==
        "! 7013 out x: index_out_of_range");
  Expr big = test_of(Op::Greater, element, integer(2));
  CHECK(value_of(node(Op::ListAny, kBool, {three, big}, 9), {}, prepare) == "1");
  CHECK(value_of(node(Op::ListAll, kBool, {three, big}, 9), {}, prepare) == "0");
  CHECK(value_of(node(Op::Index, kInt, {node(Op::ListFilter, list, {three, big}, 9), integer(0)}),
                 {}, prepare) == "7");
  Type narrow = list;
  narrow.ref = 1;
  Expr mapped =
      node(Op::ListMap, narrow, {three, cast(binary(Op::Multiply, element, integer(2)), kInt8)}, 9);
  CHECK(value_of(node(Op::Index, kInt8, {mapped, integer(2)}), {}, prepare) == "6");
  CHECK(value_of(node(Op::Index, kInt8, {mapped, integer(2)}), {100}, prepare) ==
        "! 7012 out x: bad_cast");

  Type pair = of(TypeKind::Record);  // record 2, made by prepare_pair
  pair.ref = 2;
  auto prepare_pair = [](Program& program) {
    program.record("Pair", {{"a", kInt}, {"b", kText.nullable()}});
  };
  Expr made = node(Op::MakeRecord, pair, {i(), node(Op::Wrap, kText.nullable(), {s()})});
  CHECK(value_of(node(Op::Member, kInt, {made}, 0), {}, prepare_pair) == "7");
  CHECK(value_of(node(Op::Member, kText.nullable(), {made}, 1), {}, prepare_pair) == "abc");
  CHECK(value_of(node(Op::Let, kInt,
                      {binary(Op::Add, i(), integer(1)), binary(Op::Multiply, element, element)},
                      9)) == "64");
}

TEST_CASE("kernels of the standard library") {
  CHECK(value_of(cast(i(), kText), {-42}) == "-42");
  CHECK(value_of(cast(wide(-1205, dec(6, 2)), kText)) == "-12.05");
  CHECK(value_of(cast(s(), kInt), {.s = "123"}) == "123");
  CHECK(value_of(cast(s(), kInt8), {.s = "123"}) == "123");
  CHECK(value_of(cast(s(), kInt8), {.s = "1234"}) == "! 7012 out x: bad_cast");
  CHECK(value_of(cast(s(), kInt)).substr(0, 5) == "! 701");
  CHECK(value_of(node(Op::Try, kInt.nullable(), {cast(s(), kInt)})) == "null");
  CHECK(value_of(cast(s(), dec(20, 3)), {.s = "-1.5"}) == "-1500");
  CHECK(value_of(cast(wide(-1250, dec(10, 3)), dec(10, 2))) == "-125");
  CHECK(value_of(cast(wide(1225, dec(10, 3)), dec(10, 2))) == "122");  // half even
  CHECK(value_of(cast(wide(125, dec(6, 2)), kFloat)) == "1.25");
  CHECK(value_of(cast(wide(-199, dec(6, 2)), kInt)) == "-1");
  CHECK(value_of(cast(real(2.5), dec(6, 2))) == "250");
  Expr quotient = node(Op::Divide, dec(38, 6), {wide(100, dec(5, 2)), cast(i(), dec(19, 0))});
  CHECK(value_of(quotient, {3}) == "333333");
  CHECK(value_of(quotient, {0}) == "! 7011 out x: division_by_zero");
  CHECK(
      value_of(node(Op::Multiply, dec(38, 2), {wide(kTen37, dec(38, 2)), wide(kTen37, dec(38, 2))}))
          .substr(0, 6) == "! 7010");
  CHECK(value_of(node(Op::Multiply, dec(38, 2), {wide(105, dec(38, 2)), wide(110, dec(38, 2))})) ==
        "116");
  Expr lower = node(Op::Call, kText, {s()});
  lower.name = "weir_text_lower";
  CHECK(value_of(lower, {.s = "ABC"}) == "abc");
  Expr of_null = node(Op::Call, kText.nullable(),
                      {node(Op::Try, kText.nullable(), {node(Op::Fail, kText, {text("x")})})});
  of_null.name = "weir_text_lower";
  CHECK(value_of(of_null) == "null");
}

TEST_CASE("enums") {
  auto prepare = [](Program& program) {
    program.compiled.graph.types.enums = {{"E", {{"a", "a"}, {"b", "B-1"}}}};
  };
  Type e = of(TypeKind::Enum);
  CHECK(value_of(cast(s(), e), {.s = "B-1"}, prepare) == "1");
  CHECK(value_of(cast(s(), e), {.s = "b"}, prepare) == "! 7008 out x: unknown_case");
  CHECK(value_of(cast(cast(s(), e), kText), {.s = "B-1"}, prepare) == "B-1");
}

TEST_CASE("what is not there yet is said") {
  Expr call = node(Op::Call, kInt, {i()});
  call.name = "weir_no_such_kernel";
  CHECK(value_of(call) == "not supported yet: kernel weir_no_such_kernel");
}

namespace {

// The headers b = "2" and a without a value.
struct TwoHeaders : WeirHeaders {
  TwoHeaders() : WeirHeaders{&make} {}
  static WeirList make(const WeirHeaders*, const WeirRecord* record, WeirArena* arena) {
    CHECK(record->offset == 0);
    auto* entries = reinterpret_cast<WeirHeader*>(weir_arena_take(arena, 2 * sizeof(WeirHeader)));
    entries[0] = {{"b", 1}, {"2", 1}, 1, {}};
    entries[1] = {{"a", 1}, {nullptr, 0}, 0, {}};
    return {entries, 2};
  }
};

}  // namespace

TEST_CASE("headers are a map that the log makes when somebody asks") {
  const Type bytes = of(TypeKind::Bytes).nullable();
  auto look_up = [&](const char* name, const WeirHeaders* headers) {
    Type map = of(TypeKind::Map);
    Expr all = node(Op::Meta, map, {}, uint32_t(weir::compiler::MetaField::Headers));
    Expr value = node(Op::Index, bytes, {all, text(name)});
    auto prepare = [&](Program& program) {
      program.compiled.graph.types.elements.push_back(bytes);
    };
    return value_of(value, {}, prepare, headers);
  };
  TwoHeaders headers;
  CHECK(look_up("b", &headers) == "2");
  CHECK(look_up("a", &headers) == "null");
  CHECK(look_up("c", &headers) == "null");
  CHECK(look_up("b", nullptr) == "null");
}

TEST_CASE("dates move by whole days") {
  auto days = [](int64_t micros) {
    Expr duration = integer(micros, kDuration);
    return value_of(cast(node(Op::Add, kDate, {integer(20000, kDate), duration}), kText));
  };
  CHECK(days(int64_t{86'400'000'000}) == "2024-10-05");
  CHECK(days(int64_t{-86'400'000'000} * 20001) == "1969-12-31");
  CHECK(days(3'600'000'000) == "! 7012 out x: bad_cast");
}
