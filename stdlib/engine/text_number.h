// Numbers as decimal text. Each function writes at `to` and returns the position behind it.
#pragma once

#include "stdlib/kernel.h"

inline constexpr uint64_t kIntegerTextBytes = 20;  // −9223372036854775808
inline constexpr uint64_t kDecimalTextBytes = 48;  // a sign, 39 digits, a point, a zero in front

namespace weir::stdlib {
inline constexpr auto kTwoDigits = [] {
  struct {
    char of[200];
  } pairs{};
  for (int i = 0; i < 100; i++) {
    pairs.of[2 * i] = char('0' + i / 10);
    pairs.of[2 * i + 1] = char('0' + i % 10);
  }
  return pairs;
}();

// The digits of `value`, right-aligned before `end`; where they begin.
inline char* digits_before(char* end, uint64_t value) {
  while (value >= 100) {
    end -= 2;
    memcpy(end, kTwoDigits.of + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, kTwoDigits.of + value * 2, 2);
  } else {
    *--end = char('0' + value);
  }
  return end;
}

inline char* digits_before(char* end, unsigned __int128 value) {
  constexpr uint64_t kChunk = 1'000'000'000'000'000'000;  // 18 digits
  while (value >= kChunk) {
    char* begin = digits_before(end, uint64_t(value % kChunk));
    while (begin > end - 18) *--begin = '0';
    end -= 18;
    value /= kChunk;
  }
  return digits_before(end, uint64_t(value));
}
}  // namespace weir::stdlib

WEIR_KERNEL inline char* weir_write_uint64(char* to, uint64_t value) {
  char digits[kIntegerTextBytes];
  char* end = digits + sizeof digits;
  char* begin = weir::stdlib::digits_before(end, value);
  memcpy(to, begin, uint64_t(end - begin));
  return to + (end - begin);
}

WEIR_KERNEL inline char* weir_write_int64(char* to, int64_t value) {
  *to = '-';
  return weir_write_uint64(to + (value < 0), value < 0 ? 0 - uint64_t(value) : uint64_t(value));
}

// With exactly `scale` digits behind the point; no point if that is 0.
WEIR_KERNEL inline char* weir_write_decimal(char* to, weir_i128 value, int32_t scale) {
  char digits[kDecimalTextBytes];
  char* end = digits + sizeof digits;
  char* begin =
      weir::stdlib::digits_before(end, value < 0 ? 0 - static_cast<unsigned __int128>(value)
                                                 : static_cast<unsigned __int128>(value));
  while (end - begin <= scale) *--begin = '0';
  if (value < 0) *to++ = '-';
  auto whole = uint64_t(end - begin - scale);
  memcpy(to, begin, whole);
  to += whole;
  if (scale > 0) {
    *to++ = '.';
    memcpy(to, begin + whole, uint64_t(scale));
    to += scale;
  }
  return to;
}

// "123e4567-e89b-12d3-a456-426614174000", 36 bytes.
WEIR_KERNEL inline char* weir_write_uuid(char* to, const char* bytes) {
  constexpr const char* kHex = "0123456789abcdef";
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = kHex[uint8_t(bytes[i]) >> 4];
    *to++ = kHex[bytes[i] & 15];
  }
  return to;
}
