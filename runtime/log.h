// The log: topics of partitions of records, consumer groups, transactions. Two implementations:
// librdkafka (connectors/kafka) and one in memory with true transactions (memory_log.h), which
// `--dev`, `weir test` and simulation use.
//
// Threads: every method belongs to the control thread of its object, except LogConsumer::fetch,
// which may be called by one thread for each partition at a time while no control method runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/contract/stage_abi.h"
#include "runtime/status.h"

namespace weir::runtime {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

// Where to go on reading: the next offset, and the leader epoch of the record before it (−1:
// unknown).
struct Position {
  int64_t offset = 0;
  int32_t leader_epoch = -1;
  bool operator==(const Position&) const = default;
};
using Positions = std::map<TopicPartition, Position>;

struct Header {
  std::string_view name, value;
};
struct HeaderList {
  const Header* headers = nullptr;  // in the order in which they were written
  uint32_t count = 0;
};
// What WeirRecord::headers points to. Read only when somebody asks: for a librdkafka message even
// finding out that it has none costs an allocation (60 ns of CPU per record). The list lives as
// long as the record's batch.
class RecordHeaders : public WeirHeaders {
 public:
  RecordHeaders() : WeirHeaders{&entries_of} {}
  virtual ~RecordHeaders() = default;
  virtual HeaderList of(const WeirRecord& record) const = 0;

 private:
  // For stages (stage_abi.h).
  static WeirList entries_of(const WeirHeaders* headers, const WeirRecord* record,
                             WeirArena* arena);
};
inline HeaderList headers_of(const WeirRecord& record) {
  return record.headers ? static_cast<const RecordHeaders*>(record.headers)->of(record)
                        : HeaderList{};
}
inline WeirList RecordHeaders::entries_of(const WeirHeaders* headers, const WeirRecord* record,
                                          WeirArena* arena) {
  HeaderList list = static_cast<const RecordHeaders*>(headers)->of(*record);
  auto* entries =
      reinterpret_cast<WeirHeader*>(weir_arena_take(arena, list.count * sizeof(WeirHeader)));
  uint64_t count = 0;
  for (uint32_t i = 0; i < list.count; i++) {
    auto [name, value] = list.headers[i];
    bool is_known = false;
    for (uint64_t k = 0; k < count && !is_known; k++)
      is_known = name == std::string_view(entries[k].key.data, entries[k].key.size);
    if (is_known) continue;
    entries[count++] = {
        {name.data(), name.size()}, {value.data(), value.size()}, value.data() != nullptr, {}};
  }
  return {entries, count};
}
// The value of the record's last header of this name; none: it has none.
inline std::optional<std::string_view> find_header(const WeirRecord& record,
                                                   std::string_view name) {
  HeaderList list = headers_of(record);
  for (uint32_t i = list.count; i > 0; i--) {
    if (list.headers[i - 1].name == name) return list.headers[i - 1].value;
  }
  return std::nullopt;
}

// Record views of one partition in the order of their offsets. The views (and what they point to)
// live as long as this object.
class RecordBatch {
 public:
  virtual ~RecordBatch() = default;
  const WeirRecord* records = nullptr;
  uint32_t count = 0;
  uint64_t bytes = 0;  // keys and values
};

struct Fetched {
  std::unique_ptr<RecordBatch> batch;  // null: nothing there now
  bool at_end = false;                 // the partition has been read to its end (as known now)
  int64_t next_offset =
      -1;  // where the next fetch goes on (behind control records, too); −1: unknown
  int32_t next_leader_epoch = -1;  // of what is in front of it; −1: unknown
};

// What happened to the group's member since the last poll, in this order.
struct GroupEvent {
  enum class Kind : uint8_t { Assigned, Revoked, Lost, Fenced } kind;
  std::vector<TopicPartition> partitions;
};

// Identifies this member and its generation to a producer's send_offsets (fences zombies). Opaque.
class GroupMetadata {
 public:
  virtual ~GroupMetadata() = default;
};

// A member of the pipeline's consumer group over all its topics of this log.
class LogConsumer {
 public:
  virtual ~LogConsumer() = default;
  // Control events and errors; waits up to `timeout_ms`. Must be called at least every few seconds.
  virtual Result<std::vector<GroupEvent>> poll(int timeout_ms) = 0;
  // Answers Assigned: read these from these positions. Answers Revoked and Lost: `unassign`.
  virtual Status assign(const Positions& positions) = 0;
  virtual Status unassign() = 0;
  // Up to `rows_max` records of an assigned partition that are there already; does not wait.
  virtual Fetched fetch(const TopicPartition& partition, uint32_t rows_max) = 0;
  // Blocks until some assigned partition may have records, or the time is over. Any one thread.
  virtual void wait_for_records(int timeout_ms) = 0;
  // The group's committed offsets (read_committed: stable ones); absent: none.
  virtual Result<Positions> committed(const std::vector<TopicPartition>& partitions) = 0;
  // First offset and end (last stable offset) as known to the broker.
  struct Ends {
    int64_t begin = 0, end = 0;
  };
  virtual Result<std::map<TopicPartition, Ends>> ends(
      const std::vector<TopicPartition>& partitions) = 0;
  // First offset with a timestamp at or after `timestamp_ms`; the end if there is none.
  virtual Result<Positions> offsets_at(const std::vector<TopicPartition>& partitions,
                                       int64_t timestamp_ms) = 0;
  virtual std::unique_ptr<GroupMetadata> group_metadata() = 0;
  // Records that the client fetched twice and that were dropped.
  virtual uint64_t repeated() const { return 0; }
  // Static members stay in the group; bounded time.
  virtual void close() = 0;
};

// A transactional producer. What a Status of it asks for:
//   retry()                   the same call again, with the same arguments, after a pause
//   Exit::Restart             fenced: another process has this id or this place in the group.
//   Leave. Exit::Unavailable         the transaction must be thrown away (also when the partitions
//   are no longer this member's):
//                             abort, new producer, wait for the group's events, go on from the
//                             committed positions
//   everything else           ends the pipeline
// After an error that `Status::retry` does not mark, or after an abort, it is never used
// again: make a new one with the same id (which fences this one).
class LogProducer {
 public:
  virtual ~LogProducer() = default;
  // Fences older producers of this id, ends their transactions.
  virtual Status init_transactions() = 0;
  virtual Status begin() = 0;
  // Bytes must stay until flush. `partition` −1: by murmur2 of the key as Java's default
  // partitioner does.
  struct Message {
    std::string_view topic;
    int32_t partition = -1;
    bool has_key = false, has_value = true;
    std::string_view key, value;
    int64_t timestamp_ms = -1;  // −1: now
    const std::vector<Header>* headers = nullptr;
  };
  virtual Status produce(const Message& message) = 0;
  // All messages are delivered, or the status says which was not. `last_offset` is then known
  // (changelogs).
  virtual Status flush() = 0;
  virtual int64_t last_offset(
      const TopicPartition& partition) const = 0;  // −1: none in this transaction
  virtual Status send_offsets(const Positions& next, const GroupMetadata& group) = 0;
  virtual Status commit() = 0;
  virtual Status abort() = 0;
  // Asked behind a commit: an answer may have got lost on the way, so that a late request could
  // still hit the next transaction of this producer. The commit counts; the next transaction needs
  // a new producer of the same id.
  virtual bool spent() const { return false; }
};

// Reads partitions without a group (restore): only committed records, up to the end as known at
// open.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next records of any of its partitions; a null batch when all are read to their ends.
  struct Read {
    TopicPartition partition;
    std::unique_ptr<RecordBatch> batch;
  };
  virtual Result<Read> read(int timeout_ms) = 0;
  // The first offset of a partition that it was opened for, as known at open.
  virtual int64_t begin(const TopicPartition& partition) const = 0;
};

struct ClientProperties {
  std::string brokers;                            // "127.0.0.1:9092"
  std::map<std::string, std::string> properties;  // passed through to the client, checked by it
  std::vector<std::string> secrets;               // names of properties never printed
  std::string client;  // who reads: "native", "librdkafka"; empty: native fetch where it can
  std::function<void(const std::string&)> say;  // tells the operator something; may be empty
};
struct GroupOptions {
  std::string group;     // the pipeline's name
  std::string instance;  // group.instance.id; empty: dynamic member
  std::vector<std::string> topics;
  uint64_t memory_bytes = 256 << 20;  // bound of what waits in the client
};

class Log {
 public:
  virtual ~Log() = default;
  virtual Result<std::unique_ptr<LogConsumer>> consumer(const GroupOptions& options) = 0;
  virtual Result<std::unique_ptr<LogProducer>> producer(const std::string& transactional_id) = 0;
  // Position 0 is the beginning, wherever that is. Exit::Failed: a position is out of range.
  virtual Result<std::unique_ptr<LogReader>> reader(const Positions& from) = 0;
  // Number of partitions; Exit::Configuration if there is no such topic, Exit::Unavailable if
  // nobody answers.
  virtual Result<int32_t> partitions(const std::string& topic) = 0;
  // Makes it if it is not there. Other settings than the existing topic's are not an error but
  // partitions are.
  virtual Status ensure_topic(const std::string& topic, int32_t partitions,
                              const std::map<std::string, std::string>& config) = 0;
  // Records in front of these offsets are not needed any more. Any thread.
  virtual Status delete_records(const Positions& before) = 0;
};

// A cluster through librdkafka.
Result<std::unique_ptr<Log>> open_kafka(const ClientProperties& properties);

}  // namespace weir::runtime
