// Canonical key bytes, version 1: what groups are found by, sharded by, stored and sent under.
// Fixed for ever: state on disk and changelogs hold them. Comparing the bytes orders keys as
// comparing their values does.
//
// The components stand one behind the other, each by its type:
//
//     T?                     byte 0: null, nothing follows · byte 1 and the value
//     bool                   0 or 1
//     int8 … int64, date, timestamp, duration      big endian, sign bit flipped
//     uint8 … uint64         big endian
//     float32, float64       one NaN, −0 as 0; then big endian, all bits flipped if negative, else
//     the sign bit decimal(p, s)          unscaled, 8 bytes (p ≤ 18) or 16, big endian, sign bit
//     flipped; the scale is in the type uuid                   its 16 bytes string, bytes, json,
//     enum (its text on the wire)
//       as last component    as they are
//       else                 byte 0 as 00 FF, the others as they are, then 00 00
//
// A key of one text is that text. Numbers are written by codegen/key.cpp; these are the texts in
// front of others.
#pragma once

#include "stdlib/kernel.h"

inline constexpr uint32_t kKeyVersion = 1;

// Writes at most 2 · size + 2 bytes; the position behind them.
WEIR_KERNEL inline char* weir_key_put_text(char* to, const char* text, uint64_t size) {
  for (uint64_t i = 0; i < size; i++) {
    *to++ = text[i];
    if (text[i] == 0) *to++ = char(0xFF);
  }
  *to++ = 0;
  *to++ = 0;
  return to;
}

// Reads what weir_key_put_text wrote: the text, in place if it holds no byte 0, else in the arena;
// the position behind.
WEIR_KERNEL inline const char* weir_key_take_text(WeirArena* arena, const char* from,
                                                  const char* end, WeirBytes* text) {
  const char* at = from;
  uint64_t zeros = 0;
  for (; end - at >= 2; at++) {
    if (*at != 0) continue;
    if (at[1] == 0) break;
    zeros++;
    at++;
  }
  if (end - at < 2) at = end;
  *text = {from, uint64_t(at - from)};
  if (zeros > 0) {
    char* to = weir_arena_take(arena, text->size);
    text->size -= zeros;
    text->data = to;
    for (const char* p = from; p < at; p++) {
      *to++ = *p;
      if (*p == 0) p++;
    }
  }
  return end - at < 2 ? end : at + 2;
}
