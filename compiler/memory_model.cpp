#include "compiler/memory_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir::compiler {
namespace {

constexpr double kSlotsFirst = 16, kFull = 5.0 / 8, kGrowsFastBytes = 256 << 10;
constexpr double kBlockFirst = 512;
constexpr int kBlockDoublings = 6;
constexpr double kBagHead = 16, kEntryHead = 4, kRoomFirst = 64;

double bit_ceil(double bytes) { return std::exp2(std::ceil(std::log2(bytes))); }

// Of a Poisson distribution: how likely more than `n` are.
double more_than(double n, double mean) {
  if (mean > 50) return 0.5 * std::erfc((n + 0.5 - mean) / std::sqrt(2 * mean));
  double each = std::exp(-mean), all = each;
  for (int i = 1; i <= int(n); ++i) all += each *= mean / i;
  return std::max(0.0, 1 - all);
}

}  // namespace

uint32_t slot_bytes(uint32_t group_bytes) { return (kSlotHeadBytes + group_bytes + 15) & ~15u; }

// A table grows when it is five eighths full: fourfold while it is small, then twofold. Which size
// those of the shards have is a matter of chance near a border.
double slots_for(double keys, double shards, uint32_t slot_bytes) {
  double mean = keys / shards;
  double expected = more_than(0, mean) * kSlotsFirst;
  for (double slots = kSlotsFirst; slots * kFull < mean * 4 + 64;) {
    double next = slots * (slots * slot_bytes < kGrowsFastBytes ? 4 : 2);
    expected += more_than(slots * kFull, mean) * (next - slots);
    slots = next;
  }
  return expected * shards;
}

// Whether the last block is needed is a matter of chance: half of it.
double arena_bytes(double bytes, double piece) {
  double all = 0, block = 0;
  for (int i = 0; all < bytes; ++i) {
    block = std::max(piece, kBlockFirst * std::exp2(std::min(i, kBlockDoublings)));
    all += block;
  }
  return (all + std::max(bytes, all - block)) / 2;
}

double arena_bytes(double count, double bytes, double shards) {
  double used = more_than(0, count / shards) * shards;
  return used > 0 ? used * arena_bytes(count / used * bytes, bytes) : 0;
}

// A power of two; how many values the bags of different keys have differs by chance.
double bag_room(double values, double entry) {
  double room = kRoomFirst;
  for (double next = kRoomFirst; next < kBagHead + 4 * (values + 16) * (kEntryHead + entry);
       next *= 2)
    room += next * more_than((next - kBagHead) / (kEntryHead + entry), values);
  return room;
}

double set_room(double values, double entry) {
  constexpr double kIndexFrom = 8;
  double used = kBagHead + values * (kEntryHead + entry);
  // Made anew with room for as much again, when that is used up: between two and four times.
  double entries = std::max(kRoomFirst, bit_ceil(used));
  if (values < kIndexFrom) return entries + 8;
  return entries + 4 * bit_ceil(entries / (kEntryHead + entry) * 4 / 3) + 8;
}

// Doubling leaves as much behind as is in use; merging many at once leaves little. In between.
double with_outgrown(double room) { return room * std::numbers::sqrt2; }
double with_all_outgrown(double room) { return 2 * room - kRoomFirst; }

}  // namespace weir::compiler
