// The combination of the panes of overlapping windows, kept while the window slides: a slide costs
// the groups of one window, not those of all its panes. Two stacks, of one shard of one operator:
//
//     panes    first … p … mid−1 │ mid … end−1
//     back     one table for each p: panes p to mid−1 combined     front: one table, panes mid to
//     end−1
//
// A window is back[first] and front. When `first` has reached `mid`, the panes of the window become
// the back anew.
//
// A row that comes late for a closed window may change a pane that is in here. The shard notes the
// key (KeyedState::Shard), and its combinations are made again from the panes.
//
// Threads: the control thread, while no lane runs.
#pragma once

#include <string>

#include "runtime/state/keyed_state.h"

namespace weir::runtime {

// Merges a group into the one of this key in `into`, with what its header says. Returns the group.
char* combine(const KeyedInfo& info, WeirTable* into, WeirBytes key, const char* from);

class SlidingPanes {
 public:
  // `follows`: what changes between calls is noticed; one of a shard can. `only`: just the groups
  // with the keys of this table.
  SlidingPanes(KeyedState& state, uint32_t shard, bool follows, WeirTable* only = nullptr);

  struct Parts {
    bool kept = false;  // false: combine the panes one by one, that is cheaper (or the same)
    WeirTable* back = nullptr;  // null: nothing
    WeirTable* front = nullptr;
  };
  // The window of the panes in [first, end). Requires: all of it is in memory. Cheap when neither
  // has gone back.
  Parts slide_to(int64_t first, int64_t end);
  void clear();
  // An emission has fired: groups in here may say that they have changed when they have not.
  void bits_cleared() { old_bits_ = kept_; }
  bool old_bits() const { return old_bits_; }
  uint64_t bytes() const { return back_.bytes() + front_.bytes(); }

 private:
  bool make_back(int64_t first, int64_t end);
  void drop_back(int64_t first);
  void add(WeirTable* into, WeirTable* from);
  void take_notes(int64_t first);
  void redo_back(int64_t first, int64_t pane, WeirBytes key);
  void redo_front(WeirBytes key);
  WeirTable* back_behind(int64_t pane) const;

  const KeyedInfo& info_;
  KeyedState::Shard& shard_;
  bool follows_;
  WeirTable* only_;
  stdlib::PaneTables back_, front_;  // `front_` has the one pane 0
  std::map<int64_t, WeirTable*> backs_;
  bool kept_ = false, old_bits_ = false;
  int64_t mid_ = 0, end_ = 0;
  int64_t refused_end_ =
      INT64_MIN;  // combinations would be too large for windows that end up to here
};

}  // namespace weir::runtime
