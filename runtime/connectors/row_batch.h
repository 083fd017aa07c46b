// Memory for feeds that make their records themselves: a block of bytes that several batches may
// point into, and the views of one batch. Views are used again by later batches; blocks go with
// their last batch.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/log.h"

namespace weir::runtime {

// Bytes in front of a `size`; behind it there are kBlockSlack readable ones, for decoders that read
// in strides.
inline constexpr size_t kBlockSlack = 64;
struct Block {
  std::unique_ptr<char[]> bytes;
  size_t capacity = 0;
  size_t size = 0;

  explicit Block(size_t capacity)
      : bytes(std::make_unique_for_overwrite<char[]>(capacity + kBlockSlack)), capacity(capacity) {}
};

class ViewPool {
 public:
  std::vector<WeirRecord> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    std::vector<WeirRecord> views = std::move(free_.back());
    free_.pop_back();
    views.clear();
    return views;
  }
  void give_back(std::vector<WeirRecord> views) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(views));
  }

 private:
  std::mutex mutex_;
  std::vector<std::vector<WeirRecord>> free_;
};

class RowBatch final : public RecordBatch {
 public:
  RowBatch(std::shared_ptr<ViewPool> pool, std::shared_ptr<Block> block)
      : pool_(std::move(pool)), block_(std::move(block)), views_(pool_->take()) {}
  ~RowBatch() override { pool_->give_back(std::move(views_)); }

  WeirRecord& add(const char* value, size_t size, int64_t offset) {
    WeirRecord& record = views_.emplace_back();
    record.value = value;
    record.value_size = static_cast<uint32_t>(size);
    record.offset = offset;
    record.timestamp_ms = -1;
    record.leader_epoch = -1;
    bytes += size;
    return record;
  }
  std::vector<WeirRecord>& views() { return views_; }
  // Behind the last `add`.
  void close() {
    records = views_.data();
    count = static_cast<uint32_t>(views_.size());
  }

 private:
  std::shared_ptr<ViewPool> pool_;
  std::shared_ptr<Block> block_;
  std::vector<WeirRecord> views_;
};

}  // namespace weir::runtime
