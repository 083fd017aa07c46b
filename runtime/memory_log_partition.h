// One partition of the in-memory log: records in segments that are never moved, so that a batch is
// a pointer into a segment. Offsets count markers (a transaction's end takes one, as in Kafka) and
// aborted records, too.
//
// Not locked: MemoryLog's mutex guards it. Only the records of batches handed out are read without.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "runtime/log.h"

namespace weir::runtime {

// Who wrote a record: nullptr outside of transactions.
struct MemoryTransaction {
  enum class State : uint8_t { Open, Committed, Aborted } state = State::Open;
};

enum class Isolation : uint8_t { ReadCommitted, ReadUncommitted };

class MemoryPartition {
 public:
  // Returns its offset. Copies the message.
  int64_t append(const LogProducer::Message& message, int64_t timestamp_ms, uint8_t timestamp_type,
                 const MemoryTransaction* transaction);
  // The transaction has ended (its state says how): its marker is written, and it no longer holds
  // back the stable end.
  void end_transaction(const MemoryTransaction* transaction);
  // Records in front of `offset` are gone, as by retention.
  void delete_before(int64_t offset);

  int64_t begin() const { return begin_; }
  int64_t end() const { return end_; }
  // Last stable offset: where the oldest open transaction begins.
  int64_t stable_end() const;
  int64_t offset_at(int64_t timestamp_ms) const;

  // Up to `rows_max` records that follow each other in memory, from `from` and in front of `end`.
  // Requires: begin() ≤ from.
  Fetched read(int64_t from, int64_t end, uint32_t rows_max, Isolation isolation) const;

 private:
  struct Segment;
  WeirRecord& add(const MemoryTransaction* owner);

  std::vector<std::shared_ptr<Segment>> segments_;
  std::map<const MemoryTransaction*, int64_t> open_;  // where each began here
  int64_t begin_ = 0;
  int64_t end_ = 0;
};

}  // namespace weir::runtime
