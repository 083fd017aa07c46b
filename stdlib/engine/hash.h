// Two hashes of key bytes, which must not be mixed up.
//
// The *table hash* places keys in memory (panes.h). It is fast, and may change with any release: it
// is never stored and never leaves the process.
//
// The *shard hash* decides which shard owns a key, for ever: it is XXH64 with seed 0 over the
// canonical key bytes (key.h), version 1. State on disk, changelogs and repartition topics depend
// on it; golden values are in hash_test.cpp.
#pragma once

#include "stdlib/kernel.h"

inline constexpr uint32_t kShardHashVersion = 1;

// Loads that may be unaligned.
WEIR_INLINE_KERNEL uint64_t weir_load8(const char* at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}
WEIR_INLINE_KERNEL uint32_t weir_load4(const char* at) {
  uint32_t word;
  memcpy(&word, at, 4);
  return word;
}

// ---------------------------------------------------------------- table hash

inline constexpr uint64_t kTableHash0 = 0xa0761d6478bd642full;
inline constexpr uint64_t kTableHash1 = 0xe7037ed1a0b428dbull;

// The 128-bit product, folded: every bit of both words reaches the middle, and so both ends of the
// fold.
WEIR_INLINE_KERNEL uint64_t weir_mix(uint64_t a, uint64_t b) {
  auto product = static_cast<unsigned __int128>(a) * b;
  return uint64_t(product) ^ uint64_t(product >> 64);
}

// Of a key of up to 16 bytes, as two words filled up with zeros.
WEIR_INLINE_KERNEL uint64_t weir_hash_words(uint64_t low, uint64_t high, uint64_t size) {
  return weir_mix(low ^ kTableHash0, high ^ (kTableHash1 + size));
}

// Of a key of more than 16 bytes.
WEIR_INLINE_KERNEL uint64_t weir_hash_long(const char* key, uint64_t size) {
  uint64_t hash = size * kTableHash1;
  const char* last = key + size - 16;
  for (; key < last; key += 16) {
    hash = weir_mix(weir_load8(key) ^ kTableHash0, weir_load8(key + 8) ^ hash);
  }
  return weir_mix(weir_mix(weir_load8(last) ^ kTableHash1, weir_load8(last + 8) ^ hash),
                  kTableHash0);
}

// ---------------------------------------------------------------- shard hash

WEIR_INLINE_KERNEL uint64_t weir_rotate_left(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

WEIR_INLINE_KERNEL uint64_t weir_shard_hash(const char* key, uint64_t size) {
  constexpr uint64_t p1 = 0x9E3779B185EBCA87ull, p2 = 0xC2B2AE3D27D4EB4Full,
                     p3 = 0x165667B19E3779F9ull, p4 = 0x85EBCA77C2B2AE63ull,
                     p5 = 0x27D4EB2F165667C5ull;
  auto round = [](uint64_t sum, uint64_t word) {
    return weir_rotate_left(sum + word * p2, 31) * p1;
  };
  const char* end = key + size;
  uint64_t hash = p5;
  if (size >= 32) {
    uint64_t lanes[4] = {p1 + p2, p2, 0, 0 - p1};
    for (; end - key >= 32; key += 32) {
      for (int i = 0; i < 4; i++) lanes[i] = round(lanes[i], weir_load8(key + 8 * i));
    }
    hash = weir_rotate_left(lanes[0], 1) + weir_rotate_left(lanes[1], 7) +
           weir_rotate_left(lanes[2], 12) + weir_rotate_left(lanes[3], 18);
    for (uint64_t lane : lanes) hash = (hash ^ round(0, lane)) * p1 + p4;
  }
  hash += size;
  for (; end - key >= 8; key += 8)
    hash = weir_rotate_left(hash ^ round(0, weir_load8(key)), 27) * p1 + p4;
  if (end - key >= 4) {
    hash = weir_rotate_left(hash ^ weir_load4(key) * p1, 23) * p2 + p3;
    key += 4;
  }
  for (; key < end; key++) hash = weir_rotate_left(hash ^ uint8_t(*key) * p5, 11) * p1;
  hash = (hash ^ hash >> 33) * p2;
  hash = (hash ^ hash >> 29) * p3;
  return hash ^ hash >> 32;
}
