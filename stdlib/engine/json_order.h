// JSON: the order of keys in an object, learned from the data.
//
// Producers write an object's keys in the same order again and again. So a decoder keeps, for each object that it reads, the
// exact bytes that stood between the values the last time it looked, white space included:
//
//     {"user_id":"u17","amount":12.5,"ts":1700000000000}
//     ^^^^^^^^^^^     ^^^^^^^^^^     ^^^^^^             ^        the texts of four steps
//
// One masked comparison per step says that the key is the expected one, and the step says what to do with its value
// (its *action*). Whatever does not match takes weir_json_key: find the key, look it up, go on with the step behind it. When
// that has happened often, the order is learned again from the object at hand. All of it lies in WeirStage::learned:
// zeroed memory is a valid order that matches nothing.
#pragma once

#include "stdlib/engine/json_scan.h"
#include "stdlib/engine/json_text.h"

inline constexpr uint32_t kJsonEnd = 0;           // action: the object is closed
inline constexpr uint32_t kJsonSkip = 0xFFFF;     // action: a key that nobody reads. Others: 1 + index of the key

inline constexpr uint32_t kJsonStepText = 64;
struct WeirJsonStep {
  char text[kJsonStepText];
  uint32_t free;          // a bit for each of the first 32 bytes that is not compared
  uint32_t size;          // of the text
  uint32_t action;
  uint32_t reserved;
};
static_assert(sizeof(WeirJsonStep) == 80);

// The keys of an object that somebody reads, a constant of the stage.
struct WeirJsonKeys {
  const WeirBytes* names;
  uint32_t count;
  uint32_t steps_max;     // capacity of the order
};

//     | WeirJsonOrder | place: u16 for each key | index: u16, a power of two | steps, one more than steps_max |
struct WeirJsonOrder {
  uint32_t steps;         // learned
  uint32_t misses;        // since then
  uint32_t misses_max;    // … at which it learns again; doubles each time
  uint32_t indexed;       // 1: `index` is filled
  uint64_t reserved[2];
};
static_assert(sizeof(WeirJsonOrder) == 32);

// What weir_json_key found: the value's first byte (behind the brace: the object has ended; null: malformed), and
// what to do there. `next` is the step to go on with.
struct WeirJsonFound {
  const char* value;
  uint32_t action;
  uint32_t next;
};

inline constexpr uint64_t weir_json_index_size(uint32_t keys) {
  uint64_t size = 4;
  while (size < 2ull * keys) size *= 2;
  return size;
}
inline constexpr uint64_t weir_json_steps_offset(uint32_t keys) {
  return (sizeof(WeirJsonOrder) + 2 * (keys + weir_json_index_size(keys)) + 15) & ~uint64_t{15};
}
// How much of WeirStage::learned the order of an object takes.
inline constexpr uint64_t weir_json_order_bytes(uint32_t keys, uint32_t steps_max) {
  return weir_json_steps_offset(keys) + (steps_max + 1) * sizeof(WeirJsonStep);
}
inline uint16_t* weir_json_places(WeirJsonOrder* order) { return reinterpret_cast<uint16_t*>(order + 1); }
inline WeirJsonStep* weir_json_steps(WeirJsonOrder* order, uint32_t keys) {
  return reinterpret_cast<WeirJsonStep*>(reinterpret_cast<char*>(order) + weir_json_steps_offset(keys));
}

// The text at `p` is the step's. (A step of zeros matches 32 zero bytes, which end the object there: malformed.)
WEIR_JSON_KERNEL bool weir_json_step(const char* p, const char* end, const WeirJsonStep* step) {
  uint32_t equal = WEIR_MASK32(WEIR_LOAD32(p) == WEIR_LOAD32(step->text));
  if (__builtin_expect((equal | step->free) != ~0u || end - p < int64_t(step->size), 0)) return false;
  if (__builtin_expect(step->size > 32, 0)) return memcmp(p + 32, step->text + 32, step->size - 32) == 0;
  return true;
}

// Mixes size, first and last bytes.
inline uint32_t weir_json_key_hash(const char* key, uint64_t size) {
  uint64_t first = 0, last = 0;
  if (size >= 8) {
    first = weir_load8(key);
    last = weir_load8(key + size - 8);
  } else {
    for (uint64_t i = 0; i < size; i++) first |= uint64_t(uint8_t(key[i])) << 8 * i;
  }
  return uint32_t(weir_hash_words(first, last, size));
}

// 1 + the key's index, or kJsonSkip.
WEIR_JSON_COLD_KERNEL uint32_t weir_json_lookup(WeirJsonOrder* order, const WeirJsonKeys* keys, const char* key,
                                                uint64_t size) {
  uint16_t* index = weir_json_places(order) + keys->count;
  uint32_t mask = uint32_t(weir_json_index_size(keys->count) - 1);
  if (__builtin_expect(order->indexed == 0, 0)) {
    for (uint32_t k = 0; k < keys->count; k++) {
      uint32_t at = weir_json_key_hash(keys->names[k].data, keys->names[k].size) & mask;
      while (index[at] != 0) at = (at + 1) & mask;
      index[at] = uint16_t(k + 1);
    }
    order->indexed = 1;
  }
  for (uint32_t at = weir_json_key_hash(key, size) & mask; index[at] != 0; at = (at + 1) & mask) {
    const WeirBytes& name = keys->names[index[at] - 1];
    if (name.size == size && memcmp(name.data, key, size) == 0) return index[at];
  }
  return kJsonSkip;
}

// A key with escapes is compared by what it means, if that has up to so many bytes.
inline constexpr uint64_t kJsonEscapedKeyBytes = 256;

// Between values: `p` is behind a value, or at the object's first byte. Finds the next key and its value; does not learn.
WEIR_JSON_COLD_KERNEL WeirJsonFound weir_json_find_key(WeirJsonOrder* order, const WeirJsonKeys* keys, const char* p,
                                                       bool first, const char* end) {
  constexpr WeirJsonFound malformed{nullptr, kJsonEnd, 0};
  p = weir_json_space(p, end);
  if (p >= end) return malformed;
  if (first) {
    if (*p != '{') return malformed;
    p = weir_json_space(p + 1, end);
    if (p < end && *p == '}') return {p + 1, kJsonEnd, 0};
  } else {
    if (*p == '}') return {p + 1, kJsonEnd, 0};
    if (*p != ',') return malformed;
    p = weir_json_space(p + 1, end);
  }
  if (p >= end || *p != '"') return malformed;
  const char* behind = weir_json_skip_string(p, end);
  if (behind == nullptr || behind >= end) return malformed;
  const char* key = p + 1;
  uint64_t size = uint64_t(behind - 1 - key);
  p = behind;
  if (__builtin_expect(*p != ':', 0)) {
    p = weir_json_space(p, end);
    if (p >= end || *p != ':') return malformed;
  }
  p++;
  if (__builtin_expect(p >= end || uint8_t(*p) <= ' ', 0)) {
    p = weir_json_space(p, end);
    if (p >= end) return malformed;
  }
  uint32_t action;
  if (__builtin_expect(memchr(key, '\\', size) != nullptr, 0)) {
    char plain[kJsonEscapedKeyBytes];
    int64_t plain_size = size > sizeof plain ? -1 : weir_json_unescape(key, behind - 1, plain);
    action = plain_size < 0 ? kJsonSkip : weir_json_lookup(order, keys, plain, uint64_t(plain_size));
  } else {
    action = weir_json_lookup(order, keys, key, size);
  }
  return {p, action, 0};
}

// Takes the order of the object at `begin`. Keys beyond the capacity, or with a text that is too long, end it.
WEIR_JSON_COLD_KERNEL void weir_json_learn(WeirJsonOrder* order, const WeirJsonKeys* keys, const char* begin,
                                           const char* end) {
  WeirJsonStep* steps = weir_json_steps(order, keys->count);
  uint16_t* place = weir_json_places(order);
  memset(steps, 0, keys->steps_max * sizeof(WeirJsonStep));
  for (uint32_t k = 0; k < keys->count; k++) place[k] = 0xFFFF;
  order->steps = 0;
  const char* p = begin;
  while (order->steps < keys->steps_max) {
    WeirJsonFound found = weir_json_find_key(order, keys, p, p == begin, end);
    if (found.value == nullptr) break;
    const char* text_end = found.value;
    // What stands behind the record, a line's end perhaps, belongs to the last text.
    if (found.action == kJsonEnd && weir_json_space(text_end, end) == end) text_end = end;
    uint64_t size = uint64_t(text_end - p);
    if (size > kJsonStepText) break;
    WeirJsonStep& step = steps[order->steps];
    memcpy(step.text, p, size);
    step.free = size >= 32 ? 0 : ~0u << size;
    step.size = uint32_t(size);
    step.action = found.action;
    if (found.action - 1 < keys->count && place[found.action - 1] == 0xFFFF) place[found.action - 1] = uint16_t(order->steps);
    order->steps++;
    if (found.action == kJsonEnd) break;
    p = weir_json_skip(found.value, end);
    if (p == nullptr || p >= end) break;
  }
}

// The key at `p` is not the expected one, or nothing is expected. `now` is the step that did not match.
WEIR_JSON_COLD_KERNEL WeirJsonFound weir_json_key(WeirJsonOrder* order, const WeirJsonKeys* keys, const char* p,
                                                  const char* begin, const char* end, const WeirJsonStep* now) {
  if (++order->misses > order->misses_max) {
    weir_json_learn(order, keys, begin, end);
    order->misses = 0;
    order->misses_max = order->misses_max == 0 ? 16 : order->misses_max < 4096 ? order->misses_max * 2 : 4096;
  }
  WeirJsonFound found = weir_json_find_key(order, keys, p, p == begin, end);
  found.next = uint32_t(now - weir_json_steps(order, keys->count));
  if (found.action - 1 < keys->count) {
    uint32_t place = weir_json_places(order)[found.action - 1];
    if (place != 0xFFFF) found.next = place + 1;
  }
  return found;
}
