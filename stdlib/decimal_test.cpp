#include "stdlib/decimal.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "stdlib/engine/text_number.h"
#include "stdlib/reasons.h"

namespace {
std::string show(weir_i128 value, int32_t scale = 0) {
  char text[kDecimalTextBytes];
  return {text, weir_write_decimal(text, value, scale)};
}
weir_i128 big(const char* digits) {
  weir_i128 value = 0;
  for (const char* c = *digits == '-' ? digits + 1 : digits; *c; c++)
    value = value * 10 + (*c - '0');
  return *digits == '-' ? -value : value;
}
const weir_i128 kMost = big("99999999999999999999999999999999999999");
}  // namespace

TEST_CASE("decimals add up to 38 digits") {
  weir_i128 r = 0;
  CHECK(weir_decimal_add(kMost - 1, 1, 38, &r) == 0);
  CHECK(r == kMost);
  CHECK(weir_decimal_add(kMost, 1, 38, &r) == kReasonOverflow);
  CHECK(weir_decimal_subtract(-kMost, 1, 38, &r) == kReasonOverflow);
  CHECK(weir_decimal_add(999, 1, 3, &r) == kReasonOverflow);
  CHECK(weir_decimal_fits(999, 3));
  CHECK(!weir_decimal_fits(-1000, 3));
}

TEST_CASE("products and quotients are rounded half even") {
  weir_i128 r = 0;
  CHECK(weir_decimal_multiply(125, 2, 2, 0, 38, 2, &r) == 0);
  CHECK(show(r, 2) == "2.50");
  CHECK(weir_decimal_multiply(25, 1, 1, 1, 38, 1, &r) == 0);  // 2.5 · 0.1 = 0.25
  CHECK(show(r, 1) == "0.2");
  CHECK(weir_decimal_multiply(-35, 1, 1, 1, 38, 1, &r) == 0);
  CHECK(show(r, 1) == "-0.4");
  CHECK(weir_decimal_multiply(kMost, 19, 10, 1, 38, 19, &r) == 0);  // · 1.0
  CHECK(r == kMost);
  CHECK(weir_decimal_multiply(kMost, 0, 2, 0, 38, 0, &r) == kReasonOverflow);
  CHECK(weir_decimal_divide(1, 0, 3, 0, 38, 6, &r) == 0);
  CHECK(show(r, 6) == "0.333333");
  CHECK(weir_decimal_divide(2, 0, 3, 0, 38, 6, &r) == 0);
  CHECK(show(r, 6) == "0.666667");
  CHECK(weir_decimal_divide(1, 0, 8, 0, 38, 2, &r) == 0);  // 0.125
  CHECK(show(r, 2) == "0.12");
  CHECK(weir_decimal_divide(-3, 0, 8, 0, 38, 2, &r) == 0);  // −0.375
  CHECK(show(r, 2) == "-0.38");
  CHECK(weir_decimal_divide(kMost, 0, kMost, 38, 38, 0, &r) == kReasonOverflow);
  CHECK(weir_decimal_divide(kMost, 38, kMost, 0, 38, 6, &r) == 0);
  CHECK(r == 0);
  CHECK(weir_decimal_divide(1, 0, 0, 0, 38, 6, &r) == kReasonDivisionByZero);
  CHECK(weir_decimal_modulo(-7, 3, &r) == 0);
  CHECK(r == -1);
}

TEST_CASE("division agrees with multiplication on 128-bit operands") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; i++) {
    weir_i128 a = weir_i128(random() >> random() % 64) * int64_t(random() % 1000000),
              b = weir_i128(random() >> random() % 64) + 1;
    weir_i128 product = 0, quotient = 0;
    if (weir_decimal_multiply(a, 3, b, 2, 38, 5, &product) != 0) continue;
    CHECK(product == a * b);
    CHECK(weir_decimal_divide(product, 5, b, 2, 38, 3, &quotient) == 0);
    CHECK(quotient == a);
  }
}

TEST_CASE("casts") {
  weir_i128 r = 0;
  CHECK(weir_decimal_rescale(12345, 3, 4, 2, &r) == 0);  // 12.345
  CHECK(show(r, 2) == "12.34");
  CHECK(weir_decimal_rescale(12345, 3, 3, 2, &r) == kReasonBadCast);
  CHECK(weir_decimal_rescale(5, 0, 38, 37, &r) == 0);
  CHECK(weir_decimal_rescale(50, 0, 38, 37, &r) == kReasonBadCast);
  CHECK(weir_decimal_from_float64(0.1, 10, 2, &r) == 0);
  CHECK(show(r, 2) == "0.10");
  CHECK(weir_decimal_from_float64(-1e20, 38, 2, &r) == 0);
  CHECK(show(r, 2) == "-100000000000000000000.00");
  CHECK(weir_decimal_from_float64(5e-324, 38, 2, &r) == 0);
  CHECK(r == 0);
  CHECK(weir_decimal_from_float64(1e300, 38, 2, &r) == kReasonBadCast);
  CHECK(weir_decimal_from_float64(0.0 / 0.0, 38, 2, &r) == kReasonBadCast);
  CHECK(weir_decimal_to_float64(1230, 2) == 12.3);
  CHECK(weir_decimal_to_float64(kMost, 38) == 1.0);
  CHECK(weir_decimal_to_float64(-kMost, 0) == -1e38);
  int64_t n = 0;
  uint64_t u = 0;
  CHECK(weir_decimal_to_int64(-199, 2, &n) == 0);
  CHECK(n == -1);
  CHECK(weir_decimal_to_int64(kMost, 0, &n) == kReasonBadCast);
  CHECK(weir_decimal_to_uint64(-100, 2, &u) == kReasonBadCast);
}

TEST_CASE("decimals as text") {
  CHECK(show(0, 2) == "0.00");
  CHECK(show(-5, 2) == "-0.05");
  CHECK(show(-kMost, 38) == "-0.99999999999999999999999999999999999999");
  CHECK(show(kMost) == "99999999999999999999999999999999999999");
  CHECK(show(big("1000000000000000000000")) == "1000000000000000000000");
}
