// Splits what a file descriptor gives into lines: batches of views into blocks that were read at
// once. A line is a record, its first byte's place is the offset; `\r\n` counts as an end of line,
// lines of nothing are passed over.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/connectors/row_batch.h"

namespace weir::runtime {

class LineReader {
 public:
  // Reads `fd` (not owned) from `offset`, by place if `seekable`. The bytes from `end` on are
  // somebody else's; `last_line_counts`: one without a line's end is a record if nothing follows.
  struct Options {
    int fd = -1;
    bool seekable = true;
    bool last_line_counts = true;
    int64_t end = INT64_MAX;
  };
  LineReader(const Options& options, int64_t offset)
      : options_(options), next_(offset), read_to_(offset), pool_(std::make_shared<ViewPool>()) {}

  // Does not wait. `at_end` comes without a batch: all that the descriptor gives has been handed
  // out.
  Fetched fetch(uint32_t rows_max);
  // Reading failed, or a line is longer than kLineBytesMax: nothing more comes.
  const Status& status() const { return status_; }
  int64_t next() const { return next_; }

  static constexpr size_t kBlockBytes = 1 << 20;
  static constexpr size_t kLineBytesMax = 64 << 20;

 private:
  // More bytes behind those that are there; false: none now.
  bool fill();

  Options options_;
  int64_t next_;     // of the next line
  int64_t read_to_;  // how far the descriptor was read
  std::shared_ptr<Block> block_;
  size_t at_ = 0;       // of the next line in the block
  bool ended_ = false;  // the descriptor will give nothing more
  std::shared_ptr<ViewPool> pool_;
  Status status_;
};

}  // namespace weir::runtime
