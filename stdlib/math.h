// Math functions of the language (math.weir).
#pragma once

#include <cmath>

#include "stdlib/call.h"
#include "stdlib/reasons.h"

WEIR_INLINE_KERNEL WeirReason weir_math_div(int64_t a, int64_t b, int64_t* result) {
  if (b == 0) return kReasonDivisionByZero;
  if (b == -1) return __builtin_sub_overflow(int64_t{0}, a, result) ? kReasonOverflow : 0;
  *result = a / b;
  return 0;
}

WEIR_INLINE_KERNEL WeirReason weir_math_mod(int64_t a, int64_t b, int64_t* result) {
  if (b == 0) return kReasonDivisionByZero;
  int64_t rest = b == -1 ? 0 : a % b;
  *result = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  return 0;
}

WEIR_INLINE_KERNEL int64_t weir_math_bit_and(int64_t a, int64_t b) { return a & b; }
WEIR_INLINE_KERNEL int64_t weir_math_bit_or(int64_t a, int64_t b) { return a | b; }
WEIR_INLINE_KERNEL int64_t weir_math_bit_xor(int64_t a, int64_t b) { return a ^ b; }
WEIR_INLINE_KERNEL int64_t weir_math_bit_not(int64_t a) { return ~a; }
WEIR_INLINE_KERNEL int64_t weir_math_bit_count(int64_t a) {
  return __builtin_popcountll(uint64_t(a));
}
WEIR_INLINE_KERNEL WeirReason weir_math_shift_left(int64_t a, int64_t places, int64_t* result) {
  if (places < 0 || places > 63) return kReasonOutOfRange;
  *result = int64_t(uint64_t(a) << places);
  return 0;
}
WEIR_INLINE_KERNEL WeirReason weir_math_shift_right(int64_t a, int64_t places, int64_t* result) {
  if (places < 0 || places > 63) return kReasonOutOfRange;
  *result = a >> places;
  return 0;
}

WEIR_INLINE_KERNEL double weir_math_floor_float64(double x) { return __builtin_floor(x); }
WEIR_INLINE_KERNEL double weir_math_ceil_float64(double x) { return __builtin_ceil(x); }
WEIR_INLINE_KERNEL double weir_math_trunc_float64(double x) { return __builtin_trunc(x); }
WEIR_INLINE_KERNEL double weir_math_sqrt(double x) { return __builtin_sqrt(x); }

extern "C" {
double weir_math_round_float64(double x);
double weir_math_round_to_float64(double x, int64_t digits);
WeirReason weir_math_round_decimal(weir_i128 x, int32_t scale, int32_t precision,
                                   int32_t result_scale, weir_i128* result);
WeirReason weir_math_round_to_decimal(weir_i128 x, int32_t scale, int64_t digits, int32_t precision,
                                      int32_t result_scale, weir_i128* result);
WeirReason weir_math_floor_decimal(weir_i128 x, int32_t scale, int32_t precision,
                                   int32_t result_scale, weir_i128* result);
WeirReason weir_math_ceil_decimal(weir_i128 x, int32_t scale, int32_t precision,
                                  int32_t result_scale, weir_i128* result);
WeirReason weir_math_trunc_decimal(weir_i128 x, int32_t scale, int32_t precision,
                                   int32_t result_scale, weir_i128* result);
WeirReason weir_math_width_bucket(double x, double low, double high, int64_t count,
                                  int64_t* result);
WeirReason weir_math_gcd(int64_t a, int64_t b, int64_t* result);
WeirReason weir_math_lcm(int64_t a, int64_t b, int64_t* result);
double weir_math_cbrt(double x);
double weir_math_hypot(double x, double y);
double weir_math_exp(double x);
double weir_math_ln(double x);
double weir_math_log10(double x);
double weir_math_log2(double x);
double weir_math_pow(double x, double y);
double weir_math_sin(double x);
double weir_math_cos(double x);
double weir_math_tan(double x);
double weir_math_asin(double x);
double weir_math_acos(double x);
double weir_math_atan(double x);
double weir_math_atan2(double y, double x);
double weir_math_tanh(double x);
}
