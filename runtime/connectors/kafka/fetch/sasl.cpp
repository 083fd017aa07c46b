#include "runtime/connectors/kafka/fetch/sasl.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "runtime/connectors/kafka/fetch/scram.h"

namespace weir::runtime::kafka::fetch {
namespace {

class Plain final : public Sasl {
 public:
  explicit Plain(const SaslOptions& options)
      : message_(std::string(1, '\0') + options.username + '\0' + options.password) {}
  Result<std::string> begin() override { return message_; }
  Result<std::optional<std::string>> answer(std::string_view) override {
    return std::optional<std::string>();
  }

 private:
  std::string message_;
};

class OauthBearer final : public Sasl {
 public:
  explicit OauthBearer(const SaslOptions& options) : config_(options.oauth_config) {}
  Result<std::string> begin() override {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    auto token = make_unsecured_token(
        config_, std::chrono::duration_cast<std::chrono::seconds>(now).count());
    if (!token.ok()) return token.take_status();
    return "n,,\x01"
           "auth=Bearer " +
           token->text + token->extensions + "\x01\x01";
  }
  // The broker says why it does not take the token, and refuses once it is heard (RFC 7628, 3.2.3).
  Result<std::optional<std::string>> answer(std::string_view said) override {
    return said.empty() ? std::optional<std::string>() : std::optional<std::string>("\x01");
  }

 private:
  std::string config_;
};

std::string to_base64_url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), int(bytes.size()));
  text.resize(size_t(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                             reinterpret_cast<const unsigned char*>(text.data()), int(text.size()));
  if (size < 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(size_t(size) - padding);
  return bytes;
}

Result<UnsecuredToken> make_unsecured_token(std::string_view config, int64_t now_s) {
  std::map<std::string, std::string> given = {
      {"principalClaimName", "sub"}, {"scopeClaimName", "scope"}, {"lifeSeconds", "3600"}};
  UnsecuredToken token;
  for (size_t at = 0; at < config.size();) {
    size_t end = std::min(config.find(' ', at), config.size());
    std::string_view one = config.substr(at, end - at);
    at = end + 1;
    if (one.empty()) continue;
    size_t equals = one.find('=');
    if (equals == one.npos || equals == 0) {
      return Status::error(Exit::Configuration,
                           "kafka property `sasl.oauthbearer.config`: `name=value` pairs with "
                           "spaces between are wanted");
    }
    std::string_view name = one.substr(0, equals), value = one.substr(equals + 1);
    if (name.starts_with("extension_")) {
      token.extensions += "\x01" + std::string(name.substr(10)) + "=" + std::string(value);
    } else {
      given[std::string(name)] = value;
    }
  }
  if (given["principal"].empty()) {
    return Status::error(Exit::Configuration,
                         "kafka property `sasl.oauthbearer.config`: `principal=` is missing");
  }
  nlohmann::ordered_json claims = {{given["principalClaimName"], given["principal"]},
                                   {"iat", now_s},
                                   {"exp", now_s + std::atoll(given["lifeSeconds"].c_str())}};
  if (std::string_view scopes = given["scope"]; !scopes.empty()) {
    auto& listed = claims[given["scopeClaimName"]] = nlohmann::ordered_json::array();
    for (size_t at = 0; at <= scopes.size();) {
      size_t end = std::min(scopes.find(',', at), scopes.size());
      listed.push_back(scopes.substr(at, end - at));
      at = end + 1;
    }
  }
  std::string text = claims.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  token.text = to_base64_url("{\"alg\":\"none\"}") + "." + to_base64_url(text) + ".";
  return token;
}

bool Sasl::knows(std::string_view mechanism) {
  return mechanism == "PLAIN" || mechanism == "OAUTHBEARER" || mechanism == "SCRAM-SHA-256" ||
         mechanism == "SCRAM-SHA-512";
}

std::unique_ptr<Sasl> Sasl::make(const SaslOptions& options, const std::string& nonce) {
  if (options.mechanism == "PLAIN") return std::make_unique<Plain>(options);
  if (options.mechanism == "OAUTHBEARER") return std::make_unique<OauthBearer>(options);
  std::string own = nonce;
  if (own.empty()) {
    unsigned char random[24];
    WEIR_CHECK(RAND_bytes(random, sizeof random) == 1, "OpenSSL has randomness");
    own = to_base64({reinterpret_cast<const char*>(random), sizeof random});
  }
  return std::make_unique<Scram>(options, own);
}

}  // namespace weir::runtime::kafka::fetch
