// Panes: the state of a keyed operator in memory. One hash table for each pane (slice of time; a
// running group has the single pane 0), from canonical key bytes (key.h) to an accumulator. Lanes
// hold partial ones, shards final ones.
//
// Keys are compared exactly. An accumulator's address holds until its table grows: use it at once.
//
// The kernels here are inlined into stages; what they need outside (memory, new panes) comes
// through the function pointers in WeirPanes and WeirTable. pane_tables.h makes both, for the
// runtime.
#pragma once

#include "stdlib/engine/hash.h"
#include "stdlib/kernel.h"

// In front of every accumulator.
struct WeirGroupHeader {
  uint32_t changed;  // one bit per emission: changed since it last fired. An update sets all.
  WeirReason error;  // why this group has no result (overflow …), 0: fine
};

// Slots are `slot_bytes` apart, each begins like this, the accumulator follows:
//
//     | tag u64 | owner u64 | key: up to 16 bytes and zeros, or {data, size} | accumulator … |
//
// The tag is the table hash with its low five bits replaced by 1 + the key's size (a key of up to
// 16 bytes), or by 31; 0 is an empty slot.
struct WeirSlot {
  uint64_t tag;
  uint64_t owner;  // 0 when the group is new; the runtime's
  union {
    char inline_key[16];
    uint64_t words[2];
    WeirBytes long_key;  // in the table's `keys`
  };
};
static_assert(sizeof(WeirSlot) == 32);
inline constexpr uint64_t kTagSizeMask = 31;
inline constexpr uint64_t kInlineKeyBytes = 16;

struct WeirTable {
  char* slots;
  uint64_t mask;  // slots − 1; a power of two
  uint64_t count;
  uint64_t grow_at;  // count at which it grows
  int64_t pane;      // its start, microseconds
  WeirArena keys;    // long keys and the accumulators' texts
  struct WeirPanes* panes;
  void* owner;  // of whoever keeps the table: dirty lists, residency
};

inline constexpr uint64_t kPaneCacheSize = 8;

struct WeirPanes {
  uint32_t slot_bytes;   // a multiple of 16: sizeof(WeirSlot) + group_bytes
  uint32_t group_bytes;  // accumulator with header
  const char* group_initial;
  WeirTable*
      cached[kPaneCacheSize];  // by weir_pane_place; null or the table of some pane of that place
  int64_t pane_us;             // width; 0: one pane
  int64_t offset_us;
  uint64_t groups;  // in all tables
  uint64_t
      groups_max;  // the stage returns kStageFull behind the row with which `groups` passes this
  WeirTable* (*find_pane)(WeirPanes* panes, int64_t pane);  // finds or makes; fills `cached`
  void (*grow)(WeirTable* table);
  void* owner;
};

// Where in `cached` the table of a pane may stand.
WEIR_INLINE_KERNEL uint64_t weir_pane_place(int64_t pane) {
  return uint64_t(pane) * 0x9E3779B97F4A7C15ull >> 61;
}

WEIR_INLINE_KERNEL WeirTable* weir_panes_table(WeirPanes* panes, int64_t pane) {
  WeirTable* table = panes->cached[weir_pane_place(pane)];
  if (__builtin_expect(table == nullptr || table->pane != pane, 0))
    table = panes->find_pane(panes, pane);
  return table;
}

inline WeirSlot* weir_table_slot(const WeirTable* table, uint64_t index) {
  return reinterpret_cast<WeirSlot*>(table->slots + index * table->panes->slot_bytes);
}
WEIR_INLINE_KERNEL char* weir_slot_accumulator(WeirSlot* slot) {
  return reinterpret_cast<char*>(slot) + sizeof(WeirSlot);
}
// The key's bytes; those of a short key lie in the slot.
WEIR_INLINE_KERNEL WeirBytes weir_slot_key(const WeirSlot* slot) {
  uint64_t size = (slot->tag & kTagSizeMask) - 1;
  if (size <= kInlineKeyBytes) return {slot->inline_key, size};
  return slot->long_key;
}

// A key on its way into a table.
struct WeirProbe {
  uint64_t tag;
  uint64_t low, high;  // a short key's bytes; of a long one: its address, its size
};

namespace weir::stdlib {
// Row n keeps the first n bytes of two words.
struct KeyMask {
  uint64_t low, high;
};
inline constexpr auto kKeyMasks = [] {
  struct {
    KeyMask of[kInlineKeyBytes + 1];
  } masks{};
  for (uint64_t n = 0; n <= kInlineKeyBytes; n++) {
    masks.of[n].low = n >= 8 ? ~0ull : (1ull << 8 * n) - 1;
    masks.of[n].high = n >= 16 ? ~0ull : n <= 8 ? 0 : (1ull << 8 * (n - 8)) - 1;
  }
  return masks;
}();
}  // namespace weir::stdlib

// Reads up to 16 bytes behind the key's beginning, but never across a page that the key does not
// touch.
WEIR_OVERREAD inline WeirProbe weir_probe(const char* key, uint64_t size) {
  WeirProbe probe;
  if (__builtin_expect(size <= kInlineKeyBytes, 1)) {
    if (__builtin_expect((reinterpret_cast<uintptr_t>(key) & 4095) <= 4096 - kInlineKeyBytes, 1)) {
      probe.low = weir_load8(key) & weir::stdlib::kKeyMasks.of[size].low;
      probe.high = weir_load8(key + 8) & weir::stdlib::kKeyMasks.of[size].high;
    } else {
      uint64_t words[2] = {0, 0};
      for (uint64_t i = 0; i < size; i++) reinterpret_cast<char*>(words)[i] = key[i];
      probe.low = words[0];
      probe.high = words[1];
    }
    probe.tag = (weir_hash_words(probe.low, probe.high, size) & ~kTagSizeMask) | (size + 1);
  } else {
    probe.tag = weir_hash_long(key, size) | kTagSizeMask;
    probe.low = reinterpret_cast<uintptr_t>(key);
    probe.high = size;
  }
  return probe;
}

WEIR_INLINE_KERNEL bool weir_probe_matches(const WeirProbe* probe, const WeirSlot* slot) {
  if (slot->tag != probe->tag) return false;
  if (__builtin_expect((probe->tag & kTagSizeMask) != kTagSizeMask, 1)) {
    return ((slot->words[0] ^ probe->low) | (slot->words[1] ^ probe->high)) == 0;
  }
  return slot->long_key.size == probe->high &&
         memcmp(slot->long_key.data, reinterpret_cast<const char*>(probe->low), probe->high) == 0;
}

// Puts a key that is not there into its table. The accumulator is `group_initial`.
WEIR_KERNEL __attribute__((noinline)) inline char* weir_table_insert(WeirTable* table,
                                                                     const WeirProbe* probe) {
  WeirPanes* panes = table->panes;
  if (table->count >= table->grow_at) panes->grow(table);
  uint64_t index = probe->tag >> 5 & table->mask;
  while (weir_table_slot(table, index)->tag != 0) index = (index + 1) & table->mask;
  WeirSlot* slot = weir_table_slot(table, index);
  slot->tag = probe->tag;
  slot->owner = 0;
  if ((probe->tag & kTagSizeMask) != kTagSizeMask) {
    slot->words[0] = probe->low;
    slot->words[1] = probe->high;
  } else {
    char* copy = weir_arena_take(&table->keys, probe->high);
    memcpy(copy, reinterpret_cast<const char*>(probe->low), probe->high);
    slot->long_key = {copy, probe->high};
  }
  char* accumulator = weir_slot_accumulator(slot);
  memcpy(accumulator, panes->group_initial, panes->group_bytes);
  table->count++;
  panes->groups++;
  return accumulator;
}

// The accumulator of a key, new if it was not there.
WEIR_INLINE_KERNEL char* weir_table_upsert(WeirTable* table, const char* key, uint64_t size) {
  WeirProbe probe = weir_probe(key, size);
  uint64_t slot_bytes = table->panes->slot_bytes;
  for (uint64_t index = probe.tag >> 5 & table->mask;; index = (index + 1) & table->mask) {
    auto* slot = reinterpret_cast<WeirSlot*>(table->slots + index * slot_bytes);
    if (__builtin_expect(weir_probe_matches(&probe, slot), 1)) return weir_slot_accumulator(slot);
    if (slot->tag == 0) break;
  }
  return weir_table_insert(table, &probe);
}
WEIR_INLINE_KERNEL char* weir_panes_upsert(WeirPanes* panes, int64_t pane, const char* key,
                                           uint64_t size) {
  return weir_table_upsert(weir_panes_table(panes, pane), key, size);
}

// The slot of a key, or null.
WEIR_INLINE_KERNEL WeirSlot* weir_table_find(const WeirTable* table, const char* key,
                                             uint64_t size) {
  WeirProbe probe = weir_probe(key, size);
  for (uint64_t index = probe.tag >> 5 & table->mask;; index = (index + 1) & table->mask) {
    WeirSlot* slot = weir_table_slot(table, index);
    if (weir_probe_matches(&probe, slot)) return slot;
    if (slot->tag == 0) return nullptr;
  }
}

// Iteration: the first group at or behind `index`, which is then moved behind it; null at the end.
//
//     for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);) …
WEIR_INLINE_KERNEL WeirSlot* weir_table_next(const WeirTable* table, uint64_t* index) {
  while (*index <= table->mask) {
    WeirSlot* slot = weir_table_slot(table, (*index)++);
    if (slot->tag != 0) return slot;
  }
  return nullptr;
}

// A text that an accumulator keeps: copied to where it lives as long as the group.
WEIR_INLINE_KERNEL WeirBytes weir_keep_text(WeirArena* keys, const char* data, uint64_t size) {
  char* copy = weir_arena_take(keys, size);
  memcpy(copy, data, size);
  return {copy, size};
}
WEIR_INLINE_KERNEL WeirBytes weir_panes_keep_text(WeirPanes* panes, int64_t pane, const char* data,
                                                  uint64_t size) {
  return weir_keep_text(&weir_panes_table(panes, pane)->keys, data, size);
}
