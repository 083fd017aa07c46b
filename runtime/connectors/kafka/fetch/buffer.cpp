#include "runtime/connectors/kafka/fetch/buffer.h"

#include <algorithm>

namespace weir::runtime::kafka::fetch {
namespace {

constexpr size_t kCapacityMin = 4096;

// Up to the next quarter between powers of two: answers of about one size use the same buffers, and
// no more than a quarter is wasted.
size_t rounded(size_t capacity) {
  size_t power = kCapacityMin;
  while (power * 2 <= capacity) power *= 2;
  size_t quarter = power / 4;
  return capacity <= power ? power : (capacity + quarter - 1) / quarter * quarter;
}

}  // namespace

std::shared_ptr<BufferPool> BufferPool::make(uint64_t idle_bytes_max) {
  return std::shared_ptr<BufferPool>(new BufferPool(idle_bytes_max));
}

BufferRef BufferPool::take(size_t capacity) {
  capacity = rounded(capacity);
  std::unique_ptr<Buffer> buffer;
  {
    std::lock_guard lock(mutex_);
    // The one used last is the one that is still in the CPU's cache. A much larger one would count
    // as in use as a whole.
    auto found = std::find_if(idle_.rbegin(), idle_.rend(), [capacity](const auto& one) {
      return one->capacity() >= capacity && one->capacity() <= 2 * capacity;
    });
    if (found != idle_.rend()) {
      buffer = std::move(*found);
      idle_.erase(std::next(found).base());
      idle_bytes_ -= buffer->capacity();
    }
  }
  if (!buffer) buffer = std::make_unique<Buffer>(capacity);
  buffer->size = 0;
  bytes_in_use_ += buffer->capacity();
  return BufferRef(buffer.release(), [pool = shared_from_this()](Buffer* back) {
    pool->give_back(std::unique_ptr<Buffer>(back));
  });
}

void BufferPool::give_back(std::unique_ptr<Buffer> buffer) {
  bytes_in_use_ -= buffer->capacity();
  std::vector<std::unique_ptr<Buffer>> freed;  // outside of the lock
  std::lock_guard lock(mutex_);
  idle_bytes_ += buffer->capacity();
  idle_.push_back(std::move(buffer));
  while (idle_bytes_ > idle_bytes_max_) {
    idle_bytes_ -= idle_.front()->capacity();
    freed.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
}

}  // namespace weir::runtime::kafka::fetch
