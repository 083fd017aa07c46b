#include "stdlib/decimal.h"

#include <cmath>

#include "stdlib/engine/float_text.h"
#include "stdlib/reasons.h"

namespace {

using u128 = unsigned __int128;

u128 magnitude(weir_i128 value) {
  return value < 0 ? 0 - static_cast<u128>(value) : static_cast<u128>(value);
}

u128 power_of_ten(int32_t exponent) {
  u128 power = 1;
  for (int32_t i = 0; i < exponent; i++) power *= 10;
  return power;
}

// 256 bits: the product of two decimals, a dividend that was moved up.
struct Wide {
  u128 high, low;
};

Wide multiply(u128 a, u128 b) {
  constexpr u128 kLow = UINT64_MAX;
  u128 a0 = a & kLow, a1 = a >> 64, b0 = b & kLow, b1 = b >> 64;
  u128 middle = a1 * b0 + (a0 * b0 >> 64);
  u128 middle2 = a0 * b1 + (middle & kLow);
  return {a1 * b1 + (middle >> 64) + (middle2 >> 64), middle2 << 64 | (a0 * b0 & kLow)};
}

// False: more than 256 bits.
bool multiply(Wide& value, u128 factor) {
  Wide low = multiply(value.low, factor), high = multiply(value.high, factor);
  return high.high == 0 && !__builtin_add_overflow(low.high, high.low, &value.high) &&
         (value.low = low.low, true);
}

// Half even. False: the quotient has more than 128 bits.
bool divide(Wide value, u128 divisor, u128* quotient) {
  u128 rest, result;
  if (value.high == 0) {
    result = value.low / divisor;
    rest = value.low % divisor;
  } else {
    if (value.high >= divisor) return false;
    rest = value.high;
    result = 0;
    for (int bit = 127; bit >= 0; bit--) {
      bool carry = rest >> 127;
      rest = rest << 1 | (value.low >> bit & 1);
      if (carry || rest >= divisor) {
        rest -= divisor;
        result |= u128{1} << bit;
      }
    }
  }
  u128 half = divisor - rest;  // rest > half: more than half of the divisor
  if (rest > half || (rest == half && (result & 1) != 0)) {
    if (++result == 0) return false;
  }
  *quotient = result;
  return true;
}

WeirReason store(u128 value, bool negative, int32_t precision, weir_i128* result) {
  if (value >= power_of_ten(precision)) return kReasonOverflow;
  *result = negative ? -weir_i128(value) : weir_i128(value);
  return 0;
}

// value · 10^exponent, rounded.
WeirReason store_scaled(Wide value, bool negative, int32_t exponent, int32_t precision,
                        weir_i128* result) {
  u128 scaled;
  if (exponent >= 0) {
    for (; exponent > 0; exponent -= 19) {
      if (!multiply(value, power_of_ten(exponent < 19 ? exponent : 19))) return kReasonOverflow;
    }
    if (value.high != 0) return kReasonOverflow;
    return store(value.low, negative, precision, result);
  }
  // 10^38 is the greatest power in 128 bits; what is that much smaller than a unit is nothing, but
  // for 76 digits.
  if (exponent < -kDecimalDigitsMax) {
    u128 first;
    if (!divide(value, power_of_ten(kDecimalDigitsMax), &first)) return kReasonOverflow;
    value = {0, first};
    exponent += kDecimalDigitsMax;
  }
  if (!divide(value, power_of_ten(-exponent), &scaled)) return kReasonOverflow;
  return store(scaled, negative, precision, result);
}

WeirReason cast(WeirReason reason) { return reason == 0 ? 0 : kReasonBadCast; }

}  // namespace

bool weir_decimal_fits(weir_i128 value, int32_t precision) {
  return magnitude(value) < power_of_ten(precision);
}

WeirReason weir_decimal_add(weir_i128 a, weir_i128 b, int32_t precision, weir_i128* result) {
  weir_i128 sum;
  if (__builtin_add_overflow(a, b, &sum)) return kReasonOverflow;
  return store(magnitude(sum), sum < 0, precision, result);
}

WeirReason weir_decimal_subtract(weir_i128 a, weir_i128 b, int32_t precision, weir_i128* result) {
  weir_i128 difference;
  if (__builtin_sub_overflow(a, b, &difference)) return kReasonOverflow;
  return store(magnitude(difference), difference < 0, precision, result);
}

WeirReason weir_decimal_multiply(weir_i128 a, int32_t a_scale, weir_i128 b, int32_t b_scale,
                                 int32_t precision, int32_t scale, weir_i128* result) {
  return store_scaled(multiply(magnitude(a), magnitude(b)), (a < 0) != (b < 0),
                      scale - a_scale - b_scale, precision, result);
}

WeirReason weir_decimal_divide(weir_i128 a, int32_t a_scale, weir_i128 b, int32_t b_scale,
                               int32_t precision, int32_t scale, weir_i128* result) {
  if (b == 0) return kReasonDivisionByZero;
  int32_t exponent = scale + b_scale - a_scale;
  Wide value{0, magnitude(a)};
  u128 divisor = magnitude(b);
  for (int32_t up = exponent; up > 0; up -= 19) {
    if (!multiply(value, power_of_ten(up < 19 ? up : 19))) return kReasonOverflow;
  }
  if (exponent < 0) {
    // Down instead: divisor · 10^−exponent, which may be beyond 128 bits; then the quotient is less
    // than a half.
    Wide wide = multiply(divisor, power_of_ten(-exponent));
    if (wide.high != 0) return store(0, false, precision, result);
    divisor = wide.low;
  }
  u128 quotient;
  if (!divide(value, divisor, &quotient)) return kReasonOverflow;
  return store(quotient, (a < 0) != (b < 0), precision, result);
}

WeirReason weir_decimal_modulo(weir_i128 a, weir_i128 b, weir_i128* result) {
  if (b == 0) return kReasonDivisionByZero;
  *result = b == -1 ? 0 : a % b;
  return 0;
}

WeirReason weir_decimal_rescale(weir_i128 a, int32_t a_scale, int32_t precision, int32_t scale,
                                weir_i128* result) {
  return cast(store_scaled({0, magnitude(a)}, a < 0, scale - a_scale, precision, result));
}

// By way of the shortest text that is this float: decimal(10, 2)(0.1e0) is 0.10.
WeirReason weir_decimal_from_float64(double value, int32_t precision, int32_t scale,
                                     weir_i128* result) {
  if (!std::isfinite(value) || std::fabs(value) >= 1e39) return kReasonBadCast;
  char text[kFloatTextBytes];
  uint64_t size = weir_float64_text(text, value);
  u128 digits = 0;
  int32_t point = 0, exponent = 0;
  bool negative = false, behind_point = false;
  for (uint64_t i = 0; i < size; i++) {
    char c = text[i];
    if (c == '-') negative = true;
    if (c == '.') behind_point = true;
    if (c >= '0' && c <= '9') {
      digits = digits * 10 + u128(c - '0');
      point += behind_point;
    }
    if (c == 'e') {
      bool down = text[i + 1] == '-';
      for (i += 2; i < size; i++) exponent = exponent * 10 + (text[i] - '0');
      if (down) exponent = -exponent;
    }
  }
  if (scale - point + exponent < -2 * kDecimalDigitsMax) {
    *result = 0;
    return 0;
  }
  return cast(store_scaled({0, digits}, negative, scale - point + exponent, precision, result));
}

double weir_decimal_to_float64(weir_i128 a, int32_t a_scale) {
  // Exact operands: one division, correctly rounded. Else by text, which rounds once too.
  u128 digits = magnitude(a);
  if (digits <= (u128{1} << 53) && a_scale <= 22) {
    double exact = double(uint64_t(digits)) / double(power_of_ten(a_scale));
    return a < 0 ? -exact : exact;
  }
  char text[64];
  char* at = text + sizeof text;
  char exponent[8];
  int exponent_size = 0;
  for (int32_t n = a_scale; n > 0 || exponent_size == 0; n /= 10)
    exponent[exponent_size++] = char('0' + n % 10);
  for (int i = 0; i < exponent_size; i++) *--at = exponent[i];
  *--at = '-';
  *--at = 'e';
  for (; digits > 0; digits /= 10) *--at = char('0' + int(digits % 10));
  if (a < 0) *--at = '-';
  double value = 0;
  weir_float64_parse(at, uint64_t(text + sizeof text - at), &value);
  return value;
}

WeirReason weir_decimal_to_int64(weir_i128 a, int32_t a_scale, int64_t* result) {
  weir_i128 whole = a / weir_i128(power_of_ten(a_scale));
  if (whole != int64_t(whole)) return kReasonBadCast;
  *result = int64_t(whole);
  return 0;
}

WeirReason weir_decimal_to_uint64(weir_i128 a, int32_t a_scale, uint64_t* result) {
  weir_i128 whole = a / weir_i128(power_of_ten(a_scale));
  if (whole < 0 || whole > weir_i128(UINT64_MAX)) return kReasonBadCast;
  *result = uint64_t(whole);
  return 0;
}
