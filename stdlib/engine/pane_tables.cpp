#include "stdlib/engine/pane_tables.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace weir::stdlib {

namespace {
constexpr uint64_t kSlotsFirst = 16;
constexpr uint64_t kGrowsFast = 256 << 10;  // below: fourfold
constexpr uint64_t kLargePage = 2 << 20;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kCacheLine = 64;

uint64_t fill_limit(uint64_t slots) { return slots / 8 * 5; }
}  // namespace

PaneTables::Slots::Slots(uint64_t bytes) : bytes_((bytes + kPage - 1) / kPage * kPage) {
  if (bytes_ < kLargePage) {
    at_ = static_cast<char*>(std::aligned_alloc(kCacheLine, bytes_));
    if (at_ == nullptr) throw std::bad_alloc();
    memset(at_, 0, bytes_);
    return;
  }
  void* mapped = mmap(nullptr, bytes_ + kLargePage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  // From a large page's border on; what is before and behind goes back.
  uint64_t before = (kLargePage - reinterpret_cast<uintptr_t>(mapped) % kLargePage) % kLargePage;
  at_ = static_cast<char*>(mapped) + before;
  if (before > 0) munmap(mapped, before);
  munmap(at_ + bytes_, kLargePage - before);
  madvise(at_, bytes_, MADV_HUGEPAGE);  // without large pages it is as right, and slower
}
PaneTables::Slots::~Slots() {
  if (at_ == nullptr) return;
  if (bytes_ < kLargePage) {
    std::free(at_);
  } else {
    munmap(at_, bytes_);
  }
}

PaneTables::PaneTables(uint32_t group_bytes, const char* group_initial, int64_t pane_us,
                       int64_t offset_us) {
  panes_.group_bytes = group_bytes;
  panes_.slot_bytes = uint32_t(sizeof(WeirSlot) + group_bytes + 15) & ~15u;
  panes_.group_initial = group_initial;
  panes_.pane_us = pane_us;
  panes_.offset_us = offset_us;
  panes_.groups_max = UINT64_MAX;
  panes_.find_pane = &PaneTables::find_pane;
  panes_.grow = &PaneTables::grow;
  panes_.owner = this;
}

void PaneTables::allocate(Kept& kept, uint64_t slots) {
  uint64_t bytes = slots * panes_.slot_bytes;
  kept.memory = Slots(bytes);
  kept.table.slots = kept.memory.at();
  kept.table.mask = slots - 1;
  kept.table.grow_at = fill_limit(slots);
  slot_bytes_in_tables_ += bytes;
}

WeirTable* PaneTables::find(int64_t pane) {
  auto found = tables_.find(pane);
  return found == tables_.end() ? nullptr : &found->second->table;
}

WeirTable* PaneTables::find_or_make(int64_t pane) {
  auto& kept = tables_[pane];
  if (!kept) {
    kept = std::make_unique<Kept>();
    kept->table.pane = pane;
    kept->table.panes = &panes_;
    kept->keys.serve(&kept->table.keys);
    allocate(*kept, kSlotsFirst);
  }
  return &kept->table;
}

WeirTable* PaneTables::find_pane(WeirPanes* panes, int64_t pane) {
  WeirTable* table = static_cast<PaneTables*>(panes->owner)->find_or_make(pane);
  panes->cached[weir_pane_place(pane)] = table;
  return table;
}

void PaneTables::grow(WeirTable* table) {
  auto* self = static_cast<PaneTables*>(table->panes->owner);
  Kept& kept = *self->tables_.at(table->pane);
  uint32_t slot_bytes = self->panes_.slot_bytes;
  Slots old_memory = std::move(kept.memory);
  WeirTable old = *table;
  self->slot_bytes_in_tables_ -= (old.mask + 1) * slot_bytes;
  uint64_t bytes = (old.mask + 1) * slot_bytes;
  self->allocate(kept, (old.mask + 1) * (bytes < kGrowsFast ? 4 : 2));
  for (uint64_t at = 0; WeirSlot* slot = weir_table_next(&old, &at);) {
    uint64_t index = slot->tag >> 5 & table->mask;
    while (weir_table_slot(table, index)->tag != 0) index = (index + 1) & table->mask;
    memcpy(static_cast<void*>(weir_table_slot(table, index)), slot, slot_bytes);
  }
}

void PaneTables::remove(int64_t pane) {
  auto found = tables_.find(pane);
  if (found == tables_.end()) return;
  WeirTable& table = found->second->table;
  auto& cached = panes_.cached[weir_pane_place(pane)];
  if (cached == &table) cached = nullptr;
  panes_.groups -= table.count;
  slot_bytes_in_tables_ -= (table.mask + 1) * panes_.slot_bytes;
  tables_.erase(found);
}

void PaneTables::clear() {
  tables_.clear();
  memset(panes_.cached, 0, sizeof panes_.cached);
  panes_.groups = 0;
  slot_bytes_in_tables_ = 0;
}

// Linear probing without tombstones: later groups of the run move up into the gap if their place
// allows it.
void PaneTables::erase(WeirTable* table, WeirSlot* slot) {
  uint64_t gap = uint64_t(reinterpret_cast<char*>(slot) - table->slots) / panes_.slot_bytes;
  for (uint64_t index = (gap + 1) & table->mask;; index = (index + 1) & table->mask) {
    WeirSlot* next = weir_table_slot(table, index);
    if (next->tag == 0) break;
    uint64_t home = next->tag >> 5 & table->mask;
    if (((index - home) & table->mask) >= ((index - gap) & table->mask)) {
      memcpy(static_cast<void*>(weir_table_slot(table, gap)), next, panes_.slot_bytes);
      gap = index;
    }
  }
  memset(static_cast<void*>(weir_table_slot(table, gap)), 0, panes_.slot_bytes);
  table->count--;
  panes_.groups--;
}

uint64_t PaneTables::bytes() const {
  uint64_t bytes = slot_bytes_in_tables_;
  for (const auto& [pane, kept] : tables_) bytes += kept->keys.bytes();
  return bytes;
}

}  // namespace weir::stdlib
