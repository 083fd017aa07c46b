// Who we are: SASL on a new connection, and again before the broker's time for it is over
// (KIP-368).
#include "runtime/connectors/kafka/fetch/io.h"

namespace weir::runtime::kafka::fetch {

void Io::authenticate(Link& link) {
  ask(link, Link::Asked::SaslHandshake,
      sasl_handshake_request(++link.correlation, options_.client, options_.sasl.mechanism));
}

// Between two requests: nothing else may be asked meanwhile.
bool Io::authenticate_again(Link& link) {
  if (!link.authenticates_at) return false;
  if (now_ < *link.authenticates_at) {
    remind(*link.authenticates_at);
    return false;
  }
  link.authenticates_at.reset();
  authenticate(link);
  return true;
}

bool Io::on_sasl_handshake(Link& link, std::string_view body) {
  auto answer = read_sasl_handshake(body);
  if (!answer) return false;
  if (answer->error == ErrorCode::UnsupportedSaslMechanism) {
    std::string takes;
    for (std::string_view one : answer->mechanisms)
      takes += (takes.empty() ? "" : ", ") + std::string(one);
    refuse(link, Exit::Configuration,
           "it does not take the mechanism " + options_.sasl.mechanism + "; it takes " + takes);
    return true;
  }
  if (answer->error != ErrorCode::None) {
    drop(link, "SaslHandshake: " + fetch::text_of(answer->error));
    return true;
  }
  link.sasl = Sasl::make(options_.sasl);
  Result<std::string> message = link.sasl->begin();
  if (!message.ok()) {
    refuse(link, message.status().exit(), message.status().message());
    return true;
  }
  ask(link, Link::Asked::SaslAuthenticate,
      sasl_authenticate_request(++link.correlation, options_.client, *message));
  return true;
}

bool Io::on_sasl_authenticate(Link& link, std::string_view body) {
  auto answer = read_sasl_authenticate(body);
  if (!answer) return false;
  if (answer->error == ErrorCode::SaslAuthenticationFailed) {
    refuse(link, Exit::Permission,
           "SASL " + options_.sasl.mechanism + ": " + std::string(answer->why));
    return true;
  }
  if (answer->error != ErrorCode::None) {
    drop(link, "SaslAuthenticate: " + fetch::text_of(answer->error));
    return true;
  }
  auto next = link.sasl->answer(answer->message);
  if (!next.ok()) {
    refuse(link, next.status().exit(), next.status().message());
    return true;
  }
  if (*next) {
    ask(link, Link::Asked::SaslAuthenticate,
        sasl_authenticate_request(++link.correlation, options_.client, **next));
    return true;
  }
  link.sasl.reset();
  link.is_ready = true;
  // Ahead of time, and not all connections at once.
  if (answer->session_ms > 0) {
    auto share = std::uniform_int_distribution<int64_t>(80, 92)(random_);
    link.authenticates_at = now_ + milliseconds(answer->session_ms / 100 * share);
  }
  return true;
}

}  // namespace weir::runtime::kafka::fetch
