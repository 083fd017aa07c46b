#include "runtime/memory_log_partition.h"

#include <algorithm>
#include <cstring>

namespace weir::runtime {
namespace {

constexpr size_t kSegmentRowsMin = 64;  // a partition of a test has a handful of records
constexpr size_t kSegmentRowsMax = 1 << 16;
constexpr size_t kChunkBytesMin = 4 << 10;
constexpr size_t kChunkBytesMax = 1 << 20;

// A marker's place in a segment belongs to this transaction: nobody sees it, whatever the
// isolation.
const MemoryTransaction kMarker{MemoryTransaction::State::Aborted};

// Of one record; lies in its segment's bytes.
struct StoredHeaders final : RecordHeaders {
  HeaderList list;
  explicit StoredHeaders(HeaderList list) : list(list) {}
  HeaderList of(const WeirRecord&) const override { return list; }
};

bool is_visible(const MemoryTransaction* owner, Isolation isolation) {
  if (owner == nullptr) return true;
  if (owner == &kMarker) return false;
  return isolation == Isolation::ReadUncommitted ||
         owner->state == MemoryTransaction::State::Committed;
}

}  // namespace

struct MemoryPartition::Segment {
  int64_t base = 0;
  // Reserved at the start and never grown beyond: readers hold pointers.
  std::vector<WeirRecord> records;
  std::vector<const MemoryTransaction*> owners;
  std::vector<std::unique_ptr<char[]>> chunks;
  char* next = nullptr;
  size_t left = 0;
  size_t chunk_bytes = kChunkBytesMin;

  char* take(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size > left) {
      size_t bytes = std::max(chunk_bytes, size);
      chunk_bytes = std::min(chunk_bytes * 4, kChunkBytesMax);
      chunks.push_back(std::make_unique_for_overwrite<char[]>(bytes));
      next = chunks.back().get();
      left = bytes;
    }
    char* taken = next;
    next += size;
    left -= size;
    return taken;
  }
  std::string_view keep(std::string_view bytes) {
    // An empty value is not a missing one: it gets an address, too.
    char* to = take(std::max<size_t>(bytes.size(), 1));
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }
};

WeirRecord& MemoryPartition::add(const MemoryTransaction* owner) {
  if (segments_.empty() ||
      segments_.back()->records.size() == segments_.back()->records.capacity()) {
    size_t rows = segments_.empty()
                      ? kSegmentRowsMin
                      : std::min(segments_.back()->records.capacity() * 4, kSegmentRowsMax);
    auto segment = std::make_shared<Segment>();
    segment->base = end_;
    segment->records.reserve(rows);
    segment->owners.reserve(rows);
    segments_.push_back(std::move(segment));
  }
  Segment& segment = *segments_.back();
  segment.owners.push_back(owner);
  WeirRecord& record = segment.records.emplace_back();
  record.offset = end_++;
  record.timestamp_ms = -1;
  record.leader_epoch = -1;
  return record;
}

int64_t MemoryPartition::append(const LogProducer::Message& message, int64_t timestamp_ms,
                                uint8_t timestamp_type, const MemoryTransaction* transaction) {
  WeirRecord& record = add(transaction);
  Segment& segment = *segments_.back();
  if (message.has_key) {
    record.key = segment.keep(message.key).data();
    record.key_size = static_cast<uint32_t>(message.key.size());
  }
  if (message.has_value) {
    record.value = segment.keep(message.value).data();
    record.value_size = static_cast<uint32_t>(message.value.size());
  }
  if (message.headers != nullptr && !message.headers->empty()) {
    size_t count = message.headers->size();
    auto* headers = reinterpret_cast<Header*>(segment.take(count * sizeof(Header)));
    for (size_t i = 0; i < count; i++) {
      const Header& header = (*message.headers)[i];
      new (&headers[i]) Header{segment.keep(header.name), segment.keep(header.value)};
    }
    record.headers = new (segment.take(sizeof(StoredHeaders)))
        StoredHeaders({headers, static_cast<uint32_t>(count)});
  }
  record.timestamp_ms = timestamp_ms;
  record.timestamp_type = timestamp_type;
  if (transaction != nullptr) open_.try_emplace(transaction, record.offset);
  return record.offset;
}

void MemoryPartition::end_transaction(const MemoryTransaction* transaction) {
  if (open_.erase(transaction) > 0) add(&kMarker);
}

void MemoryPartition::delete_before(int64_t offset) {
  begin_ = std::clamp(offset, begin_, stable_end());
  while (segments_.size() > 1 && segments_[1]->base <= begin_) segments_.erase(segments_.begin());
}

int64_t MemoryPartition::stable_end() const {
  int64_t end = end_;
  for (const auto& [transaction, first] : open_) end = std::min(end, first);
  return end;
}

int64_t MemoryPartition::offset_at(int64_t timestamp_ms) const {
  int64_t stable = stable_end();
  for (const auto& segment : segments_) {
    for (size_t i = 0; i < segment->records.size(); i++) {
      const WeirRecord& record = segment->records[i];
      if (record.offset < begin_ || record.offset >= stable) continue;
      if (!is_visible(segment->owners[i], Isolation::ReadCommitted)) continue;
      if (record.timestamp_ms >= timestamp_ms) return record.offset;
    }
  }
  return stable;
}

Fetched MemoryPartition::read(int64_t from, int64_t end, uint32_t rows_max,
                              Isolation isolation) const {
  struct Batch : RecordBatch {
    std::shared_ptr<Segment> segment;
  };
  WEIR_CHECK(rows_max > 0, "a fetch of no rows never gets to the end");
  Fetched fetched;
  fetched.next_offset = from;
  auto found =
      std::upper_bound(segments_.begin(), segments_.end(), from,
                       [](int64_t offset, const auto& segment) { return offset < segment->base; });
  if (found != segments_.begin()) --found;
  for (; found != segments_.end() && fetched.next_offset < end; ++found) {
    const std::shared_ptr<Segment>& segment = *found;
    size_t i = static_cast<size_t>(fetched.next_offset - segment->base);
    size_t stop = static_cast<size_t>(
        std::min<int64_t>(end - segment->base, static_cast<int64_t>(segment->records.size())));
    while (i < stop && !is_visible(segment->owners[i], isolation)) i++;
    size_t first = i;
    uint64_t bytes = 0;
    while (i < stop && i - first < rows_max && is_visible(segment->owners[i], isolation)) {
      bytes += segment->records[i].key_size + segment->records[i].value_size;
      i++;
    }
    fetched.next_offset = segment->base + static_cast<int64_t>(i);
    if (i == first) continue;  // nothing but invisible ones here
    auto batch = std::make_unique<Batch>();
    batch->records = segment->records.data() + first;
    batch->count = static_cast<uint32_t>(i - first);
    batch->bytes = bytes;
    batch->segment = segment;
    fetched.batch = std::move(batch);
    // Invisible ones behind the batch are passed over with it, so that the end is seen at once.
    while (i < stop && !is_visible(segment->owners[i], isolation)) i++;
    fetched.next_offset = segment->base + static_cast<int64_t>(i);
    break;
  }
  fetched.at_end = fetched.next_offset >= end;
  return fetched;
}

}  // namespace weir::runtime
