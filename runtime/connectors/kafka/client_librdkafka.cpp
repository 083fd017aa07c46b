// The log as a Kafka cluster. One handle for questions and topics; consumers, producers and readers
// have their own.
#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/connectors/kafka/handle.h"

namespace weir::runtime {
namespace kafka {
namespace {

class KafkaLog final : public Log {
 public:
  KafkaLog(ClientProperties properties, std::shared_ptr<Handle> handle)
      : properties_(std::move(properties)), handle_(std::move(handle)) {}

  Result<std::unique_ptr<LogConsumer>> consumer(const GroupOptions& options) override {
    int32_t count = 0;
    for (const std::string& topic : options.topics) {
      auto found = partitions(topic);
      if (!found.ok()) return found.take_status();
      count += *found;
    }
    return open_consumer(properties_, options, count);
  }
  Result<std::unique_ptr<LogProducer>> producer(const std::string& transactional_id) override {
    return open_producer(properties_, transactional_id);
  }
  Result<std::unique_ptr<LogReader>> reader(const Positions& from) override {
    return open_reader(properties_, from);
  }
  Result<int32_t> partitions(const std::string& topic) override {
    return handle_->partitions(topic);
  }

  Status ensure_topic(const std::string& topic, int32_t partitions,
                      const std::map<std::string, std::string>& config) override {
    Result<int32_t> found = handle_->partitions(topic);
    if (!found.ok() && found.status().exit() == Exit::Configuration) {
      if (Status status = create(topic, partitions, config); !status.ok()) return status;
      found = wait_until_there(topic);
    }
    if (!found.ok()) return found.take_status();
    if (*found != partitions) {
      return Status::error(Exit::Configuration, "topic `" + topic + "` has " +
                                                    std::to_string(*found) + " partitions, not " +
                                                    std::to_string(partitions));
    }
    return {};
  }

  Status delete_records(const Positions& before) override {
    if (before.empty()) return {};
    PartitionList list(rd_kafka_topic_partition_list_new(int(before.size())));
    for (const auto& [partition, position] : before) {
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
          ->offset = position.offset;
    }
    std::unique_ptr<rd_kafka_DeleteRecords_t, Destroy<rd_kafka_DeleteRecords_destroy>> wanted(
        rd_kafka_DeleteRecords_new(list.get()));
    Queue queue(rd_kafka_queue_new(handle_->get()));
    rd_kafka_DeleteRecords_t* all[] = {wanted.get()};
    rd_kafka_DeleteRecords(handle_->get(), all, 1, nullptr, queue.get());
    Result<Event> answer = wait_for(queue, "delete records");
    if (!answer.ok()) return answer.take_status();
    const rd_kafka_topic_partition_list_t* done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer->get()));
    for (int i = 0; i < done->cnt; i++) {
      if (done->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      return handle_->status("delete records of `" + std::string(done->elems[i].topic) + "`[" +
                                 std::to_string(done->elems[i].partition) + "]",
                             done->elems[i].err);
    }
    return {};
  }

 private:
  using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;

  // The answer to an admin request as a whole; what it says of each topic is the caller's.
  Result<Event> wait_for(const Queue& queue, const std::string& what) {
    Event event(rd_kafka_queue_poll(queue.get(), kRequestMsMax));
    if (!event) return handle_->unreachable(what);
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return handle_->status(what, rd_kafka_event_error(event.get()),
                             rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  Status create(const std::string& topic, int32_t partitions,
                const std::map<std::string, std::string>& config) {
    std::string what = "create topic `" + topic + "`";
    char text[256] = "";
    // −1 replicas: as many as the cluster's own default says.
    std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>> wanted(
        rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, text, sizeof text));
    if (!wanted) return Status::error(Exit::Configuration, what + ": " + text);
    for (const auto& [name, value] : config)
      rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
    Queue queue(rd_kafka_queue_new(handle_->get()));
    rd_kafka_NewTopic_t* topics[] = {wanted.get()};
    rd_kafka_CreateTopics(handle_->get(), topics, 1, nullptr, queue.get());
    Result<Event> answer = wait_for(queue, what);
    if (!answer.ok()) return answer.take_status();
    size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(answer->get()), &count);
    for (size_t i = 0; i < count; i++) {
      rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
      // Another process of the same pipeline was quicker.
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        continue;
      const char* why = rd_kafka_topic_result_error_string(results[i]);
      return handle_->status(what, code, why ? why : "");
    }
    return {};
  }

  // Brokers hear of a new topic one after the other.
  Result<int32_t> wait_until_there(const std::string& topic) {
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kRequestMsMax);
    while (true) {
      auto found = handle_->partitions(topic);
      if (found.ok() || found.status().exit() != Exit::Configuration ||
          std::chrono::steady_clock::now() > until) {
        return found;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  ClientProperties properties_;
  std::shared_ptr<Handle> handle_;
};

}  // namespace
}  // namespace kafka

Result<std::unique_ptr<Log>> open_kafka(const ClientProperties& properties) {
  auto handle = kafka::Handle::open(RD_KAFKA_PRODUCER, properties, {});
  if (!handle.ok()) return handle.take_status();
  return std::unique_ptr<Log>(std::make_unique<kafka::KafkaLog>(properties, std::move(*handle)));
}

}  // namespace weir::runtime
