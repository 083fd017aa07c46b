#include "runtime/fire.h"

#include <algorithm>

#include "runtime/state/state_key.h"

namespace weir::runtime {

namespace {

constexpr size_t kFiredMax = 4096;  // of one stage call, and of one chunk of sorted runs
constexpr int64_t kPanesKept = 4;   // windows of fewer panes are combined anew

WeirGroupHeader* header_of(char* group) { return reinterpret_cast<WeirGroupHeader*>(group); }

std::string_view view(WeirBytes bytes) { return {bytes.data, bytes.size}; }

}  // namespace

Firing::Firing(KeyedState& state) : state_(state), info_(state.info()), window_(info_.window) {
  scratch_ = std::make_unique<stdlib::PaneTables>(info_.keyed->group_bytes(),
                                                  info_.keyed->group_initial().data(), 0, 0);
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

Firing::Group Firing::group(WeirBytes key, char* accumulator) const {
  uint64_t prefix = 0;
  memcpy(&prefix, key.data, std::min<uint64_t>(key.size, 8));
  return {__builtin_bswap64(prefix), key, accumulator};
}

Status Firing::bad_state() const {
  return Status::error(
      Exit::Disk, "the state of `" + info_.keyed->identity() + "` holds a value that is not one");
}

// ---------------------------------------------------------------- groups of a window

namespace {
template <class Group>
void sort_by_key(std::vector<Group>& groups) {
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : view(a.key) < view(b.key);
  });
}
}  // namespace

void Firing::add_all(WeirTable* table, std::vector<Group>* groups) const {
  groups->reserve(groups->size() + table->count);
  for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);)
    groups->push_back(group(weir_slot_key(slot), weir_slot_accumulator(slot)));
}

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
    return merge_runs(s, first, end, take);
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
  std::vector<Group> groups;
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
    return groups_of(s, first, end, sliding, [&](const std::vector<Group>& groups) -> Status {
      std::vector<Group> changed;
      for (const Group& g : groups) {
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
        char* combined = nullptr;
        if (Status status = combine_key(s, first, end, key, &combined); !status.ok()) return status;
      }
    }
  }
  std::vector<Group> groups;
  if (kept) add_all(scratch_->find_or_make(0), &groups);
  sort_by_key(groups);
  Status status = groups.empty() ? Status() : take(groups);
  scratch_->clear();
  return status;
}

namespace {

// One pane's groups in key order: those in memory, and those of the store that are not in memory.
class PaneRun {
 public:
  PaneRun(KeyedState& state, uint32_t shard, int64_t start, KeyedState::Pane& pane)
      : state_(state), pane_(pane) {
    if (pane.table) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(pane.table, &at);)
        slots_.push_back(slot);
      std::sort(slots_.begin(), slots_.end(), [](WeirSlot* a, WeirSlot* b) {
        return view(weir_slot_key(a)) < view(weir_slot_key(b));
      });
    }
    if (pane.spilled) {
      prefix_ = state_prefix(uint16_t(shard), start);
      cursor_ = state.store()->cursor(state.number());
      cursor_->seek(prefix_);
      skip_shadowed();
    }
  }
  bool valid() const { return at_ < slots_.size() || stored(); }
  std::string_view key() const {
    if (!stored()) return slot_key();
    if (at_ == slots_.size()) return stored_key();
    return std::min(slot_key(), stored_key());
  }
  // The group of `key`, for the time being. Null: its value can't be read.
  const char* group(std::vector<char>* buffer, WeirArena* texts) const {
    if (from_memory()) return weir_slot_accumulator(slots_[at_]);
    const std::string& initial = state_.info().keyed->group_initial();
    buffer->assign(initial.begin(), initial.end());
    return state_.codec().decode(cursor_->value(), buffer->data(), texts) ? buffer->data()
                                                                          : nullptr;
  }
  void next() {
    if (from_memory()) {
      ++at_;
    } else {
      cursor_->next();
      skip_shadowed();
    }
  }
  Status status() const { return cursor_ ? cursor_->status() : Status(); }

 private:
  bool stored() const { return cursor_ && cursor_->valid() && cursor_->key().starts_with(prefix_); }
  std::string_view stored_key() const { return cursor_->key().substr(prefix_.size()); }
  std::string_view slot_key() const { return view(weir_slot_key(slots_[at_])); }
  bool from_memory() const {
    return !stored() || (at_ < slots_.size() && slot_key() < stored_key());
  }
  void skip_shadowed() {
    while (pane_.table && stored() &&
           weir_table_find(pane_.table, stored_key().data(), stored_key().size()))
      cursor_->next();
  }

  KeyedState& state_;
  KeyedState::Pane& pane_;
  std::string prefix_;
  std::vector<WeirSlot*> slots_;
  size_t at_ = 0;
  std::unique_ptr<Store::Cursor> cursor_;
};

}  // namespace

Status Firing::merge_runs(uint32_t s, int64_t first, int64_t end, const Take& take) {
  auto& panes = state_.shards()[s].panes;
  std::vector<std::unique_ptr<PaneRun>> runs;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
    runs.push_back(std::make_unique<PaneRun>(state_, s, it->first, it->second));
  }
  std::vector<char> buffer;
  std::vector<Group> groups;
  auto flush = [&]() -> Status {
    groups.clear();
    WeirTable* table = scratch_->find_or_make(0);
    add_all(table, &groups);
    sort_by_key(groups);
    Status status = groups.empty() ? Status() : take(groups);
    scratch_->clear();
    return status;
  };
  for (uint64_t taken = 0;; ++taken) {
    std::string least;
    bool any = false;
    for (auto& run : runs) {
      if (Status status = run->status(); !status.ok()) return status;
      if (run->valid() && (!any || run->key() < least)) {
        least = run->key();
        least.reserve(least.size() + kInlineKeyBytes);  // a probe may read that far behind a key
        any = true;
      }
    }
    if (!any || taken == kFiredMax) {
      if (Status status = flush(); !status.ok() || !any) return status;
      taken = 0;
    }
    for (auto& run : runs) {
      if (!run->valid() || run->key() != least) continue;
      WeirArena* texts = &scratch_->find_or_make(0)->keys;
      const char* from = run->group(&buffer, texts);
      if (!from) return bad_state();
      merge_into_scratch({least.data(), least.size()}, from);
      run->next();
    }
  }
}

Status Firing::deliver(const std::vector<Group>& groups, const Span& span, uint32_t emission,
                       const FireTo& to_stage) {
  fired_.clear();
  auto flush = [&]() -> Status {
    Status status =
        fired_.empty() ? Status() : to_stage(emission, fired_.data(), uint32_t(fired_.size()));
    fired_.clear();
    return status;
  };
  for (const Group& g : groups) {
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
      auto append = [&](const std::vector<Group>& groups) -> Status {
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
        auto update = [&](const std::vector<Group>& groups) {
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
      Status status = groups_of(s, first, end, sliding, [&](const std::vector<Group>& groups) {
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

Status Firing::load_changed(uint32_t s, int64_t start, KeyedState::Pane& pane, uint32_t bit) {
  KeyedState::Shard& shard = state_.shards()[s];
  std::string prefix = state_prefix(uint16_t(s), start);
  auto cursor = state_.store()->cursor(state_.number());
  const std::string& initial = info_.keyed->group_initial();
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    WeirGroupHeader header{};
    if (cursor->value().size() < 1 + sizeof header) return bad_state();
    memcpy(&header, cursor->value().data() + 1,
           sizeof header);  // behind the version: state_value.h
    if (!(header.changed & bit)) continue;
    std::string key(cursor->key().substr(prefix.size()));
    key.reserve(key.size() + kInlineKeyBytes);
    if (!pane.table) pane.table = shard.tables.find_or_make(start);
    if (weir_table_find(pane.table, key.data(), key.size())) continue;
    uint64_t mask = pane.table->mask;
    char* group = weir_table_upsert(pane.table, key.data(), key.size());
    memcpy(group, initial.data(), initial.size());
    if (!state_.codec().decode(cursor->value(), group, &pane.table->keys)) return bad_state();
    if (pane.table->mask != mask) pane.scan = true;
  }
  return cursor->status();
}

Status Firing::combine_key(uint32_t s, int64_t first, int64_t end, WeirBytes key, char** combined) {
  auto& panes = state_.shards()[s].panes;
  *combined = nullptr;
  std::vector<char> buffer;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it) {
    WeirSlot* slot =
        it->second.table ? weir_table_find(it->second.table, key.data, key.size) : nullptr;
    if (slot) {
      *combined = merge_into_scratch(key, weir_slot_accumulator(slot));
    } else if (it->second.spilled) {
      std::vector<std::optional<std::string>> values;
      std::string stored = state_prefix(uint16_t(s), it->first) + std::string(key.data, key.size);
      if (Status status = state_.store()->get(state_.number(), {stored}, &values); !status.ok())
        return status;
      if (!values[0]) continue;
      const std::string& initial = info_.keyed->group_initial();
      buffer.assign(initial.begin(), initial.end());
      if (!state_.codec().decode(*values[0], buffer.data(), &scratch_->find_or_make(0)->keys))
        return bad_state();
      *combined = merge_into_scratch(key, buffer.data());
    }
  }
  return {};
}

Status Firing::fire_changed_in(uint32_t s, uint32_t emission, int64_t watermark, int64_t event_time,
                               const FireTo& to_stage) {
  uint32_t bit = uint32_t{1} << emission;
  KeyedState::Shard& shard = state_.shards()[s];
  struct Changed {
    KeyedState::Pane* pane;
    WeirSlot* slot;
  };
  std::vector<Changed> changed;
  std::map<int64_t, std::vector<Group>>
      windows;  // by start; where a window is one pane its groups, else the keys
  bool one_pane = !info_.has_window || window_.is_tumbling();
  for (auto& [start, pane] : shard.panes) {
    if (!(pane.changed & bit)) continue;
    if (pane.spilled && (pane.changed_before & bit)) {
      if (Status status = load_changed(s, start, pane, bit); !status.ok()) return status;
    }
  }
  for (auto& [start, pane] : shard.panes) {
    if (!(pane.changed & bit) || !pane.table) continue;
    auto take = [&](WeirSlot* slot) {
      if (!(header_of(weir_slot_accumulator(slot))->changed & bit)) return;
      changed.push_back({&pane, slot});
      Group found = group(weir_slot_key(slot), weir_slot_accumulator(slot));
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
  if (!one_pane && !windows.empty() &&
      !any_spilled(s, windows.begin()->first, window_.end(windows.rbegin()->first))) {
    keys = std::make_unique<stdlib::PaneTables>(info_.keyed->group_bytes(),
                                                info_.keyed->group_initial().data(), 0, 0);
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
      auto same = [](const Group& a, const Group& b) { return view(a.key) == view(b.key); };
      groups.erase(std::unique(groups.begin(), groups.end(), same), groups.end());
      SlidingPanes::Parts parts;
      if (sliding) parts = sliding->slide_to(start, span.end);
      for (Group& g : groups) {
        char* combined = nullptr;
        if (parts.kept) {
          combine_parts(parts, g.key);
        } else if (Status status = combine_key(s, start, span.end, g.key, &combined);
                   !status.ok()) {
          return status;
        }
      }
      // The scratch table stands still only now.
      WeirTable* table = scratch_->find_or_make(0);
      for (Group& g : groups)
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
  for (auto& [start, pane] : shard.panes) {
    pane.changed &= ~bit;
    pane.changed_before &= ~bit;
  }
  if (!sliding_.empty()) sliding_[s]->bits_cleared();
  return {};
}

Status Firing::fire_changed(uint32_t emission, int64_t watermark, int64_t event_time,
                            const FireTo& to_stage) {
  for (uint32_t s = 0; s < state_.shards().size(); ++s) {
    if (Status status = fire_changed_in(s, emission, watermark, event_time, to_stage); !status.ok())
      return status;
  }
  return {};
}

}  // namespace weir::runtime
