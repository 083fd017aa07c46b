#include "runtime/connectors/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::runtime {

bool LineReader::fill() {
  if (!status_.ok() || ended_) return false;
  if (!options_.seekable) {
    pollfd ready{options_.fd, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) return false;  // nothing now
  }
  size_t left = block_ ? block_->size - at_ : 0;
  if (!block_ || block_->size == block_->capacity) {
    if (left > kLineBytesMax) {
      status_ =
          Status::error(Exit::BadData, "a line of more than " + std::to_string(kLineBytesMax) +
                                           " bytes at byte " + std::to_string(next_));
      return false;
    }
    // What is left of the old block is the beginning of a line: it moves to the new one.
    auto block = std::make_shared<Block>(std::max(kBlockBytes, left * 2));
    if (left > 0) std::memcpy(block->bytes.get(), block_->bytes.get() + at_, left);
    block->size = left;
    block_ = std::move(block);
    at_ = 0;
  }
  size_t wanted = static_cast<size_t>(std::min<int64_t>(
      static_cast<int64_t>(block_->capacity - block_->size), options_.end - read_to_));
  char* to = block_->bytes.get() + block_->size;
  ssize_t got = 0;
  do {
    got = options_.seekable ? pread(options_.fd, to, wanted, read_to_)
                            : read(options_.fd, to, wanted);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0) {
    status_ = Status::error(Exit::Disk, std::string("reading: ") + std::strerror(errno));
    return false;
  }
  if (got == 0) {
    // A file that is followed may grow; everything else is over.
    ended_ = options_.last_line_counts || !options_.seekable;
    return false;
  }
  block_->size += static_cast<size_t>(got);
  read_to_ += got;
  return true;
}

Fetched LineReader::fetch(uint32_t rows_max) {
  Fetched fetched;
  std::unique_ptr<RowBatch> batch;
  uint32_t rows = 0;
  size_t searched = at_;  // no line ends in front of it
  while (rows < rows_max) {
    const char* bytes = block_ ? block_->bytes.get() : nullptr;
    const char* end = nullptr;
    if (block_ && searched < block_->size) {
      end = static_cast<const char*>(std::memchr(bytes + searched, '\n', block_->size - searched));
    }
    size_t line_end = 0;
    if (end != nullptr) {
      line_end = static_cast<size_t>(end - bytes);
    } else {
      if (rows > 0) break;  // a batch points into one block
      size_t seen = block_ ? block_->size - at_ : 0;
      if (fill()) {
        searched = at_ + seen;
        continue;
      }
      bool is_last = ended_ && options_.last_line_counts && block_ && at_ < block_->size;
      if (!is_last) break;
      line_end = block_->size;
    }
    size_t size = line_end - at_;
    size_t step = size + (end != nullptr ? 1 : 0);
    if (size > 0 && block_->bytes[at_ + size - 1] == '\r') size--;
    if (size > 0) {
      if (!batch) batch = std::make_unique<RowBatch>(pool_, block_);
      batch->add(block_->bytes.get() + at_, size, next_);
      rows++;
    }
    at_ += step;
    next_ += static_cast<int64_t>(step);
    searched = at_;
  }
  if (batch) {
    batch->close();
    fetched.batch = std::move(batch);
  }
  fetched.next_offset = next_;
  // Only a fetch that found nothing knows; from a pipe more may come until it is closed.
  fetched.at_end = !fetched.batch && (ended_ || options_.seekable);
  return fetched;
}

}  // namespace weir::runtime
