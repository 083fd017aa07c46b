// A broker in this process, for tests: one topic `t` with one partition, led by whom its cluster
// says; it does what it is told to do wrong.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/connectors/kafka/fetch/protocol.h"

namespace weir::runtime::kafka::fetch {

// What the brokers of one cluster agree on. Set before a fetcher is started, or under `mutex`.
struct FakeCluster {
  std::mutex mutex;
  std::map<int32_t, int> ports;  // by broker
  int32_t leader = 1, leader_epoch = 3;
  int64_t end_offset = 0;        // records from 0 on, each with its offset as value
  int64_t epoch_end_offset = 0;  // what OffsetForLeaderEpoch says
};

class FakeBroker {
 public:
  struct Request {
    int connection;  // counted from 0
    Api api;
    int32_t correlation;
    std::string body;
    std::chrono::steady_clock::time_point at;
  };
  struct Reply {
    enum class Kind { Usual, Body, Silent, Cut, HalfClosed };
    Kind kind = Kind::Usual;
    std::string body = "";
  };

  FakeBroker(FakeCluster& cluster, int32_t id);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;

  int port() const { return port_; }
  // Asked before the usual answer; on the connections' threads.
  void answer(Api api, std::function<Reply(const Request&)> how);
  std::vector<Request> seen(Api api) const;

  // Fetch's answer: records from where it was asked, or an error.
  static std::string fetch_answer(int64_t offset, int64_t end, ErrorCode error = ErrorCode::None,
                                  int32_t throttle_ms = 0, int32_t preferred_replica = -1);
  static int64_t fetch_offset(const Request& request);

 private:
  void listen();
  void serve(int socket, int connection);
  std::string usual(const Request& request);

  FakeCluster& cluster_;
  const int32_t id_;
  int listener_ = -1, port_ = 0;
  mutable std::mutex mutex_;
  std::map<Api, std::function<Reply(const Request&)>> how_;
  std::vector<Request> seen_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread listening_;
};

}  // namespace weir::runtime::kafka::fetch
