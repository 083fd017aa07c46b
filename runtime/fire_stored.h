// Groups of which something is only in the store, for firing: in the order of their keys, in
// bounded pieces, whatever the size of a window.
//
// A piece is a range of keys. Several panes are walked one after the other over the same range; the
// first one's size decides where it ends, and a pane that has more keys there makes it end earlier.
//
// Requires: the store has all that was frozen. Threads: the control thread, while no lane runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/state/keyed_state.h"

namespace weir::runtime {

// A group that fires.
struct FiringGroup {
  uint64_t prefix;  // first 8 bytes of the key, so that most comparisons end there
  WeirBytes key;
  char* accumulator;
};
FiringGroup make_firing_group(WeirBytes key, char* accumulator);
// Adds all groups of a table, in no order.
void add_all(WeirTable* table, std::vector<FiringGroup>* groups);
void sort_by_key(std::vector<FiringGroup>& groups);

// One pane's groups in the order of keys, in memory and in the store, from wherever it is told to.
class PaneWalk {
 public:
  // `cursor`: of the operator, used by one walk at a time; null: only what is in memory.
  PaneWalk(KeyedState& state, uint32_t shard, int64_t start, const KeyedState::Pane& pane,
           Store::Cursor* cursor);
  void seek(std::string_view from);
  bool valid() const { return valid_; }
  std::string_view key() const { return key_; }
  uint32_t changed() const;  // WeirGroupHeader::changed
  void next();
  // The group as it lies in memory; null: the store has some of it.
  char* in_memory() const { return full_ ? full_ : stored_ ? nullptr : part_; }
  // Reads it into `group`, a copy of the initial one. False: the store holds a value that is none.
  bool read(char* group, WeirArena* texts) const;
  Status status() const { return cursor_ ? cursor_->status() : Status(); }

 private:
  using Slots = std::vector<FiringGroup>;
  static Slots sorted(WeirTable* table);
  bool cursor_here() const;
  void load();

  KeyedState& state_;
  Store::Cursor* cursor_;
  std::string prefix_;
  Slots table_, parts_;
  size_t at_table_ = 0, at_part_ = 0;
  bool valid_ = false, stored_ = false;  // of the key here: the store has something
  char *full_ = nullptr, *part_ = nullptr;
  std::string_view key_;
};

class StoredGroups {
 public:
  using Take = std::function<Status(const std::vector<FiringGroup>&)>;

  // Of a shard's panes in [first, end), combined by key.
  StoredGroups(KeyedState& state, uint32_t shard, int64_t first, int64_t end);
  Status for_each_piece(const Take& take);

 private:
  Status of_one_pane(const Take& take);
  Status combined(const Take& take);
  bool add(const PaneWalk& walk);
  void cut(std::string* bound);
  bool full(uint64_t factor) const;

  KeyedState& state_;
  const KeyedInfo& info_;
  std::unique_ptr<Store::Cursor> cursor_;
  std::vector<std::unique_ptr<PaneWalk>> walks_;
  std::unique_ptr<stdlib::PaneTables> sum_;
  std::vector<char> buffer_;
};

// Groups of a shard that have changed for an emission, piece by piece: the keys, and the groups of
// these keys in all panes that their windows need.
class ChangedPiece {
 public:
  // The keys at and behind `from`.
  static Result<ChangedPiece> read(KeyedState& state, uint32_t shard, uint32_t bit,
                                   const std::string& from);

  // By key: the panes in which it has changed.
  const std::map<std::string, std::vector<int64_t>, std::less<>>& keys() const { return keys_; }
  // A group in a pane; null: there is none.
  char* group(int64_t pane, WeirBytes key) const;
  // Where the next piece begins; nothing: this was the last.
  const std::optional<std::string>& bound() const { return bound_; }
  // All of it has fired: the bit is cleared. Returns the bytes that are dirty now.
  uint64_t clear_bits();

 private:
  ChangedPiece(KeyedState& state, uint32_t shard, uint32_t bit);
  Status find_keys(const std::string& from, size_t keys_max);
  Status load(int64_t start, const KeyedState::Pane& pane);

  KeyedState* state_;
  uint32_t shard_, bit_;
  std::map<std::string, std::vector<int64_t>, std::less<>> keys_;
  std::unique_ptr<stdlib::PaneTables> read_;  // groups that are not in memory, by pane
  std::optional<std::string> bound_;
};

}  // namespace weir::runtime
