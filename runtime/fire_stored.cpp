#include "runtime/fire_stored.h"

#include <algorithm>

#include "runtime/state/state_key.h"

namespace weir::runtime {

namespace {

constexpr uint64_t kPieceGroups = 2048;
constexpr uint64_t kPieceBytes = 1 << 20;  // long keys and texts
constexpr size_t kChangedGroups = 4096;    // of a piece, over all panes
constexpr size_t kReadsMax = 256;          // in one call of the store

WeirBytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

Status bad_value(const KeyedState& state) {
  return Status::error(Exit::Disk, "the state of `" + state.info().keyed->identity() +
                                       "` holds a value that is not one");
}

}  // namespace

FiringGroup make_firing_group(WeirBytes key, char* accumulator) {
  uint64_t prefix = 0;
  if (key.size > 0) memcpy(&prefix, key.data, std::min<uint64_t>(key.size, 8));
  return {__builtin_bswap64(prefix), key, accumulator};
}

void add_all(WeirTable* table, std::vector<FiringGroup>* groups) {
  groups->reserve(groups->size() + table->count);
  for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);)
    groups->push_back(make_firing_group(weir_slot_key(slot), weir_slot_accumulator(slot)));
}

void sort_by_key(std::vector<FiringGroup>& groups) {
  std::sort(groups.begin(), groups.end(), [](const FiringGroup& a, const FiringGroup& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : view(a.key) < view(b.key);
  });
}

// ---------------------------------------------------------------- one pane

PaneWalk::PaneWalk(KeyedState& state, uint32_t shard, int64_t start, const KeyedState::Pane& pane,
                   Store::Cursor* cursor)
    : state_(state),
      cursor_(pane.spilled ? cursor : nullptr),
      prefix_(state_prefix(uint16_t(shard), start)),
      table_(sorted(pane.table)),
      parts_(sorted(pane.parts)) {}

PaneWalk::Slots PaneWalk::sorted(WeirTable* table) {
  Slots slots;
  if (table) add_all(table, &slots);
  sort_by_key(slots);
  return slots;
}

bool PaneWalk::cursor_here() const {
  return cursor_ && cursor_->valid() && cursor_->key().starts_with(prefix_);
}

void PaneWalk::seek(std::string_view from) {
  auto before = [](const FiringGroup& g, std::string_view key) { return view(g.key) < key; };
  auto place = [&](const Slots& slots) {
    return size_t(std::lower_bound(slots.begin(), slots.end(), from, before) - slots.begin());
  };
  at_table_ = place(table_);
  at_part_ = place(parts_);
  if (cursor_) {
    std::string stored = prefix_;
    stored += from;
    if (!cursor_->valid() || cursor_->key() != stored) cursor_->seek(stored);
  }
  load();
}

// The least key of the three.
void PaneWalk::load() {
  std::string_view least;
  valid_ = false;
  auto offer = [&](std::string_view key) {
    if (!valid_ || key < least) least = key;
    valid_ = true;
  };
  bool here = cursor_here();
  if (at_table_ < table_.size()) offer(view(table_[at_table_].key));
  if (at_part_ < parts_.size()) offer(view(parts_[at_part_].key));
  if (here) offer(cursor_->key().substr(prefix_.size()));
  key_ = least;
  auto is = [&](const Slots& slots, size_t at) {
    return at < slots.size() && view(slots[at].key) == least;
  };
  full_ = is(table_, at_table_) ? table_[at_table_].accumulator : nullptr;
  part_ = is(parts_, at_part_) ? parts_[at_part_].accumulator : nullptr;
  stored_ = here && cursor_->key().substr(prefix_.size()) == least;
}

void PaneWalk::next() {
  at_table_ += full_ != nullptr;
  at_part_ += part_ != nullptr;
  if (stored_) cursor_->next();
  load();
}

uint32_t PaneWalk::changed() const {
  WeirGroupHeader header{};
  if (const char* group = full_ ? full_ : part_) {
    memcpy(&header, group, sizeof header);
  } else if (std::string_view value = cursor_->value(); value.size() >= 1 + sizeof header) {
    memcpy(&header, value.data() + 1, sizeof header);  // behind the version: state_value.h
  }
  return header.changed;
}

bool PaneWalk::read(char* group, WeirArena* texts) const {
  if (const char* from = in_memory()) {
    if (state_.codec().grows()) {
      merge_group(state_.info(), group, from, texts);
    } else {
      memcpy(group, from, state_.info().keyed->group_bytes());
    }
    return true;
  }
  if (!state_.codec().decode(cursor_->value(), group, texts)) return false;
  if (part_) merge_group(state_.info(), group, part_, texts);
  return true;
}

// ---------------------------------------------------------------- all of a window

StoredGroups::StoredGroups(KeyedState& state, uint32_t shard, int64_t first, int64_t end)
    : state_(state), info_(state.info()), cursor_(state.store()->cursor(state.number())) {
  auto& panes = state.shards()[shard].panes;
  for (auto it = panes.lower_bound(first); it != panes.end() && it->first < end; ++it)
    walks_.push_back(
        std::make_unique<PaneWalk>(state, shard, it->first, it->second, cursor_.get()));
  sum_ = make_tables(info_);
}

Status StoredGroups::for_each_piece(const Take& take) {
  return walks_.size() == 1 ? of_one_pane(take) : combined(take);
}

// They come in order and each key once.
Status StoredGroups::of_one_pane(const Take& take) {
  PaneWalk& walk = *walks_[0];
  const std::string& initial = info_.keyed->group_initial();
  uint64_t stride = (initial.size() + 15) & ~uint64_t{15};
  buffer_.resize(stride * kPieceGroups);
  WeirArena bytes{};
  stdlib::ArenaBlocks blocks(64 << 10);
  blocks.serve(&bytes);
  std::vector<FiringGroup> groups;
  groups.reserve(kPieceGroups);
  for (walk.seek({}); walk.valid(); walk.next()) {
    WeirBytes key = weir_keep_text(&bytes, walk.key().data(), walk.key().size());
    char* group = walk.in_memory();
    if (!group) {
      group = buffer_.data() + groups.size() * stride;
      memcpy(group, initial.data(), initial.size());
      if (!walk.read(group, &bytes)) return bad_value(state_);
    }
    groups.push_back({0, key, group});
    if (groups.size() < kPieceGroups && blocks.bytes() < kPieceBytes) continue;
    if (Status status = take(groups); !status.ok()) return status;
    groups.clear();
    blocks.reset(&bytes);
  }
  if (Status status = walk.status(); !status.ok()) return status;
  return groups.empty() ? Status() : take(groups);
}

bool StoredGroups::full(uint64_t factor) const {
  return sum_->panes()->groups >= kPieceGroups * factor || sum_->bytes() >= kPieceBytes * factor;
}

// Adds the group to that of its key in the sum.
bool StoredGroups::add(const PaneWalk& walk) {
  WeirTable* table = sum_->find_or_make(0);
  uint64_t count = table->count;
  char* into = weir_table_upsert(table, walk.key().data(), walk.key().size());
  if (table->count != count) return walk.read(into, &table->keys);
  if (const char* group = walk.in_memory()) {
    merge_group(info_, into, group, &table->keys);
    return true;
  }
  const std::string& initial = info_.keyed->group_initial();
  buffer_.assign(initial.begin(), initial.end());
  if (!walk.read(buffer_.data(), &table->keys)) return false;
  merge_group(info_, into, buffer_.data(), &table->keys);
  return true;
}

// Half of the keys, the greater ones, are left to later pieces.
void StoredGroups::cut(std::string* bound) {
  std::vector<FiringGroup> groups;
  add_all(sum_->find_or_make(0), &groups);
  sort_by_key(groups);
  size_t stay = (groups.size() + 1) / 2;
  *bound = view(groups[stay].key);
  auto kept = make_tables(info_);
  WeirTable* table = kept->find_or_make(0);
  for (size_t i = 0; i < stay; ++i) {
    char* into = weir_table_upsert(table, groups[i].key.data, groups[i].key.size);
    merge_group(info_, into, groups[i].accumulator, &table->keys);
    memcpy(into, groups[i].accumulator, sizeof(WeirGroupHeader));
  }
  sum_ = std::move(kept);
}

Status StoredGroups::combined(const Take& take) {
  std::string from;
  bool bounded = true;
  while (bounded) {
    bounded = false;
    std::string bound;
    for (auto& walk : walks_) {
      bool in_order = sum_->panes()->groups == 0;
      for (walk->seek(from); walk->valid() && (!bounded || walk->key() < bound); walk->next()) {
        if (in_order && full(1)) {
          bound = walk->key();
          bounded = true;
          break;
        }
        if (full(2) && sum_->panes()->groups > 1) {
          cut(&bound);
          bounded = true;
          if (walk->key() >= bound) break;
        }
        if (!add(*walk)) return bad_value(state_);
      }
      if (Status status = walk->status(); !status.ok()) return status;
    }
    std::vector<FiringGroup> groups;
    add_all(sum_->find_or_make(0), &groups);
    sort_by_key(groups);
    Status status = groups.empty() ? Status() : take(groups);
    sum_->clear();
    if (!status.ok()) return status;
    from = bound;
  }
  return {};
}

// ---------------------------------------------------------------- changed ones

ChangedPiece::ChangedPiece(KeyedState& state, uint32_t shard, uint32_t bit)
    : state_(&state), shard_(shard), bit_(bit), read_(make_tables(state.info())) {}

Result<ChangedPiece> ChangedPiece::read(KeyedState& state, uint32_t shard, uint32_t bit,
                                        const std::string& from) {
  ChangedPiece piece(state, shard, bit);
  const KeyedInfo& info = state.info();
  // Windows of what has changed need these panes.
  auto& panes = state.shards()[shard].panes;
  int64_t first = INT64_MAX, end = INT64_MIN;
  for (const auto& [start, pane] : panes) {
    if (!(pane.changed & bit)) continue;
    first = std::min(first, info.has_window ? info.window.first_with(start) : start);
    end =
        std::max(end, info.has_window ? info.window.end(info.window.last_with(start)) : start + 1);
  }
  auto begin = panes.lower_bound(first), behind = panes.lower_bound(end);
  if (begin == panes.end() || first >= end) return piece;
  auto count = size_t(std::distance(begin, behind));
  Status status =
      piece.find_keys(from, std::clamp<size_t>(kChangedGroups / count, 16, kPieceGroups));
  for (auto it = begin; it != behind && status.ok(); ++it) {
    if (it->second.spilled) status = piece.load(it->first, it->second);
  }
  if (!status.ok()) return status;
  return piece;
}

Status ChangedPiece::find_keys(const std::string& from, size_t keys_max) {
  auto cursor = state_->store()->cursor(state_->number());
  for (auto& [start, pane] : state_->shards()[shard_].panes) {
    if (!(pane.changed & bit_)) continue;
    // What has changed in this epoch is in memory.
    bool before = pane.changed_before & bit_;
    PaneWalk walk(*state_, shard_, start, pane, before ? cursor.get() : nullptr);
    for (walk.seek(from); walk.valid() && (!bound_ || walk.key() < *bound_); walk.next()) {
      if (!(walk.changed() & bit_)) continue;
      auto [it, fresh] = keys_.try_emplace(std::string(walk.key()));
      it->second.push_back(start);
      if (before && !walk.in_memory()) {
        WeirTable* table = read_->find_or_make(start);
        char* group = weir_table_upsert(table, walk.key().data(), walk.key().size());
        if (!walk.read(group, &table->keys)) return bad_value(*state_);
      }
      if (keys_.size() <= keys_max) continue;
      auto last = std::prev(keys_.end());
      bound_ = last->first;
      keys_.erase(last);
    }
    if (Status status = walk.status(); !status.ok()) return status;
  }
  return {};
}

// What is not in memory of a pane, or only a part of it.
Status ChangedPiece::load(int64_t start, const KeyedState::Pane& pane) {
  std::string prefix = state_prefix(uint16_t(shard_), start);
  std::vector<std::string> wanted;
  std::vector<std::optional<std::string>> values;
  WeirTable* table = read_->find_or_make(start);
  auto read_wanted = [&]() -> Status {
    if (Status status = state_->store()->get(state_->number(), wanted, &values); !status.ok())
      return status;
    for (size_t i = 0; i < wanted.size(); ++i) {
      WeirBytes key = bytes_of(std::string_view(wanted[i]).substr(prefix.size()));
      WeirSlot* part = pane.parts ? weir_table_find(pane.parts, key.data, key.size) : nullptr;
      if (!values[i] && !part) continue;
      char* group = weir_table_upsert(table, key.data, key.size);
      if (values[i] && !state_->codec().decode(*values[i], group, &table->keys))
        return bad_value(*state_);
      if (part) merge_group(state_->info(), group, weir_slot_accumulator(part), &table->keys);
    }
    wanted.clear();
    return {};
  };
  for (const auto& [key, panes] : keys_) {
    if (pane.table && weir_table_find(pane.table, key.data(), key.size())) continue;
    if (weir_table_find(table, key.data(), key.size())) continue;
    wanted.push_back(prefix + key);
    if (wanted.size() < kReadsMax) continue;
    if (Status status = read_wanted(); !status.ok()) return status;
  }
  return wanted.empty() ? Status() : read_wanted();
}

char* ChangedPiece::group(int64_t start, WeirBytes key) const {
  auto it = state_->shards()[shard_].panes.find(start);
  if (it == state_->shards()[shard_].panes.end()) return nullptr;
  for (WeirTable* table : {it->second.table, read_->find(start)}) {
    if (WeirSlot* slot = table ? weir_table_find(table, key.data, key.size) : nullptr)
      return weir_slot_accumulator(slot);
  }
  return nullptr;
}

uint64_t ChangedPiece::clear_bits() {
  uint64_t dirty = 0;
  for (const auto& [key, panes] : keys_) {
    for (int64_t start : panes) {
      KeyedState::Pane& pane = state_->shards()[shard_].panes.at(start);
      WeirBytes bytes = bytes_of(key);
      char* group = this->group(start, bytes);
      reinterpret_cast<WeirGroupHeader*>(group)->changed &= ~bit_;
      WeirSlot* slot = pane.table ? weir_table_find(pane.table, key.data(), key.size()) : nullptr;
      if (slot) {
        KeyedState::touch(pane, slot);
        dirty += pane.table->panes->slot_bytes + key.size();
      } else {
        dirty += state_->take_back(shard_, start, bytes, group);
      }
    }
  }
  return dirty;
}

}  // namespace weir::runtime
