// Firing: from the final groups of a keyed operator to arrays of WeirFired that an emission's stage
// takes.
//
// The order is fixed: by window's end (of closed windows; changed ones shard by shard), then by
// shard, then by key bytes. A window's groups are combined from its panes, in three ways:
//
//     one pane, in memory              the groups as they lie there, nothing is copied
//     several panes, all in memory     merged into a scratch table; where windows overlap, from
//     what is kept (sliding.h) a pane is spilled                in pieces, from memory and store
//     (fire_stored.h)
//
// Threads: the control thread, while no lane runs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/fire_stored.h"
#include "runtime/sliding.h"
#include "runtime/state/keyed_state.h"

namespace weir::runtime {

// Takes fired groups of one emission (index in the operator's emissions); they are valid during the
// call.
using FireTo = std::function<Status(uint32_t emission, const WeirFired* fired, uint32_t count)>;

// Called between pieces of a firing that have left `dirty` bytes of changed groups in memory: the
// epoch may end here, what has not fired still says so.
using MakeRoom = std::function<Status(uint64_t dirty)>;

// Requires, where something is spilled: the store has all that was frozen.
class Firing {
 public:
  explicit Firing(KeyedState& state);

  // Windows with from < close ≤ to: append emissions get all groups, update emissions those that
  // changed.
  Status fire_closed(int64_t from, int64_t to, const FireTo& to_stage);
  // Update: the groups of open windows that changed since this emission last fired. `event_time` is
  // that of groups without a window.
  Status fire_changed(uint32_t emission, int64_t watermark, int64_t event_time,
                      const FireTo& to_stage, const MakeRoom& make_room);
  // Complete: all groups.
  Status fire_all(uint32_t emission, int64_t event_time, const FireTo& to_stage);
  // Of the windows that `fire_closed` has fired, the last one's close; INT64_MIN: none.
  int64_t last_close() const { return last_close_; }
  // Of combinations that are kept between firings, and to do without them.
  uint64_t bytes() const;
  void forget();
  // Some group may have changed since this emission last fired.
  bool any_changed(uint32_t emission) const;

 private:
  struct Span {
    int64_t start, end, event_time;
  };  // of a window; {0, 0, …} without one

  using Take = StoredGroups::Take;
  using Sliding =
      std::vector<std::unique_ptr<SlidingPanes>>;  // by shard; empty where windows don't overlap

  // The groups of one shard in [first, end) panes, key order, in chunks.
  Status groups_of(uint32_t shard, int64_t first, int64_t end, Sliding& sliding, const Take& take);
  // Only those with a key that has changed for an emission.
  Status changed_groups_of(uint32_t shard, int64_t first, int64_t end, uint32_t bit,
                           Sliding& sliding, const Take& take);
  bool any_spilled(uint32_t shard, int64_t first, int64_t end) const;
  Sliding make_sliding(bool follow) const;
  // The group of one key of a window that is kept, in the scratch table.
  void combine_parts(const SlidingPanes::Parts& parts, WeirBytes key);
  Status fire_changed_in(uint32_t shard, uint32_t emission, int64_t watermark, int64_t event_time,
                         const FireTo& to_stage, const MakeRoom& make_room);
  Status fire_changed_stored(uint32_t shard, uint32_t emission, int64_t watermark,
                             int64_t event_time, const FireTo& to_stage, const MakeRoom& make_room);
  bool changes_need_store(uint32_t shard, uint32_t bit) const;
  // The group of one key, all panes in memory, in the scratch table.
  void combine_key(uint32_t shard, int64_t first, int64_t end, WeirBytes key);
  Status deliver(const std::vector<FiringGroup>& groups, const Span& span, uint32_t emission,
                 const FireTo& to_stage);
  Status for_each_window(int64_t from, int64_t to,
                         const std::function<Status(int64_t start)>& visit);
  char* merge_into_scratch(WeirBytes key, const char* group) {
    return combine(info_, scratch_->find_or_make(0), key, group);
  }

  KeyedState& state_;
  const KeyedInfo& info_;
  const WindowTime& window_;
  std::unique_ptr<stdlib::PaneTables> scratch_;
  Sliding sliding_;       // of closed windows
  bool appends_ = false;  // some emission does
  std::vector<WeirFired> fired_;
  int64_t last_close_ = INT64_MIN;
};

}  // namespace weir::runtime
