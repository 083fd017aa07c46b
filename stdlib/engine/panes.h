// Panes: the state of a keyed operator in memory. One hash table for each pane (slice of time; a running group has the
// single pane 0), from canonical key bytes (key.h) to an accumulator. Lanes hold partial ones, shards final ones.
//
// Keys are compared exactly. An accumulator's address holds until its table grows: use it at once.
#pragma once

#include "stdlib/kernel.h"

// In front of every accumulator.
struct WeirGroupHeader {
  uint32_t changed;       // one bit per emission: changed since it last fired. An update sets all.
  WeirReason error;       // why this group has no result (overflow …), 0: fine
};

// Slots are `slot_bytes` apart: | hash u64 (0: empty) | key: up to 16 bytes inline or {data, size} | accumulator |
struct WeirTable {
  char* slots;
  uint64_t mask;          // slots − 1; a power of two
  uint64_t count;
  uint64_t grow_at;       // count at which it doubles
  int64_t pane;           // its start, microseconds
  WeirArena keys;         // long keys and the accumulators' texts
  struct WeirPanes* panes;
  void* owner;            // of whoever keeps the table: dirty lists, residency
};

inline constexpr uint64_t kPaneCacheSize = 8;

struct WeirPanes {
  uint32_t slot_bytes;    // a multiple of 16
  uint32_t group_bytes;   // accumulator with header
  const char* group_initial;
  WeirTable* cached[kPaneCacheSize];   // direct-mapped by pane number; null or the table of another pane
  int64_t pane_us;        // width; 0: one pane
  int64_t offset_us;
  uint64_t groups;        // in all tables
  uint64_t groups_max;    // the stage returns kStageFull behind the row with which `groups` passes this
  WeirTable* (*find_pane)(WeirPanes* panes, int64_t pane);   // finds or makes; fills `cached`
  void (*grow)(WeirTable* table);
  void* owner;
};
