// SCRAM (RFC 5802): both sides prove that they know the password, and neither shows it.
#pragma once

#include "runtime/connectors/kafka/fetch/sasl.h"

namespace weir::runtime::kafka::fetch {

class Scram final : public Sasl {
 public:
  Scram(const SaslOptions& options, std::string nonce);

  Result<std::string> begin() override;
  Result<std::optional<std::string>> answer(std::string_view said) override;

 private:
  Result<std::optional<std::string>> prove(std::string_view said);
  Status verify(std::string_view said);
  Status refuse(const std::string& why) const;

  SaslOptions options_;
  std::string nonce_;
  std::string first_;             // the client's first message, bare
  std::string server_signature_;  // that only who knows the password can make
  int step_ = 0;                  // messages of the broker that were good, and `begin`
};

}  // namespace weir::runtime::kafka::fetch
