#include "runtime/connectors/kafka/fetch_choice.h"

#include <algorithm>
#include <charconv>

namespace weir::runtime::kafka {
namespace {

using fetch::FetchOptions;

// Properties that say how records are fetched, and what follows them.
struct Followed {
  std::string_view name;
  void (*set)(FetchOptions& options, const std::string& value);
};
template <auto member>
void set_number(FetchOptions& options, const std::string& value) {
  std::from_chars(value.data(), value.data() + value.size(), options.*member);
}
constexpr Followed kFollowed[] = {
    {"client.id", [](FetchOptions& o, const std::string& v) { o.client = v; }},
    {"client.rack", [](FetchOptions& o, const std::string& v) { o.rack = v; }},
    {"check.crcs",
     [](FetchOptions& o, const std::string& v) { o.checks_crcs = v == "true" || v == "1"; }},
    {"fetch.wait.max.ms", set_number<&FetchOptions::wait_ms_max>},
    {"fetch.min.bytes", set_number<&FetchOptions::bytes_min>},
    {"fetch.max.bytes", set_number<&FetchOptions::fetch_bytes_max>},
    {"fetch.message.max.bytes", set_number<&FetchOptions::partition_bytes_max>},
    {"max.partition.fetch.bytes", set_number<&FetchOptions::partition_bytes_max>},
    {"receive.message.max.bytes", set_number<&FetchOptions::answer_bytes_max>},
    {"fetch.error.backoff.ms", set_number<&FetchOptions::error_back_off_ms>},
    {"reconnect.backoff.ms", set_number<&FetchOptions::back_off_ms>},
    {"reconnect.backoff.max.ms", set_number<&FetchOptions::back_off_ms_max>},
    {"socket.timeout.ms", set_number<&FetchOptions::request_ms_max>},
    {"socket.receive.buffer.bytes", set_number<&FetchOptions::receive_buffer_bytes>},
    {"topic.metadata.refresh.interval.ms", set_number<&FetchOptions::metadata_ms_max>},
    {"metadata.max.age.ms", set_number<&FetchOptions::metadata_ms_max>},
};

// Those that it does not follow. What is in neither list is about groups, producers and
// transactions, which are librdkafka's in any case.
constexpr std::string_view kNotFollowed[] = {
    "allow.auto.create.topics",
    "api.version.fallback.ms",
    "api.version.request",
    "api.version.request.timeout.ms",
    "broker.address.family",
    "broker.address.ttl",
    "broker.version.fallback",
    "connections.max.idle.ms",
    "consume.callback.max.messages",
    "debug",
    "fetch.queue.backoff.ms",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "reconnect.backoff.jitter.ms",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.max.fails",
    "socket.nagle.disable",
    "socket.send.buffer.bytes",
    "statistics.interval.ms",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.sparse",
};

std::optional<std::string> why_not(const ClientProperties& properties) {
  auto protocol = properties.properties.find("security.protocol");
  if (protocol != properties.properties.end() && protocol->second != "plaintext" &&
      protocol->second != "PLAINTEXT") {
    return "`security.protocol = " + protocol->second + "` (only plaintext is there)";
  }
  for (const auto& [name, value] : properties.properties) {
    if (std::find(std::begin(kNotFollowed), std::end(kNotFollowed), name) != std::end(kNotFollowed))
      return "the property `" + name + "`";
  }
  return std::nullopt;
}

FetchOptions options_for(const ClientProperties& properties, const GroupOptions& group,
                         int32_t partitions) {
  FetchOptions options;
  options.brokers = properties.brokers;
  options.memory_bytes = group.memory_bytes;
  uint64_t share = group.memory_bytes / uint64_t(std::max(partitions, 1));
  // Answers that stay in the CPU's cache until a lane walks them: on a local broker 256 to 512 KiB
  // cost a fifth less than 1 MiB (records of 130 bytes, 4 partitions); over a network less would
  // wait.
  options.partition_bytes_max = std::clamp<uint64_t>(share / 4, 64 << 10, 512 << 10);
  options.fetch_bytes_max = std::clamp<uint64_t>(group.memory_bytes / 8, 256 << 10, 8 << 20);
  for (const Followed& followed : kFollowed) {
    auto given = properties.properties.find(std::string(followed.name));
    if (given != properties.properties.end()) followed.set(options, given->second);
  }
  return options;
}

}  // namespace

Result<std::optional<FetchOptions>> choose_fetch(const ClientProperties& properties,
                                                 const GroupOptions& group, int32_t partitions) {
  using Chosen = std::optional<FetchOptions>;
  if (properties.client == "librdkafka") return Chosen();
  if (!properties.client.empty() && properties.client != "native") {
    return Status::error(Exit::Configuration, "`client` is `" + properties.client +
                                                  "`: `native` or `librdkafka` is wanted");
  }
  std::optional<std::string> reason = why_not(properties);
  if (!reason) return Chosen(options_for(properties, group, partitions));
  if (properties.client == "native") {
    return Status::error(Exit::NotSupported, "not supported yet: native fetch with " + *reason +
                                                 "; leave `client` out, and librdkafka reads");
  }
  if (properties.say)
    properties.say("records are read through librdkafka: native fetch does not follow " + *reason);
  return Chosen();
}

}  // namespace weir::runtime::kafka
