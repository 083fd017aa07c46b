// A TCP connection to a broker that never blocks: one request at a time, its answer read straight
// into the buffer that records are walked in. Belongs to the I/O thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/connectors/kafka/fetch/buffer.h"

namespace weir::runtime::kafka::fetch {

struct Endpoint {
  std::string host;
  int port = 9092;
  bool operator==(const Endpoint&) const = default;
  std::string text() const { return host + ":" + std::to_string(port); }
};
// "a:9092,[::1]:9093"; what has no port has 9092.
std::vector<Endpoint> read_endpoints(const std::string& list);

struct ConnectionOptions {
  uint64_t answer_bytes_max = 0;
  int receive_buffer_bytes = 0;  // 0: the system's
};

class Connection {
 public:
  Connection(int epoll, std::shared_ptr<BufferPool> buffers, ConnectionOptions options)
      : epoll_(epoll), buffers_(std::move(buffers)), options_(options) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return fd_ >= 0; }
  // An answer is being waited for.
  bool is_busy() const { return busy_; }

  // Begins to connect; `data` comes with its epoll events. False: `why` says it.
  bool open(const Endpoint& endpoint, uint64_t data);
  // Requires: open and not busy. While it is connecting the request waits.
  bool send(std::string request);
  // Does what the socket now allows. Nothing yet: an empty reference; `failed`: close it.
  BufferRef advance(bool* failed);
  void close();
  const std::string& why() const { return why_; }

 private:
  bool fail(const std::string& what, int error);
  bool write_some();
  bool watch(bool writing);

  int epoll_;
  std::shared_ptr<BufferPool> buffers_;
  ConnectionOptions options_;
  int fd_ = -1;
  uint64_t data_ = 0;
  size_t tries_ = 0;
  bool connecting_ = false, busy_ = false, writing_ = false;
  std::string request_;
  size_t sent_ = 0;
  char length_[4];
  size_t length_read_ = 0;
  BufferRef answer_;
  size_t answer_bytes_ = 0;
  std::string why_;
};

}  // namespace weir::runtime::kafka::fetch
