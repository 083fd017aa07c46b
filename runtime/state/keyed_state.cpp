#include "runtime/state/keyed_state.h"

#include <algorithm>

#include "runtime/state/state_key.h"

namespace weir::runtime {

namespace {

// In WeirSlot::owner, with the epoch that wrote the group down last.
constexpr uint64_t kDirty = 1;
constexpr uint64_t kUsed = 2;  // since memory was short the last time
constexpr uint64_t kPart = 4;  // while it is written down
constexpr int kEpochShift = 8;
constexpr size_t kNotesMax = 4096;

uint32_t shard_of(WeirBytes key, size_t shards) {
  return uint32_t(weir_shard_hash(key.data, key.size) % shards);
}

bool key_before(WeirBytes a, WeirBytes b) { return view(a) < view(b); }

WeirGroupHeader* header_of(char* group) { return reinterpret_cast<WeirGroupHeader*>(group); }

}  // namespace

std::unique_ptr<stdlib::PaneTables> make_tables(const KeyedInfo& info) {
  return std::make_unique<stdlib::PaneTables>(info.keyed->group_bytes(),
                                              info.keyed->group_initial().data(), 0, 0);
}

KeyedState::Shard::Shard(const KeyedInfo& info)
    : tables(info.keyed->group_bytes(), info.keyed->group_initial().data(),
             info.has_window ? info.window.pane : 0, info.window.offset),
      parts(info.keyed->group_bytes(), info.keyed->group_initial().data(),
            info.has_window ? info.window.pane : 0, info.window.offset) {}

void KeyedState::Shard::note_from(int64_t end) {
  noted_end = end;
  notes.clear();
  notes_lost = false;
}

void KeyedState::Shard::note(int64_t pane, WeirBytes key) {
  if (notes.size() == kNotesMax) {
    notes_lost = true;
    return;
  }
  notes.push_back({pane, std::string(key.data, key.size)});
  notes.back().key.reserve(key.size + kInlineKeyBytes);  // a probe may read that far behind a key
}

KeyedState::KeyedState(const KeyedInfo& info, StateValueCodec codec, uint32_t number,
                       uint32_t shards, Store* store)
    : info_(info), codec_(std::move(codec)), number_(number), store_(store) {
  for (uint32_t i = 0; i < shards; ++i) shards_.emplace_back(info);
  for (const EmissionInfo& emission : info.emissions) {
    keeps_closed_ |= emission.emission->mode() == contract::Emission::COMPLETE;
    reads_again_ |= emission.emission->mode() != contract::Emission::APPEND;
  }
}

Status KeyedState::load_panes(int64_t watermark) {
  auto cursor = store_->cursor(number_);
  // What was closed but not yet removed when the process ended.
  int64_t first_live = INT64_MIN;
  if (info_.has_window && !keeps_closed_) first_live = info_.window.first_pane(watermark);
  if (first_live != INT64_MIN) store_->forget_before(number_, first_live);
  cursor->seek(state_prefix(0, first_live));
  while (cursor->valid()) {
    StateKey key;
    if (!read_state_key(cursor->key(), &key) || key.shard >= shards_.size()) {
      return Status::error(
          Exit::Disk, "the state of `" + info_.keyed->identity() + "` holds a key that is not one");
    }
    if (key.pane < first_live) {
      cursor->seek(state_prefix(key.shard, first_live));
      continue;
    }
    Pane& pane = pane_of(shards_[key.shard], key.pane);
    pane.stored = pane.spilled = true;
    ++shards_[key.shard].spilled;
    pane.changed = pane.changed_before = ~0u;
    if (key.pane == INT64_MAX) break;
    cursor->seek(state_prefix(key.shard, key.pane + 1));
  }
  merged();
  return cursor->status();
}

KeyedState::Pane& KeyedState::pane_of(Shard& shard, int64_t at) {
  auto [it, fresh] = shard.panes.try_emplace(at);
  if (fresh) shard.made.push_back(at);
  return it->second;
}

void KeyedState::touch(Pane& pane, WeirSlot* slot) {
  pane.any_dirty = true;
  bool dirty = slot->owner & kDirty;
  slot->owner |= kDirty | kUsed;
  if (dirty) return;
  if (!pane.scan) {
    uint64_t bytes = uint64_t(reinterpret_cast<char*>(slot) - pane.table->slots);
    pane.dirty.push_back(uint32_t(bytes / pane.table->panes->slot_bytes));
  }
}

uint64_t KeyedState::take_back(uint32_t number, int64_t start, WeirBytes key, const char* group) {
  Shard& shard = shards_[number];
  Pane& pane = shard.panes.at(start);
  if (WeirSlot* part = pane.parts ? weir_table_find(pane.parts, key.data, key.size) : nullptr)
    shard.parts.erase(pane.parts, part);
  if (!pane.table) pane.table = shard.tables.find_or_make(start);
  uint64_t mask = pane.table->mask;
  char* into = weir_table_upsert(pane.table, key.data, key.size);
  info_.merge(into, group, &pane.table->keys);
  memcpy(into, group, sizeof(WeirGroupHeader));
  if (pane.table->mask != mask) pane.scan = true;
  touch(pane, reinterpret_cast<WeirSlot*>(into - sizeof(WeirSlot)));
  return pane.table->panes->slot_bytes + key.size;
}

void KeyedState::merge_part(const std::vector<stdlib::PaneTables*>& partials, uint32_t part,
                            uint32_t parts) {
  std::vector<Pane*> panes(shards_.size());  // of the table that is merged now
  for (stdlib::PaneTables* partial : partials) {
    partial->for_each([&](WeirTable* from) {
      std::fill(panes.begin(), panes.end(), nullptr);
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(from, &at);) {
        WeirBytes key = weir_slot_key(slot);
        uint32_t s = shard_of(key, shards_.size());
        if (s % parts != part) continue;
        Pane*& pane = panes[s];
        if (!pane) {
          pane = &pane_of(shards_[s], from->pane);
          pane->changed = ~0u;
          if (pane->spilled && !pane->parts)
            pane->parts = shards_[s].parts.find_or_make(from->pane);
          if (!pane->spilled && !pane->table)
            pane->table = shards_[s].tables.find_or_make(from->pane);
        }
        const char* group = weir_slot_accumulator(slot);
        WeirProbe probe = weir_slot_probe(slot);
        if (pane->spilled && !(pane->table && weir_table_find_probe(pane->table, probe))) {
          char* into = weir_table_upsert_probe(pane->parts, probe);
          merge_group(info_, into, group, &pane->parts->keys);
          header_of(into)->changed = ~0u;
          pane->any_dirty = true;
          continue;
        }
        uint64_t mask = pane->table->mask;
        char* into = weir_table_upsert_probe(pane->table, probe);
        merge_group(info_, into, group, &pane->table->keys);
        header_of(into)->changed = ~0u;
        if (pane->table->mask != mask) pane->scan = true;
        touch(*pane, reinterpret_cast<WeirSlot*>(into - sizeof(WeirSlot)));
        if (from->pane < shards_[s].noted_end) shards_[s].note(from->pane, key);
      }
    });
  }
}

void KeyedState::merged() {
  for (Shard& shard : shards_) {
    panes_.insert(shard.made.begin(), shard.made.end());
    shard.made.clear();
  }
}

std::vector<std::string> KeyedState::freeze_shard(uint32_t number, uint64_t epoch) {
  Shard& shard = shards_[number];
  ChangelogWriter writer(info_.keyed->identity(), uint16_t(number), epoch);
  for (auto& [start, pane] : shard.panes) {
    if (!pane.any_dirty) continue;
    std::string prefix = state_prefix(uint16_t(number), start);
    std::vector<WeirSlot*> slots;
    if (pane.scan && pane.table) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(pane.table, &at);) {
        if (slot->owner & kDirty) slots.push_back(slot);
      }
    } else {
      for (uint32_t at : pane.dirty) slots.push_back(weir_table_slot(pane.table, at));
    }
    if (pane.parts) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(pane.parts, &at);) {
        slot->owner = kPart;
        slots.push_back(slot);
      }
    }
    // In order, because the store takes neighbours faster.
    std::sort(slots.begin(), slots.end(), [](WeirSlot* a, WeirSlot* b) {
      return key_before(weir_slot_key(a), weir_slot_key(b));
    });
    for (WeirSlot* slot : slots) {
      bool is_part = slot->owner & kPart;
      slot->owner = (slot->owner & kUsed) | epoch << kEpochShift;
      WeirBytes key = weir_slot_key(slot);
      writer.add(prefix, view(key), [&](std::string* out) {
        codec_.encode(weir_slot_accumulator(slot), out, is_part);
      });
    }
    pane.parts = nullptr;
    pane.dirty.clear();
    pane.scan = pane.any_dirty = false;
    pane.stored = true;
    pane.dirty_epoch = epoch;
    pane.changed_before |= pane.changed;
  }
  shard.parts.clear();
  return writer.take();
}

std::optional<int64_t> KeyedState::drop_closed(int64_t watermark) {
  bool stored = false;
  int64_t last = INT64_MIN;
  if (!info_.has_window || keeps_closed_) return std::nullopt;
  while (!panes_.empty() && info_.window.pane_close(*panes_.begin()) <= watermark) {
    int64_t start = *panes_.begin();
    for (uint32_t s = 0; s < shards_.size(); ++s) {
      auto it = shards_[s].panes.find(start);
      if (it == shards_[s].panes.end()) continue;
      stored |= it->second.stored;
      if (it->second.spilled) --shards_[s].spilled;
      shards_[s].tables.remove(start);
      shards_[s].parts.remove(start);
      shards_[s].panes.erase(it);
    }
    last = start;
    panes_.erase(panes_.begin());
  }
  return stored ? std::optional(last + 1) : std::nullopt;
}

// Only what the store has as it is.
bool KeyedState::can_go(const WeirSlot* slot, uint64_t durable) const {
  return !(slot->owner & kDirty) && slot->owner >> kEpochShift <= durable;
}

// Second chance: what was used since memory was last short stays this time. A table's memory is its
// slots, whether they are taken or not, so the groups that stay move to a smaller one.
uint64_t KeyedState::thin_out(Shard& shard, int64_t start, Pane& pane, uint64_t durable,
                              bool used_too) {
  WeirTable* table = pane.table;
  uint64_t stay = 0;
  for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);) {
    stay += !can_go(slot, durable) || (!used_too && (slot->owner & kUsed));
  }
  uint64_t count = table->count;
  if (stay > count / 2) {
    for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);) slot->owner &= ~kUsed;
    return 0;
  }
  uint64_t before = shard.tables.bytes();
  stdlib::PaneTables kept(info_.keyed->group_bytes(), info_.keyed->group_initial().data(), 0, 0);
  auto move = [&](WeirTable* from, WeirTable* to, bool all) {
    for (uint64_t at = 0; WeirSlot* slot = weir_table_next(from, &at);) {
      if (!all && can_go(slot, durable) && (used_too || !(slot->owner & kUsed))) continue;
      WeirBytes key = weir_slot_key(slot);
      char* group = weir_table_upsert(to, key.data, key.size);
      info_.merge(group, weir_slot_accumulator(slot), &to->keys);
      memcpy(group, weir_slot_accumulator(slot), sizeof(WeirGroupHeader));
      reinterpret_cast<WeirSlot*>(group - sizeof(WeirSlot))->owner = slot->owner & ~kUsed;
    }
  };
  if (stay > 0) move(table, kept.find_or_make(0), false);
  shard.tables.remove(start);
  pane.table = nullptr;
  if (stay > 0) {
    pane.table = shard.tables.find_or_make(start);
    move(kept.find_or_make(0), pane.table, true);
  }
  pane.dirty.clear();
  pane.scan = pane.any_dirty;
  if (!pane.spilled) ++shard.spilled;
  pane.spilled = true;
  return before - shard.tables.bytes();
}

uint64_t KeyedState::spill(uint64_t bytes, uint64_t durable) {
  struct Candidate {
    uint64_t epoch;
    Shard* shard;
    int64_t start;
  };
  std::vector<Candidate> candidates;
  for (Shard& shard : shards_) {
    for (auto& [start, pane] : shard.panes) {
      if (pane.table && pane.stored) candidates.push_back({pane.dirty_epoch, &shard, start});
    }
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.epoch < b.epoch; });
  uint64_t freed = 0;
  for (bool used_too : {!reads_again_, true}) {
    for (const Candidate& candidate : candidates) {
      if (freed >= bytes) return freed;
      Pane& pane = candidate.shard->panes.at(candidate.start);
      if (pane.table) freed += thin_out(*candidate.shard, candidate.start, pane, durable, used_too);
    }
  }
  return freed;
}

uint64_t KeyedState::bytes() const {
  uint64_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.tables.bytes() + shard.parts.bytes();
  return bytes;
}
uint64_t KeyedState::groups() const {
  uint64_t groups = 0;
  for (const Shard& shard : shards_)
    groups += const_cast<stdlib::PaneTables&>(shard.tables).panes()->groups;
  return groups;
}
bool KeyedState::any_spilled() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const Shard& s) { return s.spilled > 0; });
}
bool KeyedState::dirty_anywhere() const {
  for (const Shard& shard : shards_) {
    for (const auto& [start, pane] : shard.panes) {
      if (pane.any_dirty) return true;
    }
  }
  return false;
}

}  // namespace weir::runtime
