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

//     | WeirJsonOrder | words: 16 bytes for each key | place: u16 for each key | index: u16, a power of two | steps, one more than steps_max |
struct WeirJsonOrder {
  uint32_t steps;         // learned
  uint32_t misses;        // since then
  uint32_t misses_max;    // … at which it learns again; doubles each time
  uint32_t index_mask;    // of `index`; 0: not filled yet
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
  return (sizeof(WeirJsonOrder) + 16 * keys + 2 * (keys + weir_json_index_size(keys)) + 15) & ~uint64_t{15};
}
// How much of WeirStage::learned the order of an object takes.
inline constexpr uint64_t weir_json_order_bytes(uint32_t keys, uint32_t steps_max) {
  return weir_json_steps_offset(keys) + (steps_max + 1) * sizeof(WeirJsonStep);
}
inline WeirJsonStep* weir_json_steps(WeirJsonOrder* order, uint32_t keys) {
  return reinterpret_cast<WeirJsonStep*>(reinterpret_cast<char*>(order) + weir_json_steps_offset(keys));
}

// The text at `p` is the step's, and the record does not end in it. A step of zeros never matches: its size less one is
// beyond every record.
WEIR_JSON_KERNEL bool weir_json_step(const char* p, const char* end, const WeirJsonStep* step) {
  uint32_t equal = WEIR_MASK32(WEIR_LOAD32(p) == WEIR_LOAD32(step->text));
  if (__builtin_expect((equal | step->free) != ~0u || end - p <= int64_t(step->size - 1), 0)) return false;
  if (__builtin_expect(step->size > 32, 0)) return memcmp(p + 32, step->text + 32, step->size - 32) == 0;
  return true;
}

// The key at `p` is not the expected one, or nothing is expected. `p` is behind a value, or (`begin`) at the object's first
// byte; `now` is the step that did not match. Learns when it is time.
extern "C" WeirJsonFound weir_json_key(WeirJsonOrder* order, const WeirJsonKeys* keys, const char* p, const char* begin,
                                       const char* end, const WeirJsonStep* now);
