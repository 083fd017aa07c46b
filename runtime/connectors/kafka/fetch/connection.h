// A connection to a broker that never blocks: one request at a time, its answer read straight into
// the buffer that records are walked in. Belongs to the I/O thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/connectors/kafka/fetch/buffer.h"
#include "runtime/connectors/kafka/fetch/transport.h"

namespace weir::runtime::kafka::fetch {

struct ConnectionOptions {
  uint64_t answer_bytes_max = 0;
  TransportOptions transport;
};

class Connection {
 public:
  Connection(int epoll, std::shared_ptr<BufferPool> buffers, ConnectionOptions options)
      : epoll_(epoll),
        buffers_(std::move(buffers)),
        answer_bytes_max_(options.answer_bytes_max),
        transport_(std::move(options.transport)) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return transport_.is_open(); }
  // Begins to connect; `data` comes with its epoll events. Of several addresses (IPv6 and 4 of one
  // host) each gets its turn. False: `why` says it.
  bool open(const Endpoint& endpoint, const std::vector<Address>& addresses, uint64_t data);
  // Requires: open, and no answer is waited for. While it is connecting the request waits.
  bool send(std::string request);
  // Does what the socket now allows. Nothing yet: an empty reference; `failed`: close it.
  BufferRef advance(bool* failed);
  void close();
  const std::string& why() const { return why_; }
  // Why trying again will not help; nothing: it may.
  std::optional<Exit> refusal() const { return transport_.refusal(); }

 private:
  bool fail(Step step);
  bool fail(const std::string& why);
  bool write_some();
  bool read_some(BufferRef* answer);
  bool watch(bool writing);

  int epoll_;
  std::shared_ptr<BufferPool> buffers_;
  uint64_t answer_bytes_max_;
  Transport transport_;
  uint64_t data_ = 0;
  size_t tries_ = 0;
  bool busy_ = false, writing_ = false;  // an answer is waited for; epoll tells of room to write
  std::string request_;
  size_t sent_ = 0;
  char length_[4];
  size_t length_read_ = 0;
  BufferRef answer_;
  size_t answer_bytes_ = 0;
  std::string why_;
};

}  // namespace weir::runtime::kafka::fetch
