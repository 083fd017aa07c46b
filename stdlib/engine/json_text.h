// JSON strings, as values: slices of the record where they can be, else put together in an arena.
#pragma once

#include "stdlib/engine/json_scan.h"
#include "stdlib/reasons.h"

inline constexpr WeirReason kJsonNull = 1;  // the value is `null`: for the caller to judge

// UTF-8: no surrogates, nothing overlong, nothing beyond U+10FFFF.
extern "C" bool weir_utf8_valid(const char* data, uint64_t size);

// Four hexadecimal digits, or −1.
int32_t weir_hex4(const char* p, const char* end);

// Resolves the escapes of [from, closing) into `to`, which has room for as many bytes; the size, or
// −1: a broken escape, half a surrogate pair, or a control character.
extern "C" int64_t weir_json_unescape(const char* from, const char* closing, char* to);

// Any string: checks UTF-8 and escapes. `p` is at its opening quote. Returns the position behind
// it; null: malformed.
extern "C" const char* weir_json_read_string(const char* p, const char* end, WeirArena* arena,
                                             WeirBytes* text, WeirReason* reason);

// The string at `p`, if it is one of plain ASCII without escapes, as a slice. Null: look closer.
WEIR_JSON_KERNEL const char* weir_json_plain_string(const char* p, const char* end,
                                                    WeirBytes* text) {
  if (__builtin_expect(*p != '"', 0)) return nullptr;
  const char* at = p + 1;
  do {
    WeirVector32 bytes = WEIR_LOAD32(at);
    // As signed bytes, control characters and everything that is not ASCII are below the space.
    uint32_t found =
        WEIR_MASK32((bytes == '"') | (bytes == '\\') | (WeirSigned32(bytes) < int8_t(' ')));
    if (__builtin_expect(found != 0, 1)) {
      at += __builtin_ctz(found);
      if (__builtin_expect(*at != '"', 0)) return nullptr;
      *text = {p + 1, uint64_t(at - p - 1)};
      return at + 1;
    }
    at += 32;
  } while (at < end);
  return nullptr;
}
