// The one header that sees librdkafka: a client handle with its errors, and what the library's
// error codes mean here.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/connectors/kafka/settings.h"
#include "runtime/log.h"

namespace weir::runtime::kafka {

inline constexpr int kRequestMsMax = 10'000;  // a broker that has not answered by then is not there
inline constexpr int kCloseMsMax = 10'000;

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroy<rd_kafka_topic_partition_list_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;

// A client of the library. Records that were fetched keep theirs alive; the last owner destroys it,
// on a thread of its own if that takes long (destroy can hang in 2.0).
class Handle {
 public:
  static Result<std::shared_ptr<Handle>> open(
      rd_kafka_type_t type, const ClientProperties& properties, const Settings& settings,
      const std::function<void(rd_kafka_conf_t*)>& callbacks = {});
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  rd_kafka_t* get() const { return client_; }
  const ClientProperties& properties() const { return properties_; }
  // Whom callbacks serve; null: nobody any more.
  void set_owner(void* owner);
  // For the destructor: leave the group first.
  void leave_group() { leaves_group_ = true; }

  // What the library last said about its connections, to explain a time-out.
  std::string last_error() const;
  // A request's answer may have got lost since the last call of `forget_disturbance`.
  bool disturbed() const { return disturbed_; }
  void forget_disturbance() { disturbed_ = false; }

  // "what: the library's text", as a Status with its exit code.
  Status status(const std::string& what, rd_kafka_resp_err_t code,
                const std::string& text = "") const;
  // The same by the flags that transactions set: abort, retry, fatal.
  Status status(const std::string& what, const Error& error) const;
  // Nobody answers; names the brokers.
  Status unreachable(const std::string& what) const;

  // Of a topic; asks the brokers. Configuration: there is none; Unavailable: nobody answers.
  Result<int32_t> partitions(const std::string& topic) const;

 private:
  Handle(const ClientProperties& properties) : properties_(properties) {}
  static void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque);
  static void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text);

  rd_kafka_t* client_ = nullptr;
  ClientProperties properties_;
  bool leaves_group_ = false;
  mutable std::mutex mutex_;
  std::string last_error_;
  // Done: nobody has refused us, by authentication or certificate.
  std::atomic<Exit> refused_{Exit::Done};
  std::atomic<bool> disturbed_{false};
};

// What the callbacks find behind the library's opaque pointer.
struct Opaque {
  Handle* handle = nullptr;
  void* owner = nullptr;
};

PartitionList list_of(const std::vector<TopicPartition>& partitions);
Exit exit_of(rd_kafka_resp_err_t code);
// Runs `work` on a thread of its own; false if it is not done in time (it goes on then, and leaks
// what it holds).
bool run_bounded(std::function<void()> work, int ms_max);

// Headers of a batch's messages, read when somebody asks for them.
class MessageHeaders final : public RecordHeaders {
 public:
  // The batch's messages in the order of their offsets (others may lie between).
  void set(const std::vector<rd_kafka_message_t*>* messages, size_t count) {
    messages_ = messages;
    count_ = count;
    last_ = 0;
  }
  void clear() { read_.clear(); }
  HeaderList of(const WeirRecord& record) const override;

 private:
  const std::vector<rd_kafka_message_t*>* messages_ = nullptr;
  size_t count_ = 0;
  mutable size_t last_ = 0;                              // found last
  mutable std::map<int64_t, std::vector<Header>> read_;  // by offset
};

// A message as the runtime sees it.
inline void view(const rd_kafka_message_t* message, WeirRecord& record,
                 const RecordHeaders* headers) {
  record.value = static_cast<const char*>(message->payload);
  record.key = static_cast<const char*>(message->key);
  record.value_size = static_cast<uint32_t>(message->len);
  record.key_size = static_cast<uint32_t>(message->key_len);
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type;
  record.timestamp_ms = rd_kafka_message_timestamp(message, &type);
  record.timestamp_type = static_cast<uint8_t>(type);
  record.leader_epoch = -1;  // not known to 2.0
  record.headers = headers;
}

// Of a group's member, for a producer.
const rd_kafka_consumer_group_metadata_t* metadata_of(const GroupMetadata& group);

// The three clients.
Result<std::unique_ptr<LogConsumer>> open_consumer(const ClientProperties& properties,
                                                   const GroupOptions& options, int32_t partitions);
Result<std::unique_ptr<LogProducer>> open_producer(const ClientProperties& properties,
                                                   const std::string& id);
Result<std::unique_ptr<LogReader>> open_reader(const ClientProperties& properties,
                                               const Positions& from);

}  // namespace weir::runtime::kafka
