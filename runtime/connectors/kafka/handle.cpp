#include "runtime/connectors/kafka/handle.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

namespace weir::runtime::kafka {

Exit exit_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return Exit::Permission;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
      return Exit::Configuration;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return Exit::Restart;
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return Exit::Bug;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
      return Exit::Failed;
    default:
      return Exit::Unavailable;
  }
}

namespace {

// Not whom we may believe, or not whom they let in: trying again does not help. The library has one
// code for these and for a connection that was cut, so its text is asked.
Exit refusal_of(rd_kafka_resp_err_t code, std::string_view reason) {
  if (exit_of(code) == Exit::Permission) return Exit::Permission;
  bool of_tls = code == RD_KAFKA_RESP_ERR__SSL || reason.find("SSL routines") != reason.npos;
  if (!of_tls) return Exit::Done;
  if (reason.find("certificate verify failed") != reason.npos) return Exit::Configuration;
  for (std::string_view alert :
       {"alert bad certificate", "alert certificate required", "alert unknown ca",
        "alert certificate unknown", "alert certificate expired", "alert access denied"}) {
    if (reason.find(alert) != reason.npos) return Exit::Permission;
  }
  return Exit::Done;
}

// Up to 2.6.0 the library repeats its nonce in SCRAM's second message; Kafka from 4.0 on refuses
// that as a wrong password (confluentinc/librdkafka#4895).
constexpr int kScramMended = 0x02060100;

std::string hint_for(Exit refusal, std::string_view reason) {
  if (refusal == Exit::Configuration) {
    return "; the certificate is not signed by the authority of `ssl.ca.location`, or it is for "
           "another host (`ssl.endpoint.identification.algorithm`)";
  }
  bool of_scram = reason.find("SASL mechanism SCRAM") != reason.npos;
  if (refusal == Exit::Permission && of_scram && rd_kafka_version() < kScramMended) {
    return "; if they are right: librdkafka " + std::string(rd_kafka_version_str()) +
           " can't speak SCRAM to Kafka 4 (2.6.1 can); PLAIN over TLS works";
  }
  return "";
}

}  // namespace

bool run_bounded(std::function<void()> work, int ms_max) {
  struct Done {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  auto done = std::make_shared<Done>();
  std::thread([done, work = std::move(work)] {
    work();
    std::lock_guard lock(done->mutex);
    done->done = true;
    done->changed.notify_all();
  }).detach();
  std::unique_lock lock(done->mutex);
  return done->changed.wait_for(lock, std::chrono::milliseconds(ms_max),
                                [&] { return done->done; });
}

PartitionList list_of(const std::vector<TopicPartition>& partitions) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  }
  return list;
}

Result<std::shared_ptr<Handle>> Handle::open(
    rd_kafka_type_t type, const ClientProperties& properties, const Settings& settings,
    const std::function<void(rd_kafka_conf_t*)>& callbacks) {
  std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>> conf(rd_kafka_conf_new());
  char text[512] = "";
  auto set = [&](const std::string& name, const std::string& value) -> Status {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) ==
        RD_KAFKA_CONF_OK)
      return {};
    std::string why = is_secret(name, properties) ? "its value is not one that it can have" : text;
    return Status::error(Exit::Configuration, "kafka property `" + name + "`: " + why);
  };
  if (properties.brokers.empty())
    return Status::error(Exit::Configuration, "kafka: no `brokers` are given");
  for (const Settings& list : {client_settings(properties), settings}) {
    for (const Setting& setting : list) {
      if (Status status = set(setting.name, setting.value); !status.ok()) return status;
    }
  }
  for (const auto& [name, value] : properties.properties) {
    if (auto why = refusal(name)) {
      return Status::error(Exit::Configuration,
                           "kafka property `" + name + "` can't be set: " + *why);
    }
    if (Status status = set(name, value); !status.ok()) return status;
  }
  std::shared_ptr<Handle> handle(new Handle(properties));
  auto opaque = std::make_unique<Opaque>(Opaque{handle.get(), nullptr});
  rd_kafka_conf_set_opaque(conf.get(), opaque.get());
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  if (callbacks) callbacks(conf.get());
  handle->client_ = rd_kafka_new(type, conf.get(), text, sizeof text);
  if (handle->client_ == nullptr) {
    return Status::error(Exit::Configuration, "kafka: " + without_secrets(text, properties));
  }
  (void)conf.release();    // the client's now
  (void)opaque.release();  // goes with the client, in the destructor
  return handle;
}

Handle::~Handle() {
  if (client_ == nullptr) return;
  rd_kafka_t* client = client_;
  bool leaves = leaves_group_;
  // A static member stays in its group: closing would be a rebalance for everybody.
  auto work = [client, leaves] {
    auto* opaque = static_cast<Opaque*>(rd_kafka_opaque(client));
    rd_kafka_destroy_flags(client, leaves ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    delete opaque;
  };
  // Callbacks may still come while it is being destroyed; they must not find this object.
  static_cast<Opaque*>(rd_kafka_opaque(client))->handle = nullptr;
  static_cast<Opaque*>(rd_kafka_opaque(client))->owner = nullptr;
  (void)run_bounded(work, kCloseMsMax);
}

void Handle::set_owner(void* owner) {
  static_cast<Opaque*>(rd_kafka_opaque(client_))->owner = owner;
}

void Handle::on_error(rd_kafka_t*, int code, const char* reason, void* opaque) {
  Handle* handle = static_cast<Opaque*>(opaque)->handle;
  if (handle == nullptr) return;
  auto error = static_cast<rd_kafka_resp_err_t>(code);
  Exit refusal = refusal_of(error, reason);
  if (refusal != Exit::Done) handle->refused_ = refusal;
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
      error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    handle->disturbed_ = true;
  }
  // "3/3 brokers are down" says less than what was said before it.
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  std::lock_guard lock(handle->mutex_);
  handle->last_error_ = without_secrets(reason, handle->properties_) + hint_for(refusal, reason);
}

// The library's log lines say again what errors say.
void Handle::on_log(const rd_kafka_t*, int, const char*, const char*) {}

std::string Handle::last_error() const {
  std::lock_guard lock(mutex_);
  return last_error_;
}

Status Handle::status(const std::string& what, rd_kafka_resp_err_t code,
                      const std::string& text) const {
  std::string why = text.empty() ? rd_kafka_err2str(code) : text;
  return Status::error(exit_of(code), what + ": " + without_secrets(why, properties_));
}

Status Handle::status(const std::string& what, const Error& error) const {
  if (!error) return {};
  rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
  Exit exit = exit_of(code);
  std::string text = what + ": " + without_secrets(rd_kafka_error_string(error.get()), properties_);
  if (exit == Exit::Restart) return Status::error(exit, text);
  // The library's order: abort, then retry; everything else is the end of this handle, if not of
  // the pipeline.
  if (rd_kafka_error_txn_requires_abort(error.get())) return Status::error(Exit::Unavailable, text);
  if (rd_kafka_error_is_retriable(error.get())) return Status::error(exit, text, true);
  if (rd_kafka_error_is_fatal(error.get()) && exit != Exit::Permission) exit = Exit::Unavailable;
  return Status::error(exit, text);
}

Status Handle::unreachable(const std::string& what) const {
  std::string said = last_error();
  return Status::error(Exit::Unavailable, what + ": no answer from `" + properties_.brokers + "`" +
                                              (said.empty() ? "" : " (" + said + ")"));
}

Result<int32_t> Handle::partitions(const std::string& name) const {
  std::string what = "topic `" + name + "`";
  Topic topic(rd_kafka_topic_new(client_, name.c_str(), nullptr));
  if (!topic)
    return Status::error(Exit::Configuration, what + " is not a name that a topic can have");
  auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kRequestMsMax);
  while (true) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    const rd_kafka_metadata_t* asked = nullptr;
    // In short pieces, so that a refusal is seen at once.
    int ms = static_cast<int>(std::clamp<int64_t>(left.count(), 1, 1000));
    rd_kafka_resp_err_t code = rd_kafka_metadata(client_, 0, topic.get(), &asked, ms);
    rd_kafka_poll(client_, 0);
    if (Exit refused = refused_; refused != Exit::Done)
      return Status::error(refused, "`" + properties_.brokers + "`: " + last_error());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      Metadata metadata(asked);
      if (metadata->topic_cnt != 1) return unreachable(what);
      const rd_kafka_metadata_topic& found = metadata->topics[0];
      if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return Status::error(Exit::Configuration,
                             "there is no " + what + " at `" + properties_.brokers + "`");
      }
      bool settling = found.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR && !settling) return status(what, found.err);
      if (!settling && found.partition_cnt > 0) return found.partition_cnt;
    } else if (code != RD_KAFKA_RESP_ERR__TRANSPORT && code != RD_KAFKA_RESP_ERR__TIMED_OUT) {
      return status(what, code);
    }
    if (std::chrono::steady_clock::now() >= until) return unreachable(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

HeaderList MessageHeaders::of(const WeirRecord& record) const {
  auto [found, is_new] = read_.try_emplace(record.offset);
  std::vector<Header>& list = found->second;
  // Who asks goes through the batch in its order.
  for (size_t step = 0; is_new && step < count_; step++) {
    size_t i = (last_ + step) % count_;
    const rd_kafka_message_t* message = (*messages_)[i];
    rd_kafka_headers_t* headers = nullptr;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->offset != record.offset) continue;
    last_ = i;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t h = 0;
         rd_kafka_header_get_all(headers, h, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         h++) {
      list.push_back({name, {static_cast<const char*>(value), size}});
    }
    break;
  }
  return {list.data(), static_cast<uint32_t>(list.size())};
}

}  // namespace weir::runtime::kafka
