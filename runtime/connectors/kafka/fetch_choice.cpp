#include "runtime/connectors/kafka/fetch_choice.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace weir::runtime::kafka {
namespace {

using fetch::FetchOptions;
using fetch::SaslOptions;
using fetch::TlsOptions;

struct Wanted {
  FetchOptions fetch;
  TlsOptions tls;
};

bool is_true(const std::string& value) { return value == "true" || value == "t" || value == "1"; }
std::string lower_case(std::string text) {
  for (char& c : text) c = char(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Properties that say how records are fetched, and what follows them.
struct Followed {
  std::string_view name;
  void (*set)(Wanted& wanted, const std::string& value);
};
template <auto member>
void set_number(Wanted& wanted, const std::string& value) {
  std::from_chars(value.data(), value.data() + value.size(), wanted.fetch.*member);
}
template <auto member>
void set_text(Wanted& wanted, const std::string& value) {
  wanted.fetch.*member = value;
}
template <auto member>
void set_tls(Wanted& wanted, const std::string& value) {
  wanted.tls.*member = value;
}
template <auto member>
void set_sasl(Wanted& wanted, const std::string& value) {
  wanted.fetch.sasl.*member = value;
}
constexpr Followed kFollowed[] = {
    {"client.id", set_text<&FetchOptions::client>},
    {"client.rack", set_text<&FetchOptions::rack>},
    {"check.crcs", [](Wanted& w, const std::string& v) { w.fetch.checks_crcs = is_true(v); }},
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
    {"ssl.ca.location", set_tls<&TlsOptions::ca_location>},
    {"ssl.ca.pem", set_tls<&TlsOptions::ca_pem>},
    {"ssl.crl.location", set_tls<&TlsOptions::crl_location>},
    {"ssl.certificate.location", set_tls<&TlsOptions::certificate_location>},
    {"ssl.certificate.pem", set_tls<&TlsOptions::certificate_pem>},
    {"ssl.key.location", set_tls<&TlsOptions::key_location>},
    {"ssl.key.pem", set_tls<&TlsOptions::key_pem>},
    {"ssl.key.password", set_tls<&TlsOptions::key_password>},
    {"ssl.keystore.location", set_tls<&TlsOptions::keystore_location>},
    {"ssl.keystore.password", set_tls<&TlsOptions::keystore_password>},
    {"ssl.cipher.suites", set_tls<&TlsOptions::cipher_suites>},
    {"ssl.curves.list", set_tls<&TlsOptions::curves>},
    {"ssl.sigalgs.list", set_tls<&TlsOptions::signature_algorithms>},
    {"enable.ssl.certificate.verification",
     [](Wanted& w, const std::string& v) { w.tls.verifies = is_true(v); }},
    {"ssl.endpoint.identification.algorithm",
     [](Wanted& w, const std::string& v) { w.tls.checks_host = lower_case(v) != "none"; }},
    {"sasl.username", set_sasl<&SaslOptions::username>},
    {"sasl.password", set_sasl<&SaslOptions::password>},
    {"sasl.oauthbearer.config", set_sasl<&SaslOptions::oauth_config>},
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
    "ssl.engine.id",
    "ssl.engine.location",
    "ssl.providers",
    "statistics.interval.ms",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.sparse",
};

std::string protocol_of(const ClientProperties& properties) {
  auto given = properties.properties.find("security.protocol");
  return given == properties.properties.end() ? "plaintext" : lower_case(given->second);
}

// The library's default is Kerberos.
std::string mechanism_of(const ClientProperties& properties) {
  for (const char* name : {"sasl.mechanisms", "sasl.mechanism"}) {
    auto given = properties.properties.find(name);
    if (given != properties.properties.end()) return given->second;
  }
  return "GSSAPI";
}

std::optional<std::string> why_not(const ClientProperties& properties) {
  std::string protocol = protocol_of(properties);
  bool uses_sasl = protocol.starts_with("sasl_");
  if (protocol != "plaintext" && protocol != "ssl" && protocol != "sasl_plaintext" &&
      protocol != "sasl_ssl")
    return "`security.protocol = " + protocol + "`";
  if (std::string mechanism = mechanism_of(properties); uses_sasl) {
    if (!fetch::Sasl::knows(mechanism)) return "`sasl.mechanisms = " + mechanism + "`";
    auto method = properties.properties.find("sasl.oauthbearer.method");
    if (method != properties.properties.end() && lower_case(method->second) != "default")
      return "`sasl.oauthbearer.method = " + method->second + "`";
    auto unsecured = properties.properties.find("enable.sasl.oauthbearer.unsecure.jwt");
    if (mechanism == "OAUTHBEARER" &&
        (unsecured == properties.properties.end() || !is_true(unsecured->second)))
      return "OAUTHBEARER without `enable.sasl.oauthbearer.unsecure.jwt`";
  }
  for (const auto& [name, value] : properties.properties) {
    if (std::find(std::begin(kNotFollowed), std::end(kNotFollowed), name) != std::end(kNotFollowed))
      return "the property `" + name + "`";
  }
  return std::nullopt;
}

Result<std::optional<FetchOptions>> options_for(const ClientProperties& properties,
                                                const GroupOptions& group, int32_t partitions) {
  Wanted wanted;
  FetchOptions& options = wanted.fetch;
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
    if (given != properties.properties.end()) followed.set(wanted, given->second);
  }
  std::string protocol = protocol_of(properties);
  if (protocol.starts_with("sasl_")) options.sasl.mechanism = mechanism_of(properties);
  if (protocol.ends_with("ssl")) {
    auto tls = fetch::TlsContext::make(wanted.tls);
    if (!tls.ok()) return tls.take_status();
    options.tls = *tls;
  }
  return std::optional<FetchOptions>(std::move(options));
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
  if (!reason) return options_for(properties, group, partitions);
  if (properties.client == "native") {
    return Status::error(Exit::NotSupported, "not supported yet: native fetch with " + *reason +
                                                 "; leave `client` out, and librdkafka reads");
  }
  if (properties.say)
    properties.say("records are read through librdkafka: native fetch does not follow " + *reason);
  return Chosen();
}

}  // namespace weir::runtime::kafka
