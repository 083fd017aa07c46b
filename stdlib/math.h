// Math functions of the language (math.weir).
#pragma once

#include "stdlib/kernel.h"
#include "stdlib/reasons.h"

WEIR_INLINE_KERNEL WeirReason weir_math_div(int64_t a, int64_t b, int64_t* result) {
  if (b == 0) return kReasonDivisionByZero;
  if (b == -1) return __builtin_sub_overflow(int64_t{0}, a, result) ? kReasonOverflow : 0;
  *result = a / b;
  return 0;
}

extern "C" {
double weir_math_round(double x);
double weir_math_floor(double x);
double weir_math_ceil(double x);
double weir_math_sqrt(double x);
double weir_math_exp(double x);
double weir_math_ln(double x);
double weir_math_pow(double x, double y);
}
