// TLS over a socket that never blocks, by OpenSSL, with librdkafka's properties and their defaults.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace weir::runtime::kafka::fetch {

struct TlsOptions {
  // Whom to believe: a file or a folder, or the text itself; neither: the system's.
  std::string ca_location, ca_pem;
  std::string crl_location;
  // Who we are, where the broker wants to know: certificate and key, or both in a PKCS#12 file.
  std::string certificate_location, certificate_pem;
  std::string key_location, key_pem, key_password;
  std::string keystore_location, keystore_password;
  std::string cipher_suites, curves, signature_algorithms;  // empty: OpenSSL's
  bool verifies = true;                                     // the broker's certificate
  bool checks_host = true;                                  // that it is for the host's name
};

// What all connections share. Any thread.
class TlsContext {
 public:
  // Configuration: what could not be loaded, and from where.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  TlsContext() = default;
  Status load(const TlsOptions& options);
  Status load_trust(const TlsOptions& options);
  Status load_identity(const TlsOptions& options);
  Status load_keystore(const TlsOptions& options);

  ssl_ctx_st* context_ = nullptr;
  bool checks_host_ = true;
};

// How a step on a socket ended. `Failed`: see `why`.
enum class Step : uint8_t { Done, WantsRead, WantsWrite, Closed, Failed };

// One connection's. Belongs to one thread; the socket stays its owner's.
class TlsSession {
 public:
  // `host`: as the broker's certificate has it.
  TlsSession(const TlsContext& context, int socket, const std::string& host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step shake_hands();
  // `moved`: at least one byte if Done.
  Step read(char* to, size_t size, size_t* moved);
  Step write(const char* from, size_t size, size_t* moved);

  const std::string& why() const { return why_; }
  // Trying again will not help: the broker is not who it should be (Configuration), or does not
  // take us (Permission).
  std::optional<Exit> refusal() const { return refusal_; }

 private:
  Step step(int result);
  Step failed();

  ssl_st* session_;
  const std::string host_;
  std::string why_;
  std::optional<Exit> refusal_;
};

}  // namespace weir::runtime::kafka::fetch
