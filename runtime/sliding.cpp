#include "runtime/sliding.h"

#include <algorithm>

namespace weir::runtime {

namespace {

// Where most keys are in few panes, the tables of the back would be far larger than the panes, and
// nothing would be won.
constexpr uint64_t kBackGroupsMax = 4;  // for each group of a pane
constexpr uint64_t kBackGroupsFree = 1024;

}  // namespace

char* combine(const KeyedInfo& info, WeirTable* into, WeirBytes key, const char* from) {
  char* group = weir_table_upsert(into, key.data, key.size);
  merge_group(info, group, from, &into->keys);
  return group;
}

SlidingPanes::SlidingPanes(KeyedState& state, uint32_t shard, bool follows, WeirTable* only)
    : info_(state.info()),
      shard_(state.shards()[shard]),
      follows_(follows),
      only_(only),
      back_(info_.keyed->group_bytes(), info_.keyed->group_initial().data(), 0, 0),
      front_(info_.keyed->group_bytes(), info_.keyed->group_initial().data(), 0, 0) {}

void SlidingPanes::clear() {
  back_.clear();
  backs_.clear();
  front_.clear();
  kept_ = old_bits_ = false;
  if (follows_) shard_.note_from(INT64_MIN);
}

SlidingPanes::Parts SlidingPanes::slide_to(int64_t first, int64_t end) {
  if (kept_ && ((follows_ && shard_.notes_lost) || end < end_)) clear();
  if (!kept_ && end <= refused_end_) return {};
  if (kept_ && first < mid_) {
    drop_back(first);
    if (follows_) take_notes(first);
  }
  if (!kept_ || first >= mid_) {
    if (!make_back(first, end)) {
      refused_end_ = end + (end - first);
      return {};
    }
  } else {
    for (auto it = shard_.panes.lower_bound(std::max(first, end_));
         it != shard_.panes.end() && it->first < end; ++it) {
      if (it->second.table) add(front_.find_or_make(0), it->second.table);
    }
  }
  end_ = end;
  if (follows_) shard_.note_from(end);
  auto at = backs_.lower_bound(first);
  return {true, at == backs_.end() ? nullptr : at->second, front_.find(0)};
}

void SlidingPanes::add(WeirTable* into, WeirTable* from) {
  if (only_) {
    for (uint64_t at = 0; WeirSlot* key = weir_table_next(only_, &at);) {
      WeirSlot* slot = weir_table_find(from, weir_slot_key(key).data, weir_slot_key(key).size);
      if (slot) combine(info_, into, weir_slot_key(slot), weir_slot_accumulator(slot));
    }
    return;
  }
  for (uint64_t at = 0; WeirSlot* slot = weir_table_next(from, &at);)
    combine(info_, into, weir_slot_key(slot), weir_slot_accumulator(slot));
}

bool SlidingPanes::make_back(int64_t first, int64_t end) {
  clear();
  uint64_t groups = kBackGroupsFree;
  std::vector<std::pair<int64_t, WeirTable*>> panes;
  for (auto it = shard_.panes.lower_bound(first); it != shard_.panes.end() && it->first < end;
       ++it) {
    if (!it->second.table) continue;
    panes.emplace_back(it->first, it->second.table);
    groups += it->second.table->count * kBackGroupsMax;
  }
  WeirTable* behind = nullptr;
  for (auto it = panes.rbegin(); it != panes.rend(); ++it) {
    WeirTable* table = back_.find_or_make(it->first);
    add(table, it->second);
    if (behind) {
      for (uint64_t at = 0; WeirSlot* slot = weir_table_next(behind, &at);)
        combine(info_, table, weir_slot_key(slot), weir_slot_accumulator(slot));
    }
    backs_[it->first] = behind = table;
    if (!only_ && back_.panes()->groups > groups) {
      clear();
      return false;
    }
  }
  mid_ = end;
  kept_ = true;
  return true;
}

void SlidingPanes::drop_back(int64_t first) {
  while (!backs_.empty() && backs_.begin()->first < first) {
    back_.remove(backs_.begin()->first);
    backs_.erase(backs_.begin());
  }
}

// ---------------------------------------------------------------- late rows

void SlidingPanes::take_notes(int64_t first) {
  for (const KeyedState::Note& note : shard_.notes) {
    if (note.pane < first || note.pane >= end_) continue;
    WeirBytes key{note.key.data(), note.key.size()};
    if (note.pane >= mid_) {
      redo_front(key);
    } else if (backs_.contains(note.pane)) {
      redo_back(first, note.pane, key);
    } else {  // the pane is new
      clear();
      return;
    }
  }
  shard_.notes.clear();
}

WeirTable* SlidingPanes::back_behind(int64_t pane) const {
  auto it = backs_.upper_bound(pane);
  return it == backs_.end() ? nullptr : it->second;
}

void SlidingPanes::redo_back(int64_t first, int64_t pane, WeirBytes key) {
  const std::string& initial = info_.keyed->group_initial();
  for (auto it = backs_.upper_bound(pane); it != backs_.begin();) {
    --it;
    if (it->first < first) return;
    memcpy(weir_table_upsert(it->second, key.data, key.size), initial.data(), initial.size());
    WeirTable* behind = back_behind(it->first);
    for (WeirTable* from : {shard_.panes.at(it->first).table, behind}) {
      WeirSlot* slot = from ? weir_table_find(from, key.data, key.size) : nullptr;
      if (slot) combine(info_, it->second, key, weir_slot_accumulator(slot));
    }
  }
}

void SlidingPanes::redo_front(WeirBytes key) {
  const std::string& initial = info_.keyed->group_initial();
  WeirTable* front = front_.find_or_make(0);
  memcpy(weir_table_upsert(front, key.data, key.size), initial.data(), initial.size());
  for (auto it = shard_.panes.lower_bound(mid_); it != shard_.panes.end() && it->first < end_;
       ++it) {
    WeirSlot* slot =
        it->second.table ? weir_table_find(it->second.table, key.data, key.size) : nullptr;
    if (slot) combine(info_, front, key, weir_slot_accumulator(slot));
  }
}

}  // namespace weir::runtime
