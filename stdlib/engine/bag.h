// Many values in one field of a group's state: bytes that grow in place, with room behind what is
// used of them. Kept, stored and sent as they are, version 1 (golden bytes: bag_test.cpp):
//
//     | used u32 | count u32 | version u8 = 1 | kind u8 | detail u16 | mark u32 | contents … |
//
// `used` counts all bytes that matter; only they are stored. Empty bytes are an empty one. `count`
// is how many values it is made of. What `detail` and `mark` say and what the contents are depends
// on the kind:
//
//     1 bag     entries                                  collect
//     2 set     entries, no two alike                    count_distinct, collect_distinct
//     3 top     entries; `mark`: where the least of the n greatest stands, 0: not looked yet
//     4 hashes  64-bit hashes, no two alike; `detail`: digits of registers   approximate distinct
//     5 registers  2^detail bytes (distinct.h)
//     6 numbers float64 in no order; `mark`: as below    quantile of few
//     7 bins    | bin i32 | count u64 | in order; `mark`: the error in millionths (quantile.h)
//
// An entry is | size u32 | bytes |: canonical key bytes (key.h), so that entries are ordered as
// what they stand for. Little endian.
//
// In memory WeirBytes::size is the room. A set of more than a few ends its room with an index,
// which is not stored and made again when it is missing:
//
//     … entries | free … | slots u32 × n: where an entry begins, 0: none | n u32 | 0x53455431 |
//
// `add` and `merge` change what they are given: its memory belongs to one group. They return a
// reason if a group would keep more than kBagBytesMax.
#pragma once

#include "stdlib/kernel.h"

struct WeirBagHeader {
  uint32_t used;
  uint32_t count;
  uint8_t version;
  uint8_t kind;
  uint16_t detail;
  uint32_t mark;
};
static_assert(sizeof(WeirBagHeader) == 16);

inline constexpr uint8_t kBagVersion = 1;
enum WeirBagKind : uint8_t {
  kBag = 1,
  kSet = 2,
  kTop = 3,
  kHashes = 4,
  kRegisters = 5,
  kNumbers = 6,
  kBins = 7
};
inline constexpr uint64_t kBagBytesMax = 64 << 20;

// The bytes that matter: what is written down of a state field that grows.
inline uint64_t weir_bag_used(const char* data, uint64_t room) {
  uint32_t used = 0;
  if (room >= sizeof(WeirBagHeader)) memcpy(&used, data, sizeof used);
  return used < room ? used : room;
}

extern "C" {
WeirReason weir_bag_add(WeirArena* arena, WeirBytes bag, WeirBytes entry, WeirBytes* result);
WeirReason weir_bag_merge(WeirArena* arena, WeirBytes bag, WeirBytes other, WeirBytes* result);
WeirReason weir_set_add(WeirArena* arena, WeirBytes set, WeirBytes entry, WeirBytes* result);
WeirReason weir_set_merge(WeirArena* arena, WeirBytes set, WeirBytes other, WeirBytes* result);
// The n greatest entries, of equal ones as many as there are.
WeirReason weir_top_add(WeirArena* arena, int64_t n, WeirBytes top, WeirBytes entry,
                        WeirBytes* result);
WeirReason weir_top_merge(WeirArena* arena, int64_t n, WeirBytes top, WeirBytes other,
                          WeirBytes* result);
int64_t weir_bag_count(WeirBytes bag);
// The entries in order, WeirBytes each: all, least first; with `greatest` > 0 so many of the
// greatest, greatest first.
WeirList weir_bag_entries(WeirArena* arena, WeirBytes bag, int64_t greatest);
}

namespace weir::stdlib {

inline WeirBagHeader bag_header(WeirBytes bag) {
  WeirBagHeader header{};
  if (bag.size >= sizeof header) memcpy(&header, bag.data, sizeof header);
  return header;
}
// `bag` with room for `more` bytes behind `used`, moved if it has to be. An empty one gets a header
// of `kind`. Null data: it would be too large.
WeirBytes bag_with_room(WeirArena* arena, WeirBytes bag, WeirBagKind kind, uint64_t more);

// Where a value belongs among `count` in order: the first place that is not in front of it.
template <class Before>
uint64_t place_among(uint64_t count, Before is_before) {
  uint64_t low = 0, high = count;
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    if (is_before(middle))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace weir::stdlib
