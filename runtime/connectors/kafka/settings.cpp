#include "runtime/connectors/kafka/settings.h"

#include <algorithm>

namespace weir::runtime::kafka {
namespace {

constexpr uint64_t kFetchBytesMax = 4 << 20;
constexpr uint64_t kFetchBytesMin = 64 << 10;
// A queued message costs the client about two of its size again (its op; measured with 130 byte
// records).
constexpr uint64_t kMemoryPerQueuedByte = 3;

struct Refused {
  std::string_view name, reason;
};
constexpr std::string_view kBrokers = "it comes from `brokers`";
constexpr std::string_view kExactlyOnce = "exactly once rests on it";
constexpr std::string_view kName = "it comes from the pipeline's name and instance";
constexpr std::string_view kEpoch = "offsets are committed with the epoch's transaction";
constexpr Refused kRefused[] = {
    {"bootstrap.servers", kBrokers},
    {"metadata.broker.list", kBrokers},
    {"group.id", kName},
    {"group.instance.id", kName},
    {"transactional.id", kName},
    {"enable.auto.commit", kEpoch},
    {"auto.commit.enable", kEpoch},
    {"enable.auto.offset.store", kEpoch},
    {"auto.commit.interval.ms", kEpoch},
    {"offset.store.method", kEpoch},
    {"isolation.level", kExactlyOnce},
    {"acks", kExactlyOnce},
    {"request.required.acks", kExactlyOnce},
    {"enable.idempotence", kExactlyOnce},
    {"enable.gapless.guarantee", kExactlyOnce},
    {"delivery.report.only.error", kExactlyOnce},
    {"auto.offset.reset", "reading always starts from explicit offsets; use the source's `start`"},
    {"partition.assignment.strategy", "`range` keeps partitions of joined topics together"},
    {"enable.partition.eof", "the runtime needs to see the end of a partition"},
    {"partitioner", "keys go where Java's default partitioner puts them"},
    {"msg_order_cmp", "it is not for programs"},
    {"plugin.library.paths", "it loads foreign code"},
    {"test.mock.num.brokers", "a mock cluster shows aborted records; use `--dev`"},
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Settings client_settings(const ClientProperties& properties) {
  return {
      {"bootstrap.servers", properties.brokers},
      {"client.id", "weir"},
      // Small requests must not wait for each other's acknowledgements (on by default in 2.0).
      {"socket.nagle.disable", "true"},
      // New partitions are seen after half a minute, not after five.
      {"topic.metadata.refresh.interval.ms", "30000"},
      // A broker that restarts is back in the game quickly.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
  };
}

Settings reader_settings() {
  return {
      // Records of open and aborted transactions do not exist.
      {"isolation.level", "read_committed"},
      // Positions are the runtime's: nothing is committed or remembered behind its back.
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      // An offset that is gone is data that is gone: say so, never jump.
      {"auto.offset.reset", "error"},
      // The end of a partition (the last stable offset) arrives as an event.
      {"enable.partition.eof", "true"},
      // Off by default; CRC32C is one instruction per eight bytes.
      {"check.crcs", "true"},
      // In 2.0 this also times the next fetch after a full queue; its default of 500 ms is a stall.
      {"fetch.error.backoff.ms", "5"},
      // An idle partition answers a fetch after this long; new records answer it at once.
      {"fetch.wait.max.ms", "100"},
      {"fetch.min.bytes", "1"},
      {"fetch.message.max.bytes", std::to_string(kFetchBytesMax)},
      {"fetch.max.bytes", std::to_string(16 * kFetchBytesMax)},
      // The bound is bytes, not records.
      {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "16384"},
  };
}

Settings consumer_settings(const GroupOptions& options, int32_t partitions) {
  Settings settings = reader_settings();
  uint64_t share =
      options.memory_bytes / kMemoryPerQueuedByte / static_cast<uint64_t>(std::max(partitions, 1));
  // A fetch may come on top of a queue that is nearly full, so it is a part of the share.
  uint64_t fetch_bytes = std::clamp(share / 4, kFetchBytesMin, kFetchBytesMax);
  // Deeper queues only push records out of the CPU's cache (2.0.2, 130 bytes: 16 MiB is as fast as
  // 256).
  uint64_t queue_bytes = std::clamp<uint64_t>(share - share / 4, kFetchBytesMin, 16 << 20);
  for (Setting& setting : settings) {
    if (std::string_view(setting.name) == "fetch.message.max.bytes")
      setting.value = std::to_string(fetch_bytes);
    // With a queue for each partition the limit holds for each of them.
    if (std::string_view(setting.name) == "queued.max.messages.kbytes") {
      setting.value = std::to_string(queue_bytes / 1024);
    }
  }
  settings.push_back({"group.id", options.group});
  // Static membership: a restart within the session time moves nothing.
  if (!options.instance.empty())
    settings.push_back({"group.instance.id", options.group + "-" + options.instance});
  // Partition i of every topic goes to the same member; cooperative-sticky has open bugs in 2.0.
  settings.push_back({"partition.assignment.strategy", "range"});
  settings.push_back({"session.timeout.ms", "45000"});
  settings.push_back({"heartbeat.interval.ms", "3000"});
  // The control thread polls all the time; a commit that hangs this long has lost its partitions
  // anyway.
  settings.push_back({"max.poll.interval.ms", "300000"});
  return settings;
}

Settings producer_settings(const std::string& transactional_id) {
  return {
      {"transactional.id", transactional_id},
      // What a transaction needs: all replicas have it, no duplicate by retry, order kept.
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // A transaction that nobody ends blocks its readers this long.
      {"transaction.timeout.ms", "60000"},
      // An undelivered message fails its epoch well before that.
      {"message.timeout.ms", "30000"},
      // Epochs are flushed, which sends at once; this only lets batches form while an epoch is
      // produced.
      {"linger.ms", "5"},
      // The transaction's own requests retry after this (CONCURRENT_TRANSACTIONS is the rule, not
      // the exception): with the default of 100 ms a commit takes 115 ms, with 10 ms it takes 30
      // to 55.
      {"retry.backoff.ms", "10"},
      // Changelog pages and JSON shrink to a third; lz4 costs less than sending the rest.
      {"compression.type", "lz4"},
      {"batch.size", "1000000"},
      {"message.max.bytes", "1000000"},
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes", "262144"},
      // Every message reports its offset: changelog positions come from there.
      {"delivery.report.only.error", "false"},
  };
}

std::optional<std::string> refusal(std::string_view property) {
  for (const Refused& refused : kRefused) {
    if (refused.name == property) return std::string(refused.reason);
  }
  return std::nullopt;
}

bool is_secret(std::string_view property, const ClientProperties& properties) {
  if (std::find(properties.secrets.begin(), properties.secrets.end(), property) !=
      properties.secrets.end()) {
    return true;
  }
  return contains(property, "password") || contains(property, "secret") ||
         contains(property, "token") || contains(property, "ssl.key") ||
         property == "sasl.username" || property == "sasl.jaas.config" ||
         property == "sasl.oauthbearer.config" || property == "ssl.ca.pem";
}

std::string without_secrets(std::string text, const ClientProperties& properties) {
  for (const auto& [name, value] : properties.properties) {
    if (value.empty() || !is_secret(name, properties)) continue;
    for (size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + 3)) {
      text.replace(at, value.size(), "***");
    }
  }
  return text;
}

}  // namespace weir::runtime::kafka
