// Where a broker listens, by name and by number.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

namespace weir::runtime::kafka::fetch {

struct Endpoint {
  std::string host;
  int port = 9092;
  bool operator==(const Endpoint&) const = default;
  auto operator<=>(const Endpoint&) const = default;
  std::string text() const { return host + ":" + std::to_string(port); }
};
// "a:9092,[::1]:9093"; what has no port has 9092.
std::vector<Endpoint> read_endpoints(const std::string& list);

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

}  // namespace weir::runtime::kafka::fetch
