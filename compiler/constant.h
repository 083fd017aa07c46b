// Values that are known at compile time: reading them from digits, writing them as text and as
// JSON, and computing with them where an expression has no row in it.
#pragma once

#include <optional>
#include <string>

#include "compiler/expr.h"
#include "compiler/type.h"

namespace weir::compiler {

inline constexpr int kDecimalDigitsMax = 38;

// 10^n. Requires: 0 ≤ n ≤ 38.
__int128 power_of_ten(int n);
std::string int128_text(__int128 value);

// A decimal number as written ("12", "1.50"): value = unscaled / 10^scale. Nothing above 38 digits.
struct DecimalDigits {
  __int128 unscaled = 0;
  int digits = 1;  // significant ones, at least 1 and at least `scale`
  int scale = 0;
};
std::optional<DecimalDigits> read_decimal(std::string_view text);

// Whether the whole number is a value of that integer type.
bool fits_integer(TypeKind kind, __int128 value);
// Digits of the largest value of an integer type: int8 3, int64 19, uint64 20.
int integer_digits(TypeKind kind);

// The constant as a value of `to`, exactly, or nothing. Numbers among each other, times in other
// units, optionals.
std::optional<Constant> convert(const Constant& constant, Type from, Type to);

// The value as a program's option or parameter has it in the plan: "100", "true", "10.50", RFC 3339
// instants, durations in microseconds.
std::string plan_text(const Types& types, Type type, const Constant& constant);
// The value in JSON, as a source reads and a sink writes it.
std::string json_text(const Types& types, Type type, const Constant& constant);
std::string json_quoted(std::string_view text);

// The value of an expression without rows, parameters or kernels; nothing if it has them, or is an
// error.
std::optional<Constant> fold(const Expr& expr);
// Replaces parts that `fold` by constants.
void simplify(Expr& expr);

Expr constant_expr(Type type, Constant constant, dsl::Span span);
inline Constant int_constant(int64_t value) { return Constant{value}; }
inline Constant text_constant(std::string value) { return Constant{std::move(value)}; }

}  // namespace weir::compiler
