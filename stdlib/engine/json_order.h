// JSON: the order of keys in an object, learned from the data.
//
// Producers write an object's keys in the same order again and again. So a decoder keeps, for each
// object that it reads, the exact bytes that stood between the values the last time it looked,
// white space included:
//
//     {"user_id":"u17","amount":12.5,"ts":1700000000000}
//     ^^^^^^^^^^^     ^^^^^^^^^^     ^^^^^^             ^        the texts of four steps
//
// One masked comparison per step says that the key is the expected one, and the step says what to
// do with its value (its *action*). Whatever does not match takes weir_json_key: find the key, look
// it up, go on with the step behind it. When that has happened often, the order is learned again
// from the object at hand. All of it lies in WeirStage::learned: zeroed memory is a valid order
// that matches nothing.
//
// Where no order holds, records that miss again and again leave a *streak*, and json_flat.h takes
// the next ones.
#pragma once

#include "stdlib/engine/json_scan.h"
#include "stdlib/engine/panes.h"

inline constexpr uint32_t kJsonEnd = 0;  // action: the object is closed
inline constexpr uint32_t kJsonSkip =
    0xFFFF;  // action: a key that nobody reads. Others: 1 + index of the key

// How long values of a key are, where they tend to be all the same (ids, timestamps): the CPU may
// then go on behind a value before it has found its end.
struct WeirJsonLength {
  uint16_t bytes;  // of the last one; 0: not known
  uint16_t wrong;  // how often that was not the next one's length: too often, and it is given up
};
inline constexpr uint16_t kJsonLengthWrongMax = 32;

inline constexpr uint32_t kJsonStepText = 64;
struct WeirJsonStep {
  char text[kJsonStepText];
  uint32_t free;  // a bit for each of the first 32 bytes that is not compared
  uint32_t size;  // of the text
  uint32_t action;
  WeirJsonLength length;  // of the value behind the text
};
static_assert(sizeof(WeirJsonStep) == 80);

// The keys of an object that somebody reads, a constant of the stage.
struct WeirJsonKeys {
  const WeirBytes* names;
  uint32_t count;
  uint32_t steps_max;  // capacity of the order
};

// A key as it is looked up: the first 16 bytes of it and of the quote behind it, then zeros.
struct WeirJsonKeyWords {
  uint64_t low, high;
};

//     | WeirJsonOrder | words: for no key, which never matches, and for each key | place: u16 for
//     each key | | index: u16, a power of two | steps, one more than steps_max |
struct WeirJsonOrder {
  uint32_t steps;         // learned
  uint32_t misses;        // since then
  uint32_t misses_max;    // … at which it learns again; doubles each time
  uint64_t seeds[2];      // of the keys' hash
  uint32_t index_shift;   // the hash's bits that are no place in `index`; 0: not filled yet
  uint32_t perfect;       // 1: no two keys share a place in `index`
  uint32_t streak;        // grows with each record that misses more than once
  uint32_t direct;        // 1: perfect, and no key has more bytes than its words
  const char* missed_in;  // the record of the last miss
  WeirJsonLength length;  // of values that were not expected
};
static_assert(sizeof(WeirJsonOrder) == 64);
inline constexpr uint32_t kJsonStreakLong = 16;

// What weir_json_key found: the value's first byte (behind the brace: the object has ended; null:
// malformed), and what to do there. `next` is the step to go on with.
struct WeirJsonFound {
  const char* value;
  uint32_t action;
  uint32_t next;
};

inline constexpr uint64_t weir_json_index_size(uint32_t keys) {
  uint64_t size = 4;
  while (size < 4ull * keys) size *= 2;
  return size;
}
inline constexpr uint64_t weir_json_steps_offset(uint32_t keys) {
  return (sizeof(WeirJsonOrder) + sizeof(WeirJsonKeyWords) * (keys + 1) +
          2 * (keys + weir_json_index_size(keys)) + 15) &
         ~uint64_t{15};
}
// How much of WeirStage::learned the order of an object takes.
inline constexpr uint64_t weir_json_order_bytes(uint32_t keys, uint32_t steps_max) {
  return weir_json_steps_offset(keys) + (steps_max + 1) * sizeof(WeirJsonStep);
}
inline WeirJsonStep* weir_json_steps(WeirJsonOrder* order, uint32_t keys) {
  return reinterpret_cast<WeirJsonStep*>(reinterpret_cast<char*>(order) +
                                         weir_json_steps_offset(keys));
}

inline WeirJsonKeyWords* weir_json_words(WeirJsonOrder* order) {
  return reinterpret_cast<WeirJsonKeyWords*>(order + 1);
}
inline uint16_t* weir_json_places(WeirJsonOrder* order, uint32_t keys) {
  return reinterpret_cast<uint16_t*>(weir_json_words(order) + keys + 1);
}

// A place in `index`: two multiplications that do not wait for each other, and their highest bits.
WEIR_JSON_KERNEL uint64_t weir_json_place(const WeirJsonOrder* order, uint64_t low, uint64_t high) {
  return (low * order->seeds[0] + high * order->seeds[1]) >> order->index_shift;
}

// 1 + the key's index, or 0. 15 bytes behind the key are readable.
extern "C" uint32_t weir_json_look_up(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                      const char* key, uint64_t size);

// The same for a key with a quote behind it, without branches on what the key is (keys in no order
// are not to be guessed), where `direct` says that this is enough. A quote ends a key: its size
// need not be compared.
WEIR_JSON_KERNEL uint32_t weir_json_lookup_direct(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                                  const char* key, uint64_t size) {
  const uint16_t* index = weir_json_places(order, keys->count) + keys->count;
  const weir::stdlib::KeyMask& mask = weir::stdlib::kKeyMasks.of[size < 15 ? size + 1 : 16];
  uint64_t low = weir_load8(key) & mask.low, high = weir_load8(key + 8) & mask.high;
  uint32_t k = index[weir_json_place(order, low, high)];
  const WeirJsonKeyWords& words = weir_json_words(order)[k];
  uint64_t differs = (words.low ^ low) | (words.high ^ high);
  return __builtin_unpredictable(differs != 0) ? 0 : k;
}

// The same for all orders.
WEIR_JSON_KERNEL uint32_t weir_json_lookup(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                           const char* key, uint64_t size) {
  if (__builtin_expect(order->perfect == 0, 0)) return weir_json_look_up(order, keys, key, size);
  uint32_t found = weir_json_lookup_direct(order, keys, key, size);
  if (__builtin_expect(size > 15, 0) && found != 0)
    return weir_json_look_up(order, keys, key, size);
  return found;
}

// Before a record: it is to be tried without its order.
WEIR_JSON_KERNEL bool weir_json_unordered(WeirJsonOrder* order) {
  if (__builtin_expect(order->streak == 0, 1)) return false;
  if (order->streak >= kJsonStreakLong) return true;
  order->streak--;
  return false;
}

// The text at `p` is the step's, and the record does not end in it. A step of zeros never matches:
// its size less one is beyond every record.
WEIR_JSON_KERNEL bool weir_json_step(const char* p, const char* end, const WeirJsonStep* step) {
  uint32_t equal = WEIR_MASK32(WEIR_LOAD32(p) == WEIR_LOAD32(step->text));
  if (__builtin_expect((equal | step->free) != ~0u || end - p <= int64_t(step->size - 1), 0))
    return false;
  if (__builtin_expect(step->size > 32, 0))
    return memcmp(p + 32, step->text + 32, step->size - 32) == 0;
  return true;
}

// `behind` is the end of the value at `p`: says so in a way that does not wait for `behind` where
// the length is as expected.
WEIR_JSON_KERNEL const char* weir_json_behind(const char* p, const char* behind,
                                              WeirJsonLength* length) {
  const char* expected = p + length->bytes;
  __asm__("" : "+r"(expected));  // else the compiler takes `behind`, which is the same
  if (__builtin_expect(behind == expected, 1)) return expected;
  if (__builtin_expect(length->wrong < kJsonLengthWrongMax, 0)) {
    auto bytes = uint64_t(behind - p);
    length->wrong++;
    length->bytes =
        uint16_t(length->wrong < kJsonLengthWrongMax && bytes <= UINT16_MAX ? bytes : 0);
  }
  return behind;
}

// The text at `p` is `text`, and the record does not end in it. `text` is a constant with zeros up
// to 32 bytes, or to 64 if it has more than 32.
WEIR_JSON_KERNEL bool weir_json_text(const char* p, const char* end, const char* text,
                                     uint32_t size) {
  if (__builtin_expect(end - p <= int64_t(size), 0)) return false;
  uint32_t equal = WEIR_MASK32(WEIR_LOAD32(p) == WEIR_LOAD32(text));
  if (size < 32) return __builtin_expect((equal | ~0u << size) == ~0u, 1);
  uint32_t rest = WEIR_MASK32(WEIR_LOAD32(p + size - 32) == WEIR_LOAD32(text + size - 32));
  return __builtin_expect((equal & rest) == ~0u, 1);
}

// The key at `p` is not the expected one, or nothing is expected. `p` is behind a value, or
// (`begin`) at the object's first byte; `now` is the step that did not match. Learns when it is
// time.
extern "C" WeirJsonFound weir_json_key(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                       const char* p, const char* begin, const char* end,
                                       const WeirJsonStep* now);
