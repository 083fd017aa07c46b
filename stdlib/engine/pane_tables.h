// Keeps the tables of one keyed operator (panes.h): makes them when a stage asks for a pane, grows
// them, gives them back. A lane owns one for its partial groups, a shard one for its final ones.
// One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/panes.h"

// The key of a slot, to be looked up in another table: it has been hashed already.
inline WeirProbe weir_slot_probe(const WeirSlot* slot) {
  return {slot->tag, slot->words[0], slot->words[1]};
}
// The slot of a key, or null.
inline WeirSlot* weir_table_find_probe(const WeirTable* table, const WeirProbe& probe) {
  for (uint64_t index = probe.tag >> 5 & table->mask;; index = (index + 1) & table->mask) {
    WeirSlot* slot = weir_table_slot(table, index);
    if (weir_probe_matches(&probe, slot)) return slot;
    if (slot->tag == 0) return nullptr;
  }
}
// The accumulator of a key, new if it was not there.
inline char* weir_table_upsert_probe(WeirTable* table, const WeirProbe& probe) {
  WeirSlot* slot = weir_table_find_probe(table, probe);
  return slot ? weir_slot_accumulator(slot) : weir_table_insert(table, &probe);
}

namespace weir::stdlib {

class PaneTables {
 public:
  // `group_initial` has `group_bytes` and must outlive this. `pane_us` 0: one pane for ever.
  PaneTables(uint32_t group_bytes, const char* group_initial, int64_t pane_us, int64_t offset_us);
  PaneTables(const PaneTables&) = delete;
  PaneTables& operator=(const PaneTables&) = delete;

  // What stages work on. Its address holds.
  WeirPanes* panes() { return &panes_; }

  // By start of pane, oldest first.
  template <typename Visit>
  void for_each(Visit visit) {
    for (auto& [pane, kept] : tables_) visit(&kept->table);
  }
  WeirTable* find(int64_t pane);  // null if there is none
  WeirTable* find_or_make(int64_t pane);
  void remove(int64_t pane);
  void clear();
  // Removes one group. Requires: nobody holds a slot of this table.
  void erase(WeirTable* table, WeirSlot* slot);
  uint64_t bytes() const;  // slots, keys and texts

 private:
  // Zeroed memory for slots, on a cache line; large pages where there is much of it: rows meet
  // groups anywhere in it.
  class Slots {
   public:
    Slots() = default;
    explicit Slots(uint64_t bytes);
    Slots(Slots&& other) noexcept : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_) {}
    Slots& operator=(Slots&& other) noexcept {
      std::swap(at_, other.at_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Slots();
    char* at() const { return at_; }

   private:
    char* at_ = nullptr;
    uint64_t bytes_ = 0;
  };
  struct Kept {
    WeirTable table{};
    Slots memory;
    ArenaBlocks keys{512};
  };
  static WeirTable* find_pane(WeirPanes* panes, int64_t pane);
  static void grow(WeirTable* table);
  void allocate(Kept& kept, uint64_t slots);

  WeirPanes panes_{};
  std::map<int64_t, std::unique_ptr<Kept>> tables_;
  uint64_t slot_bytes_in_tables_ = 0;
};

}  // namespace weir::stdlib
