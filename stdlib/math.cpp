#include "stdlib/math.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stdlib/decimal.h"

namespace {

weir_i128 power_of_ten(int32_t digits) {
  weir_i128 power = 1;
  for (; digits > 0; digits--) power *= 10;
  return power;
}

enum class Way { Down, Up, Zero, Nearest };

// To `digits` behind the point, which may be negative. The scale stays.
WeirReason round_decimal(weir_i128 x, int32_t scale, int64_t digits, int32_t precision, Way way,
                         weir_i128* result) {
  if (digits >= scale) {
    *result = x;
    return 0;
  }
  int64_t dropped = scale - digits;
  if (dropped > kDecimalDigitsMax) {
    // Of 38 digits nothing is left: but one may remain to be rounded up to.
    if (way == Way::Zero || way == Way::Nearest || x == 0 || (x < 0) != (way == Way::Down)) {
      *result = 0;
      return 0;
    }
    return kReasonOverflow;
  }
  weir_i128 unit = power_of_ten(int32_t(dropped));
  weir_i128 rest = x % unit, whole = x - rest;
  bool away = way == Way::Down      ? rest < 0
              : way == Way::Up      ? rest > 0
              : way == Way::Nearest ? (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest)
                                    : false;
  if (rest != 0 && away && __builtin_add_overflow(whole, x < 0 ? -unit : unit, &whole))
    return kReasonOverflow;
  *result = whole;
  return weir_decimal_fits(whole, precision) ? 0 : kReasonOverflow;
}

uint64_t magnitude(int64_t a) { return a < 0 ? 0 - uint64_t(a) : uint64_t(a); }

}  // namespace

double weir_math_round_float64(double x) { return std::round(x); }

double weir_math_round_to_float64(double x, int64_t digits) {
  if (!std::isfinite(x) || digits > 308) return x;
  if (digits < -308) return std::copysign(0.0, x);
  double power = std::pow(10.0, double(std::abs(digits)));
  if (digits < 0) return std::round(x / power) * power;
  double scaled = x * power;
  if (!std::isfinite(scaled)) return x;
  // What a person wrote as 2.675 is a little less in binary, and so is its product.
  if (digits > 0) scaled = std::nextafter(scaled, scaled < 0 ? -INFINITY : INFINITY);
  return std::round(scaled) / power;
}

WeirReason weir_math_round_decimal(weir_i128 x, int32_t scale, int32_t precision, int32_t,
                                   weir_i128* result) {
  return round_decimal(x, scale, 0, precision, Way::Nearest, result);
}
WeirReason weir_math_round_to_decimal(weir_i128 x, int32_t scale, int64_t digits, int32_t precision,
                                      int32_t, weir_i128* result) {
  return round_decimal(x, scale, digits, precision, Way::Nearest, result);
}
WeirReason weir_math_floor_decimal(weir_i128 x, int32_t scale, int32_t precision, int32_t,
                                   weir_i128* result) {
  return round_decimal(x, scale, 0, precision, Way::Down, result);
}
WeirReason weir_math_ceil_decimal(weir_i128 x, int32_t scale, int32_t precision, int32_t,
                                  weir_i128* result) {
  return round_decimal(x, scale, 0, precision, Way::Up, result);
}
WeirReason weir_math_trunc_decimal(weir_i128 x, int32_t scale, int32_t precision, int32_t,
                                   weir_i128* result) {
  return round_decimal(x, scale, 0, precision, Way::Zero, result);
}

WeirReason weir_math_width_bucket(double x, double low, double high, int64_t count,
                                  int64_t* result) {
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high) || std::isnan(x) || count < 1 ||
      count == INT64_MAX)
    return kReasonOutOfRange;
  if (x < low) {
    *result = 0;
  } else if (x >= high) {
    *result = count + 1;
  } else {
    *result = std::min(int64_t((x - low) / (high - low) * double(count)), count - 1) + 1;
  }
  return 0;
}

WeirReason weir_math_gcd(int64_t a, int64_t b, int64_t* result) {
  uint64_t gcd = std::gcd(magnitude(a), magnitude(b));
  *result = int64_t(gcd);
  return gcd > uint64_t(INT64_MAX) ? kReasonOverflow : 0;
}

WeirReason weir_math_lcm(int64_t a, int64_t b, int64_t* result) {
  uint64_t x = magnitude(a), y = magnitude(b), lcm = 0;
  if (x != 0 && y != 0 && __builtin_mul_overflow(x / std::gcd(x, y), y, &lcm))
    return kReasonOverflow;
  *result = int64_t(lcm);
  return lcm > uint64_t(INT64_MAX) ? kReasonOverflow : 0;
}

double weir_math_cbrt(double x) { return std::cbrt(x); }
double weir_math_hypot(double x, double y) { return std::hypot(x, y); }
double weir_math_exp(double x) { return std::exp(x); }
double weir_math_ln(double x) { return std::log(x); }
double weir_math_log10(double x) { return std::log10(x); }
double weir_math_log2(double x) { return std::log2(x); }
double weir_math_pow(double x, double y) { return std::pow(x, y); }
double weir_math_sin(double x) { return std::sin(x); }
double weir_math_cos(double x) { return std::cos(x); }
double weir_math_tan(double x) { return std::tan(x); }
double weir_math_asin(double x) { return std::asin(x); }
double weir_math_acos(double x) { return std::acos(x); }
double weir_math_atan(double x) { return std::atan(x); }
double weir_math_atan2(double y, double x) { return std::atan2(y, x); }
double weir_math_tanh(double x) { return std::tanh(x); }
