// JSON: writing values into an output (output.h).
//
//     decimals       as numbers, with all digits of their scale     floats   the shortest text that
//     reads back; finite only timestamp      a number in its unit                           date
//     "2025-01-31" duration       a number of microseconds                       uuid     36
//     characters of text bytes          base64 with padding                            json     as
//     it is enum           its wire name                                  null     null
//
// Kernels write at `to` and return the position behind. Scalars need kJsonScalarBytes of room,
// which the caller has made; what is longer makes its own, and `rest` bytes more behind it.
#pragma once

#include "stdlib/engine/civil.h"
#include "stdlib/engine/float_text.h"
#include "stdlib/engine/json_scan.h"
#include "stdlib/engine/json_type.h"
#include "stdlib/engine/output.h"
#include "stdlib/engine/text_number.h"

inline constexpr uint64_t kJsonScalarBytes = 48;

WEIR_KERNEL inline char* weir_json_write_bool(char* to, bool value) {
  memcpy(to, value ? "true" : "fals", 4);
  to[4] = 'e';
  return to + (value ? 4 : 5);
}

// Null: not finite, JSON has no word for it.
WEIR_KERNEL inline char* weir_json_write_float64(char* to, double value) {
  return __builtin_isfinite(value) ? to + weir_float64_text(to, value) : nullptr;
}
WEIR_KERNEL inline char* weir_json_write_float32(char* to, float value) {
  return __builtin_isfinite(value) ? to + weir_float32_text(to, value) : nullptr;
}

WEIR_KERNEL inline char* weir_json_write_date(char* to, int32_t days) {
  *to = '"';
  to += 1 + weir_write_date(to + 1, days);
  *to = '"';
  return to + 1;
}

// `value` as loaded from the 16 bytes.
WEIR_KERNEL inline char* weir_json_write_uuid(char* to, weir_i128 value) {
  char bytes[16];
  memcpy(bytes, &value, 16);
  *to = '"';
  to = weir_write_uuid(to + 1, bytes);
  *to = '"';
  return to + 1;
}

// Room for `more` bytes at `to`.
WEIR_INLINE_KERNEL char* weir_json_room(WeirOutput* output, char* to, uint64_t more) {
  output->at = to;
  return weir_output_room(output, more);
}

WEIR_KERNEL inline char* weir_json_write_string(WeirOutput* output, char* to, const char* text,
                                                uint64_t size, uint64_t rest) {
  constexpr const char* kHex = "0123456789abcdef";
  to = weir_json_room(output, to, 6 * size + 2 + 32 + rest);
  *to++ = '"';
  const char* end = text + size;
  while (text < end) {
    if (end - text >= 32) {
      WeirVector32 bytes = WEIR_LOAD32(text);
      uint32_t found = WEIR_MASK32((bytes == '"') | (bytes == '\\') | (bytes < uint8_t(' ')));
      memcpy(to, text, 32);
      int plain = found == 0 ? 32 : __builtin_ctz(found);
      text += plain;
      to += plain;
      if (found == 0) continue;
    }
    char c = *text++;
    if (uint8_t(c) >= ' ' && c != '"' && c != '\\') {
      *to++ = c;
      continue;
    }
    *to++ = '\\';
    switch (c) {
      case '"':
      case '\\':
        *to++ = c;
        break;
      case '\n':
        *to++ = 'n';
        break;
      case '\r':
        *to++ = 'r';
        break;
      case '\t':
        *to++ = 't';
        break;
      case '\b':
        *to++ = 'b';
        break;
      case '\f':
        *to++ = 'f';
        break;
      default:
        memcpy(to, "u00", 3);
        to[3] = kHex[uint8_t(c) >> 4];
        to[4] = kHex[c & 15];
        to += 5;
    }
  }
  *to++ = '"';
  return to;
}

// As it is: `json` values, pieces of text that are JSON already.
WEIR_KERNEL inline char* weir_json_write_raw(WeirOutput* output, char* to, const char* text,
                                             uint64_t size, uint64_t rest) {
  to = weir_json_room(output, to, size + rest);
  memcpy(to, text, size);
  return to + size;
}

WEIR_KERNEL inline char* weir_json_write_bytes(WeirOutput* output, char* to, const char* bytes,
                                               uint64_t size, uint64_t rest) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  to = weir_json_room(output, to, (size + 2) / 3 * 4 + 2 + rest);
  *to++ = '"';
  for (uint64_t i = 0; i < size; i += 3) {
    uint32_t three = uint32_t(uint8_t(bytes[i])) << 16;
    if (i + 1 < size) three |= uint32_t(uint8_t(bytes[i + 1])) << 8;
    if (i + 2 < size) three |= uint8_t(bytes[i + 2]);
    *to++ = kDigits[three >> 18];
    *to++ = kDigits[three >> 12 & 63];
    *to++ = i + 1 < size ? kDigits[three >> 6 & 63] : '=';
    *to++ = i + 2 < size ? kDigits[three & 63] : '=';
  }
  *to++ = '"';
  return to;
}

// Any value, from memory. Null: a float in it is not finite.
extern "C" char* weir_json_write(WeirOutput* output, char* to, const WeirJsonType* type,
                                 const char* from, uint64_t rest);
