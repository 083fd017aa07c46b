// Bytes to and from a broker: a TCP socket that never blocks, through TLS where that is wanted.
// Belongs to the I/O thread.
#pragma once

#include "runtime/connectors/kafka/fetch/endpoint.h"
#include "runtime/connectors/kafka/fetch/tls.h"

namespace weir::runtime::kafka::fetch {

struct TransportOptions {
  std::shared_ptr<const TlsContext> tls;  // null: plain
  int receive_buffer_bytes = 0;           // 0: the system's
};

class Transport {
 public:
  explicit Transport(TransportOptions options) : options_(std::move(options)) {}
  ~Transport() { close(); }
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  bool is_open() const { return socket_ >= 0; }
  int socket() const { return socket_; }
  // Begins to connect. `host`: the name that TLS asks the broker to prove. False: see `why`.
  bool open(const Address& address, const std::string& host);
  // Until Done: when the socket is ready for what it wants.
  Step establish();
  bool is_established() const { return established_; }
  // Requires: established. At least one byte if Done.
  Step read(char* to, size_t size, size_t* moved);
  Step write(const char* from, size_t size, size_t* moved);
  void close();

  const std::string& why() const { return why_; }
  // Trying again will not help (tls.h).
  std::optional<Exit> refusal() const { return refusal_; }

 private:
  Step fail(const std::string& what, int error);
  Step from_tls(Step step);
  Step fail_unless_blocked(const char* what, Step wanted);

  TransportOptions options_;
  int socket_ = -1;
  std::string host_;
  bool connected_ = false, established_ = false;
  std::unique_ptr<TlsSession> tls_;
  std::string why_;
  std::optional<Exit> refusal_;
};

}  // namespace weir::runtime::kafka::fetch
