// Exact decimal arithmetic on unscaled 128-bit values: up to 38 digits. What does not fit its
// precision is an error, what has too many digits behind the point is rounded half even. Native
// functions.
#pragma once

#include "stdlib/kernel.h"

inline constexpr int32_t kDecimalDigitsMax = 38;

// |value| < 10^precision.
extern "C" bool weir_decimal_fits(weir_i128 value, int32_t precision);

// Both operands have the result's scale.
extern "C" WeirReason weir_decimal_add(weir_i128 a, weir_i128 b, int32_t precision,
                                       weir_i128* result);
extern "C" WeirReason weir_decimal_subtract(weir_i128 a, weir_i128 b, int32_t precision,
                                            weir_i128* result);
extern "C" WeirReason weir_decimal_multiply(weir_i128 a, int32_t a_scale, weir_i128 b,
                                            int32_t b_scale, int32_t precision, int32_t scale,
                                            weir_i128* result);
extern "C" WeirReason weir_decimal_divide(weir_i128 a, int32_t a_scale, weir_i128 b,
                                          int32_t b_scale, int32_t precision, int32_t scale,
                                          weir_i128* result);
// Both of one scale; the sign is a's.
extern "C" WeirReason weir_decimal_modulo(weir_i128 a, weir_i128 b, weir_i128* result);

// Casts. To integers towards zero.
extern "C" WeirReason weir_decimal_rescale(weir_i128 a, int32_t a_scale, int32_t precision,
                                           int32_t scale, weir_i128* result);
extern "C" WeirReason weir_decimal_from_float64(double value, int32_t precision, int32_t scale,
                                                weir_i128* result);
extern "C" double weir_decimal_to_float64(weir_i128 a, int32_t a_scale);
extern "C" WeirReason weir_decimal_to_int64(weir_i128 a, int32_t a_scale, int64_t* result);
extern "C" WeirReason weir_decimal_to_uint64(weir_i128 a, int32_t a_scale, uint64_t* result);
