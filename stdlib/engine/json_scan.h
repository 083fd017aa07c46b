// JSON: finding where values end, without reading them.
//
// `structural` validation is what these functions check: strings are closed, brackets nest, every
// value is delimited. A skipped string may hold any byte, a skipped number any text without a
// delimiter; commas and colons inside a skipped object or array are not looked at.
//
// Positions: functions take the position of a value's first byte and return the one behind it, or
// null: malformed. The position may be up to kJsonOverrun bytes behind `end` if the value is not
// closed: whoever goes on compares with `end` first (weir_json_step and weir_json_key do). Up to
// kJsonPadding bytes behind `end` are read: weir_json_begin sees to it that they are there.
#pragma once

#include "stdlib/engine/hash.h"
#include "stdlib/kernel.h"

// Kernels that read behind the end of a record, on the same page: not for the address sanitizer.
#define WEIR_JSON_KERNEL \
  extern "C" __attribute__((used, always_inline, no_sanitize("address"))) inline
#define WEIR_JSON_OVERREAD __attribute__((no_sanitize("address")))
#define WEIR_JSON_NATIVE   extern "C" WEIR_JSON_OVERREAD
#define WEIR_JSON_COLD_KERNEL \
  extern "C" __attribute__((used, noinline, no_sanitize("address"))) inline

inline constexpr uint64_t kJsonPadding = 128;
inline constexpr uint64_t kJsonOverrun = 72;
inline constexpr uint32_t kJsonDepthMax = 1024;

using WeirVector64 = uint8_t __attribute__((ext_vector_type(64)));
using WeirBits64 = bool __attribute__((ext_vector_type(64)));
using WeirVector32 = uint8_t __attribute__((ext_vector_type(32)));
using WeirSigned32 = int8_t __attribute__((ext_vector_type(32)));
using WeirBits32 = bool __attribute__((ext_vector_type(32)));
using WeirVector16 = uint8_t __attribute__((ext_vector_type(16)));
using WeirBits16 = bool __attribute__((ext_vector_type(16)));

// Where such a vector lies in a text.
struct __attribute__((packed, may_alias)) WeirLoose64 {
  WeirVector64 bytes;
};
struct __attribute__((packed, may_alias)) WeirLoose32 {
  WeirVector32 bytes;
};
struct __attribute__((packed, may_alias)) WeirLoose16 {
  WeirVector16 bytes;
};
// Macros, as vectors as results of functions have no ABI on the baseline CPU.
#define WEIR_LOAD64(at) (reinterpret_cast<const WeirLoose64*>(at)->bytes)
#define WEIR_LOAD32(at) (reinterpret_cast<const WeirLoose32*>(at)->bytes)
#define WEIR_LOAD16(at) (reinterpret_cast<const WeirLoose16*>(at)->bytes)
// One bit for each lane whose comparison was true.
#define WEIR_MASK64(comparison) \
  __builtin_bit_cast(uint64_t, __builtin_convertvector((comparison), WeirBits64))
#define WEIR_MASK32(comparison) \
  __builtin_bit_cast(uint32_t, __builtin_convertvector((comparison), WeirBits32))
#define WEIR_MASK16(comparison) \
  __builtin_bit_cast(uint16_t, __builtin_convertvector((comparison), WeirBits16))

// The record's first byte, on memory that may be read from 16 bytes before to kJsonPadding bytes
// behind it: a record too close to its page's edges is copied to the arena.
WEIR_JSON_COLD_KERNEL const char* weir_json_move(WeirArena* arena, const char* data,
                                                 uint64_t size) {
  char* copy = weir_arena_take(arena, size + kJsonPadding + 16) + 16;
  memcpy(copy, data, size);
  memset(copy + size, 0, kJsonPadding);
  return copy;
}
WEIR_JSON_KERNEL const char* weir_json_begin(WeirArena* arena, const char* data, uint64_t size) {
  uint64_t last = reinterpret_cast<uintptr_t>(data) + size - 1;
  if (__builtin_expect((last & 4095) >= 4096 - kJsonPadding, 0))
    return weir_json_move(arena, data, size);
  return data;
}

inline bool weir_json_is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline bool weir_json_is_delimiter(char c) {
  return c == ',' || c == '}' || c == ']' || weir_json_is_space(c);
}

inline bool weir_json_is_null(const char* p, const char* end) {
  return end - p >= 4 && memcmp(p, "null", 4) == 0 &&
         (end - p == 4 || weir_json_is_delimiter(p[4]));
}

// A comma or a closing brace, without a guess which.
WEIR_JSON_KERNEL bool weir_json_ends(char c) {
  return uint32_t(uint8_t(c) ^ ',') * uint32_t(uint8_t(c) ^ '}') == 0;
}

// The first position at or behind `p` that is not white space, or `end`.
WEIR_JSON_KERNEL const char* weir_json_space(const char* p, const char* end) {
  while (p < end && weir_json_is_space(*p)) p++;
  return p;
}

// `p` is behind the opening quote or at an escape: finds the closing quote.
WEIR_JSON_COLD_KERNEL const char* weir_json_skip_escapes(const char* p, const char* end) {
  while (p < end) {
    WeirVector32 bytes = WEIR_LOAD32(p);
    uint32_t found = WEIR_MASK32((bytes == '"') | (bytes == '\\'));
    if (found == 0) {
      p += 32;
      continue;
    }
    p += __builtin_ctz(found);
    if (*p == '"') return p < end ? p + 1 : nullptr;
    p += 2;
  }
  return nullptr;
}

// `p` is at the opening quote.
WEIR_JSON_KERNEL const char* weir_json_skip_string(const char* p, const char* end) {
  const char* at = p + 1;
  do {
    WeirVector64 bytes = WEIR_LOAD64(at);
    uint64_t found = WEIR_MASK64((bytes == '"') | (bytes == '\\'));
    if (__builtin_expect(found != 0, 1)) {
      at += __builtin_ctzll(found);
      if (__builtin_expect(*at == '"', 1)) return at + 1;
      return weir_json_skip_escapes(at, end);
    }
    at += 64;
  } while (at < end);
  return nullptr;
}

// White space where a value was expected: more of it than the last time (json_order.h).
WEIR_JSON_COLD_KERNEL const char* weir_json_skip_spaced(const char* p, const char* end);

// A number, true, false, null, or anything else that has no quotes or brackets around it.
WEIR_JSON_KERNEL const char* weir_json_skip_scalar(const char* p, const char* end) {
  const char* at = p;
  do {
    WeirVector32 bytes = WEIR_LOAD32(at);
    // ] and } differ in one bit only.
    uint32_t found =
        WEIR_MASK32((bytes == ',') | ((bytes | 0x20) == '}') | (bytes == ' ') | (bytes == '\n') |
                    (bytes == '\r') | (bytes == '\t') | (bytes == '"') | ((bytes | 0x20) == '{'));
    if (__builtin_expect(found != 0, 1)) {
      at += __builtin_ctz(found);
      if (__builtin_expect(at != p && weir_json_is_delimiter(*at), 1)) return at;
      return at == p && weir_json_is_space(*at) ? weir_json_skip_spaced(p, end) : nullptr;
    }
    at += 32;
  } while (at < end);
  return nullptr;
}

// An object or array. Brackets are kept as one bit each.
WEIR_JSON_COLD_KERNEL const char* weir_json_skip_nested(const char* p, const char* end) {
  uint64_t kinds[kJsonDepthMax / 64];
  uint32_t depth = 0;
  while (p < end) {
    WeirVector32 bytes = WEIR_LOAD32(p);
    uint32_t found =
        WEIR_MASK32((bytes == '"') | ((bytes | 0x20) == '{') | ((bytes | 0x20) == '}'));
    const char* block = p;
    p += 32;
    while (found != 0) {
      const char* at = block + __builtin_ctz(found);
      found &= found - 1;
      if (at >= end) return nullptr;
      if (*at == '"') {
        const char* behind = weir_json_skip_string(at, end);
        if (behind == nullptr) return nullptr;
        if (behind - block >= 32) {
          p = behind;
          break;
        }
        found &= ~0u << (behind - block);
        continue;
      }
      uint64_t square = *at == '[' || *at == ']';
      if (*at == '[' || *at == '{') {
        if (depth == kJsonDepthMax) return nullptr;
        uint64_t& word = kinds[depth / 64];
        word = (word & ~(1ull << depth % 64)) | square << depth % 64;
        depth++;
      } else {
        depth--;  // never below 0: `p` began at an opening bracket, and the last closing one
                  // returns
        if ((kinds[depth / 64] >> depth % 64 & 1) != square) return nullptr;
        if (depth == 0) return at + 1;
      }
    }
  }
  return nullptr;
}

WEIR_JSON_KERNEL const char* weir_json_skip(const char* p, const char* end) {
  if (*p == '"') return weir_json_skip_string(p, end);
  if (__builtin_expect((*p | 0x20) == '{', 0)) return weir_json_skip_nested(p, end);
  return weir_json_skip_scalar(p, end);
}

WEIR_JSON_COLD_KERNEL const char* weir_json_skip_spaced(const char* p, const char* end) {
  p = weir_json_space(p, end);
  return p < end ? weir_json_skip(p, end) : nullptr;
}
