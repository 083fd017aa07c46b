#include "stdlib/engine/bag.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stdlib/engine/hash.h"
#include "stdlib/reasons.h"

namespace weir::stdlib {

namespace {

constexpr uint64_t kHeader = sizeof(WeirBagHeader);
constexpr uint64_t kEntryHead = 4;
constexpr uint64_t kRoomFirst = 64;
constexpr uint32_t kIndexMark = 0x53455431;
constexpr uint32_t kIndexFrom = 8;  // entries; fewer are looked at one by one

char* bytes_of(WeirBytes bag) { return const_cast<char*>(bag.data); }
WeirBagHeader* header_of(WeirBytes bag) { return reinterpret_cast<WeirBagHeader*>(bytes_of(bag)); }

uint32_t load32(const char* from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return value;
}
void store32(char* to, uint32_t value) { memcpy(to, &value, sizeof value); }

WeirBytes entry_at(const char* at) { return {at + kEntryHead, load32(at)}; }
bool equal(WeirBytes a, WeirBytes b) {
  return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}
bool less(WeirBytes a, WeirBytes b) {
  return std::string_view(a.data, a.size) < std::string_view(b.data, b.size);
}

template <class Visit>
void each_entry(WeirBytes bag, Visit visit) {
  if (bag.size < kHeader) return;
  const char* end = bag.data + bag_header(bag).used;
  for (const char* at = bag.data + kHeader; at < end; at += kEntryHead + load32(at)) visit(at);
}

void append(WeirBytes bag, WeirBytes entry) {
  WeirBagHeader* header = header_of(bag);
  char* at = bytes_of(bag) + header->used;
  store32(at, uint32_t(entry.size));
  memcpy(at + kEntryHead, entry.data, entry.size);
  header->used += uint32_t(kEntryHead + entry.size);
  header->count++;
}

// ---------------------------------------------------------------- the index of a set

// Slots of the index, null if there is none.
char* index_of(WeirBytes set, uint32_t* slots) {
  uint32_t used = bag_header(set).used;
  if (set.size < used + 8 || load32(set.data + set.size - 4) != kIndexMark) return nullptr;
  *slots = load32(set.data + set.size - 8);
  return bytes_of(set) + set.size - 8 - *slots * 4;
}

uint32_t hash_of(WeirBytes entry) { return uint32_t(weir_shard_hash(entry.data, entry.size)); }

// The slot of an equal entry, or the free one where it belongs.
char* find_slot(WeirBytes set, char* index, uint32_t slots, WeirBytes entry) {
  for (uint32_t i = hash_of(entry) & (slots - 1);; i = (i + 1) & (slots - 1)) {
    char* slot = index + i * 4;
    uint32_t at = load32(slot);
    if (at == 0 || equal(entry_at(set.data + at), entry)) return slot;
  }
}

// A set with room for as much again, and an index of it if it is worth one.
WeirBytes rebuilt(WeirArena* arena, WeirBytes set, uint64_t more) {
  WeirBagHeader header = bag_header(set);
  if (header.used == 0) header = {uint32_t(kHeader), 0, kBagVersion, kSet, 0, 0};
  uint64_t entries = std::max(std::bit_ceil((header.used + more) * 2 - 1), kRoomFirst);
  if (entries > 2 * kBagBytesMax) return {nullptr, 0};
  uint64_t each = (header.used - kHeader + more) / (header.count + 1);
  uint64_t slots = 0;
  // At three quarters full when the room for entries is.
  if (header.count + 1 >= kIndexFrom) slots = std::bit_ceil(entries / each * 4 / 3);
  uint64_t room = (entries + slots * 4 + 8 + 7) & ~uint64_t{7};
  char* to = weir_arena_take(arena, room);
  if (set.size >= kHeader) memcpy(to, set.data, header.used);
  memcpy(to, &header, sizeof header);
  memset(to + room - 8 - slots * 4, 0, slots * 4 + 8);
  WeirBytes made{to, room};
  if (slots == 0) return made;
  store32(to + room - 8, uint32_t(slots));
  store32(to + room - 4, kIndexMark);
  char* index = to + room - 8 - slots * 4;
  each_entry(made, [&](const char* at) {
    store32(find_slot(made, index, uint32_t(slots), entry_at(at)), uint32_t(at - to));
  });
  return made;
}

}  // namespace

WeirBytes bag_with_room(WeirArena* arena, WeirBytes bag, WeirBagKind kind, uint64_t more) {
  uint64_t used = bag_header(bag).used;
  if (used != 0 && used + more <= bag.size) return bag;
  if (used == 0) used = kHeader;
  uint64_t room = std::max(std::bit_ceil(used + more), kRoomFirst);
  if (room > 2 * kBagBytesMax) return {nullptr, 0};
  char* to = weir_arena_take(arena, room);
  WeirBagHeader header{uint32_t(kHeader), 0, kBagVersion, kind, 0, 0};
  if (bag.size >= kHeader) {
    memcpy(to, bag.data, used);
  } else {
    memcpy(to, &header, sizeof header);
  }
  return {to, room};
}

namespace {

WeirReason add_to_set(WeirArena* arena, WeirBytes set, WeirBytes entry, WeirBytes* result) {
  uint32_t slots = 0;
  char* index = set.size >= kHeader ? index_of(set, &slots) : nullptr;
  WeirBagHeader header = bag_header(set);
  *result = set;
  uint64_t more = kEntryHead + entry.size;
  if (!index && header.count < kIndexFrom) {
    bool known = false;
    each_entry(set, [&](const char* at) { known |= equal(entry_at(at), entry); });
    if (known) return 0;
    if (header.used == 0 || header.used + more + 8 > set.size) set = rebuilt(arena, set, more);
  } else {
    if (!index) {
      set = rebuilt(arena, set, more);
      if (!set.data) return kReasonTooLarge;
      index = index_of(set, &slots);
    }
    char* slot = find_slot(set, index, slots, entry);
    *result = set;
    if (load32(slot) != 0) return 0;
    if (bytes_of(set) + header.used + more <= index && header.count + 1 <= slots / 4 * 3) {
      store32(slot, header.used);
      append(set, entry);
      return 0;
    }
    set = rebuilt(arena, set, more);
  }
  if (!set.data || header.used + more > kBagBytesMax) return kReasonTooLarge;
  if ((index = index_of(set, &slots)))
    store32(find_slot(set, index, slots, entry), bag_header(set).used);
  append(set, entry);
  *result = set;
  return 0;
}

// Only the n greatest stay, greatest first.
void cut(WeirBytes top, uint64_t n) {
  std::vector<std::string_view> entries;
  each_entry(top, [&](const char* at) {
    WeirBytes entry = entry_at(at);
    entries.emplace_back(entry.data, entry.size);
  });
  uint64_t stay = std::min<uint64_t>(n, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + int64_t(stay), entries.end(),
                    std::greater<>());
  std::string kept;
  uint64_t last = 0;
  for (uint64_t i = 0; i < stay; ++i) {
    last = kHeader + kept.size();
    char size[kEntryHead];
    store32(size, uint32_t(entries[i].size()));
    kept.append(size, kEntryHead).append(entries[i]);
  }
  memcpy(bytes_of(top) + kHeader, kept.data(), kept.size());
  WeirBagHeader* header = header_of(top);
  header->used = uint32_t(kHeader + kept.size());
  header->count = uint32_t(stay);
  header->mark = stay == n ? uint32_t(last) : 0;
}

}  // namespace
}  // namespace weir::stdlib

using namespace weir::stdlib;

extern "C" {

WeirReason weir_bag_add(WeirArena* arena, WeirBytes bag, WeirBytes entry, WeirBytes* result) {
  *result = bag;
  bag = bag_with_room(arena, bag, kBag, kEntryHead + entry.size);
  if (!bag.data || bag_header(bag).used + kEntryHead + entry.size > kBagBytesMax)
    return kReasonTooLarge;
  append(bag, entry);
  *result = bag;
  return 0;
}

WeirReason weir_bag_merge(WeirArena* arena, WeirBytes bag, WeirBytes other, WeirBytes* result) {
  *result = bag;
  WeirBagHeader from = bag_header(other);
  if (from.count == 0) return 0;
  uint64_t more = from.used - kHeader;
  bag = bag_with_room(arena, bag, kBag, more);
  if (!bag.data || bag_header(bag).used + more > kBagBytesMax) return kReasonTooLarge;
  WeirBagHeader* header = header_of(bag);
  memcpy(bytes_of(bag) + header->used, other.data + kHeader, more);
  header->used += uint32_t(more);
  header->count += from.count;
  *result = bag;
  return 0;
}

WeirReason weir_set_add(WeirArena* arena, WeirBytes set, WeirBytes entry, WeirBytes* result) {
  return add_to_set(arena, set, entry, result);
}

WeirReason weir_set_merge(WeirArena* arena, WeirBytes set, WeirBytes other, WeirBytes* result) {
  *result = set;
  if (bag_header(other).count == 0) return 0;
  if (bag_header(set).count == 0) {
    uint64_t used = bag_header(other).used;
    *result = {weir_arena_take(arena, used), used};
    memcpy(bytes_of(*result), other.data, used);
    return 0;
  }
  WeirReason reason = 0;
  each_entry(other, [&](const char* at) {
    if (reason == 0) reason = add_to_set(arena, *result, entry_at(at), result);
  });
  return reason;
}

WeirReason weir_top_add(WeirArena* arena, int64_t n, WeirBytes top, WeirBytes entry,
                        WeirBytes* result) {
  *result = top;
  WeirBagHeader header = bag_header(top);
  if (header.mark != 0 && !less(entry_at(top.data + header.mark), entry)) return 0;
  top = bag_with_room(arena, top, kTop, kEntryHead + entry.size);
  if (!top.data || header.used + kEntryHead + entry.size > kBagBytesMax) return kReasonTooLarge;
  append(top, entry);
  // Twice as many as are wanted, so that sorting costs little for each.
  constexpr uint32_t kCutFrom = 16;
  if (bag_header(top).count >= 2 * uint64_t(n) + kCutFrom) cut(top, uint64_t(n));
  *result = top;
  return 0;
}

WeirReason weir_top_merge(WeirArena* arena, int64_t n, WeirBytes top, WeirBytes other,
                          WeirBytes* result) {
  *result = top;
  WeirReason reason = 0;
  each_entry(other, [&](const char* at) {
    if (reason == 0) reason = weir_top_add(arena, n, *result, entry_at(at), result);
  });
  return reason;
}

int64_t weir_bag_count(WeirBytes bag) { return bag_header(bag).count; }

WeirList weir_bag_entries(WeirArena* arena, WeirBytes bag, int64_t greatest) {
  uint64_t count = bag_header(bag).count;
  auto* entries = reinterpret_cast<WeirBytes*>(weir_arena_take(arena, count * sizeof(WeirBytes)));
  uint64_t n = 0;
  each_entry(bag, [&](const char* at) { entries[n++] = entry_at(at); });
  if (greatest <= 0) {
    std::sort(entries, entries + n, less);
    return {entries, n};
  }
  uint64_t stay = std::min(n, uint64_t(greatest));
  std::partial_sort(entries, entries + stay, entries + n,
                    [](WeirBytes a, WeirBytes b) { return less(b, a); });
  return {entries, stay};
}
}
