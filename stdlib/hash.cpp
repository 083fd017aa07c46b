#include "stdlib/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace {

uint32_t load32(const char* p) {
  uint32_t value;
  memcpy(&value, p, 4);
  return value;
}

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    table[i] = crc;
  }
  return table;
}();

uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

}  // namespace

int64_t weir_hash_xxh64_bytes(WeirBytes b) { return int64_t(XXH64(b.data, b.size, 0)); }

int64_t weir_hash_crc32_bytes(WeirBytes b) {
  uint32_t crc = ~0u;
  for (uint64_t i = 0; i < b.size; i++)
    crc = kCrcTable[(crc ^ uint8_t(b.data[i])) & 0xFF] ^ (crc >> 8);
  return int64_t(uint32_t(~crc));
}

// org.apache.kafka.common.utils.Utils.murmur2.
int64_t weir_hash_murmur2_bytes(WeirBytes b) {
  constexpr uint32_t kFactor = 0x5bd1e995;
  auto size = uint32_t(b.size);
  uint32_t hash = 0x9747b28c ^ size;
  const char* p = b.data;
  for (; size >= 4; p += 4, size -= 4) {
    uint32_t part = load32(p) * kFactor;
    hash = (hash * kFactor) ^ ((part ^ part >> 24) * kFactor);
  }
  if (size == 3) hash ^= uint32_t(uint8_t(p[2])) << 16;
  if (size >= 2) hash ^= uint32_t(uint8_t(p[1])) << 8;
  if (size >= 1) hash = (hash ^ uint8_t(p[0])) * kFactor;
  hash = (hash ^ hash >> 13) * kFactor;
  return int32_t(hash ^ hash >> 15);
}

// MurmurHash3_x86_32 with seed 0, unsigned.
int64_t weir_hash_murmur3_bytes(WeirBytes b) {
  auto scrambled = [](uint32_t part) { return rotate(part * 0xcc9e2d51, 15) * 0x1b873593; };
  uint32_t hash = 0;
  uint64_t whole = b.size / 4 * 4;
  for (uint64_t i = 0; i < whole; i += 4)
    hash = rotate(hash ^ scrambled(load32(b.data + i)), 13) * 5 + 0xe6546b64;
  uint32_t rest = 0;
  for (uint64_t i = b.size; i > whole; i--) rest = rest << 8 | uint8_t(b.data[i - 1]);
  hash ^= scrambled(rest) ^ uint32_t(b.size);
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return int64_t(hash ^ hash >> 16);
}
