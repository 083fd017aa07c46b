// Hashes that programs call (hash.weir).
#pragma once

#include "stdlib/call.h"

WEIR_INLINE_KERNEL int64_t weir_hash_fnv1a_bytes(WeirBytes b) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t i = 0; i < b.size; i++) hash = (hash ^ uint8_t(b.data[i])) * 0x100000001b3;
  return int64_t(hash);
}

// As boost::hash_combine does, with 64 bits, then mixed (splitmix64).
WEIR_INLINE_KERNEL int64_t weir_hash_combine(int64_t a, int64_t b) {
  auto x = uint64_t(a), y = uint64_t(b);
  x ^= y + 0x9e3779b97f4a7c15 + (x << 6) + (x >> 2);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return int64_t(x ^ (x >> 31));
}

extern "C" {
int64_t weir_hash_xxh64_bytes(WeirBytes b);
int64_t weir_hash_crc32_bytes(WeirBytes b);
int64_t weir_hash_murmur2_bytes(WeirBytes b);
int64_t weir_hash_murmur3_bytes(WeirBytes b);
}
