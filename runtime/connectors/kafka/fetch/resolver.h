// Names of hosts to addresses, without blocking who asks: getaddrinfo waits for a name server that
// is away for half a minute, and the I/O thread has other brokers to talk to. Belongs to one
// thread; each look-up runs on a thread of its own, which may outlive this object.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/fetch/endpoint.h"

namespace weir::runtime::kafka::fetch {

class Resolver {
 public:
  struct Found {
    std::vector<Address> addresses;
    std::string why;  // if there are none
  };
  using LookUp = std::function<Found(const Endpoint&)>;

  // `wake` is an event descriptor, written to when something that was asked for is known.
  explicit Resolver(int wake, LookUp look_up = look_up_in_system);
  ~Resolver();

  // Numbers are known at once. A name is not: nothing, until `wake` says so; what is then given is
  // given once, so that the next connection asks anew.
  std::optional<Found> find(const Endpoint& endpoint);

  static Found look_up_in_system(const Endpoint& endpoint);

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
  const LookUp look_up_;
};

}  // namespace weir::runtime::kafka::fetch
