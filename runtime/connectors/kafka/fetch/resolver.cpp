#include "runtime/connectors/kafka/fetch/resolver.h"

#include <netdb.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <mutex>
#include <thread>

namespace weir::runtime::kafka::fetch {
namespace {

Resolver::Found look_up(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  Resolver::Found found;
  int unknown =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
  if (unknown != 0) {
    found.why = gai_strerror(unknown);
    return found;
  }
  for (addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Address& address = found.addresses.emplace_back();
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  freeaddrinfo(list);
  return found;
}

}  // namespace

// What look-ups and their owner see; stays until the last look-up has ended.
struct Resolver::Shared {
  std::mutex mutex;
  std::map<Endpoint, std::optional<Found>> asked;  // nothing: not known yet
  int wake;

  explicit Shared(int descriptor) : wake(dup(descriptor)) {}
  ~Shared() { ::close(wake); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
};

Resolver::Resolver(int wake, LookUp look_up)
    : shared_(std::make_shared<Shared>(wake)), look_up_(std::move(look_up)) {}
Resolver::~Resolver() = default;

Resolver::Found Resolver::look_up_in_system(const Endpoint& endpoint) {
  return look_up(endpoint, AI_ADDRCONFIG);
}

std::optional<Resolver::Found> Resolver::find(const Endpoint& endpoint) {
  Found number = look_up(endpoint, AI_NUMERICHOST);
  if (!number.addresses.empty()) return number;
  std::lock_guard lock(shared_->mutex);
  auto [known, is_new] = shared_->asked.try_emplace(endpoint);
  if (!is_new) {
    std::optional<Found> found = known->second;
    if (found) shared_->asked.erase(known);
    return found;
  }
  std::thread([shared = shared_, look_up = look_up_, endpoint] {
    Found found = look_up(endpoint);
    std::lock_guard results(shared->mutex);
    shared->asked[endpoint] = std::move(found);
    uint64_t one = 1;
    (void)!write(shared->wake, &one, sizeof one);
  }).detach();
  return std::nullopt;
}

}  // namespace weir::runtime::kafka::fetch
