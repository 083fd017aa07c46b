#include "runtime/keyed_rows.h"

#include <algorithm>

#include "runtime/state/state_key.h"

namespace weir::runtime {

namespace {

constexpr uint64_t kTablePlaceBytes = 24;  // codegen/nodes/keep.cpp
constexpr uint64_t kPlaceBytes = 20;
constexpr int64_t kTotalPane = INT64_MAX;
constexpr size_t kHandedOnMax = 1024;  // of one stage call: outputs are looked at in between

// A value that is nothing but its header: state_value.h, version 1 of an operator without fields.
const std::string kNoValue = std::string("\x01", 1) + std::string(8, '\0');

int64_t subtract(int64_t a, int64_t b) {
  int64_t result;
  return __builtin_sub_overflow(a, b, &result) ? INT64_MIN : result;
}

}  // namespace

KeyedRows::KeyedRows(const KeyedInfo& info, StateValueCodec codec, uint32_t number, uint32_t shards,
                     Store* store)
    : info_(info),
      rows_info_(info.keyed->rows()),
      codec_(std::move(codec)),
      number_(number),
      store_(store),
      packer_(*info.keyed),
      shards_(shards) {
  text_blocks_.serve(&texts_);
  if (is_dedup()) {
    retention_us_ = rows_info_.within_us();
  } else if (rows_info_.within_us() > 0) {
    expire_us_ = rows_info_.within_us();
    used_offset_ = info.keyed->state(info.keyed->state_size() - 1).offset();
  }
  for (const contract::Rows::Frame& frame : rows_info_.frames()) {
    frames_.emplace_back(*info.keyed, frame);
    if (frame.kind() == contract::Rows::Frame::TIME)
      retention_us_ = std::max(retention_us_, frame.from_us());
    if (frame.kind() == contract::Rows::Frame::ROWS)
      rows_kept_ = std::max(rows_kept_, frame.rows() - 1);
  }
}

// ---------------------------------------------------------------- stored form

std::string KeyedRows::entry_key(const Key& key, const RowPlace& place) const {
  std::string bytes = state_prefix(uint16_t(key.shard), place.time);
  bytes += key.bytes;
  if (is_dedup()) return bytes;
  put_big_endian(bytes, uint32_t(place.partition));
  put_big_endian(bytes, uint64_t(place.offset) ^ kSignBit);
  put_big_endian(bytes, place.origin);
  put_big_endian(bytes, place.number);
  return bytes;
}

bool KeyedRows::read_place(std::string_view bytes, std::string_view* key, RowPlace* place) const {
  *key = bytes;
  if (is_dedup()) return true;
  if (bytes.size() < kPlaceBytes) return false;
  *key = bytes.substr(0, bytes.size() - kPlaceBytes);
  bytes.remove_prefix(key->size());
  place->partition = int32_t(take_big_endian<uint32_t>(bytes));
  place->offset = int64_t(take_big_endian<uint64_t>(bytes) ^ kSignBit);
  place->origin = take_big_endian<uint32_t>(bytes);
  place->number = take_big_endian<uint32_t>(bytes);
  return true;
}

Status KeyedRows::load(int64_t watermark) {
  watermark_ = watermark;
  int64_t needed = rows_kept_ > 0 ? INT64_MIN : subtract(watermark, retention_us_);
  if (needed != INT64_MIN) store_->forget_before(number_, needed);
  auto cursor = store_->cursor(number_);
  auto bad = [&] {
    return Status::error(Exit::Disk, "the state of `" + info_.keyed->identity() +
                                         "` holds an entry that is not a row of it");
  };
  std::vector<char> group(info_.keyed->group_bytes());
  cursor->seek(state_prefix(0, needed));
  while (cursor->valid()) {
    StateKey entry;
    if (!read_state_key(cursor->key(), &entry) || entry.shard >= shards_.size()) return bad();
    if (entry.pane < needed) {  // of a shard whose old rows have not been removed yet
      cursor->seek(state_prefix(entry.shard, needed));
      continue;
    }
    std::string_view canonical = entry.key;
    KeptRow row{{entry.pane}, nullptr};
    bool total = entry.pane == kTotalPane;
    if (!total && !read_place(entry.key, &canonical, &row.place)) return bad();
    if (!is_dedup()) {
      memcpy(group.data(), info_.keyed->group_initial().data(), group.size());
      if (!codec_.decode(cursor->value(), group.data(), &texts_)) return bad();
      row.group = packer_.pack(group.data());
      text_blocks_.reset(&texts_);
    }
    Key& key = key_of(canonical);
    if (total) {
      key.total = std::move(row.group);
      bytes_ += packer_.bytes(key.total.get());
      if (expire_us_ > 0) memcpy(&key.used, key.total.get() + used_offset_, sizeof key.used);
    } else {
      if (on_arrival() || row.place.time < watermark) key.used = std::max(key.used, row.place.time);
      if (on_arrival() || !row.place.origin)
        next_number_ = std::max(next_number_, row.place.offset + 1);
      keep(key, std::move(row));
    }
    cursor->next();
  }
  if (expire_us_ > 0) {
    for (auto& [bytes, key] : keys_) {
      if (key->used == INT64_MIN) continue;
      uses_.push({{key->used}, key.get()});
      ++key->noted;
    }
  }
  return cursor->status();
}

void KeyedRows::write_down(const Key& key, const KeptRow& row) {
  Change change{entry_key(key, row.place), kNoValue};
  if (row.group) {
    change.value.clear();
    codec_.encode(row.group.get(), &change.value);
  }
  shards_[key.shard].changes.push_back(std::move(change));
}

std::vector<std::string> KeyedRows::freeze_shard(uint32_t number, uint64_t epoch) {
  Shard& shard = shards_[number];
  ChangelogWriter writer(info_.keyed->identity(), uint16_t(number), epoch);
  for (const Change& change : shard.changes) {
    if (change.removed)
      writer.remove(change.key);
    else
      writer.add("", change.key, [&](std::string* out) { out->append(change.value); });
  }
  std::string prefix = state_prefix(uint16_t(number), kTotalPane);
  for (Key* key : shard.totals) {
    key->total_dirty = false;
    if (!key->total) {
      writer.remove(prefix + key->bytes);
      continue;
    }
    writer.add(prefix, key->bytes, [&](std::string* out) { codec_.encode(key->total.get(), out); });
  }
  shard.changes.clear();
  shard.totals.clear();
  return writer.take();
}

bool KeyedRows::dirty() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const Shard& shard) {
    return !shard.changes.empty() || !shard.totals.empty();
  });
}

// ---------------------------------------------------------------- rows of keys

KeyedRows::Key& KeyedRows::key_of(std::string_view bytes) {
  auto found = keys_.find(bytes);
  if (found != keys_.end()) return *found->second;
  auto key = std::make_unique<Key>();
  key->bytes = bytes;
  key->shard = uint32_t(weir_shard_hash(bytes.data(), bytes.size()) % shards_.size());
  key->windows.resize(frames_.size());
  bytes_ += sizeof(Key) + bytes.size() + 64;
  Key& made = *key;
  keys_.emplace(made.bytes, std::move(key));
  return made;
}

// Behind the rows that have been handed on, at its place among the others.
void KeyedRows::keep(Key& key, KeptRow row) {
  RowPlace place = row.place;
  bytes_ += sizeof(KeptRow) + sizeof(Noted) + (row.group ? packer_.bytes(row.group.get()) : 0);
  ++rows_;
  if (is_dedup()) {
    key.rows.push_back(std::move(row));
  } else if (on_arrival()) {
    auto at = std::upper_bound(
        key.rows.begin(), key.rows.end(), place,
        [](const RowPlace& a, const KeptRow& b) { return a.offset < b.place.offset; });
    key.rows.insert(at, std::move(row));
    key.handed_on = key.rows.size();
  } else {
    auto at = std::upper_bound(key.rows.begin(), key.rows.end(), place,
                               [](const RowPlace& a, const KeptRow& b) { return a < b.place; });
    WEIR_CHECK(size_t(at - key.rows.begin()) >= key.handed_on || place.time < watermark_,
               "a row that is not late comes behind those that were handed on");
    key.rows.insert(at, std::move(row));
    if (place.time < watermark_)
      ++key.handed_on;  // it is being loaded
    else
      waiting_.push({place, &key});
  }
  by_time_.push({place, &key});
  ++key.noted;
}

void KeyedRows::forget_row(const Key& key, const KeptRow& row, bool written_down) {
  bytes_ -= sizeof(KeptRow) + sizeof(Noted) + (row.group ? packer_.bytes(row.group.get()) : 0);
  --rows_;
  // Elsewhere they go by the watermark.
  if (written_down) shards_[key.shard].changes.push_back({entry_key(key, row.place), "", true});
}

// Of rows in the order of event time the first ones go.
void KeyedRows::trim(Key& key, int64_t needed) {
  if (is_dedup() || on_arrival()) {
    trim_some(key, needed);
    return;
  }
  size_t gone = 0;
  while (gone + rows_kept_ < key.handed_on && key.rows[gone].place.time < needed) ++gone;
  if (gone * 4 < key.rows.size()) return;  // the others would be moved too often
  for (size_t i = 0; i < gone; ++i) forget_row(key, key.rows[i], rows_kept_ > 0);
  key.rows.erase(key.rows.begin(), key.rows.begin() + int64_t(gone));
  key.handed_on -= gone;
  for (auto& window : key.windows) {
    if (window) window->forgotten(gone);
  }
}

// Of rows in the order of their arrival any may go, but for the last `rows_kept_`.
void KeyedRows::trim_some(Key& key, int64_t needed) {
  if (key.rows.size() <= rows_kept_) return;
  auto last = key.rows.end() - rows_kept_;
  auto goes = [&](const KeptRow& row) { return row.place.time < needed; };
  auto first = std::find_if(key.rows.begin(), last, goes);
  if (first == last) return;
  std::vector<KeptRow> stay;
  stay.reserve(key.rows.size());
  for (auto row = key.rows.begin(); row != key.rows.end(); ++row) {
    if (row < last && goes(*row))
      forget_row(key, *row, rows_kept_ > 0);
    else
      stay.push_back(std::move(*row));
  }
  key.rows = std::move(stay);
  key.handed_on = key.rows.size();
}

std::optional<int64_t> KeyedRows::forget(int64_t watermark) {
  // The end of input is no time: what comes in a later run is compared with what was there.
  if (watermark == INT64_MAX) watermark = last_close_;
  int64_t needed = subtract(watermark, retention_us_);
  for (Key* key : touched_) trim(*key, needed);
  touched_.clear();
  if (watermark == INT64_MIN) return std::nullopt;
  bool any = false;
  while (!by_time_.empty() && by_time_.top().place.time < needed) {
    Key* key = by_time_.top().key;
    by_time_.pop();
    any = true;
    --key->noted;
    trim(*key, needed);
    forget_if_unused(key);
  }
  if (expire_us_ > 0) forget_expired(watermark);
  return any && rows_kept_ == 0 ? std::optional(needed) : std::nullopt;
}

void KeyedRows::forget_if_unused(Key* key) {
  if (key->noted > 0 || !key->rows.empty() || key->total) return;
  bytes_ -= sizeof(Key) + key->bytes.size() + 64;
  for (const auto& window : key->windows) bytes_ -= window ? window->bytes() : 0;
  keys_.erase(std::string_view(key->bytes));
}

// ---------------------------------------------------------------- keys expire

bool KeyedRows::is_expired(int64_t used, int64_t time) const {
  return time > used && uint64_t(time) - uint64_t(used) > uint64_t(expire_us_);
}

Status KeyedRows::use(Key& key, int64_t time, size_t* row, const FireTo& to_stage) {
  if (expire_us_ == 0) return {};
  if (key.used == INT64_MIN) {
    uses_.push({{time}, &key});
    ++key.noted;
  } else if (is_expired(key.used, time)) {
    // What is on its way to the stage has been made of what goes now.
    if (Status status = flush(to_stage); !status.ok()) return status;
    forget_key(key, *row);
    *row = 0;
  }
  key.used = std::max(key.used, time);
  return {};
}

void KeyedRows::forget_key(Key& key, size_t rows) {
  for (size_t i = 0; i < rows; ++i) forget_row(key, key.rows[i], true);
  key.rows.erase(key.rows.begin(), key.rows.begin() + int64_t(rows));
  key.handed_on -= rows;
  for (auto& window : key.windows) {
    if (window) window->forgotten(rows);
  }
  if (!key.total) return;
  bytes_ -= packer_.bytes(key.total.get());
  key.total.reset();
  mark_dirty(key);
}

void KeyedRows::forget_expired(int64_t watermark) {
  std::vector<Key*> before = std::move(expired_);
  expired_.clear();
  for (Key* key : before) {
    if (key->total_dirty) {
      expired_.push_back(key);
      continue;
    }
    --key->noted;
    forget_if_unused(key);
  }
  while (!uses_.empty() && is_expired(uses_.top().place.time, watermark)) {
    Key* key = uses_.top().key;
    uses_.pop();
    if (!is_expired(key->used, watermark)) {
      uses_.push({{key->used}, key});
      continue;
    }
    forget_key(*key, key->handed_on);
    key->used = INT64_MIN;
    expired_.push_back(key);
  }
}

// ---------------------------------------------------------------- rows come

bool KeyedRows::is_repeated(const Key& key, int64_t time) const {
  return std::any_of(key.rows.begin(), key.rows.end(), [&](const KeptRow& row) {
    int64_t first = row.place.time;
    uint64_t apart =
        time > first ? uint64_t(time) - uint64_t(first) : uint64_t(first) - uint64_t(time);
    return apart <= uint64_t(retention_us_);
  });
}

Status KeyedRows::take(stdlib::PaneTables& table, const Origin& origin, const FireTo& to_stage) {
  struct Arrived {
    uint64_t number;
    int64_t time, offset;
    WeirBytes key;
    const char* group;
  };
  std::vector<Arrived> arrived;
  arrived.reserve(table.panes()->groups);
  table.for_each([&](WeirTable* of_pane) {
    for (uint64_t at = 0; WeirSlot* slot = weir_table_next(of_pane, &at);) {
      WeirBytes key = weir_slot_key(slot);
      Arrived row{};
      row.key = {key.data, key.size - kTablePlaceBytes};
      memcpy(&row.time, key.data + row.key.size, 8);
      memcpy(&row.offset, key.data + row.key.size + 8, 8);
      memcpy(&row.number, key.data + row.key.size + 16, 8);
      row.group = weir_slot_accumulator(slot);
      arrived.push_back(row);
    }
  });
  std::sort(arrived.begin(), arrived.end(),
            [](const Arrived& a, const Arrived& b) { return a.number < b.number; });
  int64_t offset = -1;
  uint32_t number = 0;
  for (const Arrived& row : arrived) {
    Key& key = key_of(view(row.key));
    if (is_dedup()) {
      if (is_repeated(key, row.time)) continue;
      keep(key, {{row.time}, nullptr});
      write_down(key, key.rows.back());
      if (Status status = hand_on(row.key, row.time, row.group, nullptr, to_stage); !status.ok())
        return status;
      continue;
    }
    size_t at = 0;
    if (is_scan() && on_arrival()) {
      if (Status status = use(key, row.time, &at, to_stage); !status.ok()) return status;
      if (Status status = hand_on_scan(key, row.time, row.group, to_stage); !status.ok())
        return status;
      continue;
    }
    RowPlace place{row.time, origin.partition, row.offset, origin.source, 0};
    if (on_arrival() || !origin.of_source) {
      place = {row.time, 0, next_number_++, 0, 0};
    } else {
      number = row.offset == offset ? number + 1 : 0;
      offset = row.offset;
      place.number = number;
    }
    KeptRow kept{place, packer_.pack(row.group)};
    memset(kept.group.get(), 0, offsetof(WeirGroupHeader, error));  // no changes are followed
    write_down(key, kept);
    keep(key, std::move(kept));
    if (!on_arrival()) continue;
    at = key.rows.size() - 1;
    if (Status status = use(key, row.time, &at, to_stage); !status.ok()) return status;
    if (Status status = hand_on_over(key, at, to_stage); !status.ok()) return status;
  }
  return flush(to_stage);
}

Status KeyedRows::fire(int64_t watermark, const FireTo& to_stage) {
  watermark_ = watermark;
  while (!waiting_.empty() && waiting_.top().place.time < watermark) {
    Noted next = waiting_.top();
    waiting_.pop();
    last_close_ = std::max(last_close_, next.place.time + 1);
    size_t row = next.key->handed_on++;
    if (Status status = use(*next.key, next.place.time, &row, to_stage); !status.ok())
      return status;
    const KeptRow& kept = next.key->rows[row];
    Status status = is_scan() ? hand_on_scan(*next.key, kept.place.time, kept.group.get(), to_stage)
                              : hand_on_over(*next.key, row, to_stage);
    if (!status.ok()) return status;
  }
  return flush(to_stage);
}

// ---------------------------------------------------------------- rows leave

Status KeyedRows::hand_on(WeirBytes key, int64_t time, const char* group, char* state,
                          const FireTo& to_stage) {
  fired_.push_back({key.data, key.size, group, 0, 0, time, state});
  return fired_.size() == kHandedOnMax ? flush(to_stage) : Status();
}

Status KeyedRows::flush(const FireTo& to_stage) {
  Status status;
  if (!fired_.empty() && !info_.emissions.empty())
    status = to_stage(0, fired_.data(), uint32_t(fired_.size()));
  fired_.clear();
  replaced_.clear();
  text_blocks_.reset(&texts_);
  return status;
}

Status KeyedRows::hand_on_over(Key& key, size_t row, const FireTo& to_stage) {
  size_t size = info_.keyed->group_bytes();
  results_.resize(kHandedOnMax * size);
  scratch_.resize(size);
  const KeptRow& kept = key.rows[row];
  char* result = results_.data() + fired_.size() * size;
  memcpy(result, kept.group.get(), size);
  WeirGroupHeader header, of_frame;
  memcpy(&header, result, sizeof header);
  for (size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].kind == contract::Rows::Frame::ALL)
      add_to_total(key, kept.group.get());
    else
      merge_frame(key, i, row);
    frames_[i].copy(scratch_.data(), result);
    memcpy(&of_frame, scratch_.data(), sizeof of_frame);
    if (header.error == 0) header.error = of_frame.error;
  }
  memcpy(result, &header, sizeof header);
  if (rows_kept_ > 0) touched_.push_back(&key);
  return hand_on({key.bytes.data(), key.bytes.size()}, kept.place.time, result, nullptr, to_stage);
}

// Rows of one key in one call see what those in front of them have made of its state.
Status KeyedRows::hand_on_scan(Key& key, int64_t time, const char* group, const FireTo& to_stage) {
  if (!key.running) {
    if (key.total)
      bytes_ -= packer_.bytes(key.total.get());
    else
      key.total = packer_.pack(info_.keyed->group_initial().data());
    key.running = true;
    running_.push_back(&key);
  }
  if (expire_us_ > 0) memcpy(key.total.get() + used_offset_, &key.used, sizeof key.used);
  return hand_on({key.bytes.data(), key.bytes.size()}, time, group, key.total.get(), to_stage);
}

void KeyedRows::ran() {
  for (Key* key : running_) {
    if (packer_.has_texts()) key->total = packer_.pack(key->total.get());
    bytes_ += packer_.bytes(key->total.get());
    key->running = false;
    mark_dirty(*key);
  }
  running_.clear();
}

void KeyedRows::mark_dirty(Key& key) {
  if (!key.total_dirty) shards_[key.shard].totals.push_back(&key);
  key.total_dirty = true;
}

void KeyedRows::merge_frame(Key& key, size_t number, size_t row) {
  const Frame& frame = frames_[number];
  const std::vector<KeptRow>& rows = key.rows;
  int64_t time = rows[row].place.time;
  int64_t from = subtract(time, frame.from_us), to = subtract(time, frame.to_us);
  memcpy(scratch_.data(), info_.keyed->group_initial().data(), scratch_.size());
  size_t begin = row + 1 > frame.rows ? row + 1 - frame.rows : 0, end = row + 1;
  if (frame.kind == contract::Rows::Frame::TIME) {
    if (on_arrival()) {
      for (size_t i = 0; i <= row; ++i) {
        if (rows[i].place.time >= from && rows[i].place.time <= to)
          info_.merge(scratch_.data(), rows[i].group.get(), &texts_);
      }
      return;
    }
    auto before = [](const KeptRow& a, int64_t t) { return a.place.time < t; };
    auto behind = [](int64_t t, const KeptRow& a) { return t < a.place.time; };
    auto last = rows.begin() + int64_t(row) + 1;
    begin = size_t(std::lower_bound(rows.begin(), last, from, before) - rows.begin());
    end = size_t(std::upper_bound(rows.begin(), last, to, behind) - rows.begin());
  }
  std::unique_ptr<FrameWindow>& window = key.windows[number];
  if (on_arrival()) {
    for (size_t i = begin; i < end; ++i) info_.merge(scratch_.data(), rows[i].group.get(), &texts_);
    return;
  }
  bytes_ -= window ? window->bytes() : 0;
  if (!window) window = std::make_unique<FrameWindow>();
  window->merge_into(info_, rows, begin, end, scratch_.data(), &texts_);
  bytes_ += window->bytes();
}

void KeyedRows::add_to_total(Key& key, const char* group) {
  memcpy(scratch_.data(), key.total ? key.total.get() : info_.keyed->group_initial().data(),
         scratch_.size());
  info_.merge(scratch_.data(), group, &texts_);
  if (expire_us_ > 0) memcpy(scratch_.data() + used_offset_, &key.used, sizeof key.used);
  if (key.total) {
    bytes_ -= packer_.bytes(key.total.get());
    replaced_.push_back(std::move(key.total));
  }
  key.total = packer_.pack(scratch_.data());
  bytes_ += packer_.bytes(key.total.get());
  mark_dirty(key);
}

}  // namespace weir::runtime
