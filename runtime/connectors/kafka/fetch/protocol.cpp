#include "runtime/connectors/kafka/fetch/protocol.h"

#include <algorithm>

#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

// The length in front is filled in by `finish`.
WireWriter begin(Api api, int32_t correlation, std::string_view client) {
  WireWriter to;
  to.i32(0);
  to.i16(int16_t(api));
  auto version = std::find_if(std::begin(kVersions), std::end(kVersions),
                              [api](const ApiVersion& one) { return one.api == api; });
  to.i16(version->version);
  to.i32(correlation);
  to.string(client);
  return to;
}
std::string finish(WireWriter& to) {
  to.patch_i32(0, int32_t(to.size() - 4));
  return to.take();
}

// Writes an array of topics, each with an array of those entries that follow each other with its
// name.
template <class Entry, class Write>
void write_by_topic(WireWriter& to, const std::vector<Entry>& entries, Write write) {
  size_t topics = 0;
  for (size_t i = 0; i < entries.size(); i++)
    topics += i == 0 || entries[i].topic != entries[i - 1].topic;
  to.array(topics);
  for (size_t i = 0; i < entries.size();) {
    size_t end = i;
    while (end < entries.size() && entries[end].topic == entries[i].topic) end++;
    to.string(entries[i].topic);
    to.array(end - i);
    for (; i < end; i++) write(entries[i]);
  }
}

}  // namespace

std::string text_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::None:
      return "NONE";
    case ErrorCode::OffsetOutOfRange:
      return "OFFSET_OUT_OF_RANGE";
    case ErrorCode::CorruptMessage:
      return "CORRUPT_MESSAGE";
    case ErrorCode::UnknownTopicOrPartition:
      return "UNKNOWN_TOPIC_OR_PARTITION";
    case ErrorCode::LeaderNotAvailable:
      return "LEADER_NOT_AVAILABLE";
    case ErrorCode::NotLeaderOrFollower:
      return "NOT_LEADER_OR_FOLLOWER";
    case ErrorCode::InvalidTopic:
      return "INVALID_TOPIC_EXCEPTION";
    case ErrorCode::TopicAuthorizationFailed:
      return "TOPIC_AUTHORIZATION_FAILED";
    case ErrorCode::ClusterAuthorizationFailed:
      return "CLUSTER_AUTHORIZATION_FAILED";
    case ErrorCode::UnsupportedSaslMechanism:
      return "UNSUPPORTED_SASL_MECHANISM";
    case ErrorCode::IllegalSaslState:
      return "ILLEGAL_SASL_STATE";
    case ErrorCode::SaslAuthenticationFailed:
      return "SASL_AUTHENTICATION_FAILED";
    case ErrorCode::UnsupportedVersion:
      return "UNSUPPORTED_VERSION";
    case ErrorCode::FetchSessionIdNotFound:
      return "FETCH_SESSION_ID_NOT_FOUND";
    case ErrorCode::InvalidFetchSessionEpoch:
      return "INVALID_FETCH_SESSION_EPOCH";
    case ErrorCode::FencedLeaderEpoch:
      return "FENCED_LEADER_EPOCH";
    case ErrorCode::UnknownLeaderEpoch:
      return "UNKNOWN_LEADER_EPOCH";
    case ErrorCode::UnsupportedCompression:
      return "UNSUPPORTED_COMPRESSION_TYPE";
    case ErrorCode::Unknown:
      break;
  }
  return "error " + std::to_string(int(code));
}

std::string api_versions_request(int32_t correlation, std::string_view client) {
  WireWriter to = begin(Api::ApiVersions, correlation, client);
  return finish(to);
}

std::optional<ApiVersionsAnswer> read_api_versions(std::string_view body, bool authenticates) {
  WireReader from(body);
  auto error = ErrorCode(from.i16());
  std::vector<bool> spoken(std::size(kVersions), false);
  for (uint32_t left = from.array(6); left > 0; left--) {
    auto api = Api(from.i16());
    int16_t least = from.i16(), most = from.i16();
    for (size_t i = 0; i < std::size(kVersions); i++) {
      if (kVersions[i].api == api)
        spoken[i] = least <= kVersions[i].version && kVersions[i].version <= most;
    }
  }
  if (!from.ok()) return std::nullopt;
  ApiVersionsAnswer answer;
  if (error != ErrorCode::None) answer.missing = "ApiVersions: " + text_of(error);
  for (size_t i = 0; i < std::size(kVersions) && !answer.missing; i++) {
    bool is_sasl =
        kVersions[i].api == Api::SaslHandshake || kVersions[i].api == Api::SaslAuthenticate;
    if (!spoken[i] && (!is_sasl || authenticates))
      answer.missing =
          std::string(kVersions[i].name) + " version " + std::to_string(kVersions[i].version);
  }
  return answer;
}

std::string sasl_handshake_request(int32_t correlation, std::string_view client,
                                   std::string_view mechanism) {
  WireWriter to = begin(Api::SaslHandshake, correlation, client);
  to.string(mechanism);
  return finish(to);
}

std::optional<SaslHandshakeAnswer> read_sasl_handshake(std::string_view body) {
  WireReader from(body);
  SaslHandshakeAnswer answer;
  answer.error = ErrorCode(from.i16());
  for (uint32_t left = from.array(2); left > 0; left--) answer.mechanisms.push_back(from.string());
  if (!from.ok()) return std::nullopt;
  return answer;
}

std::string sasl_authenticate_request(int32_t correlation, std::string_view client,
                                      std::string_view message) {
  WireWriter to = begin(Api::SaslAuthenticate, correlation, client);
  to.bytes(message);
  return finish(to);
}

std::optional<SaslAuthenticateAnswer> read_sasl_authenticate(std::string_view body) {
  WireReader from(body);
  SaslAuthenticateAnswer answer;
  answer.error = ErrorCode(from.i16());
  answer.why = from.string();
  answer.message = from.bytes();
  answer.session_ms = from.i64();
  if (!from.ok()) return std::nullopt;
  return answer;
}

std::string metadata_request(int32_t correlation, std::string_view client,
                             const std::vector<std::string>& topics) {
  WireWriter to = begin(Api::Metadata, correlation, client);
  to.array(topics.size());
  for (const std::string& topic : topics) to.string(topic);
  to.i8(0);  // no topic is made by asking for it
  return finish(to);
}

std::optional<MetadataAnswer> read_metadata(std::string_view body) {
  WireReader from(body);
  MetadataAnswer answer;
  from.i32();  // throttle time
  for (uint32_t left = from.array(12); left > 0; left--) {
    MetadataAnswer::Broker& broker = answer.brokers.emplace_back();
    broker.id = from.i32();
    broker.host = from.string();
    broker.port = from.i32();
    from.string();  // rack
  }
  from.string();  // cluster
  from.i32();     // controller
  for (uint32_t topics = from.array(9); topics > 0; topics--) {
    MetadataAnswer::Topic& topic = answer.topics.emplace_back();
    topic.error = ErrorCode(from.i16());
    topic.name = from.string();
    from.boolean();  // internal
    for (uint32_t left = from.array(26); left > 0; left--) {
      MetadataAnswer::Partition& partition = topic.partitions.emplace_back();
      partition.error = ErrorCode(from.i16());
      partition.partition = from.i32();
      partition.leader = from.i32();
      partition.leader_epoch = from.i32();
      for (int list = 0; list < 3; list++) {  // replicas, those in sync, those offline
        for (uint32_t replicas = from.array(4); replicas > 0; replicas--) from.i32();
      }
    }
  }
  if (!from.ok()) return std::nullopt;
  return answer;
}

std::string epochs_request(int32_t correlation, std::string_view client,
                           const std::vector<EpochQuestion>& questions) {
  WireWriter to = begin(Api::OffsetForLeaderEpoch, correlation, client);
  to.i32(-1);  // a consumer, not a replica
  write_by_topic(to, questions, [&to](const EpochQuestion& question) {
    to.i32(question.partition);
    to.i32(question.current_leader_epoch);
    to.i32(question.leader_epoch);
  });
  return finish(to);
}

std::optional<std::vector<EpochAnswer>> read_epochs(std::string_view body) {
  WireReader from(body);
  std::vector<EpochAnswer> answers;
  from.i32();  // throttle time
  for (uint32_t topics = from.array(6); topics > 0; topics--) {
    std::string_view topic = from.string();
    for (uint32_t left = from.array(18); left > 0; left--) {
      EpochAnswer& answer = answers.emplace_back();
      answer.topic = topic;
      answer.error = ErrorCode(from.i16());
      answer.partition = from.i32();
      answer.leader_epoch = from.i32();
      answer.end_offset = from.i64();
    }
  }
  if (!from.ok()) return std::nullopt;
  return answers;
}

std::string fetch_request(int32_t correlation, std::string_view client,
                          const FetchRequest& request) {
  WireWriter to = begin(Api::Fetch, correlation, client);
  to.i32(-1);  // a consumer, not a replica
  to.i32(request.wait_ms_max);
  to.i32(request.bytes_min);
  to.i32(request.bytes_max);
  to.i8(1);  // read_committed: up to the last stable offset, with the list of aborted transactions
  to.i32(request.session_id);
  to.i32(request.session_epoch);
  write_by_topic(to, request.partitions, [&to](const FetchQuestion& question) {
    to.i32(question.partition);
    to.i32(question.current_leader_epoch);
    to.i64(question.offset);
    to.i64(-1);  // a replica's log start
    to.i32(question.bytes_max);
  });
  write_by_topic(to, request.forgotten,
                 [&to](const FetchRequest::Forgotten& one) { to.i32(one.partition); });
  to.string(request.rack);
  return finish(to);
}

std::optional<FetchAnswer> read_fetch(std::string_view body) {
  WireReader from(body);
  FetchAnswer answer;
  answer.throttle_ms = from.i32();
  answer.error = ErrorCode(from.i16());
  answer.session_id = from.i32();
  for (uint32_t topics = from.array(6); topics > 0; topics--) {
    std::string_view topic = from.string();
    for (uint32_t left = from.array(42); left > 0; left--) {
      FetchAnswer::Partition& partition = answer.partitions.emplace_back();
      partition.topic = topic;
      partition.partition = from.i32();
      partition.error = ErrorCode(from.i16());
      partition.high_watermark = from.i64();
      partition.last_stable_offset = from.i64();
      partition.log_start_offset = from.i64();
      for (uint32_t aborted = from.array(16); aborted > 0; aborted--) {
        int64_t producer_id = from.i64();
        partition.aborted.push_back({producer_id, from.i64()});
      }
      partition.preferred_replica = from.i32();
      partition.records = from.bytes();
    }
  }
  if (!from.ok()) return std::nullopt;
  return answer;
}

}  // namespace weir::runtime::kafka::fetch
