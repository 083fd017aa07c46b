// A group's member: control through the client's own queue, records through one queue for each
// partition, or by native fetch (fetch/): then the client is given nothing to read. It is answered
// with an empty list, never with none at all: 2.0 would stay in that step of the rebalance and lose
// its generation.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "runtime/connectors/kafka/fetch/fetcher.h"
#include "runtime/connectors/kafka/fetch_choice.h"
#include "runtime/connectors/kafka/handle.h"

namespace weir::runtime::kafka {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kStuckMs = 30'000;

struct KafkaGroupMetadata : GroupMetadata {
  std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                  Destroy<rd_kafka_consumer_group_metadata_destroy>>
      metadata;
};

// Memory of a batch, used again by the next one of its partition.
struct BatchMemory {
  std::vector<rd_kafka_message_t*> messages;
  std::vector<WeirRecord> records;
  MessageHeaders headers;
};
struct BatchPool {
  std::mutex mutex;
  std::vector<std::unique_ptr<BatchMemory>> free;

  std::unique_ptr<BatchMemory> take(size_t rows) {
    std::unique_ptr<BatchMemory> memory;
    {
      std::lock_guard lock(mutex);
      if (!free.empty()) {
        memory = std::move(free.back());
        free.pop_back();
      }
    }
    if (!memory) memory = std::make_unique<BatchMemory>();
    if (memory->messages.size() < rows) {
      memory->messages.resize(rows);
      memory->records.resize(rows);
    }
    return memory;
  }
  void give_back(std::unique_ptr<BatchMemory> memory) {
    memory->headers.clear();
    std::lock_guard lock(mutex);
    free.push_back(std::move(memory));
  }
};

// The views point into the client's fetch buffers, which its messages keep alive.
//
// Messages are taken with rd_kafka_consume_batch_queue. The callback form takes the queue's lock
// once instead of for each message, but destroys the message behind the callback, so that its bytes
// have to be copied. Interleaved runs on a busy machine of 2 cores, 5 M records of 130 bytes on 4
// partitions, CPU of the process per record, medians of 3: this 256 ns, callback with a copy 243, a
// callback that keeps nothing 228, each 210 to 300: no form is cheaper. Asking each record for its
// headers would add 60 (RecordHeaders).
struct KafkaBatch final : RecordBatch {
  std::shared_ptr<Handle> handle;  // outlives its messages
  std::shared_ptr<BatchPool> pool;
  std::unique_ptr<BatchMemory> memory;
  size_t taken = 0;

  ~KafkaBatch() override {
    for (size_t i = 0; i < taken; i++) rd_kafka_message_destroy(memory->messages[i]);
    pool->give_back(std::move(memory));
  }
};

struct Partition {
  Queue queue;
  int64_t next = 0;  // records in front of it were handed out already
  bool at_end = false;
  std::atomic<bool> may_have_more{false};  // the last fetch found something
  std::shared_ptr<BatchPool> pool = std::make_shared<BatchPool>();
};

class Consumer final : public LogConsumer {
 public:
  Consumer(std::shared_ptr<Handle> handle, const GroupOptions& options,
           const std::optional<fetch::FetchOptions>& native)
      : handle_(std::move(handle)),
        options_(options),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    WEIR_CHECK(wake_ >= 0, "an event descriptor is always to be had");
    if (native) {
      native_ = std::make_unique<fetch::Fetcher>(*native, wake_, [this](const Status& status) {
        fail(
            Status::error(status.exit(), without_secrets(status.message(), handle_->properties())));
      });
    }
    handle_->set_owner(this);
    rd_kafka_poll_set_consumer(handle_->get());
  }
  ~Consumer() override {
    close();
    ::close(wake_);
  }

  Status subscribe() {
    PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(options_.topics.size())));
    for (const std::string& topic : options_.topics) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(handle_->get(), list.get());
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? Status{} : handle_->status(what(), code);
  }

  Result<std::vector<GroupEvent>> poll(int timeout_ms) override {
    watch_fetcher();
    // What there is already comes first; then one wait.
    for (int wait_ms : {0, timeout_ms}) {
      while (rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_->get(), wait_ms)) {
        serve(message);
        rd_kafka_message_destroy(message);
        wait_ms = 0;
        if (!events_.empty()) break;
      }
      if (!events_.empty()) return std::exchange(events_, {});
      if (Status status = take_error(); !status.ok()) return status;
    }
    return std::vector<GroupEvent>{};
  }

  Status assign(const Positions& positions) override {
    if (native_) {
      PartitionList none = list_of({});
      rd_kafka_resp_err_t code = rd_kafka_assign(handle_->get(), none.get());
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return handle_->status(what() + ", assign", code);
      native_->assign(positions);
      reads_ = true;
      return {};
    }
    release_queues();
    std::vector<TopicPartition> names;
    for (const auto& [name, position] : positions) names.push_back(name);
    PartitionList list = list_of(names);
    for (int i = 0; i < list->cnt; i++)
      list->elems[i].offset = positions.at(names[static_cast<size_t>(i)]).offset;
    // Cut off from the client's queue first: nothing can arrive in the wrong one.
    for (const auto& [name, position] : positions) {
      Partition& partition = partitions_[name];
      partition.queue.reset(
          rd_kafka_queue_get_partition(handle_->get(), name.topic.c_str(), name.partition));
      if (!partition.queue) return handle_->status(what(), RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
      partition.next = position.offset;
      rd_kafka_queue_forward(partition.queue.get(), nullptr);
      static constexpr uint64_t kOne = 1;
      rd_kafka_queue_io_event_enable(partition.queue.get(), wake_, &kOne, sizeof kOne);
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(handle_->get(), list.get());
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? Status{}
                                              : handle_->status(what() + ", assign", code);
  }

  Status unassign() override {
    if (native_) native_->unassign();
    reads_ = false;
    release_queues();
    rd_kafka_resp_err_t code = rd_kafka_assign(handle_->get(), nullptr);
    // A fenced member has nothing to give up.
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__FATAL) return {};
    return handle_->status(what() + ", unassign", code);
  }

  Fetched fetch(const TopicPartition& name, uint32_t rows_max) override {
    Fetched fetched;
    if (native_) {
      if (Status status = native_->fetch(name, rows_max, &fetched); !status.ok())
        fail(std::move(status));
      return fetched;
    }
    auto found = partitions_.find(name);
    if (found == partitions_.end()) return fetched;
    Partition& partition = found->second;
    partition.may_have_more = true;
    auto memory = partition.pool->take(rows_max);
    ssize_t taken =
        rd_kafka_consume_batch_queue(partition.queue.get(), 0, memory->messages.data(), rows_max);
    if (taken <= 0) {
      partition.pool->give_back(std::move(memory));
      partition.may_have_more = false;
      fetched.at_end = partition.at_end;
      fetched.next_offset = partition.next;
      return fetched;
    }
    auto batch = std::make_unique<KafkaBatch>();
    batch->handle = handle_;
    batch->pool = partition.pool;
    batch->memory = std::move(memory);
    batch->taken = static_cast<size_t>(taken);
    fill(partition, *batch, name);
    fetched.at_end = partition.at_end;
    fetched.next_offset = partition.next;
    if (batch->count > 0) fetched.batch = std::move(batch);
    return fetched;
  }

  void wait_for_records(int timeout_ms) override {
    for (const auto& [name, partition] : partitions_) {
      if (partition.may_have_more) return;
    }
    if (native_ && native_->has_records()) return;
    pollfd waited{wake_, POLLIN, 0};
    if (::poll(&waited, 1, timeout_ms) <= 0) return;
    uint64_t times = 0;
    (void)!read(wake_, &times, sizeof times);
  }

  Result<Positions> committed(const std::vector<TopicPartition>& partitions) override {
    reads_ = false;  // somebody looks for positions: the ends as they are now
    PartitionList list = list_of(partitions);
    rd_kafka_resp_err_t code = rd_kafka_committed(handle_->get(), list.get(), kRequestMsMax);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return asked(what() + ", committed offsets", code);
    Positions found;
    for (int i = 0; i < list->cnt; i++) {
      const rd_kafka_topic_partition_t& one = list->elems[i];
      if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return asked(what() + ", committed offsets", one.err);
      if (one.offset >= 0) found[{one.topic, one.partition}] = {one.offset, -1};
    }
    return found;
  }

  Result<std::map<TopicPartition, Ends>> ends(
      const std::vector<TopicPartition>& partitions) override {
    std::map<TopicPartition, Ends> found;
    for (const TopicPartition& name : partitions) {
      Ends& ends = found[name];
      // Each answer to a fetch brings them.
      if (auto seen = native_ && reads_ ? native_->ends(name) : std::nullopt) {
        ends = *seen;
        continue;
      }
      // The end is the last stable offset, as this client reads committed records only.
      rd_kafka_resp_err_t code =
          rd_kafka_query_watermark_offsets(handle_->get(), name.topic.c_str(), name.partition,
                                           &ends.begin, &ends.end, kRequestMsMax);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return asked("ends of `" + name.topic + "`", code);
    }
    return found;
  }

  Result<Positions> offsets_at(const std::vector<TopicPartition>& partitions,
                               int64_t timestamp_ms) override {
    // Ends first: what becomes visible between the two questions lies behind them.
    auto ends_before = ends(partitions);
    if (!ends_before.ok()) return ends_before.take_status();
    PartitionList list = list_of(partitions);
    for (int i = 0; i < list->cnt; i++) list->elems[i].offset = timestamp_ms;
    rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(handle_->get(), list.get(), kRequestMsMax);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return asked("offsets by time", code);
    Positions found;
    for (int i = 0; i < list->cnt; i++) {
      const rd_kafka_topic_partition_t& one = list->elems[i];
      if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return asked("offsets by time of `" + std::string(one.topic) + "`", one.err);
      const TopicPartition name{one.topic, one.partition};
      found[name] = {one.offset >= 0 ? one.offset : (*ends_before)[name].end, -1};
    }
    return found;
  }

  std::unique_ptr<GroupMetadata> group_metadata() override {
    auto metadata = std::make_unique<KafkaGroupMetadata>();
    metadata->metadata.reset(rd_kafka_consumer_group_metadata(handle_->get()));
    return metadata;
  }

  uint64_t repeated() const override { return repeated_; }

  void close() override {
    if (!handle_) return;
    native_.reset();
    release_queues();
    handle_->set_owner(nullptr);
    if (options_.instance.empty()) handle_->leave_group();
    handle_.reset();  // batches that are still out keep the client
  }

  // The library waits for assign or unassign, whenever that comes.
  static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto* self = static_cast<Consumer*>(static_cast<Opaque*>(opaque)->owner);
    if (self == nullptr) {
      rd_kafka_assign(client, nullptr);  // closing
      return;
    }
    GroupEvent event{GroupEvent::Kind::Assigned, {}};
    if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      event.kind =
          rd_kafka_assignment_lost(client) ? GroupEvent::Kind::Lost : GroupEvent::Kind::Revoked;
    } else if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      event.kind = GroupEvent::Kind::Lost;
    }
    for (int i = 0; i < list->cnt; i++)
      event.partitions.push_back({list->elems[i].topic, list->elems[i].partition});
    self->events_.push_back(std::move(event));
    rd_kafka_yield(client);  // the poll returns with it, whatever time it has left
  }

 private:
  std::string what() const { return "group `" + options_.group + "`"; }

  // An answer that did not come may come the next time.
  Status asked(const std::string& request, rd_kafka_resp_err_t code) const {
    bool again = code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                 code == RD_KAFKA_RESP_ERR__WAIT_COORD ||
                 code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
                 code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
                 code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
                 code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT ||
                 code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                 code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    if (!again) return handle_->status(request, code);
    Status status = handle_->unreachable(request);
    return Status::error(Exit::Unavailable, status.message() + ": " + rd_kafka_err2str(code), true);
  }

  // Something other than a record in the client's own queue.
  void serve(const rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail(Status::error(Exit::Bug, what() + ": a record came in the queue for events"));
      return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
      char text[256];
      rd_kafka_resp_err_t code = rd_kafka_fatal_error(handle_->get(), text, sizeof text);
      if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        std::vector<TopicPartition> names;
        for (const auto& [name, partition] : partitions_) names.push_back(name);
        events_.push_back({GroupEvent::Kind::Fenced, std::move(names)});
        fail(Status::error(Exit::Restart, what() + ": another process has the instance `" +
                                              options_.instance +
                                              "`; two processes of one name and instance"));
        return;
      }
      fail(handle_->status(what(), code, text));
      return;
    }
    // The rebalance that follows says what it means.
    if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) return;
    Exit exit = exit_of(message->err);
    if (exit == Exit::Unavailable) return;  // the client goes on trying
    const char* text = rd_kafka_message_errstr(message);
    fail(handle_->status(what(), message->err, text ? text : ""));
  }

  void fill(Partition& partition, KafkaBatch& batch, const TopicPartition& name) {
    WeirRecord* to = batch.memory->records.data();
    batch.memory->headers.set(&batch.memory->messages, batch.taken);
    uint64_t bytes = 0;
    for (size_t i = 0; i < batch.taken; i++) {
      const rd_kafka_message_t* message = batch.memory->messages[i];
      if (__builtin_expect(message->err != RD_KAFKA_RESP_ERR_NO_ERROR, 0)) {
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
          partition.at_end = true;
          // Control records and aborted ones lie between.
          partition.next = std::max(partition.next, message->offset);
        } else if (exit_of(message->err) != Exit::Unavailable) {
          const char* text = rd_kafka_message_errstr(message);
          fail(handle_->status("`" + name.topic + "`[" + std::to_string(name.partition) +
                                   "] at offset " + std::to_string(partition.next),
                               message->err, text ? text : ""));
        }
        continue;
      }
      // 2.0 can fetch again what was handed out (after a leader's change).
      if (__builtin_expect(message->offset < partition.next, 0)) {
        repeated_++;
        continue;
      }
      partition.next = message->offset + 1;
      partition.at_end = false;
      bytes += message->len + message->key_len;
      view(message, *to++, &batch.memory->headers);
    }
    batch.records = batch.memory->records.data();
    batch.count = static_cast<uint32_t>(to - batch.memory->records.data());
    batch.bytes = bytes;
  }

  void release_queues() {
    for (auto& [name, partition] : partitions_) {
      rd_kafka_queue_io_event_enable(partition.queue.get(), -1, nullptr, 0);
    }
    partitions_.clear();
  }

  // An I/O thread that does not go round: the group must notice, and so must who runs us. A process
  // that was stopped for a while has such a thread only for a moment.
  void watch_fetcher() {
    if (!native_ || native_->stuck_ms() < kStuckMs) {
      stuck_since_.reset();
      return;
    }
    if (!stuck_since_) stuck_since_ = Clock::now();
    if (Clock::now() - *stuck_since_ > std::chrono::milliseconds(kStuckMs))
      fail(Status::error(Exit::Bug, what() + ": the thread that fetches is stuck"));
  }

  void fail(Status status) {
    std::lock_guard lock(error_mutex_);
    if (error_.ok()) error_ = std::move(status);
  }
  Status take_error() {
    std::lock_guard lock(error_mutex_);
    return error_;
  }

  std::shared_ptr<Handle> handle_;
  GroupOptions options_;
  int wake_;
  std::unique_ptr<fetch::Fetcher> native_;  // null: records come through the client
  bool reads_ = false;                      // `native_` reads what was assigned
  std::optional<Clock::time_point> stuck_since_;
  std::map<TopicPartition, Partition> partitions_;
  std::vector<GroupEvent> events_;
  std::mutex error_mutex_;  // lanes meet errors, too
  Status error_;
  std::atomic<uint64_t> repeated_{0};
};

}  // namespace

Result<std::unique_ptr<LogConsumer>> open_consumer(const ClientProperties& properties,
                                                   const GroupOptions& options,
                                                   int32_t partitions) {
  auto native = choose_fetch(properties, options, partitions);
  if (!native.ok()) return native.take_status();
  auto handle = Handle::open(
      RD_KAFKA_CONSUMER, properties, consumer_settings(options, partitions),
      [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_rebalance_cb(conf, Consumer::on_rebalance); });
  if (!handle.ok()) return handle.take_status();
  auto consumer = std::make_unique<Consumer>(std::move(*handle), options, *native);
  if (Status status = consumer->subscribe(); !status.ok()) return status;
  return std::unique_ptr<LogConsumer>(std::move(consumer));
}

const rd_kafka_consumer_group_metadata_t* metadata_of(const GroupMetadata& group) {
  return static_cast<const KafkaGroupMetadata&>(group).metadata.get();
}

}  // namespace weir::runtime::kafka
