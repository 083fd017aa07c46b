// What a client says to prove who it is, mechanism by mechanism: PLAIN (RFC 4616), SCRAM-SHA-256
// and -512 (RFC 5802, 7677, as KIP-84 has them), OAUTHBEARER (RFC 7628, KIP-255; unsecured tokens
// made of `sasl.oauthbearer.config`, as librdkafka makes them). Kafka carries the messages in
// SaslAuthenticate requests. No secret gets into an error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/status.h"

namespace weir::runtime::kafka::fetch {

struct SaslOptions {
  std::string mechanism;  // empty: none
  std::string username, password;
  std::string oauth_config;
};

// One authentication. What it returns on the broker's messages: something more to say; nothing, it
// is complete; or why the broker is not to be believed.
class Sasl {
 public:
  virtual ~Sasl() = default;
  virtual Result<std::string> begin() = 0;
  virtual Result<std::optional<std::string>> answer(std::string_view said) = 0;

  static bool knows(std::string_view mechanism);
  // Requires: `knows` the mechanism. `nonce`: other than by chance, for tests.
  static std::unique_ptr<Sasl> make(const SaslOptions& options, const std::string& nonce = "");
};

// A token without a signature: RFC 7515's form with the algorithm `none`, of librdkafka's
// "principal=… principalClaimName=sub scope=a,b scopeClaimName=scope lifeSeconds=3600
// extension_x=y".
struct UnsecuredToken {
  std::string text;
  std::string extensions;  // as OAUTHBEARER carries them: "name=value", each behind \x01
};
Result<UnsecuredToken> make_unsecured_token(std::string_view config, int64_t now_s);

std::string to_base64(std::string_view bytes);
// Nothing: it is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace weir::runtime::kafka::fetch
