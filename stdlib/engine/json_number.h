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

#ifdef __SSSE3__
// 16 places; a load from `n` bytes behind the beginning moves the first n of 16 bytes to the end,
// and zeros in front of them …
inline constexpr struct {
  uint8_t of[32];
} kWeirToTheEnd = {{128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
                    0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15}};
// … or says which are the last n.
inline constexpr struct {
  uint8_t of[32];
} kWeirLast = {{0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};
using WeirChars16 = char __attribute__((vector_size(16)));
using WeirDigits8 = int16_t __attribute__((ext_vector_type(8)));
using WeirDigits2 = uint64_t __attribute__((ext_vector_type(2)));

// The bytes of `digits` are digits (0 to 9), the last one the least.
WEIR_JSON_KERNEL uint64_t weir_sixteen_digits(WeirVector16 digits) {
  constexpr WeirVector16 kTens = {10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1};
  constexpr WeirDigits8 kHundreds = {100, 1, 100, 1, 100, 1, 100, 1};
  constexpr WeirDigits8 kTenThousands = {10000, 1, 10000, 1, 10000, 1, 10000, 1};
  auto twos = __builtin_ia32_pmaddubsw128(__builtin_bit_cast(WeirChars16, digits),
                                          __builtin_bit_cast(WeirChars16, kTens));
  auto fours = __builtin_ia32_pmaddwd128(twos, __builtin_bit_cast(decltype(twos), kHundreds));
  auto packed = __builtin_ia32_packssdw128(fours, fours);
  auto eights =
      __builtin_ia32_pmaddwd128(packed, __builtin_bit_cast(decltype(packed), kTenThousands));
  uint64_t both = __builtin_bit_cast(WeirDigits2, eights)[0];
  return uint64_t(uint32_t(both)) * 100000000 + (both >> 32);
}
// The number that the first `count` of the 16 bytes at `p` make; 1 to 16.
WEIR_JSON_KERNEL uint64_t weir_up_to_sixteen_digits(const char* p, uint32_t count) {
  auto values = WeirVector16(WEIR_LOAD16(p) - uint8_t('0'));
  return weir_sixteen_digits(__builtin_bit_cast(
      WeirVector16, __builtin_ia32_pshufb128(
                        __builtin_bit_cast(WeirChars16, values),
                        __builtin_bit_cast(WeirChars16, WEIR_LOAD16(kWeirToTheEnd.of + count)))));
}
// … where a point stands `fraction` digits before their end.
WEIR_JSON_KERNEL uint64_t weir_digits_around_point(const char* p, uint32_t whole,
                                                   uint32_t fraction) {
  auto values = WeirVector16(WEIR_LOAD16(p) - uint8_t('0'));
  auto moved = __builtin_bit_cast(
      WeirVector16,
      __builtin_ia32_pshufb128(
          __builtin_bit_cast(WeirChars16, values),
          __builtin_bit_cast(WeirChars16, WEIR_LOAD16(kWeirToTheEnd.of + whole + 1 + fraction))));
  WeirVector16 behind = WEIR_LOAD16(kWeirLast.of + fraction);
  // Over the point's place.
  WeirVector16 shifted = __builtin_shufflevector(WeirVector16{}, moved, 0, 16, 17, 18, 19, 20, 21,
                                                 22, 23, 24, 25, 26, 27, 28, 29, 30);
  return weir_sixteen_digits((moved & behind) | (shifted & ~behind));
}
#else
WEIR_JSON_KERNEL uint64_t weir_up_to_sixteen_digits(const char* p, uint32_t count) {
  if (count <= 8) return weir_digits(p, count);
  return weir_digits(p, count - 8) * 100000000 + weir_eight_digits(weir_load8(p + count - 8));
}
WEIR_JSON_KERNEL uint64_t weir_digits_around_point(const char* p, uint32_t whole,
                                                   uint32_t fraction) {
  return weir_digits(p, whole) * weir::stdlib::kPowersOfTen.of[fraction] +
         weir_digits(p + whole + 1, fraction);
}
#endif

// Up to 16 digits and a sign.
WEIR_JSON_KERNEL const char* weir_json_short_integer(const char* p, int64_t* value) {
  bool negative = *p == '-';
  p += negative;
  uint32_t count = __builtin_ctz(~weir_digit_mask(p));
  if (__builtin_expect(count == 0 || (*p == '0' && count > 1), 0)) return nullptr;
  const char* behind = p + count;
  if (__builtin_expect(!weir_json_ends(*behind), 0)) return nullptr;
  uint64_t magnitude = weir_up_to_sixteen_digits(p, count);
  *value = negative ? -int64_t(magnitude) : int64_t(magnitude);
  return behind;
}

// A number with up to 8 places before and 7 behind the point, as if the point were not there.
struct WeirShortNumber {
  uint64_t digits;
  uint32_t fraction_digits;
  bool negative;
};
WEIR_JSON_KERNEL const char* weir_json_short_number(const char* p, WeirShortNumber* number) {
  number->negative = *p == '-';
  p += number->negative;
  uint32_t digits = weir_digit_mask(p);
  uint32_t whole = __builtin_ctz(~digits);
  if (__builtin_expect(whole - 1 >= 8 || (*p == '0' && whole > 1), 0)) return nullptr;
  const char* behind = p + whole;
  if (*behind == '.') {
    uint32_t fraction = __builtin_ctz(~(digits >> (whole + 1)));
    if (__builtin_expect(fraction - 1 >= 7, 0)) return nullptr;
    number->digits = weir_digits_around_point(p, whole, fraction);
    number->fraction_digits = fraction;
    behind += 1 + fraction;
  } else {
    number->digits = weir_digits(p, whole);
    number->fraction_digits = 0;
  }
  if (__builtin_expect(!weir_json_ends(*behind), 0)) return nullptr;
  return behind;
}

// A decimal(precision, scale) that fits into 64 bits.
WEIR_JSON_KERNEL const char* weir_json_short_decimal(const char* p, uint32_t precision,
                                                     uint32_t scale, int64_t* value) {
  WeirShortNumber number;
  if (scale > 10 || precision > 18) return nullptr;  // 8 + 10 digits fit
  const char* behind = weir_json_short_number(p, &number);
  if (__builtin_expect(behind == nullptr || number.fraction_digits > scale, 0)) return nullptr;
  uint64_t magnitude =
      number.digits * weir::stdlib::kPowersOfTen.of[scale - number.fraction_digits];
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
  auto digits = double(int64_t(number.digits));
  digits /= weir::stdlib::kExactPowersOfTen[number.fraction_digits];
  *value = number.negative ? -digits : digits;
  return behind;
}
