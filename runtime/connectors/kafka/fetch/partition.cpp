#include "runtime/connectors/kafka/fetch/partition.h"

#include <algorithm>
#include <map>

namespace weir::runtime::kafka::fetch {
namespace {

// A batch of Kafka's has at most message.max.bytes compressed; 1 to 100 is more than text gives.
constexpr size_t kBatchBytesMax = size_t{256} << 20;

}  // namespace

// Encoded headers of those records that have any, read when somebody asks.
class BatchHeaders final : public RecordHeaders {
 public:
  void add(int64_t offset, const char* encoded, const char* end) {
    encoded_.push_back({offset, encoded, end});
  }
  void clear() {
    encoded_.clear();
    read_.clear();
  }
  HeaderList of(const WeirRecord& record) const override {
    auto [found, is_new] = read_.try_emplace(record.offset);
    std::vector<Header>& list = found->second;
    auto encoded = std::lower_bound(encoded_.begin(), encoded_.end(), record.offset,
                                    [](const Encoded& one, int64_t to) { return one.offset < to; });
    if (is_new && encoded != encoded_.end() && encoded->offset == record.offset) {
      for (const char* at = encoded->begin; at < encoded->end;) {
        EncodedHeader header = next_header(at);
        list.push_back({header.name, header.value});
      }
    }
    return {list.data(), static_cast<uint32_t>(list.size())};
  }

 private:
  struct Encoded {
    int64_t offset;
    const char *begin, *end;
  };
  std::vector<Encoded> encoded_;                         // by offset
  mutable std::map<int64_t, std::vector<Header>> read_;  // by offset
};

struct ViewMemory {
  std::vector<WeirRecord> records;
  std::vector<BufferRef> buffers;  // what the views point into
  BatchHeaders headers;
};
class ViewPool {
 public:
  std::unique_ptr<ViewMemory> take(size_t rows) {
    std::unique_ptr<ViewMemory> memory;
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        memory = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!memory) memory = std::make_unique<ViewMemory>();
    if (memory->records.size() < rows) memory->records.resize(rows);
    return memory;
  }
  void give_back(std::unique_ptr<ViewMemory> memory) {
    memory->buffers.clear();
    memory->headers.clear();
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(memory));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<ViewMemory>> idle_;
};

namespace {
struct NativeBatch final : RecordBatch {
  std::shared_ptr<ViewPool> pool;
  std::unique_ptr<ViewMemory> memory;
  ~NativeBatch() override { pool->give_back(std::move(memory)); }
};
}  // namespace

Partition::Partition(TopicPartition name, Position position, std::shared_ptr<BufferPool> buffers,
                     bool checks_crcs)
    : name_(std::move(name)),
      buffers_(std::move(buffers)),
      checks_crcs_(checks_crcs),
      views_(std::make_shared<ViewPool>()),
      position_(position) {}
Partition::~Partition() = default;

void Partition::put(Chunk chunk) {
  // The broker lists them as they ended.
  std::sort(chunk.aborted.begin(), chunk.aborted.end(),
            [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
  std::lock_guard lock(mutex_);
  if (again_) return;
  bytes_waiting_ += chunk.records.size();
  waiting_.push_back(std::move(chunk));
}

void Partition::reach_end() {
  std::lock_guard lock(mutex_);
  if (again_) return;
  if (!waiting_.empty())
    waiting_.back().at_end = true;
  else
    end_unseen_ = true;
}

std::optional<Position> Partition::wanted_again() {
  std::lock_guard lock(mutex_);
  return std::exchange(again_, std::nullopt);
}

void Partition::want_again(const Position& from) {
  repeated_from_ = from.offset;
  position_ = from;
  chunk_ = {};
  open_ = damaged_ = at_end_ = false;
  batch_end_ = -1;
  std::lock_guard lock(mutex_);
  waiting_.clear();
  bytes_waiting_ = 0;
  end_unseen_ = false;
  again_ = from;
}

bool Partition::next_chunk() {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return false;
  chunk_ = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_waiting_ -= chunk_.records.size();
  end_unseen_ = false;
  open_ = true;
  chunk_at_ = aborted_at_ = 0;
  hidden_.clear();
  at_end_ = false;
  return true;
}

Status Partition::failure(int64_t offset, const char* what) const {
  return Status::error(Exit::Failed, "`" + name_.topic + "`[" + std::to_string(name_.partition) +
                                         "]: the record batch at offset " + std::to_string(offset) +
                                         " " + what);
}

// Requires: the cursor is through, the chunk has more.
Status Partition::next_batch() {
  std::string_view bytes = chunk_.records.substr(chunk_at_);
  BatchHeader header;
  BatchFault fault = read_batch_header(bytes, header);
  if (fault != BatchFault::None) return failure(position_.offset, text_of(fault));
  chunk_at_ += header.bytes;
  batch_end_ = header.last_offset + 1;
  if (batch_end_ > position_.offset) position_.leader_epoch = header.leader_epoch;
  cursor_ = {};
  bytes = bytes.substr(0, header.bytes);
  damaged_ = checks_crcs_ && !checksum_is_right(bytes, header);
  if (damaged_) return failure(header.base_offset, text_of(BatchFault::Checksum));
  for (; aborted_at_ < chunk_.aborted.size() &&
         chunk_.aborted[aborted_at_].first_offset <= header.last_offset;
       aborted_at_++) {
    hidden_.insert(chunk_.aborted[aborted_at_].producer_id);
  }
  bool is_hidden = header.transactional && hidden_.contains(header.producer_id);
  bool wanted = !header.control && !is_hidden && batch_end_ > position_.offset;
  if (!wanted && !header.control) return {};
  std::string_view records = bytes.substr(kBatchHeaderBytes);
  cursor_buffer_ = chunk_.buffer;
  if (header.codec != Codec::None) {
    switch (decompress(header.codec, records, kBatchBytesMax, *buffers_, cursor_buffer_)) {
      case Decompressed::Done:
        break;
      case Decompressed::Damaged:
        return failure(header.base_offset, text_of(BatchFault::Malformed));
      case Decompressed::TooLarge:
        return failure(header.base_offset, text_of(BatchFault::TooLarge));
      case Decompressed::UnknownCodec:
        return failure(header.base_offset, text_of(BatchFault::UnknownCodec));
    }
    records = cursor_buffer_->text();
  }
  if (header.control) {
    if (marker_of(header, records) == Marker::Abort) hidden_.erase(header.producer_id);
    return {};
  }
  cursor_ = RecordCursor(header, records);
  return {};
}

Status Partition::take(uint32_t rows_max, Fetched* fetched, bool* drained) {
  std::unique_ptr<ViewMemory> memory;
  uint32_t count = 0;
  uint64_t bytes = 0;
  // What is damaged is never gone past: a commit behind it would lose it.
  Status status = failed_;
  while (count < rows_max && status.ok()) {
    if (cursor_.left() > 0) {
      if (!memory) memory = views_->take(rows_max);
      if (memory->buffers.empty() || memory->buffers.back() != cursor_buffer_)
        memory->buffers.push_back(cursor_buffer_);
      WeirRecord* records = memory->records.data();
      RecordCursor cursor = cursor_;
      int64_t next = position_.offset;
      bool good = true;
      while (count < rows_max && cursor.left() > 0) {
        WeirRecord& record = records[count];
        const char* headers;
        if (!(good = cursor.next(record, headers))) break;
        // A batch may begin in front of the offset that was asked for.
        if (record.offset < next) continue;
        record.headers = nullptr;
        if (headers != nullptr) {
          memory->headers.add(record.offset, headers, cursor.behind());
          record.headers = &memory->headers;
        }
        next = record.offset + 1;
        bytes += record.value_size + record.key_size;
        count++;
      }
      cursor_ = cursor;
      position_.offset = next;
      if (!good || (cursor.left() == 0 && !cursor.at_end()))
        status = failure(position_.offset, text_of(BatchFault::Malformed));
      continue;
    }
    cursor_buffer_.reset();
    if (batch_end_ > position_.offset) position_.offset = batch_end_;
    if (open_ && chunk_at_ < chunk_.records.size()) {
      Position before = position_;
      status = next_batch();
      if (damaged_ && repeated_from_ != before.offset) {
        want_again(before);
        status = {};
        *drained = true;
        break;
      }
      continue;
    }
    if (open_) {
      at_end_ = chunk_.at_end;
      position_.offset = std::max(position_.offset, chunk_.next_offset);
      chunk_ = {};
      open_ = false;
    }
    if (!next_chunk()) {
      if (end_unseen_.exchange(false)) at_end_ = true;
      break;
    }
    *drained = true;
  }
  if (!status.ok()) failed_ = status;
  fetched->at_end = at_end_ && !open_;
  fetched->next_offset = position_.offset;
  fetched->next_leader_epoch = position_.leader_epoch;
  if (count == 0) {
    if (memory) views_->give_back(std::move(memory));
    return status;
  }
  auto batch = std::make_unique<NativeBatch>();
  batch->pool = views_;
  batch->memory = std::move(memory);
  batch->records = batch->memory->records.data();
  batch->count = count;
  batch->bytes = bytes;
  fetched->batch = std::move(batch);
  return status;
}

}  // namespace weir::runtime::kafka::fetch
