// The final groups of one keyed operator: hash tables by shard and pane in memory, the rest in the
// store.
//
// Lanes hold partial groups; `merge` takes them over. What changed is *dirty* until `freeze` writes
// it down as changelog records for the epoch that ends. Groups that the store has as they are may
// be *spilled*: dropped from memory, and where results need them more than once those first that
// were not used lately. What is added to a group that may be only in the store is a *part*: it is
// not read for that, the epoch carries the part, and the store merges it (value_merge.h).
//
//     in `table`   the group; what the store has is older (or equal)
//     in `parts`   to be merged with what the store has; empty after each freeze
//     in neither   the store has it, when the epoch in flight is durable
//
// Threads: the control thread, while no lane runs. `merge_part` and `freeze_shard` may run on
// several threads for different shards. The commit thread writes to the store meanwhile.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/program.h"
#include "runtime/state/changelog.h"
#include "runtime/state/state_value.h"
#include "runtime/state/store.h"
#include "stdlib/engine/pane_tables.h"

namespace weir::runtime {

inline std::string_view view(WeirBytes bytes) { return {bytes.data, bytes.size}; }
// Tables for groups of the operator, without bounds.
std::unique_ptr<stdlib::PaneTables> make_tables(const KeyedInfo& info);

class KeyedState {
 public:
  struct Pane {
    WeirTable* table = nullptr;   // groups; null: none in memory
    WeirTable* parts = nullptr;   // only if `spilled`
    std::vector<uint32_t> dirty;  // slots; only if not `scan`
    bool scan = false;            // the table has grown: dirty ones are found by looking at all
    bool any_dirty = false;       // parts are
    bool stored =
        false;  // the store may hold groups of it, or will when the epoch in flight is durable
    bool spilled = false;      // … that are not in memory
    uint64_t dirty_epoch = 0;  // the last epoch in which it was dirty
    uint32_t changed = 0;  // emissions for which a group may have changed since they last fired …
    uint32_t changed_before = 0;  // … in a frozen epoch (else the dirty ones are all)
  };
  struct Note {
    int64_t pane;
    std::string key;
  };
  struct Shard {
    explicit Shard(const KeyedInfo& info);
    // From now on changes of panes in front of `end` are noted: they are part of combinations that
    // are kept (sliding.h).
    void note_from(int64_t end);
    void note(int64_t pane, WeirBytes key);
    stdlib::PaneTables tables, parts;
    std::map<int64_t, Pane> panes;
    uint32_t spilled = 0;       // panes of which something is only in the store
    std::vector<int64_t> made;  // panes that are new since the last `note_new_panes`
    int64_t noted_end = INT64_MIN;
    std::vector<Note> notes;
    bool notes_lost = false;  // there were too many
  };

  KeyedState(const KeyedInfo& info, StateValueCodec codec, uint32_t number, uint32_t shards,
             Store* store);

  // Which panes the store has, after a start. They count as spilled, and as changed for all
  // emissions.
  Status load_panes(int64_t watermark);

  // Merges the shards s with s mod parts == part of all partial tables.
  void merge_part(const std::vector<stdlib::PaneTables*>& partials, uint32_t part, uint32_t parts);
  // After the parts.
  void merged();

  // The dirty groups of a shard as changelog records; they are clean then.
  std::vector<std::string> freeze_shard(uint32_t shard, uint64_t epoch);

  // Panes whose last window has closed go. Returns where the first pane begins that is needed, if
  // the store has to forget others.
  std::optional<int64_t> drop_closed(int64_t watermark);
  // Drops groups from memory until `bytes` are free. Only what the store has: epoch ≤ `durable`.
  uint64_t spill(uint64_t bytes, uint64_t durable);

  uint64_t bytes() const;
  uint64_t groups() const;
  const KeyedInfo& info() const { return info_; }
  const std::set<int64_t>& panes() const { return panes_; }
  std::deque<Shard>& shards() { return shards_; }
  const StateValueCodec& codec() const { return codec_; }
  uint32_t number() const { return number_; }
  Store* store() const { return store_; }
  bool any_spilled() const;
  // Marks a group as changed by ourselves (an emission's bit was cleared).
  static void touch(Pane& pane, WeirSlot* slot);
  // Takes a group that has been read from the store, its part merged: it is in memory now, and
  // dirty. Returns the bytes of it.
  uint64_t take_back(uint32_t shard, int64_t start, WeirBytes key, const char* group);
  bool dirty_anywhere() const;

 private:
  Pane& pane_of(Shard& shard, int64_t pane);
  bool can_go(const WeirSlot* slot, uint64_t durable) const;
  // Drops groups from a table if half of them can go; returns what that has freed.
  uint64_t thin_out(Shard& shard, int64_t start, Pane& pane, uint64_t durable, bool used_too);

  const KeyedInfo& info_;
  StateValueCodec codec_;
  uint32_t number_;
  Store* store_;
  std::deque<Shard> shards_;   // their addresses hold
  std::set<int64_t> panes_;    // of all shards
  bool keeps_closed_ = false;  // an emission shows all groups for ever
  bool reads_again_ = false;   // an emission shows groups more than once: used ones stay in memory
};

}  // namespace weir::runtime
