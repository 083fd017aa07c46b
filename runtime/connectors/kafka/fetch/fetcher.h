// Native fetch: takes record batches from the brokers that lead the assigned partitions, and walks
// them in place (partition.h). Group, offsets and transactions stay with librdkafka.
//
// One I/O thread does all waiting. For each leader it has a connection with one request in flight,
// for the partitions that have room; so while lanes work on an answer, the next is on its way, and
// lanes that don't take stop the fetching. Whatever may pass (no leader, broker away, connection
// cut) is tried again with back-off and fresh metadata; what can't is given to `fail`, once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "runtime/connectors/kafka/fetch/partition.h"
#include "runtime/connectors/kafka/fetch/sasl.h"
#include "runtime/connectors/kafka/fetch/tls.h"
#include "runtime/log.h"

namespace weir::runtime::kafka::fetch {

struct FetchOptions {
  std::string brokers;  // "a:9092,b:9092": where to ask first
  std::string client = "weir";
  std::string rack;                          // not empty: fetches from followers there (KIP-392)
  uint64_t memory_bytes = 64 << 20;          // bound of what waits and of what lanes hold
  uint64_t answer_bytes_max = 100'000'000;   // of one answer; larger is an error
  uint64_t fetch_bytes_max = 8 << 20;        // of one answer, unless a single batch is larger
  uint64_t partition_bytes_max = 512 << 10;  // of a partition in an answer, with the same exception
  int wait_ms_max = 100;                     // of an idle partition's answer
  int bytes_min = 1;                         // what the broker waits for
  int back_off_ms = 50, back_off_ms_max = 2000;
  int error_back_off_ms = 20;    // of a partition that its broker refuses
  int request_ms_max = 20'000;   // without an answer the connection is given up
  int metadata_ms_max = 30'000;  // asked again after this long
  int receive_buffer_bytes = 0;  // 0: the system's
  bool checks_crcs = true;
  std::shared_ptr<const TlsContext> tls;  // null: plaintext
  SaslOptions sasl;
};

class Io;

class Fetcher {
 public:
  // `wake` is written to (an event descriptor) when records have come. `fail` is called on the I/O
  // thread.
  Fetcher(FetchOptions options, int wake, std::function<void(Status)> fail);
  ~Fetcher();

  // Control thread, while no lane is in `fetch`. Reads these and nothing else from now on.
  void assign(const Positions& positions);
  void unassign() { assign({}); }
  // The lane of the partition. Not ok: its data can't be read.
  Status fetch(const TopicPartition& name, uint32_t rows_max, Fetched* fetched);
  // Control thread.
  bool has_records() const;
  std::optional<LogConsumer::Ends> ends(const TopicPartition& name) const;
  // For how long the I/O thread has not gone round.
  int64_t stuck_ms() const;

 private:
  std::shared_ptr<BufferPool> buffers_;
  bool checks_crcs_;
  std::map<TopicPartition, PartitionRef> partitions_;
  std::unique_ptr<Io> io_;
};

}  // namespace weir::runtime::kafka::fetch
