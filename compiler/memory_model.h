// How many bytes the runtime's tables, arenas and bags take for so many things: what their growth
// makes of a number of groups. The rules are those of stdlib/engine (pane_tables.cpp,
// arena_blocks.cpp, bag.cpp) and runtime/keyed_rows.cpp, which this room does not see;
// tests/state/size_test.py finds out when they part.
#pragma once

#include <cstdint>

namespace weir::compiler {

inline constexpr uint32_t kSlotHeadBytes = 32;   // in front of each group of a table
inline constexpr uint32_t kKeyInSlotBytes = 16;  // of a key; longer ones lie in the table's arena
inline constexpr uint32_t kKeptKeyBytes = 176;   // of each key of an operator that keeps rows
inline constexpr uint32_t kKeptRowBytes = 80;    // of each of its rows, beside the row's values

// Bytes from one slot of a table to the next.
uint32_t slot_bytes(uint32_t group_bytes);
// Slots of all tables together, when `keys` are spread over `shards` by their hash.
double slots_for(double keys, double shards, uint32_t slot_bytes);
// Blocks of the arenas of `shards` tables that hold `count` pieces of `bytes` each.
double arena_bytes(double count, double bytes, double shards);
// Blocks of one arena.
double arena_bytes(double bytes, double piece);
// Room of a bag with `values` entries of `entry` bytes; of a set with its index.
double bag_room(double values, double entry);
double set_room(double values, double entry);
// What a bag has taken from its arena: the rooms that it has outgrown stay there.
double with_outgrown(double room);
double with_all_outgrown(double room);  // one that takes its entries one by one

}  // namespace weir::compiler
