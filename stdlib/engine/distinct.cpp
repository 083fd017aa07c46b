#include "stdlib/engine/distinct.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "stdlib/engine/hash.h"

namespace {

using weir::stdlib::bag_header;

constexpr uint64_t kHeader = sizeof(WeirBagHeader);

uint8_t* registers_of(WeirBytes state) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(state.data)) + kHeader;
}

// The register of a hash is its first digits; it keeps the greatest number of zeros, and one, that
// the others begin with.
void count_hash(WeirBytes state, int64_t digits, uint64_t hash) {
  uint8_t rank = uint8_t(std::countl_zero(hash << digits | uint64_t{1} << (digits - 1)) + 1);
  uint8_t& held = registers_of(state)[hash >> (64 - digits)];
  held = std::max(held, rank);
}

uint64_t load_hash(WeirBytes state, uint64_t index) {
  uint64_t hash;
  memcpy(&hash, state.data + kHeader + index * 8, sizeof hash);
  return hash;
}

WeirBytes make_registers(WeirArena* arena, int64_t digits) {
  uint64_t size = kHeader + (uint64_t{1} << digits);
  char* made = weir_arena_take(arena, size);
  memset(made, 0, size);
  WeirBagHeader header{uint32_t(size), 0, kBagVersion, kRegisters, uint16_t(digits), 0};
  memcpy(made, &header, sizeof header);
  return {made, size};
}

// Hashes are few: they stand in order, so that they are found by halving.
WeirBytes add_hash(WeirArena* arena, int64_t digits, WeirBytes state, uint64_t hash) {
  WeirBagHeader header = bag_header(state);
  if (header.kind == kRegisters) {
    count_hash(state, digits, hash);
    return state;
  }
  uint64_t low = weir::stdlib::place_among(header.count,
                                           [&](uint64_t i) { return load_hash(state, i) < hash; });
  if (low < header.count && load_hash(state, low) == hash) return state;
  if (header.count >= (uint64_t{1} << digits) / 32) {
    WeirBytes made = make_registers(arena, digits);
    for (uint64_t i = 0; i < header.count; ++i) count_hash(made, digits, load_hash(state, i));
    count_hash(made, digits, hash);
    return made;
  }
  state = weir::stdlib::bag_with_room(arena, state, kHashes, 8);
  char* at = const_cast<char*>(state.data) + kHeader + low * 8;
  memmove(at + 8, at, (header.count - low) * 8);
  memcpy(at, &hash, sizeof hash);
  header = bag_header(state);
  header.used += 8;
  header.count++;
  header.detail = uint16_t(digits);
  memcpy(const_cast<char*>(state.data), &header, sizeof header);
  return state;
}

double sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

extern "C" {

WeirReason weir_distinct_add(WeirArena* arena, int64_t digits, WeirBytes state, WeirBytes value,
                             WeirBytes* result) {
  *result = add_hash(arena, digits, state, weir_shard_hash(value.data, value.size));
  return 0;
}

WeirReason weir_distinct_merge(WeirArena* arena, int64_t digits, WeirBytes state, WeirBytes other,
                               WeirBytes* result) {
  WeirBagHeader from = bag_header(other);
  *result = state;
  if (from.kind == kHashes) {
    for (uint64_t i = 0; i < from.count; ++i)
      *result = add_hash(arena, digits, *result, load_hash(other, i));
  } else if (from.kind == kRegisters) {
    WeirBagHeader own = bag_header(state);
    if (own.kind != kRegisters) {
      *result = make_registers(arena, digits);
      for (uint64_t i = 0; i < own.count; ++i) count_hash(*result, digits, load_hash(state, i));
    }
    uint8_t* into = registers_of(*result);
    const uint8_t* registers = registers_of(other);
    for (uint64_t i = 0; i < uint64_t{1} << digits; ++i) into[i] = std::max(into[i], registers[i]);
  }
  return 0;
}

int64_t weir_distinct_count(WeirBytes state) {
  WeirBagHeader header = bag_header(state);
  if (header.kind != kRegisters) return header.count;
  int digits = header.detail, most = 64 - digits;
  double m = double(uint64_t{1} << digits);
  uint64_t counts[66] = {};
  const uint8_t* registers = registers_of(state);
  for (uint64_t i = 0; i < uint64_t{1} << digits; ++i) counts[registers[i]]++;
  double z = m * tau(1 - double(counts[most + 1]) / m);
  for (int k = most; k >= 1; --k) z = 0.5 * (z + double(counts[k]));
  z += m * sigma(double(counts[0]) / m);
  return int64_t(std::llround(m * m / (2 * std::log(2.0)) / z));
}
}
