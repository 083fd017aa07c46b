// JSON numbers: the short ones that come all day. What is longer, or has an exponent, goes to
// json_read.h.
//
// Each returns the position behind the number, or null: not such a number, look closer.
#pragma once

#include "stdlib/engine/json_scan.h"

namespace weir::stdlib {
inline constexpr auto kPowersOfTen = [] {
  struct {
    uint64_t of[20];
  } powers{};
  uint64_t power = 1;
  for (auto& p : powers.of) p = power, power *= 10;
  return powers;
}();
inline constexpr double kExactPowersOfTen[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
}  // namespace weir::stdlib

// Eight digits, the first in the lowest byte; bytes of 0 count as the digit 0.
WEIR_JSON_KERNEL uint64_t weir_eight_digits(uint64_t digits) {
  digits = (digits & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
  digits = (digits & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  return (digits & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
}
// The number that `count` digits at `p` make; 1 to 8.
WEIR_JSON_KERNEL uint64_t weir_digits(const char* p, uint32_t count) {
  return weir_eight_digits(weir_load8(p) << 8 * (8 - count));
}
// Which of the 16 bytes at `p` are digits.
WEIR_JSON_KERNEL uint32_t weir_digit_mask(const char* p) {
  WeirVector16 bytes = WEIR_LOAD16(p);
  return WEIR_MASK16(WeirVector16(bytes - uint8_t('0')) < uint8_t(10));
}

// Up to 16 digits and a sign.
WEIR_JSON_KERNEL const char* weir_json_short_integer(const char* p, int64_t* value) {
  bool negative = *p == '-';
  p += negative;
  uint32_t count = __builtin_ctz(~weir_digit_mask(p));
  if (__builtin_expect(count == 0 || (*p == '0' && count > 1), 0)) return nullptr;
  const char* behind = p + count;
  if (__builtin_expect(!weir_json_ends(*behind), 0)) return nullptr;
  uint64_t magnitude;
  if (count <= 8) {
    magnitude = weir_digits(p, count);
  } else {
    magnitude = weir_digits(p, count - 8) * 100000000 + weir_eight_digits(weir_load8(behind - 8));
  }
  *value = negative ? -int64_t(magnitude) : int64_t(magnitude);
  return behind;
}

// The digits of a number with up to 8 places before and 7 behind the point.
struct WeirShortNumber {
  uint64_t whole;
  uint64_t fraction;
  uint32_t fraction_digits;
  bool negative;
};
WEIR_JSON_KERNEL const char* weir_json_short_number(const char* p, WeirShortNumber* number) {
  number->negative = *p == '-';
  p += number->negative;
  uint32_t digits = weir_digit_mask(p);
  uint32_t whole_digits = __builtin_ctz(~digits);
  if (__builtin_expect(whole_digits - 1 >= 8 || (*p == '0' && whole_digits > 1), 0)) return nullptr;
  number->whole = weir_digits(p, whole_digits);
  p += whole_digits;
  number->fraction = 0;
  number->fraction_digits = 0;
  if (*p == '.') {
    uint32_t count = __builtin_ctz(~(digits >> (whole_digits + 1)));
    if (__builtin_expect(count - 1 >= 7, 0)) return nullptr;
    number->fraction = weir_digits(p + 1, count);
    number->fraction_digits = count;
    p += 1 + count;
  }
  if (__builtin_expect(!weir_json_ends(*p), 0)) return nullptr;
  return p;
}

// A decimal(precision, scale) that fits into 64 bits.
WEIR_JSON_KERNEL const char* weir_json_short_decimal(const char* p, uint32_t precision,
                                                     uint32_t scale, int64_t* value) {
  WeirShortNumber number;
  if (scale > 10 || precision > 18) return nullptr;  // 8 + 10 digits fit
  const char* behind = weir_json_short_number(p, &number);
  if (__builtin_expect(behind == nullptr || number.fraction_digits > scale, 0)) return nullptr;
  uint64_t magnitude =
      number.whole * weir::stdlib::kPowersOfTen.of[scale] +
      number.fraction * weir::stdlib::kPowersOfTen.of[scale - number.fraction_digits];
  if (__builtin_expect(magnitude >= weir::stdlib::kPowersOfTen.of[precision], 0)) return nullptr;
  *value = number.negative ? -int64_t(magnitude) : int64_t(magnitude);
  return behind;
}

// 15 digits are exact, and so is the power of ten: one division is correctly rounded (Clinger
// 1990).
WEIR_JSON_KERNEL const char* weir_json_short_float(const char* p, double* value) {
  WeirShortNumber number;
  const char* behind = weir_json_short_number(p, &number);
  if (__builtin_expect(behind == nullptr, 0)) return nullptr;
  double digits = double(int64_t(
      number.whole * weir::stdlib::kPowersOfTen.of[number.fraction_digits] + number.fraction));
  digits /= weir::stdlib::kExactPowersOfTen[number.fraction_digits];
  *value = number.negative ? -digits : digits;
  return behind;
}
