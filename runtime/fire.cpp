#include "runtime/fire.h"

#include <algorithm>

namespace weir::runtime {

namespace {

constexpr size_t kFiredMax = 1024;  // of one stage call: outputs are looked at in between
constexpr int64_t kPanesKept = 4;   // windows of fewer panes are combined anew

WeirGroupHeader* header_of(char* group) { return reinterpret_cast<WeirGroupHeader*>(group); }

}  // namespace

Firing::Firing(KeyedState& state) : state_(state), info_(state.info()), window_(info_.window) {
  scratch_ = make_tables(info_);
  sliding_ = make_sliding(true);
  for (const EmissionInfo& emission : info_.emissions)
    appends_ |= emission.emission->mode() == contract::Emission::APPEND;
}

Firing::Sliding Firing::make_sliding(bool follow) const {
  Sliding made;
  if (!info_.has_window || window_.size < kPanesKept * window_.pane ||
      window_.size <= window_.slide)
    return made;
  for (uint32_t s = 0; s < state_.shards().size(); ++s)
    made.push_back(std::make_unique<SlidingPanes>(state_, s, follow));
  return made;
}

uint64_t Firing::bytes() const {
  uint64_t bytes = 0;
  for (const auto& kept : sliding_) bytes += kept->bytes();
  return bytes;
}

void Firing::forget() {
  for (auto& kept : sliding_) kept->clear();
}

// ---------------------------------------------------------------- groups of a window

bool Firing::any_spilled(uint32_t s, int64_t first, int64_t end) const {
  if (state_.shards()[s].spilled == 0) return false;
  auto& panes = state_.shards()[s].panes;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
    if (it->second.spilled) return true;
  }
  return false;
}

void Firing::combine_parts(const SlidingPanes::Parts& parts, WeirBytes key) {
  for (WeirTable* part : {parts.back, parts.front}) {
    WeirSlot* slot = part ? weir_table_find(part, key.data, key.size) : nullptr;
    if (slot) merge_into_scratch(key, weir_slot_accumulator(slot));
  }
}

Status Firing::groups_of(uint32_t s, int64_t first, int64_t end, Sliding& sliding,
                         const Take& take) {
  if (any_spilled(s, first, end)) {
    if (!sliding.empty()) sliding[s]->clear();
    return StoredGroups(state_, s, first, end).for_each_piece(take);
  }
  std::vector<WeirTable*> tables;
  SlidingPanes::Parts parts;
  if (!sliding.empty()) parts = sliding[s]->slide_to(first, end);
  if (!parts.kept) {
    auto& panes = state_.shards()[s].panes;
    for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
      if (it->second.table) tables.push_back(it->second.table);
    }
  } else {
    for (WeirTable* part : {parts.back, parts.front}) {
      if (part && part->count > 0) tables.push_back(part);
    }
  }
  std::vector<FiringGroup> groups;
  if (tables.size() == 1) {
    add_all(tables[0], &groups);
  } else if (tables.size() > 1) {
    for (WeirTable* table : tables) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);)
        merge_into_scratch(weir_slot_key(slot), weir_slot_accumulator(slot));
    }
    add_all(scratch_->find_or_make(0), &groups);
  }
  if (groups.empty()) return {};
  sort_by_key(groups);
  Status status = take(groups);
  scratch_->clear();
  return status;
}

// What a combination says about changes is old once an emission has fired in between. Then the
// panes know; and where most of them have changed it is made anew.
Status Firing::changed_groups_of(uint32_t s, int64_t first, int64_t end, uint32_t bit,
                                 Sliding& sliding, const Take& take) {
  auto& panes = state_.shards()[s].panes;
  bool panes_know = !sliding.empty() && sliding[s]->old_bits() && !any_spilled(s, first, end);
  if (panes_know) {
    int64_t count = 0;
    for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it)
      count += (it->second.changed & bit) != 0;
    if (count * kPanesKept > (end - first) / window_.pane) {
      sliding[s]->clear();
      panes_know = false;
    }
  }
  if (!panes_know) {
    return groups_of(s, first, end, sliding, [&](const std::vector<FiringGroup>& groups) -> Status {
      std::vector<FiringGroup> changed;
      for (const FiringGroup& g : groups) {
        if (header_of(g.accumulator)->changed & bit) changed.push_back(g);
      }
      return changed.empty() ? Status() : take(changed);
    });
  }
  SlidingPanes::Parts parts;
  bool kept = false;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
    if (!(it->second.changed & bit) || !it->second.table) continue;
    for (uint64_t at = 0; WeirSlot* slot = weir_table_next(it->second.table, &at);) {
      WeirBytes key = weir_slot_key(slot);
      if (!(header_of(weir_slot_accumulator(slot))->changed & bit) ||
          weir_table_find(scratch_->find_or_make(0), key.data, key.size))
        continue;
      if (!kept) parts = sliding[s]->slide_to(first, end);
      kept = true;
      if (parts.kept) {
        combine_parts(parts, key);
      } else {
        combine_key(s, first, end, key);
      }
    }
  }
  std::vector<FiringGroup> groups;
  if (kept) add_all(scratch_->find_or_make(0), &groups);
  sort_by_key(groups);
  Status status = groups.empty() ? Status() : take(groups);
  scratch_->clear();
  return status;
}

Status Firing::deliver(const std::vector<FiringGroup>& groups, const Span& span, uint32_t emission,
                       const FireTo& to_stage) {
  fired_.clear();
  auto flush = [&]() -> Status {
    Status status =
        fired_.empty() ? Status() : to_stage(emission, fired_.data(), uint32_t(fired_.size()));
    fired_.clear();
    return status;
  };
  for (const FiringGroup& g : groups) {
    fired_.push_back(
        {g.key.data, g.key.size, g.accumulator, span.start, span.end, span.event_time});
    if (fired_.size() == kFiredMax) {
      if (Status status = flush(); !status.ok()) return status;
    }
  }
  return flush();
}

// ---------------------------------------------------------------- closed windows, all windows

Status Firing::for_each_window(int64_t from, int64_t to,
                               const std::function<Status(int64_t)>& visit) {
  const std::set<int64_t>& panes = state_.panes();
  if (panes.empty()) return {};
  int64_t start = window_.first_with(*panes.begin());
  if (from != INT64_MIN && from != INT64_MAX) start = std::max(start, window_.next_to_close(from));
  while (true) {
    auto it = panes.lower_bound(start);
    if (it == panes.end()) return {};
    if (*it >= window_.end(start)) {  // nothing in this one: on to the first that has something
      start = std::max(start + window_.slide, window_.first_with(*it));
      continue;
    }
    if (window_.close(start) > to) return {};
    if (Status status = visit(start); !status.ok()) return status;
    start += window_.slide;
  }
}

Status Firing::fire_closed(int64_t from, int64_t to, const FireTo& to_stage) {
  if (!info_.has_window) return {};
  return for_each_window(from, to, [&](int64_t start) -> Status {
    Span span{start, window_.end(start), window_.end(start) - 1};
    last_close_ = std::max(last_close_, window_.close(start));
    for (uint32_t s = 0; s < state_.shards().size(); ++s) {
      // All emissions of append mode have the same groups.
      auto append = [&](const std::vector<FiringGroup>& groups) -> Status {
        for (uint32_t e = 0; e < info_.emissions.size(); ++e) {
          if (info_.emissions[e].emission->mode() != contract::Emission::APPEND) continue;
          if (Status delivered = deliver(groups, span, e, to_stage); !delivered.ok())
            return delivered;
        }
        return {};
      };
      if (appends_) {
        if (Status status = groups_of(s, start, span.end, sliding_, append); !status.ok())
          return status;
      }
      for (uint32_t e = 0; e < info_.emissions.size(); ++e) {
        if (info_.emissions[e].emission->mode() != contract::Emission::UPDATE) continue;
        auto update = [&](const std::vector<FiringGroup>& groups) {
          return deliver(groups, span, e, to_stage);
        };
        if (Status status =
                changed_groups_of(s, start, span.end, uint32_t{1} << e, sliding_, update);
            !status.ok())
          return status;
      }
    }
    return {};
  });
}

Status Firing::fire_all(uint32_t emission, int64_t event_time, const FireTo& to_stage) {
  Sliding sliding = make_sliding(false);
  auto fire = [&](const Span& span, int64_t first, int64_t end) -> Status {
    for (uint32_t s = 0; s < state_.shards().size(); ++s) {
      Status status =
          groups_of(s, first, end, sliding, [&](const std::vector<FiringGroup>& groups) {
            return deliver(groups, span, emission, to_stage);
          });
      if (!status.ok()) return status;
    }
    return {};
  };
  Status status =
      info_.has_window
          ? for_each_window(INT64_MIN, INT64_MAX,
                            [&](int64_t start) {
                              return fire({start, window_.end(start), window_.end(start) - 1},
                                          start, window_.end(start));
                            })
          : fire({0, 0, event_time}, 0, 1);
  for (KeyedState::Shard& shard : state_.shards()) {
    for (auto& [start, pane] : shard.panes) {
      pane.changed &= ~(uint32_t{1} << emission);
      pane.changed_before &= ~(uint32_t{1} << emission);
    }
  }
  return status;
}

bool Firing::any_changed(uint32_t emission) const {
  for (const KeyedState::Shard& shard : state_.shards()) {
    for (const auto& [start, pane] : shard.panes) {
      if (pane.changed & (uint32_t{1} << emission)) return true;
    }
  }
  return false;
}

// ---------------------------------------------------------------- changed groups

void Firing::combine_key(uint32_t s, int64_t first, int64_t end, WeirBytes key) {
  auto& panes = state_.shards()[s].panes;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
    WeirTable* table = it->second.table;
    WeirSlot* slot = table ? weir_table_find(table, key.data, key.size) : nullptr;
    if (slot) merge_into_scratch(key, weir_slot_accumulator(slot));
  }
}

// What is spilled has changed, or stands in a window of what has.
bool Firing::changes_need_store(uint32_t s, uint32_t bit) const {
  for (auto& [start, pane] : state_.shards()[s].panes) {
    if (!(pane.changed & bit)) continue;
    if (!info_.has_window
            ? pane.spilled
            : any_spilled(s, window_.first_with(start), window_.end(window_.last_with(start))))
      return true;
  }
  return false;
}

// The order is that of keys in pieces, and within a piece that of windows.
Status Firing::fire_changed_stored(uint32_t s, uint32_t emission, int64_t watermark,
                                   int64_t event_time, const FireTo& to_stage,
                                   const MakeRoom& make_room) {
  uint32_t bit = uint32_t{1} << emission;
  std::string from;
  while (true) {
    Result<ChangedPiece> piece = ChangedPiece::read(state_, s, bit, from);
    if (!piece.ok()) return piece.take_status();
    std::map<int64_t, std::vector<WeirBytes>> windows;
    for (const auto& [key, panes] : piece->keys()) {
      auto add = [&](int64_t window) {
        std::vector<WeirBytes>& keys = windows[window];
        if (keys.empty() || keys.back().data != key.data())
          keys.push_back({key.data(), key.size()});
      };
      for (int64_t start : panes) {
        if (!info_.has_window) {
          add(0);
          continue;
        }
        for (int64_t w = window_.first_with(start); w <= window_.last_with(start);
             w += window_.slide) {
          if (window_.close(w) > watermark) add(w);
        }
      }
    }
    for (const auto& [start, keys] : windows) {
      Span span = info_.has_window ? Span{start, window_.end(start), window_.end(start) - 1}
                                   : Span{0, 0, event_time};
      auto first = state_.panes().lower_bound(start);
      auto end = state_.panes().lower_bound(info_.has_window ? span.end : start + 1);
      for (auto pane = first; pane != end; ++pane) {
        for (WeirBytes key : keys) {
          if (const char* group = piece->group(*pane, key)) merge_into_scratch(key, group);
        }
      }
      std::vector<FiringGroup> groups;
      add_all(scratch_->find_or_make(0), &groups);
      sort_by_key(groups);
      Status status = deliver(groups, span, emission, to_stage);
      scratch_->clear();
      if (!status.ok()) return status;
    }
    uint64_t dirty = piece->clear_bits();
    if (piece->bound()) from = *piece->bound();
    bool last = !piece->bound();
    if (Status status = make_room(dirty); !status.ok() || last) return status;
  }
}

Status Firing::fire_changed_in(uint32_t s, uint32_t emission, int64_t watermark, int64_t event_time,
                               const FireTo& to_stage, const MakeRoom& make_room) {
  uint32_t bit = uint32_t{1} << emission;
  KeyedState::Shard& shard = state_.shards()[s];
  auto all_fired = [&] {
    for (auto& [start, pane] : shard.panes) {
      pane.changed &= ~bit;
      pane.changed_before &= ~bit;
    }
    if (!sliding_.empty()) sliding_[s]->bits_cleared();
  };
  if (changes_need_store(s, bit)) {
    Status status = fire_changed_stored(s, emission, watermark, event_time, to_stage, make_room);
    all_fired();
    return status;
  }
  struct Changed {
    KeyedState::Pane* pane;
    WeirSlot* slot;
  };
  std::vector<Changed> changed;
  std::map<int64_t, std::vector<FiringGroup>>
      windows;  // by start; where a window is one pane its groups, else the keys
  bool one_pane = !info_.has_window || window_.is_tumbling();
  for (auto& [start, pane] : shard.panes) {
    if (!(pane.changed & bit) || !pane.table) continue;
    auto take = [&](WeirSlot* slot) {
      if (!(header_of(weir_slot_accumulator(slot))->changed & bit)) return;
      changed.push_back({&pane, slot});
      FiringGroup found = make_firing_group(weir_slot_key(slot), weir_slot_accumulator(slot));
      if (!info_.has_window) {
        windows[0].push_back(found);
        return;
      }
      for (int64_t w = window_.first_with(start); w <= window_.last_with(start);
           w += window_.slide) {
        if (window_.close(w) > watermark) windows[w].push_back(found);
      }
    };
    if (pane.scan || (pane.changed_before & bit)) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(pane.table, &at);) take(slot);
    } else {
      for (uint32_t at : pane.dirty) take(weir_table_slot(pane.table, at));
    }
  }
  // Where windows have several panes, those of the changed keys slide over all windows at once.
  std::unique_ptr<stdlib::PaneTables> keys;
  std::unique_ptr<SlidingPanes> sliding;
  if (!one_pane && !windows.empty()) {
    keys = make_tables(info_);
    for (const Changed& c : changed)
      weir_table_upsert(keys->find_or_make(0), weir_slot_key(c.slot).data,
                        weir_slot_key(c.slot).size);
    sliding = std::make_unique<SlidingPanes>(state_, s, false, keys->find_or_make(0));
  }
  for (auto& [start, groups] : windows) {
    sort_by_key(groups);
    Span span = info_.has_window ? Span{start, window_.end(start), window_.end(start) - 1}
                                 : Span{0, 0, event_time};
    if (!one_pane) {
      auto same = [](const FiringGroup& a, const FiringGroup& b) {
        return view(a.key) == view(b.key);
      };
      groups.erase(std::unique(groups.begin(), groups.end(), same), groups.end());
      SlidingPanes::Parts parts;
      if (sliding) parts = sliding->slide_to(start, span.end);
      for (FiringGroup& g : groups) {
        if (parts.kept) {
          combine_parts(parts, g.key);
        } else {
          combine_key(s, start, span.end, g.key);
        }
      }
      // The scratch table stands still only now.
      WeirTable* table = scratch_->find_or_make(0);
      for (FiringGroup& g : groups)
        g.accumulator = weir_slot_accumulator(weir_table_find(table, g.key.data, g.key.size));
    }
    Status status = deliver(groups, span, emission, to_stage);
    scratch_->clear();
    if (!status.ok()) return status;
  }
  for (const Changed& c : changed) {
    header_of(weir_slot_accumulator(c.slot))->changed &= ~bit;
    KeyedState::touch(*c.pane, c.slot);
  }
  all_fired();
  return {};
}

Status Firing::fire_changed(uint32_t emission, int64_t watermark, int64_t event_time,
                            const FireTo& to_stage, const MakeRoom& make_room) {
  for (uint32_t s = 0; s < state_.shards().size(); ++s) {
    if (Status status = fire_changed_in(s, emission, watermark, event_time, to_stage, make_room);
        !status.ok())
      return status;
  }
  return {};
}

}  // namespace weir::runtime
