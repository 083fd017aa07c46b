// The requests that native fetch sends and their answers, one version of each: the last one before
// the flexible encodings, which every broker from 2.4 to 4.x speaks
// (https://kafka.apache.org/protocol). Answers are views into the bytes that they were read from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::runtime::kafka::fetch {

enum class Api : int16_t {
  Fetch = 1,
  Metadata = 3,
  SaslHandshake = 17,
  ApiVersions = 18,
  OffsetForLeaderEpoch = 23,
  SaslAuthenticate = 36,
};
struct ApiVersion {
  Api api;
  int16_t version;
  const char* name;
};
inline constexpr ApiVersion kVersions[] = {
    {Api::Fetch, 11, "Fetch"},
    {Api::Metadata, 7, "Metadata"},
    {Api::OffsetForLeaderEpoch, 3, "OffsetForLeaderEpoch"},
    {Api::ApiVersions, 0, "ApiVersions"},
    {Api::SaslHandshake, 1, "SaslHandshake"},
    {Api::SaslAuthenticate, 1, "SaslAuthenticate"},
};

enum class ErrorCode : int16_t {
  Unknown = -1,
  None = 0,
  OffsetOutOfRange = 1,
  CorruptMessage = 2,
  UnknownTopicOrPartition = 3,
  LeaderNotAvailable = 5,
  NotLeaderOrFollower = 6,
  InvalidTopic = 17,
  TopicAuthorizationFailed = 29,
  ClusterAuthorizationFailed = 31,
  UnsupportedSaslMechanism = 33,
  IllegalSaslState = 34,
  UnsupportedVersion = 35,
  SaslAuthenticationFailed = 58,
  FetchSessionIdNotFound = 70,
  InvalidFetchSessionEpoch = 71,
  FencedLeaderEpoch = 74,
  UnknownLeaderEpoch = 75,
  UnsupportedCompression = 76,
};
// "NOT_LEADER_OR_FOLLOWER", or "error 57".
std::string text_of(ErrorCode code);

// A request behind its header, the whole with its length in front.
std::string api_versions_request(int32_t correlation, std::string_view client);
std::string metadata_request(int32_t correlation, std::string_view client,
                             const std::vector<std::string>& topics);

// Every answer begins with the correlation id of its request.
inline constexpr size_t kAnswerHeaderBytes = 4;

// Why this broker can't be fetched from: it does not speak a version that we do. None: it can.
// `authenticates`: SASL is spoken, too.
struct ApiVersionsAnswer {
  std::optional<std::string> missing;
};
std::optional<ApiVersionsAnswer> read_api_versions(std::string_view body, bool authenticates);

// Which mechanism follows; the answer has those that the broker takes.
std::string sasl_handshake_request(int32_t correlation, std::string_view client,
                                   std::string_view mechanism);
struct SaslHandshakeAnswer {
  ErrorCode error;
  std::vector<std::string_view> mechanisms;
};
std::optional<SaslHandshakeAnswer> read_sasl_handshake(std::string_view body);

// A message of the mechanism and what the broker says to it (KIP-152).
std::string sasl_authenticate_request(int32_t correlation, std::string_view client,
                                      std::string_view message);
struct SaslAuthenticateAnswer {
  ErrorCode error;
  std::string_view why, message;
  int64_t session_ms;  // until the broker wants to see it again; 0: never (KIP-368)
};
std::optional<SaslAuthenticateAnswer> read_sasl_authenticate(std::string_view body);

struct MetadataAnswer {
  struct Broker {
    int32_t id;
    std::string_view host;
    int32_t port;
  };
  struct Partition {
    ErrorCode error;
    int32_t partition, leader, leader_epoch;
  };
  struct Topic {
    ErrorCode error;
    std::string_view name;
    std::vector<Partition> partitions;
  };
  std::vector<Broker> brokers;
  std::vector<Topic> topics;
};
std::optional<MetadataAnswer> read_metadata(std::string_view body);

// Where a leader epoch ended, to see whether the log was cut behind what we have read (KIP-320).
struct EpochQuestion {
  std::string_view topic;
  int32_t partition, current_leader_epoch, leader_epoch;
};
std::string epochs_request(int32_t correlation, std::string_view client,
                           const std::vector<EpochQuestion>& questions);  // by topic
struct EpochAnswer {
  std::string_view topic;
  int32_t partition;
  ErrorCode error;
  int32_t leader_epoch;  // −1: it knows of none
  int64_t end_offset;
};
std::optional<std::vector<EpochAnswer>> read_epochs(std::string_view body);

// A fetch, as a step of a session (KIP-227): partitions that it does not name stay as the session
// has them.
struct FetchQuestion {
  std::string_view topic;
  int32_t partition, current_leader_epoch;
  int64_t offset;
  int32_t bytes_max;
};
struct FetchRequest {
  int32_t wait_ms_max, bytes_min, bytes_max;
  int32_t session_id = 0, session_epoch = -1;  // 0, −1: without a session
  std::vector<FetchQuestion> partitions;       // by topic
  struct Forgotten {
    std::string_view topic;
    int32_t partition;
  };
  std::vector<Forgotten> forgotten;  // by topic
  std::string_view rack;
};
std::string fetch_request(int32_t correlation, std::string_view client,
                          const FetchRequest& request);

struct AbortedTransaction {
  int64_t producer_id, first_offset;
};
struct FetchAnswer {
  struct Partition {
    std::string_view topic;
    int32_t partition;
    ErrorCode error;
    int64_t high_watermark, last_stable_offset, log_start_offset;
    std::vector<AbortedTransaction> aborted;
    int32_t preferred_replica;  // −1: the leader (KIP-392)
    std::string_view records;
  };
  int32_t throttle_ms;
  ErrorCode error;
  int32_t session_id;
  std::vector<Partition> partitions;
};
std::optional<FetchAnswer> read_fetch(std::string_view body);

}  // namespace weir::runtime::kafka::fetch
