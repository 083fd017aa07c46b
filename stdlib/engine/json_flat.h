// JSON: records whose keys come in no order that could be learned.
//
// Following the text from key to key, every record is a chain of wrong guesses. Here all bytes are
// classified first, 64 at a time, without a branch; the bits then say where each key and each value
// begins, and the keys are looked up independently of each other. What comes out are the values'
// places, in the stage's own order of keys: the code behind runs the same way for each record.
//
// That is for records without white space, escapes, or brackets inside. For such a one nothing is
// weaker than step by step: whatever passes here is what json_scan.h accepts.
#pragma once

#include "stdlib/engine/json_order.h"

inline constexpr uint32_t kJsonFlatBytes = 2048;
inline constexpr uint32_t kJsonFlatKeys = 128;  // in the record, whether somebody reads them or not

namespace weir::stdlib {
// Appends the positions of `bits` to `to`, eight at a time: there is room for seven more.
__attribute__((always_inline)) inline uint32_t json_positions(uint64_t bits, uint32_t base,
                                                              uint16_t* to, uint32_t count) {
  uint32_t behind = count + uint32_t(__builtin_popcountll(bits));
  do {
    for (uint32_t i = 0; i < 8; i++) {
      to[count + i] = uint16_t(base + uint32_t(bits == 0 ? 64 : __builtin_ctzll(bits)));
      bits &= bits - 1;
    }
    count += 8;
  } while (__builtin_expect(count < behind, 0));
  return behind;
}
// The record's members, from the last one on (of a key that stands twice the first counts): where
// their values are. `marks` are, in turn, what is before a key and what is behind it. Not 0: that
// is not a colon.
template <bool kDirect>
__attribute__((always_inline)) inline uint32_t json_values(WeirJsonOrder* order,
                                                           const WeirJsonKeys* keys,
                                                           const char* begin, const uint16_t* marks,
                                                           uint32_t members, const char** values) {
  uint32_t wrong = 0;
  for (const uint16_t* at = marks + 2 * members; at != marks; at -= 2) {
    uint32_t start = at[-2], colon = at[-1];
    wrong |= uint32_t(uint8_t(begin[colon]) ^ ':');
    const char* key = begin + start + 2;
    uint64_t size = uint64_t(colon) - start - 3;
    uint32_t k = kDirect ? weir_json_lookup_direct(order, keys, key, size)
                         : weir_json_lookup(order, keys, key, size);
    values[k] = begin + colon + 1;
  }
  return wrong;
}
}  // namespace weir::stdlib

// The values of the record at `begin`: values[1 + k] is where that of key k begins, null if it is
// not there. The place behind is the record's end; values[0] is for what nobody reads. All are null
// before. False: not such a record, or it is time to learn again.
extern "C" __attribute__((used, noinline, no_sanitize("address"))) inline bool weir_json_flat(
    WeirJsonOrder* order, const WeirJsonKeys* keys, const char* begin, const char* end,
    const char** values) {
  const char* last = end;
  while (last > begin && weir_json_is_space(last[-1])) last--;
  auto size = uint64_t(last - begin);
  if (size < 2 || size > kJsonFlatBytes || order->misses >= order->misses_max) {
    order->streak = 0;
    return false;
  }
  order->misses++;

  // The brace, then commas and colons outside of strings: in turn, as it turns out.
  uint16_t marks[2 * kJsonFlatKeys + 8];
  marks[0] = 0;
  uint32_t count = 1, members = 0;
  uint64_t inside = 0;      // all ones: the block before ended in a string
  uint64_t was_mark = 1;    // … with a mark (bit 0)
  uint64_t was_comma = 1;   // … with a mark before a key
  uint64_t was_closed = 0;  // … with a closing quote
  uint64_t wrong =
      uint64_t(begin[0] != '{') | uint64_t(last[-1] != '}') | uint64_t(last[-2] == ':');
  auto inner = uint32_t(size - 2);  // bytes between the braces
  for (uint32_t at = 0; at < inner; at += 64) {
    uint64_t there = inner - at >= 64 ? ~0ull : (1ull << (inner - at)) - 1;
    WeirVector64 bytes = WEIR_LOAD64(begin + 1 + at);
    uint64_t quotes = WEIR_MASK64(bytes == '"') & there;
    uint64_t strings = quotes;  // from each opening quote to before the closing one
    for (uint32_t by = 1; by < 64; by *= 2) strings ^= strings << by;
    strings ^= inside;
    inside = uint64_t(int64_t(strings) >> 63);
    uint64_t outside = there & ~strings;
    uint64_t colons = WEIR_MASK64(bytes == ':') & outside;
    uint64_t commas = WEIR_MASK64(bytes == ',') & outside;
    uint64_t mark = colons | commas;
    // Brackets, and some letters that begin no value.
    wrong |= WEIR_MASK64(((bytes | 0x26) == 0x7F) | (bytes <= ' ')) & outside;
    wrong |= WEIR_MASK64(bytes == '\\') & there;
    uint64_t opened = quotes & strings, closed = quotes & ~strings;
    uint64_t behind_mark = mark << 1 | was_mark;
    wrong |= behind_mark & mark;                           // nothing between two
    wrong |= opened & ~behind_mark;                        // a string within a value
    wrong |= (closed << 1 | was_closed) & there & ~mark;   // something behind a string
    wrong |= (commas << 1 | was_comma) & there & ~quotes;  // a key that is no string
    was_mark = mark >> 63;
    was_comma = commas >> 63;
    was_closed = closed >> 63;
    members += uint32_t(__builtin_popcountll(colons));
    if (__builtin_expect(count + uint32_t(__builtin_popcountll(mark)) > 2 * kJsonFlatKeys, 0)) {
      order->streak = 0;
      return false;
    }
    count = weir::stdlib::json_positions(mark, at + 1, marks, count);
  }
  // Each member has a colon; commas are between them, and the brace before.
  wrong |= inside | uint64_t(count != 2 * members);
  if (__builtin_expect(wrong != 0, 0)) {
    order->streak = 0;
    return false;
  }
  wrong = order->direct != 0
              ? weir::stdlib::json_values<true>(order, keys, begin, marks, members, values)
              : weir::stdlib::json_values<false>(order, keys, begin, marks, members, values);
  if (__builtin_expect(wrong != 0, 0)) {
    for (uint32_t k = 1; k <= keys->count; k++) values[k] = nullptr;
    order->streak = 0;
    return false;
  }
  values[keys->count + 1] = end;
  return true;
}

// The first value at or behind place `at`; `next` is the place behind it.
WEIR_JSON_KERNEL WeirJsonFound weir_json_flat_next(const WeirJsonKeys* keys,
                                                   const char* const* values, uint32_t at) {
  while (values[at] == nullptr) at++;
  return {values[at], at > keys->count ? kJsonEnd : at, at + 1};
}
