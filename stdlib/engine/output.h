// What a stage hands to a sink: encoded records, one behind the other, in memory that grows.
//
//     | key_size u32 (kNoKey: none) | value_size u32 (kNoKey: none) | event_time i64 µs | key … |
//     value … | padding to 8 |
//
// A stage begins a record, appends key and value bytes, and ends it; a record that fails is taken
// back.
#pragma once

#include "stdlib/kernel.h"

inline constexpr uint32_t kNoKey = ~0u;

struct WeirOutput {
  char* data;
  uint64_t size;  // of complete records
  uint64_t capacity;
  char* at;          // write position in the record that has begun
  uint64_t records;  // complete ones
  bool (*grow)(WeirOutput* output,
               uint64_t more);  // makes room for `more` bytes behind `at`; moves `data` and `at`
  void* owner;
  uint64_t bytes_max;  // the stage returns kStageFull behind the row with which `size` passes this
};

struct WeirOutputHeader {
  uint32_t key_size;
  uint32_t value_size;
  int64_t event_time;
};

WEIR_INLINE_KERNEL char* weir_output_room(WeirOutput* output, uint64_t more) {
  if (__builtin_expect(uint64_t(output->data + output->capacity - output->at) < more, 0)) {
    if (!output->grow(output, more)) __builtin_trap();
  }
  return output->at;
}

WEIR_INLINE_KERNEL void weir_output_begin(WeirOutput* output, int64_t event_time) {
  output->at = output->data + output->size;
  auto* header =
      reinterpret_cast<WeirOutputHeader*>(weir_output_room(output, sizeof(WeirOutputHeader)));
  header->key_size = kNoKey;
  header->value_size = 0;
  header->event_time = event_time;
  output->at += sizeof(WeirOutputHeader);
}

// Behind the key's bytes (leave it out: no key).
WEIR_INLINE_KERNEL void weir_output_key_done(WeirOutput* output) {
  char* record = output->data + output->size;
  reinterpret_cast<WeirOutputHeader*>(record)->key_size =
      uint32_t(output->at - record - sizeof(WeirOutputHeader));
}

WEIR_INLINE_KERNEL void weir_output_end(WeirOutput* output) {
  char* record = output->data + output->size;
  auto* header = reinterpret_cast<WeirOutputHeader*>(record);
  uint64_t key = header->key_size == kNoKey ? 0 : header->key_size;
  header->value_size = uint32_t(output->at - record - sizeof(WeirOutputHeader) - key);
  uint64_t taken = (uint64_t(output->at - record) + 7) & ~uint64_t{7};
  weir_output_room(output, 8);
  output->size += taken;
  output->records++;
}
