#include "runtime/state/keyed_state.h"

#include <algorithm>

#include "runtime/state/state_key.h"

namespace weir::runtime {

namespace {

constexpr uint64_t kDirty = 1;           // in WeirSlot::owner
constexpr size_t kFetchBatch = 1024;
constexpr size_t kNotesMax = 4096;

uint32_t shard_of(WeirBytes key, size_t shards) { return uint32_t(weir_shard_hash(key.data, key.size) % shards); }

WeirGroupHeader* header_of(char* group) { return reinterpret_cast<WeirGroupHeader*>(group); }

}  // namespace

KeyedState::Shard::Shard(const KeyedInfo& info)
    : tables(info.keyed->group_bytes(), info.keyed->group_initial().data(), info.has_window ? info.window.pane : 0, info.window.offset) {}

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
  notes.back().key.reserve(key.size + kInlineKeyBytes);   // a probe may read that far behind a key
}

KeyedState::KeyedState(const KeyedInfo& info, StateValueCodec codec, uint32_t number, uint32_t shards, Store* store)
    : info_(info), codec_(std::move(codec)), number_(number), store_(store) {
  for (uint32_t i = 0; i < shards; ++i) shards_.emplace_back(info);
  for (const EmissionInfo& emission : info.emissions) keeps_closed_ |= emission.emission->mode() == contract::Emission::COMPLETE;
}

Status KeyedState::load_panes(int64_t watermark) {
  auto cursor = store_->cursor(number_);
  cursor->seek("");
  while (cursor->valid()) {
    StateKey key;
    if (!read_state_key(cursor->key(), &key) || key.shard >= shards_.size()) {
      return Status::error(Exit::Disk, "the state of `" + info_.keyed->identity() + "` holds a key that is not one");
    }
    // What was dropped but not yet removed when the process ended.
    bool closed = info_.has_window && !keeps_closed_ && info_.window.pane_close(key.pane) <= watermark;
    if (closed) {
      std::string from = state_prefix(key.shard, key.pane), to = state_prefix(key.shard, key.pane + 1);
      if (Status status = store_->erase(number_, from, to); !status.ok()) return status;
    } else {
      Pane& pane = pane_of(shards_[key.shard], key.pane);
      pane.stored = pane.spilled = true;
      ++shards_[key.shard].spilled;
      pane.changed = pane.changed_before = ~0u;
    }
    if (key.pane == INT64_MAX) break;
    cursor->seek(state_prefix(key.shard, key.pane + 1));
  }
  if (Status status = cursor->status(); !status.ok()) return status;
  return merged();
}

KeyedState::Pane& KeyedState::pane_of(Shard& shard, int64_t at) {
  auto [it, fresh] = shard.panes.try_emplace(at);
  if (fresh) shard.made.push_back(at);
  return it->second;
}

void KeyedState::touch(Pane& pane, WeirSlot* slot) {
  pane.any_dirty = true;
  if (slot->owner & kDirty) return;
  slot->owner |= kDirty;
  if (!pane.scan) {
    uint64_t bytes = uint64_t(reinterpret_cast<char*>(slot) - pane.table->slots);
    pane.dirty.push_back(uint32_t(bytes / pane.table->panes->slot_bytes));
  }
}

Status KeyedState::fetch_spilled(uint32_t number, const std::vector<stdlib::PaneTables*>& partials) {
  Shard& shard = shards_[number];
  std::vector<std::string> keys;
  std::vector<std::optional<std::string>> values;
  std::vector<WeirTable*> tables;
  auto load = [&]() -> Status {
    if (Status status = store_->get(number_, keys, &values); !status.ok()) return status;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!values[i]) continue;
      std::string_view key = std::string_view(keys[i]).substr(kStateKeyPrefix);
      char* group = weir_table_upsert(tables[i], key.data(), key.size());
      if (!codec_.decode(*values[i], group, &tables[i]->keys)) {
        return Status::error(Exit::Disk, "the state of `" + info_.keyed->identity() + "` holds a value that is not one");
      }
    }
    keys.clear();
    tables.clear();
    return {};
  };
  Status status;
  for (stdlib::PaneTables* partial : partials) {
    partial->for_each([&](WeirTable* from) {
      auto it = shard.panes.find(from->pane);
      if (!status.ok() || it == shard.panes.end() || !it->second.spilled) return;
      Pane& pane = it->second;
      if (!pane.table) pane.table = shard.tables.find_or_make(from->pane);
      uint64_t mask = pane.table->mask;
      std::string prefix = state_prefix(uint16_t(number), from->pane);
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(from, &at);) {
        WeirBytes key = weir_slot_key(slot);
        if (shard_of(key, shards_.size()) != number || weir_table_find(pane.table, key.data, key.size)) continue;
        keys.push_back(prefix + std::string(key.data, key.size));
        keys.back().reserve(keys.back().size() + kInlineKeyBytes);   // a probe may read that far behind a key
        tables.push_back(pane.table);
        if (keys.size() == kFetchBatch) status = load();
        if (!status.ok()) return;
      }
      if (status.ok()) status = load();
      if (pane.table->mask != mask) pane.scan = true;   // slots have moved
    });
  }
  return status;
}

void KeyedState::merge_part(const std::vector<stdlib::PaneTables*>& partials, uint32_t part, uint32_t parts) {
  for (uint32_t s = part; s < shards_.size(); s += parts) {
    if (shards_[s].spilled == 0) continue;
    shards_[s].status = fetch_spilled(s, partials);
    if (!shards_[s].status.ok()) return;
  }
  std::vector<Pane*> panes(shards_.size());   // of the table that is merged now
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
          if (!pane->table) pane->table = shards_[s].tables.find_or_make(from->pane);
          pane->changed = ~0u;
        }
        uint64_t mask = pane->table->mask;
        char* into = weir_table_upsert(pane->table, key.data, key.size);
        const char* group = weir_slot_accumulator(slot);
        uint32_t error = header_of(into)->error ? header_of(into)->error : reinterpret_cast<const WeirGroupHeader*>(group)->error;
        info_.merge(into, group, &pane->table->keys);
        header_of(into)->changed = ~0u;
        if (error) header_of(into)->error = error;
        if (pane->table->mask != mask) pane->scan = true;
        touch(*pane, reinterpret_cast<WeirSlot*>(into - sizeof(WeirSlot)));
        if (from->pane < shards_[s].noted_end) shards_[s].note(from->pane, key);
      }
    });
  }
}

Status KeyedState::merged() {
  for (Shard& shard : shards_) {
    panes_.insert(shard.made.begin(), shard.made.end());
    shard.made.clear();
    if (!shard.status.ok()) return std::move(shard.status);
  }
  return {};
}

std::vector<std::string> KeyedState::freeze_shard(uint32_t number, uint64_t epoch) {
  Shard& shard = shards_[number];
  ChangelogWriter writer(info_.keyed->identity(), uint16_t(number), epoch);
  for (auto& [start, pane] : shard.panes) {
    if (!pane.any_dirty) continue;
    std::string prefix = state_prefix(uint16_t(number), start);
    auto write = [&](WeirSlot* slot) {
      slot->owner &= ~kDirty;
      WeirBytes key = weir_slot_key(slot);
      writer.add(prefix, {key.data, key.size}, [&](std::string* out) { codec_.encode(weir_slot_accumulator(slot), out); });
    };
    if (pane.scan) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(pane.table, &at);) {
        if (slot->owner & kDirty) write(slot);
      }
    } else {
      for (uint32_t at : pane.dirty) write(weir_table_slot(pane.table, at));
    }
    pane.dirty.clear();
    pane.scan = pane.any_dirty = false;
    pane.stored = true;
    pane.dirty_epoch = epoch;
    pane.changed_before |= pane.changed;
  }
  return writer.take();
}

std::vector<KeyedState::Dropped> KeyedState::drop_closed(int64_t watermark) {
  std::vector<Dropped> dropped;
  if (!info_.has_window || keeps_closed_) return dropped;
  while (!panes_.empty() && info_.window.pane_close(*panes_.begin()) <= watermark) {
    int64_t start = *panes_.begin();
    for (uint32_t s = 0; s < shards_.size(); ++s) {
      auto it = shards_[s].panes.find(start);
      if (it == shards_[s].panes.end()) continue;
      if (it->second.stored) dropped.push_back({uint16_t(s), start});
      if (it->second.spilled) --shards_[s].spilled;
      shards_[s].tables.remove(start);
      shards_[s].panes.erase(it);
    }
    panes_.erase(panes_.begin());
  }
  return dropped;
}

uint64_t KeyedState::spill(uint64_t bytes, uint64_t durable) {
  struct Candidate { uint64_t epoch; Shard* shard; int64_t start; };
  std::vector<Candidate> candidates;
  for (Shard& shard : shards_) {
    for (auto& [start, pane] : shard.panes) {
      if (pane.table && !pane.any_dirty && pane.dirty_epoch <= durable) candidates.push_back({pane.dirty_epoch, &shard, start});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.epoch < b.epoch; });
  uint64_t freed = 0;
  for (const Candidate& candidate : candidates) {
    if (freed >= bytes) break;
    uint64_t before = candidate.shard->tables.bytes();
    candidate.shard->tables.remove(candidate.start);
    freed += before - candidate.shard->tables.bytes();
    Pane& pane = candidate.shard->panes.at(candidate.start);
    pane.table = nullptr;
    if (!pane.spilled) ++candidate.shard->spilled;
    pane.spilled = true;
    pane.dirty.clear();
  }
  return freed;
}

uint64_t KeyedState::bytes() const {
  uint64_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.tables.bytes();
  return bytes;
}
uint64_t KeyedState::groups() const {
  uint64_t groups = 0;
  for (const Shard& shard : shards_) groups += const_cast<stdlib::PaneTables&>(shard.tables).panes()->groups;
  return groups;
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
