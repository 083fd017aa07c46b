#include "runtime/memory_log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "runtime/connectors/kafka/partitioner.h"
#include "runtime/memory_log_group.h"

namespace weir::runtime {
namespace {

constexpr uint8_t kCreateTime = 1;

int64_t machine_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_of(const TopicPartition& partition) {
  return "`" + partition.topic + "`[" + std::to_string(partition.partition) + "]";
}

Status no_topic(std::string_view topic) {
  return Status::error(Exit::Configuration, "there is no topic `" + std::string(topic) + "`");
}

struct MemoryGroupMetadata : GroupMetadata {
  std::string group;
  MemoryGroup::MemberId member = 0;
  int32_t generation = -1;
};

}  // namespace

struct MemoryLog::State {
  struct Topic {
    std::vector<MemoryPartition> partitions;
    uint64_t keyless = 0;  // records without a key go round
  };
  // What the coordinator knows of a transactional id.
  struct Producer {
    int64_t epoch = -1;
    MemoryTransaction* open = nullptr;
    std::optional<MemoryTransaction::State> ended;  // how this epoch's last transaction has
    std::set<TopicPartition> written;
    std::map<std::string, Positions> offsets;  // by group, committed with the transaction
  };

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::function<int64_t()> clock_ms;
  std::map<std::string, Topic, std::less<>> topics;
  std::map<std::string, MemoryGroup> groups;
  std::map<std::string, Producer> producers;
  std::deque<MemoryTransaction> transactions;  // never removed: records point to them
  Hook hook;
  std::array<uint64_t, 16> calls{};

  int32_t partition_count(const std::string& topic) const {
    auto found = topics.find(topic);
    return found == topics.end() ? 0 : static_cast<int32_t>(found->second.partitions.size());
  }
  MemoryPartition* find(const TopicPartition& partition) {
    auto found = topics.find(partition.topic);
    if (found == topics.end()) return nullptr;
    auto& partitions = found->second.partitions;
    bool there =
        partition.partition >= 0 && static_cast<size_t>(partition.partition) < partitions.size();
    return there ? &partitions[static_cast<size_t>(partition.partition)] : nullptr;
  }
  MemoryGroup& group(const std::string& name) {
    return groups.try_emplace(name, name).first->second;
  }

  // Where the message went.
  Result<std::pair<TopicPartition, int64_t>> append(const LogProducer::Message& message,
                                                    const MemoryTransaction* transaction) {
    auto found = topics.find(message.topic);
    if (found == topics.end()) return no_topic(message.topic);
    Topic& topic = found->second;
    int32_t number = message.partition;
    auto count = static_cast<int32_t>(topic.partitions.size());
    if (number < 0) {
      number = message.has_key
                   ? partition_of_key(message.key, count)
                   : static_cast<int32_t>(topic.keyless++ % static_cast<uint64_t>(count));
    }
    TopicPartition place{found->first, number};
    if (number >= count)
      return Status::error(Exit::Configuration, "there is no partition " + text_of(place));
    int64_t timestamp = message.timestamp_ms >= 0 ? message.timestamp_ms : clock_ms();
    int64_t offset = topic.partitions[static_cast<size_t>(number)].append(message, timestamp,
                                                                          kCreateTime, transaction);
    return std::pair{place, offset};
  }

  void end_transaction(Producer& producer, MemoryTransaction::State how) {
    if (producer.open != nullptr) {
      producer.open->state = how;
      producer.ended = how;
      for (const TopicPartition& partition : producer.written)
        find(partition)->end_transaction(producer.open);
      if (how == MemoryTransaction::State::Committed) {
        for (const auto& [name, positions] : producer.offsets) {
          for (const auto& [partition, position] : positions)
            group(name).offsets[partition] = position;
        }
      }
    }
    producer.open = nullptr;
    producer.written.clear();
    producer.offsets.clear();
    changed.notify_all();
  }

  // The producer of this epoch, with a transaction open; or it is fenced.
  Result<Producer*> opened(const std::string& id, int64_t epoch) {
    Producer& producer = producers[id];
    if (producer.epoch != epoch) return fenced(id);
    if (producer.open == nullptr) producer.open = &transactions.emplace_back();
    return &producer;
  }
  static Status fenced(const std::string& id) {
    return Status::error(Exit::Restart,
                         "the transactional id `" + id + "` was taken by a newer producer");
  }

  // Some open transaction is about to commit an offset of these.
  bool is_unstable(const std::string& name, const std::vector<TopicPartition>& partitions) const {
    for (const auto& [id, producer] : producers) {
      auto pending = producer.offsets.find(name);
      if (pending == producer.offsets.end()) continue;
      for (const TopicPartition& partition : partitions) {
        if (pending->second.contains(partition)) return true;
      }
    }
    return false;
  }

  // `work` with the hook around it, which runs without the mutex.
  template <class Work>
  auto run(Operation operation, Work&& work) -> decltype(work()) {
    Hook asked;
    uint64_t number = 0;
    {
      std::lock_guard lock(mutex);
      number = ++calls[static_cast<size_t>(operation)];
      asked = hook;
    }
    if (asked) {
      if (Status status = asked(operation, number, Moment::Before); !status.ok()) return status;
    }
    auto result = [&] {
      std::lock_guard lock(mutex);
      return work();
    }();
    if (asked) {
      if (Status status = asked(operation, number, Moment::After); !status.ok()) return status;
    }
    return result;
  }
};

class MemoryConsumer final : public LogConsumer {
 public:
  MemoryConsumer(MemoryLog::State& log, GroupOptions options)
      : log_(log), options_(std::move(options)) {}
  ~MemoryConsumer() override { close(); }

  Result<std::vector<GroupEvent>> poll(int timeout_ms) override {
    using Events = Result<std::vector<GroupEvent>>;
    std::chrono::steady_clock::time_point until{};
    if (timeout_ms > 0)
      until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    bool first = true;
    while (true) {
      auto once = [&]() -> Events {
        if (!error_.ok()) return error_;
        MemoryGroup& group = log_.group(options_.group);
        if (member_ == 0) member_ = group.join(options_.instance, options_.topics);
        Events events = group.poll(
            member_, [this](const std::string& topic) { return log_.partition_count(topic); });
        log_.changed.notify_all();  // others may be waiting for this member
        return events;
      };
      Events events = [&]() -> Events {
        if (first) return log_.run(MemoryLog::Operation::Poll, once);
        std::lock_guard lock(log_.mutex);
        return once();
      }();
      first = false;
      if (!events.ok() || !events->empty() || timeout_ms <= 0 ||
          std::chrono::steady_clock::now() >= until)
        return events;
      // Short waits: what wakes a member is also another member's own answer to a rebalance.
      std::unique_lock lock(log_.mutex);
      log_.changed.wait_until(
          lock, std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(5)));
    }
  }

  Status assign(const Positions& positions) override {
    return log_.run(MemoryLog::Operation::Assign, [&]() -> Status {
      for (const auto& [partition, position] : positions) {
        if (log_.find(partition) == nullptr) return no_topic(partition.topic);
      }
      positions_.clear();
      for (const auto& [partition, position] : positions) positions_[partition] = position.offset;
      return {};
    });
  }

  Status unassign() override {
    std::lock_guard lock(log_.mutex);
    positions_.clear();
    if (member_ != 0) log_.group(options_.group).unassign(member_);
    log_.changed.notify_all();
    return {};
  }

  Fetched fetch(const TopicPartition& partition, uint32_t rows_max) override {
    Result<Fetched> fetched = log_.run(MemoryLog::Operation::Fetch, [&]() -> Result<Fetched> {
      auto position = positions_.find(partition);
      if (position == positions_.end()) return Fetched{};
      MemoryPartition& from = *log_.find(partition);
      if (position->second < from.begin() || position->second > from.end()) {
        error_ = Status::error(
            Exit::Failed, "offset " + std::to_string(position->second) + " of " +
                              text_of(partition) + " is out of range: there are " +
                              std::to_string(from.begin()) + " to " + std::to_string(from.end()));
        return Fetched{};
      }
      Fetched now =
          from.read(position->second, from.stable_end(), rows_max, Isolation::ReadCommitted);
      position->second = now.next_offset;
      return now;
    });
    return fetched.ok() ? std::move(*fetched) : Fetched{};
  }

  void wait_for_records(int timeout_ms) override {
    std::unique_lock lock(log_.mutex);
    log_.changed.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
      return std::any_of(positions_.begin(), positions_.end(), [&](const auto& each) {
        return each.second < log_.find(each.first)->stable_end();
      });
    });
  }

  Result<Positions> committed(const std::vector<TopicPartition>& partitions) override {
    return log_.run(MemoryLog::Operation::Committed, [&]() -> Result<Positions> {
      if (log_.is_unstable(options_.group, partitions)) {
        return Status::error(Exit::Unavailable,
                             "an open transaction holds offsets of group `" + options_.group + "`",
                             true);
      }
      Positions found;
      const Positions& all = log_.group(options_.group).offsets;
      for (const TopicPartition& partition : partitions) {
        if (auto one = all.find(partition); one != all.end()) found.insert(*one);
      }
      return found;
    });
  }

  Result<std::map<TopicPartition, Ends>> ends(
      const std::vector<TopicPartition>& partitions) override {
    std::lock_guard lock(log_.mutex);
    std::map<TopicPartition, Ends> found;
    for (const TopicPartition& partition : partitions) {
      const MemoryPartition* one = log_.find(partition);
      if (one == nullptr) return no_topic(partition.topic);
      found[partition] = {one->begin(), one->stable_end()};
    }
    return found;
  }

  Result<Positions> offsets_at(const std::vector<TopicPartition>& partitions,
                               int64_t timestamp_ms) override {
    std::lock_guard lock(log_.mutex);
    Positions found;
    for (const TopicPartition& partition : partitions) {
      const MemoryPartition* one = log_.find(partition);
      if (one == nullptr) return no_topic(partition.topic);
      found[partition] = {one->offset_at(timestamp_ms), -1};
    }
    return found;
  }

  std::unique_ptr<GroupMetadata> group_metadata() override {
    std::lock_guard lock(log_.mutex);
    auto metadata = std::make_unique<MemoryGroupMetadata>();
    metadata->group = options_.group;
    metadata->member = member_;
    metadata->generation = log_.group(options_.group).generation(member_);
    return metadata;
  }

  void close() override {
    std::lock_guard lock(log_.mutex);
    positions_.clear();
    // A static member's place waits for it; its session ends by `expire_members`.
    if (member_ != 0 && options_.instance.empty()) log_.group(options_.group).leave(member_);
    member_ = 0;
    log_.changed.notify_all();
  }

 private:
  MemoryLog::State& log_;
  GroupOptions options_;
  MemoryGroup::MemberId member_ = 0;  // 0: has not joined
  std::map<TopicPartition, int64_t> positions_;
  Status error_;
};

class MemoryProducer final : public LogProducer {
 public:
  using Operation = MemoryLog::Operation;
  MemoryProducer(MemoryLog::State& log, std::string id) : log_(log), id_(std::move(id)) {}

  Status init_transactions() override {
    return log_.run(Operation::InitTransactions, [&]() -> Status {
      MemoryLog::State::Producer& producer = log_.producers[id_];
      log_.end_transaction(producer, MemoryTransaction::State::Aborted);
      epoch_ = ++producer.epoch;
      return {};
    });
  }

  Status begin() override {
    return used(Operation::Begin, [&](auto& producer) -> Status {
      if (producer.open != nullptr) return misuse("begin inside of a transaction");
      producer.open = &log_.transactions.emplace_back();
      last_offsets_.clear();
      waiting_.clear();
      return {};
    });
  }

  Status produce(const Message& message) override {
    return used(Operation::Produce, [&](auto& producer) -> Status {
      if (producer.open == nullptr) return misuse("produce outside of a transaction");
      waiting_.push_back(message);
      return {};
    });
  }

  Status flush() override {
    return used(Operation::Flush, [&](auto& producer) { return deliver(producer); });
  }

  int64_t last_offset(const TopicPartition& partition) const override {
    auto found = last_offsets_.find(partition);
    return found == last_offsets_.end() ? -1 : found->second;
  }

  Status send_offsets(const Positions& next, const GroupMetadata& group) override {
    const auto& from = static_cast<const MemoryGroupMetadata&>(group);
    return used(Operation::SendOffsets, [&](auto& producer) -> Status {
      if (producer.open == nullptr) return misuse("send_offsets outside of a transaction");
      if (Status status = log_.group(from.group).check(from.member, from.generation); !status.ok())
        return status;
      for (const auto& [partition, position] : next)
        producer.offsets[from.group][partition] = position;
      return {};
    });
  }

  Status commit() override {
    return used(Operation::Commit, [&](auto& producer) -> Status {
      if (producer.open == nullptr) return misuse("commit outside of a transaction");
      if (Status status = deliver(producer); !status.ok()) return status;
      log_.end_transaction(producer, MemoryTransaction::State::Committed);
      return {};
    });
  }

  Status abort() override {
    Status status = used(Operation::Abort, [&](auto& producer) -> Status {
      log_.end_transaction(producer, MemoryTransaction::State::Aborted);
      return {};
    });
    ended_ = true;
    waiting_.clear();
    return status;
  }

 private:
  // Everything that a transaction does: refused when another producer has the id, or after an
  // abort.
  template <class Work>
  Status used(Operation operation, Work&& work) {
    if (ended_) return misuse("used again after an abort");
    if (epoch_ < 0) return misuse("used in front of init_transactions");
    return log_.run(operation, [&]() -> Status {
      MemoryLog::State::Producer& producer = log_.producers[id_];
      return producer.epoch == epoch_ ? work(producer) : MemoryLog::State::fenced(id_);
    });
  }
  Status misuse(const std::string& what) const {
    return Status::error(Exit::Bug, "producer `" + id_ + "`: " + what);
  }
  // A message that waits is in the log when this returns, as after a delivery report.
  Status deliver(MemoryLog::State::Producer& producer) {
    for (const Message& message : waiting_) {
      auto where = log_.append(message, producer.open);
      if (!where.ok()) return where.take_status();
      producer.written.insert(where->first);
      last_offsets_[where->first] = where->second;
    }
    waiting_.clear();
    return {};
  }

  MemoryLog::State& log_;
  std::string id_;
  int64_t epoch_ = -1;
  bool ended_ = false;
  std::vector<Message> waiting_;
  std::map<TopicPartition, int64_t> last_offsets_;
};

class MemoryReader final : public LogReader {
 public:
  MemoryReader(MemoryLog::State& log, const Positions& from) : log_(log) {
    for (const auto& [partition, position] : from) {
      MemoryPartition& one = *log_.find(partition);
      begins_[partition] = one.begin();
      left_.push_back({partition, std::max(position.offset, one.begin()), one.stable_end()});
    }
  }
  Result<Read> read(int) override {
    std::lock_guard lock(log_.mutex);
    while (!left_.empty()) {
      Left& left = left_.back();
      Fetched fetched =
          log_.find(left.partition)->read(left.next, left.end, kRowsMax, Isolation::ReadCommitted);
      left.next = fetched.next_offset;
      Read read{left.partition, std::move(fetched.batch)};
      if (fetched.at_end) left_.pop_back();
      if (read.batch) return read;
    }
    return Read{};
  }
  int64_t begin(const TopicPartition& partition) const override { return begins_.at(partition); }

 private:
  static constexpr uint32_t kRowsMax = 10'000;
  std::map<TopicPartition, int64_t> begins_;
  struct Left {
    TopicPartition partition;
    int64_t next, end;
  };
  MemoryLog::State& log_;
  std::vector<Left> left_;
};

MemoryLog::MemoryLog(Options options) : state_(std::make_unique<State>()) {
  state_->clock_ms = options.clock_ms ? std::move(options.clock_ms) : machine_ms;
}
MemoryLog::~MemoryLog() = default;

Result<std::unique_ptr<LogConsumer>> MemoryLog::consumer(const GroupOptions& options) {
  return std::unique_ptr<LogConsumer>(std::make_unique<MemoryConsumer>(*state_, options));
}

Result<std::unique_ptr<LogProducer>> MemoryLog::producer(const std::string& transactional_id) {
  return std::unique_ptr<LogProducer>(std::make_unique<MemoryProducer>(*state_, transactional_id));
}

Result<std::unique_ptr<LogReader>> MemoryLog::reader(const Positions& from) {
  std::lock_guard lock(state_->mutex);
  for (const auto& [partition, position] : from) {
    const MemoryPartition* one = state_->find(partition);
    if (one == nullptr) return no_topic(partition.topic);
    bool is_gone = position.offset != 0 && position.offset < one->begin();
    if (is_gone || position.offset > one->end()) {
      return Status::error(Exit::Failed, "offset " + std::to_string(position.offset) + " of " +
                                             text_of(partition) + " is out of range: there are " +
                                             std::to_string(one->begin()) + " to " +
                                             std::to_string(one->end()));
    }
  }
  return std::unique_ptr<LogReader>(std::make_unique<MemoryReader>(*state_, from));
}

Result<int32_t> MemoryLog::partitions(const std::string& topic) {
  std::lock_guard lock(state_->mutex);
  int32_t count = state_->partition_count(topic);
  if (count == 0) return no_topic(topic);
  return count;
}

Status MemoryLog::ensure_topic(const std::string& topic, int32_t partitions,
                               const std::map<std::string, std::string>&) {
  std::lock_guard lock(state_->mutex);
  int32_t count = state_->partition_count(topic);
  if (count == 0) {
    WEIR_CHECK(partitions > 0, "a topic has a partition");
    state_->topics[topic].partitions.resize(static_cast<size_t>(partitions));
  } else if (count != partitions) {
    return Status::error(Exit::Configuration, "topic `" + topic + "` has " + std::to_string(count) +
                                                  " partitions, not " + std::to_string(partitions));
  }
  return {};
}

Result<int64_t> MemoryLog::append(const LogProducer::Message& message) {
  std::lock_guard lock(state_->mutex);
  auto where = state_->append(message, nullptr);
  if (!where.ok()) return where.take_status();
  state_->changed.notify_all();
  return where->second;
}

std::vector<MemoryLog::Record> MemoryLog::records(const TopicPartition& partition,
                                                  Isolation isolation) const {
  std::lock_guard lock(state_->mutex);
  std::vector<Record> all;
  const MemoryPartition* from = state_->find(partition);
  if (from == nullptr) return all;
  int64_t end = isolation == Isolation::ReadCommitted ? from->stable_end() : from->end();
  for (int64_t next = from->begin(); next < end;) {
    Fetched fetched = from->read(next, end, UINT32_MAX, isolation);
    next = fetched.next_offset;
    for (uint32_t i = 0; fetched.batch && i < fetched.batch->count; i++) {
      const WeirRecord& record = fetched.batch->records[i];
      Record& copy = all.emplace_back();
      copy.offset = record.offset;
      copy.has_key = record.key != nullptr;
      copy.has_value = record.value != nullptr;
      if (copy.has_key) copy.key.assign(record.key, record.key_size);
      if (copy.has_value) copy.value.assign(record.value, record.value_size);
      copy.timestamp_ms = record.timestamp_ms;
      HeaderList list = headers_of(record);
      for (uint32_t h = 0; h < list.count; h++) {
        copy.headers.emplace_back(list.headers[h].name, list.headers[h].value);
      }
    }
  }
  return all;
}

Positions MemoryLog::group_offsets(const std::string& group) const {
  std::lock_guard lock(state_->mutex);
  return state_->group(group).offsets;
}

std::vector<std::string> MemoryLog::topics() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, topic] : state_->topics) names.push_back(name);
  return names;
}

void MemoryLog::set_hook(Hook hook) {
  std::lock_guard lock(state_->mutex);
  state_->hook = std::move(hook);
  state_->calls.fill(0);
}

void MemoryLog::fail_nth(Operation operation, uint64_t nth, Status status, Moment moment) {
  set_hook([=](Operation now, uint64_t number, Moment when) {
    return now == operation && number == nth && when == moment ? status : Status{};
  });
}

int64_t MemoryLog::init_producer(const std::string& id) {
  std::lock_guard lock(state_->mutex);
  State::Producer& producer = state_->producers[id];
  state_->end_transaction(producer, MemoryTransaction::State::Aborted);
  producer.ended.reset();
  return ++producer.epoch;
}

Result<std::pair<TopicPartition, int64_t>> MemoryLog::write(const std::string& id, int64_t epoch,
                                                            const LogProducer::Message& message) {
  std::lock_guard lock(state_->mutex);
  auto producer = state_->opened(id, epoch);
  if (!producer.ok()) return producer.take_status();
  auto where = state_->append(message, (*producer)->open);
  if (where.ok()) (*producer)->written.insert(where->first);
  return where;
}

Status MemoryLog::write_offsets(const std::string& id, int64_t epoch, const Positions& next,
                                const GroupMetadata& member) {
  std::lock_guard lock(state_->mutex);
  const auto& from = static_cast<const MemoryGroupMetadata&>(member);
  auto producer = state_->opened(id, epoch);
  if (!producer.ok()) return producer.take_status();
  if (Status status = state_->group(from.group).check(from.member, from.generation); !status.ok())
    return status;
  for (const auto& [partition, position] : next)
    (*producer)->offsets[from.group][partition] = position;
  return {};
}

Status MemoryLog::end_transaction(const std::string& id, int64_t epoch, bool commits) {
  using How = MemoryTransaction::State;
  std::lock_guard lock(state_->mutex);
  State::Producer& producer = state_->producers[id];
  if (producer.epoch != epoch) return State::fenced(id);
  How how = commits ? How::Committed : How::Aborted;
  if (producer.open != nullptr) {
    state_->end_transaction(producer, how);
  } else if (producer.ended && *producer.ended != how) {
    return Status::error(Exit::Unavailable, "the transaction of `" + id + "` has ended otherwise");
  }
  return {};
}

void MemoryLog::expire_member(const std::string& group, const std::string& instance) {
  std::lock_guard lock(state_->mutex);
  state_->group(group).expire(instance);
  state_->changed.notify_all();
}

void MemoryLog::expire_members(const std::string& group) {
  std::lock_guard lock(state_->mutex);
  MemoryGroup& one = state_->group(group);
  for (MemoryGroup::MemberId member : one.members()) one.expire(member);
  state_->changed.notify_all();
}

void MemoryLog::time_out(const std::string& transactional_id) {
  std::lock_guard lock(state_->mutex);
  State::Producer& producer = state_->producers[transactional_id];
  state_->end_transaction(producer, MemoryTransaction::State::Aborted);
  producer.epoch++;
}

void MemoryLog::set_group_offsets(const std::string& group, const Positions& positions) {
  std::lock_guard lock(state_->mutex);
  for (const auto& [partition, position] : positions)
    state_->group(group).offsets[partition] = position;
}

Status MemoryLog::delete_records(const Positions& before) {
  for (const auto& [partition, position] : before) delete_before(partition, position.offset);
  return {};
}

void MemoryLog::delete_before(const TopicPartition& partition, int64_t offset) {
  std::lock_guard lock(state_->mutex);
  if (MemoryPartition* one = state_->find(partition)) one->delete_before(offset);
}

}  // namespace weir::runtime
