// Memory for answers and for decompressed batches. A buffer lives as long as somebody points into
// it, on whatever thread, and is then used again: fresh memory costs a page fault for every 4 KiB,
// more than walking the records on them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace weir::runtime::kafka::fetch {

class Buffer {
 public:
  explicit Buffer(size_t capacity) : bytes_(new char[capacity]), capacity_(capacity) {}
  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  size_t capacity() const { return capacity_; }
  size_t size = 0;  // of what is in it
  std::string_view text() const { return {data(), size}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_;
};
using BufferRef = std::shared_ptr<Buffer>;

// All methods on any thread. Buffers may outlive the pool's owner.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // Keeps up to so many bytes of buffers that nobody uses.
  static std::shared_ptr<BufferPool> make(uint64_t idle_bytes_max);
  // At least `capacity` bytes, as somebody left them.
  BufferRef take(size_t capacity);
  // Of all buffers that are in use.
  uint64_t bytes_in_use() const { return bytes_in_use_; }

 private:
  explicit BufferPool(uint64_t idle_bytes_max) : idle_bytes_max_(idle_bytes_max) {}
  void give_back(std::unique_ptr<Buffer> buffer);

  const uint64_t idle_bytes_max_;
  std::atomic<uint64_t> bytes_in_use_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffer>> idle_;  // the one used last at the end
  uint64_t idle_bytes_ = 0;
};

}  // namespace weir::runtime::kafka::fetch
