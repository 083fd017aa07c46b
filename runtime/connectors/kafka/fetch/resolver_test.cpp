#include "runtime/connectors/kafka/fetch/resolver.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <future>

namespace weir::runtime::kafka::fetch {
namespace {

bool is_woken(int wake, int ms) {
  pollfd waited{wake, POLLIN, 0};
  return ::poll(&waited, 1, ms) == 1;
}

}  // namespace

TEST_CASE(
    "numbers are known at once, a name when it has been looked up, and whoever asks never waits") {
  int wake = eventfd(0, EFD_NONBLOCK);
  std::promise<void> name_server;
  auto is_back = name_server.get_future().share();
  int asked = 0;
  Resolver resolver(wake, [&asked, is_back](const Endpoint& endpoint) {
    asked++;
    is_back.wait();
    return endpoint.host == "known" ? Resolver::Found{{Address{}}, ""}
                                    : Resolver::Found{{}, "no such name"};
  });
  CHECK(resolver.find({"127.0.0.1", 9092})->addresses.size() == 1);
  CHECK(resolver.find({"::1", 9092})->addresses.size() == 1);
  CHECK(!resolver.find({"known", 9092}));
  CHECK(!resolver.find({"known", 9092}));
  CHECK(!is_woken(wake, 0));
  name_server.set_value();
  CHECK(is_woken(wake, 10'000));
  CHECK(resolver.find({"known", 9092})->addresses.size() == 1);
  CHECK(asked == 1);
  // The next connection asks anew.
  while (!resolver.find({"known", 9092})) is_woken(wake, 10);
  CHECK(asked == 2);
  std::optional<Resolver::Found> unknown;
  while (!(unknown = resolver.find({"unknown", 9092}))) is_woken(wake, 10);
  CHECK(unknown->addresses.empty());
  CHECK(unknown->why == "no such name");
  ::close(wake);
}

TEST_CASE("a look-up that takes long outlives who has asked") {
  int wake = eventfd(0, EFD_NONBLOCK);
  std::promise<void> name_server;
  auto is_back = name_server.get_future().share();
  std::promise<void> done;
  {
    Resolver resolver(wake, [is_back, &done](const Endpoint&) {
      is_back.wait();
      done.set_value();
      return Resolver::Found{};
    });
    CHECK(!resolver.find({"slow", 1}));
  }
  name_server.set_value();
  CHECK(done.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  ::close(wake);
}

}  // namespace weir::runtime::kafka::fetch
