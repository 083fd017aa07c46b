#include <doctest/doctest.h>

#include "compiler/constant.h"
#include "compiler/layout.h"

namespace weir::compiler {

TEST_CASE("types are written as in a program") {
  Types types;
  CHECK(to_text(types, decimal_type(12, 2).nullable()) == "decimal(12, 2)?");
  CHECK(to_text(types, timestamp_type(TimeUnit::Nano)) == "timestamp(ns)");
  Type list = types.list_of(type_of(TypeKind::String).nullable());
  CHECK(to_text(types, list) == "list<string?>");
  CHECK(to_text(types, types.map_of(type_of(TypeKind::Int64))) == "map<string, int64>");
  CHECK(types.list_of(type_of(TypeKind::String).nullable()) == list);
}

TEST_CASE("fields lie by alignment, presence bytes behind them") {
  Types types;
  Layout layout = layout_of(types,
                            {type_of(TypeKind::Bool), type_of(TypeKind::Int64).nullable(),
                             type_of(TypeKind::Int32), decimal_type(38, 2)},
                            8);
  CHECK(layout.slots[3].offset == 16);  // 16 bytes, aligned
  CHECK(layout.slots[1].offset == 32);
  CHECK(layout.slots[2].offset == 40);
  CHECK(layout.slots[0].offset == 44);
  CHECK(layout.slots[1].presence == 45);
  CHECK(layout.slots[0].presence == -1);
  CHECK(layout.align == 16);
  CHECK(layout.size == 48);
  CHECK(layout_of(types, {}, 8).size == 8);
}

TEST_CASE("an inner record lies inline") {
  Types types;
  types.records.push_back(
      {"In",
       {{"a", "a", type_of(TypeKind::Int8), {}, {}}, {"b", "b", type_of(TypeKind::Int64), {}, {}}},
       {}});
  Type inner = type_of(TypeKind::Record);
  CHECK(size_of(types, inner) == 16);
  CHECK(align_of(types, inner) == 8);
  CHECK(layout_of(types, {inner.nullable()}).slots[0].presence == 16);
}

TEST_CASE("decimals are read to the digit") {
  CHECK(read_decimal("1.50")->unscaled == 150);
  CHECK(read_decimal("1.50")->scale == 2);
  CHECK(read_decimal("0.001")->digits == 3);
  CHECK(read_decimal("99999999999999999999999999999999999999")->digits == 38);
  CHECK_FALSE(read_decimal("999999999999999999999999999999999999999"));
  CHECK(int128_text(-power_of_ten(38)) == "-100000000000000000000000000000000000000");
}

TEST_CASE("constants convert only without loss") {
  Type int64 = type_of(TypeKind::Int64), int8 = type_of(TypeKind::Int8);
  CHECK(convert(int_constant(127), int64, int8));
  CHECK_FALSE(convert(int_constant(128), int64, int8));
  CHECK(std::get<__int128>(convert(int_constant(12), int64, decimal_type(12, 2))->value) == 1200);
  CHECK_FALSE(convert(Constant{__int128(125)}, decimal_type(3, 2), decimal_type(3, 1)));
  CHECK(convert(Constant{__int128(120)}, decimal_type(3, 2), decimal_type(3, 1)));
  CHECK(std::get<int64_t>(convert(int_constant(5), timestamp_type(TimeUnit::Milli),
                                  timestamp_type(TimeUnit::Micro))
                              ->value) == 5000);
  CHECK_FALSE(
      convert(int_constant(5), timestamp_type(TimeUnit::Micro), timestamp_type(TimeUnit::Milli)));
}

TEST_CASE("constants as text and as JSON") {
  Types types;
  CHECK(plan_text(types, decimal_type(12, 2), Constant{__int128(-5)}) == "-0.05");
  CHECK(plan_text(types, timestamp_type(TimeUnit::Milli), int_constant(-1)) ==
        "1969-12-31T23:59:59.999Z");
  CHECK(plan_text(types, type_of(TypeKind::Date), int_constant(19724)) == "2024-01-02");
  CHECK(json_text(types, type_of(TypeKind::String), text_constant("a\"\n")) == "\"a\\\"\\u000a\"");
  CHECK(json_text(types, type_of(TypeKind::Bytes), text_constant("ab")) == "\"YWI=\"");
  CHECK(json_text(types, type_of(TypeKind::UInt64), int_constant(-1)) == "18446744073709551615");
  Type list = types.list_of(type_of(TypeKind::Int64).nullable());
  CHECK(json_text(types, list, Constant{Constant::List{int_constant(1), Constant{}}}) ==
        "[1,null]");
}

}  // namespace weir::compiler
