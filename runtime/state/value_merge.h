// Merges stored values of one keyed operator the way its groups are merged in memory, so that a
// change of a group that is not in memory is written without reading the group: the store puts the
// parts together when it is read, and when it compacts.
//
// A store that is opened by a program without this operator can't merge. It keeps the values in a
// list then, version 3 of a value (golden bytes: state_format_test.cpp):
//
//     | version u8 = 3 | value, text … oldest first |
//
// Threads: any; a ValueMerger is one thread's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/program.h"
#include "runtime/state/state_value.h"
#include "stdlib/engine/arena_blocks.h"

namespace weir::runtime {

// Merges a group into another, with what their headers say.
void merge_group(const KeyedInfo& info, char* into, const char* from, WeirArena* texts);

// `info` outlives it.
struct ValueMerge {
  const KeyedInfo* info;
  StateValueCodec codec;
};

// The sum of values, added oldest first.
class ValueMerger {
 public:
  explicit ValueMerger(const ValueMerge& merge);
  bool add(std::string_view value);  // false: it is none
  void finish(bool part, std::string* out) const;

 private:
  const ValueMerge& merge_;
  std::vector<char> sum_, added_;
  bool any_ = false;
  WeirArena texts_{};
  stdlib::ArenaBlocks blocks_;
};

bool is_value_list(std::string_view value);
// Appends a value, or the values of a list, to a list.
void add_to_value_list(std::string_view value, std::string* list);

}  // namespace weir::runtime
