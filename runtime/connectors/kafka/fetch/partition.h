// A partition between two threads: the I/O thread puts answers in, one lane takes records out.
// Checksums, decompression and the walk over the records happen on the lane's side.
//
// It reads committed records only. An answer comes with the transactions that were aborted in its
// range; a batch is hidden while its producer is in such a transaction: from the transaction's
// first offset to its abort marker.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "runtime/connectors/kafka/fetch/buffer.h"
#include "runtime/connectors/kafka/fetch/protocol.h"
#include "runtime/connectors/kafka/fetch/record_batch.h"
#include "runtime/log.h"

namespace weir::runtime::kafka::fetch {

// Batches of one answer.
struct Chunk {
  BufferRef buffer;  // `records` point into it
  std::string_view records;
  std::vector<AbortedTransaction> aborted;
  int64_t next_offset = -1;  // behind it
  bool at_end = false;       // behind it there was nothing more
};

// Views of a taken batch, used again by the next one of its partition.
struct ViewMemory;
class ViewPool;

class Partition {
 public:
  Partition(TopicPartition name, Position position, std::shared_ptr<BufferPool> buffers,
            bool checks_crcs);
  ~Partition();
  const TopicPartition& name() const { return name_; }

  // I/O thread.
  void put(Chunk chunk);
  // Nothing came, and nothing is there behind what was put.
  void reach_end();
  uint64_t bytes_waiting() const { return bytes_waiting_; }
  // What was put is thrown away and wanted once more, from here on: it was damaged on its way.
  // Until this is asked, what is put is thrown away, too.
  std::optional<Position> wanted_again();
  void set_ends(int64_t begin, int64_t end) {
    begin_ = begin;
    end_ = end;
  }

  // The lane: up to `rows_max` records that are there; not ok: data that can't be read, where and
  // why. Says with `drained` that the I/O thread can fetch more into the room.
  Status take(uint32_t rows_max, Fetched* fetched, bool* drained);
  // Any thread: `take` would find something.
  bool has_more() const { return open_ || bytes_waiting_ > 0 || end_unseen_; }
  // First offset and last stable offset as the broker last said; −1: it has not yet.
  LogConsumer::Ends ends() const { return {begin_, end_}; }

 private:
  bool next_chunk();
  Status next_batch();
  Status failure(int64_t offset, const char* what) const;
  void want_again(const Position& from);

  const TopicPartition name_;
  const std::shared_ptr<BufferPool> buffers_;
  const bool checks_crcs_;

  std::mutex mutex_;
  std::deque<Chunk> waiting_;
  std::optional<Position> again_;
  std::atomic<uint64_t> bytes_waiting_{0};  // of `waiting_`
  std::atomic<bool> end_unseen_{false};     // the end was reached since the last `take`

  std::atomic<int64_t> begin_{-1}, end_{-1};

  // The lane's.
  const std::shared_ptr<ViewPool> views_;
  std::atomic<bool> open_{false};  // `chunk_` has more
  Chunk chunk_;
  size_t chunk_at_ = 0;       // batches in front of it are done
  size_t aborted_at_ = 0;     // transactions in front of it have begun
  std::set<int64_t> hidden_;  // producers in an aborted transaction
  RecordCursor cursor_;
  BufferRef cursor_buffer_;  // what it walks on
  int64_t batch_end_ = -1;   // behind the batch that it walks on
  Position position_;        // behind what was handed out
  bool at_end_ = false;
  bool damaged_ = false;        // the batch that was met last: its checksum is wrong
  int64_t repeated_from_ = -1;  // position that was wanted again: not twice
  Status failed_;
};
using PartitionRef = std::shared_ptr<Partition>;

}  // namespace weir::runtime::kafka::fetch
