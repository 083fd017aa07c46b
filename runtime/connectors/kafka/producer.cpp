// A transactional producer. Messages are not copied: their bytes stay with the caller until the
// flush.
#include <algorithm>
#include <chrono>

#include "runtime/connectors/kafka/handle.h"
#include "runtime/connectors/kafka/partitioner.h"

namespace weir::runtime::kafka {
namespace {

constexpr int kInitMsMax =
    15'000;  // ends the older producer's transaction, which may take some tries
constexpr int kFlushMsMax =
    45'000;  // longer than message.timeout.ms: every message has its report by then
constexpr int kQueueFullMsMax = 30'000;
// Keyless messages stay on a partition this long, so that batches are full.
constexpr uint32_t kStickyMessages = 512;

struct OpenTopic {
  Topic topic;
  int32_t partitions = 0;
  uint32_t keyless = 0;
  std::vector<int64_t> last_offsets;  // by partition; −1: none in this transaction
};

class Producer final : public LogProducer {
 public:
  Producer(std::shared_ptr<Handle> handle, std::string id)
      : handle_(std::move(handle)), id_(std::move(id)) {
    handle_->set_owner(this);
  }
  ~Producer() override {
    // Nothing of the caller's memory is looked at any more.
    rd_kafka_purge(client(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    handle_->set_owner(nullptr);
    topics_.clear();
  }

  Status init_transactions() override {
    rd_kafka_poll(client(), 0);
    Error error(rd_kafka_init_transactions(client(), kInitMsMax));
    rd_kafka_poll(client(), 0);
    if (error && rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      Status status = handle_->unreachable(what("init"));
      return Status::error(status.exit(), status.message(), true);
    }
    return done("init", error);
  }

  Status begin() override {
    handle_->forget_disturbance();
    failed_ = {};
    for (auto& [name, topic] : topics_)
      std::fill(topic.last_offsets.begin(), topic.last_offsets.end(), -1);
    Error error(rd_kafka_begin_transaction(client()));
    return done("begin", error);
  }

  Status produce(const Message& message) override {
    OpenTopic* topic = nullptr;
    if (Status status = open_topic(message.topic, &topic); !status.ok()) return status;
    int32_t partition = message.partition >= 0 ? message.partition : choose(*topic, message);
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kQueueFullMsMax);
    while (true) {
      rd_kafka_resp_err_t code = enqueue(*topic, partition, message);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || std::chrono::steady_clock::now() > until) {
        return refused(code, message.topic);
      }
      rd_kafka_poll(client(), 20);  // takes delivery reports, which makes room
    }
    if (++produced_ % 1024 == 0) rd_kafka_poll(client(), 0);
    return failed_;
  }

  Status flush() override {
    rd_kafka_resp_err_t code = rd_kafka_flush(client(), kFlushMsMax);
    if (!failed_.ok()) return failed_;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return handle_->unreachable(what("flush"));
    return {};
  }

  int64_t last_offset(const TopicPartition& partition) const override {
    auto found = topics_.find(partition.topic);
    if (found == topics_.end()) return -1;
    auto at = static_cast<size_t>(partition.partition);
    return at < found->second.last_offsets.size() ? found->second.last_offsets[at] : -1;
  }

  Status send_offsets(const Positions& next, const GroupMetadata& group) override;

  Status commit() override {
    // −1: as long as transaction.timeout.ms. The library's own words: anything else risks losing
    // track.
    Error error(rd_kafka_commit_transaction(client(), -1));
    return done("commit", error);
  }

  Status abort() override {
    rd_kafka_purge(client(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    Error error(rd_kafka_abort_transaction(client(), kRequestMsMax));
    return done("abort", error);
  }

  bool spent() const override { return handle_->disturbed(); }

  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto* self = static_cast<Producer*>(static_cast<Opaque*>(opaque)->owner);
    if (self == nullptr) return;
    auto* topic = static_cast<OpenTopic*>(rd_kafka_topic_opaque(message->rkt));
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (self->failed_.ok())
        self->failed_ = self->refused(message->err, rd_kafka_topic_name(message->rkt));
      return;
    }
    auto at = static_cast<size_t>(message->partition);
    if (at >= topic->last_offsets.size()) topic->last_offsets.resize(at + 1, -1);
    topic->last_offsets[at] = std::max(topic->last_offsets[at], message->offset);
  }

 private:
  rd_kafka_t* client() const { return handle_->get(); }
  std::string what(const char* step) const { return "transactional id `" + id_ + "`, " + step; }

  Status done(const char* step, const Error& error) {
    if (!error) return {};
    Status status = handle_->status(what(step), error);
    if (status.exit() == Exit::Restart) {
      return Status::error(Exit::Restart, "the transactional id `" + id_ +
                                              "` was taken by a newer producer (" + step +
                                              "); two processes of one name and instance");
    }
    return status;
  }

  // A message that the client did not take, or could not deliver.
  Status refused(rd_kafka_resp_err_t code, std::string_view topic) const {
    std::string to = "a message to `" + std::string(topic) + "`";
    char text[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client(), text, sizeof text);
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR && exit_of(fatal) == Exit::Restart) code = fatal;
    Status status = handle_->status(what("produce") + ": " + to, code);
    // Purged or out of order with an abort under way: only a new transaction helps.
    if (status.exit() == Exit::Bug) return Status::error(Exit::Unavailable, status.message());
    return status;
  }

  Status open_topic(std::string_view name, OpenTopic** opened) {
    auto found = topics_.find(name);
    if (found == topics_.end()) {
      found = topics_.try_emplace(std::string(name)).first;
      OpenTopic& topic = found->second;
      // First of all: the library keeps the topic's settings as they were when it heard of it
      // first.
      rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(client());
      rd_kafka_topic_conf_set_opaque(conf, &topic);
      topic.topic.reset(rd_kafka_topic_new(client(), found->first.c_str(), conf));
    }
    if (found->second.partitions == 0) {
      auto partitions = handle_->partitions(found->first);
      if (!partitions.ok()) return partitions.take_status();
      found->second.partitions = *partitions;
      found->second.last_offsets.assign(static_cast<size_t>(*partitions), -1);
    }
    *opened = &found->second;
    return {};
  }

  static int32_t choose(OpenTopic& topic, const Message& message) {
    if (message.has_key) return partition_of_key(message.key, topic.partitions);
    return static_cast<int32_t>(topic.keyless++ / kStickyMessages %
                                static_cast<uint32_t>(topic.partitions));
  }

  rd_kafka_resp_err_t enqueue(OpenTopic& topic, int32_t partition, const Message& message) {
    // A null pointer means none; an empty text needs an address.
    void* value = message.has_value
                      ? const_cast<char*>(message.value.empty() ? "" : message.value.data())
                      : nullptr;
    size_t value_size = message.has_value ? message.value.size() : 0;
    const void* key = message.has_key ? (message.key.empty() ? "" : message.key.data()) : nullptr;
    size_t key_size = message.has_key ? message.key.size() : 0;
    if (message.timestamp_ms < 0 && message.headers == nullptr) {
      int failed = rd_kafka_produce(topic.topic.get(), partition, 0, value, value_size, key,
                                    key_size, nullptr);
      return failed == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
    }
    rd_kafka_headers_t* headers = nullptr;
    if (message.headers != nullptr) {
      headers = rd_kafka_headers_new(message.headers->size());
      for (const Header& header : *message.headers) {
        rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
                            header.value.data(), static_cast<ssize_t>(header.value.size()));
      }
    }
    rd_kafka_resp_err_t code = rd_kafka_producev(
        client(), RD_KAFKA_V_RKT(topic.topic.get()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_TIMESTAMP(message.timestamp_ms < 0 ? 0 : message.timestamp_ms),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers != nullptr) rd_kafka_headers_destroy(headers);
    return code;
  }

  std::shared_ptr<Handle> handle_;
  std::string id_;
  std::map<std::string, OpenTopic, std::less<>> topics_;
  Status failed_;  // the first message that was not delivered in this transaction
  uint64_t produced_ = 0;
};

Status Producer::send_offsets(const Positions& next, const GroupMetadata& group) {
  std::vector<TopicPartition> names;
  for (const auto& [name, position] : next) names.push_back(name);
  PartitionList list = list_of(names);
  for (int i = 0; i < list->cnt; i++)
    list->elems[i].offset = next.at(names[static_cast<size_t>(i)]).offset;
  Error error(rd_kafka_send_offsets_to_transaction(client(), list.get(), metadata_of(group),
                                                   kRequestMsMax));
  return done("send offsets", error);
}

}  // namespace

Result<std::unique_ptr<LogProducer>> open_producer(const ClientProperties& properties,
                                                   const std::string& id) {
  auto handle = Handle::open(
      RD_KAFKA_PRODUCER, properties, producer_settings(id),
      [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, Producer::on_delivery); });
  if (!handle.ok()) return handle.take_status();
  return std::unique_ptr<LogProducer>(std::make_unique<Producer>(std::move(*handle), id));
}

}  // namespace weir::runtime::kafka
