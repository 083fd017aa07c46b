// The log in memory, with true transactions: producer epochs and fencing, aborted ranges that no
// committed reader sees, last stable offsets, consumer groups with generations, offsets that are
// committed with their transaction. `--dev`, `weir test` and simulation run on it. It forgets
// everything when it is destroyed.
//
// Threads: all methods of all its objects may be called from any thread. The log outlives its
// clients. Nothing in it is random, and with `clock_ms` set nothing depends on the machine's time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/log.h"
#include "runtime/memory_log_partition.h"

namespace weir::runtime {

class MemoryLog final : public Log {
 public:
  struct Options {
    std::function<int64_t()> clock_ms;  // of records without a timestamp; none: the machine's
  };
  MemoryLog() : MemoryLog(Options{}) {}
  explicit MemoryLog(Options options);
  ~MemoryLog() override;

  Result<std::unique_ptr<LogConsumer>> consumer(const GroupOptions& options) override;
  Result<std::unique_ptr<LogProducer>> producer(const std::string& transactional_id) override;
  Result<std::unique_ptr<LogReader>> reader(const Positions& from) override;
  Result<int32_t> partitions(const std::string& topic) override;
  Status ensure_topic(const std::string& topic, int32_t partitions,
                      const std::map<std::string, std::string>& config) override;

  Status delete_records(const Positions& before) override;

  // A record from outside of all transactions (test data, `--dev` input). Copies; returns its
  // offset. Partition −1 goes by the key. The topic must be there.
  Result<int64_t> append(const LogProducer::Message& message);

  // Everything that is in a partition now, as another client would read it.
  struct Record {
    int64_t offset = 0;
    bool has_key = false, has_value = false;
    std::string key, value;
    int64_t timestamp_ms = -1;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  std::vector<Record> records(const TopicPartition& partition,
                              Isolation isolation = Isolation::ReadCommitted) const;
  Positions group_offsets(const std::string& group) const;
  std::vector<std::string> topics() const;

  // What the world can do to its clients, for tests and simulation.
  enum class Operation : uint8_t {
    Poll,
    Assign,
    Fetch,
    Committed,
    InitTransactions,
    Begin,
    Produce,
    Flush,
    SendOffsets,
    Commit,
    Abort,
  };
  enum class Moment : uint8_t {
    Before,  // an error means that the operation was not done
    After,   // an error means that it was done and the answer got lost
  };
  // Asked at both moments of every operation with its number (from 1, counted for each kind). It
  // may use the methods below, and of the clients only others than the one that is at work.
  using Hook = std::function<Status(Operation operation, uint64_t number, Moment moment)>;
  void set_hook(Hook hook);
  // The nth call from now of one operation fails with `status`. Replaces the hook.
  void fail_nth(Operation operation, uint64_t nth, Status status, Moment moment = Moment::Before);

  // The requests of a transactional producer as a broker gets them, whoever sends them and however
  // late: simulation has a client of its own above them. `epoch` is what `init_producer` gave; a
  // transaction begins with its first record or offset. An end that is asked for again is answered
  // as it was the first time.
  int64_t init_producer(const std::string& id);
  Result<std::pair<TopicPartition, int64_t>> write(const std::string& id, int64_t epoch,
                                                   const LogProducer::Message& message);
  Status write_offsets(const std::string& id, int64_t epoch, const Positions& next,
                       const GroupMetadata& member);
  Status end_transaction(const std::string& id, int64_t epoch, bool commits);

  // The members' sessions are over: each hears `Lost` and joins again.
  void expire_members(const std::string& group);
  // … of one instance.
  void expire_member(const std::string& group, const std::string& instance);
  // The coordinator aborts what this producer has open, and fences it (transaction.timeout.ms).
  void time_out(const std::string& transactional_id);
  // Somebody sets the group's offsets by hand.
  void set_group_offsets(const std::string& group, const Positions& positions);
  // Retention.
  void delete_before(const TopicPartition& partition, int64_t offset);

 private:
  friend class MemoryConsumer;
  friend class MemoryProducer;
  friend class MemoryReader;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::runtime
