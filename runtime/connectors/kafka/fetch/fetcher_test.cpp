#include "runtime/connectors/kafka/fetch/fetcher.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <map>

#include "runtime/connectors/kafka/fetch/fake_broker_for_tests.h"
#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Reply = FakeBroker::Reply;
using Request = FakeBroker::Request;

const TopicPartition kPartition{"t", 0};

FetchOptions options_for(const FakeBroker& broker) {
  FetchOptions options;
  options.brokers = "127.0.0.1:" + std::to_string(broker.port());
  options.wait_ms_max = 20;
  options.back_off_ms = 5;
  options.back_off_ms_max = 20;
  options.error_back_off_ms = 5;
  options.request_ms_max = 300;
  return options;
}

// Reads what the fetcher gives, in order, each record once.
class Reading {
 public:
  explicit Reading(FetchOptions options, Position from = {0, -1})
      : wake_(eventfd(0, EFD_NONBLOCK)), next_(from.offset) {
    fetcher_ = std::make_unique<Fetcher>(std::move(options), wake_, [this](const Status& status) {
      std::lock_guard lock(mutex_);
      failures_.push_back(status);
    });
    fetcher_->assign({{kPartition, from}});
  }
  ~Reading() {
    fetcher_.reset();
    ::close(wake_);
  }

  // Until that offset is reached, or it has failed, or a minute is over.
  bool reaches(int64_t offset) {
    return until([&] {
      Fetched fetched;
      if (Status status = fetcher_->fetch(kPartition, 1000, &fetched); !status.ok()) {
        std::lock_guard lock(mutex_);
        failures_.push_back(std::move(status));
      }
      for (uint32_t i = 0; fetched.batch && i < fetched.batch->count; i++) {
        const WeirRecord& record = fetched.batch->records[i];
        CHECK(record.offset == next_);
        CHECK(std::string(record.value, record.value_size) == std::to_string(next_));
        next_ = record.offset + 1;
      }
      return next_ >= offset;
    });
  }
  std::optional<Status> failure() {
    (void)until([] { return false; });
    std::lock_guard lock(mutex_);
    return failures_.empty() ? std::nullopt : std::optional(failures_[0]);
  }
  bool has_failed() const {
    std::lock_guard lock(mutex_);
    return !failures_.empty();
  }

 private:
  template <class Condition>
  bool until(Condition holds) {
    auto end = steady_clock::now() + std::chrono::seconds(60);
    while (!has_failed() && steady_clock::now() < end) {
      if (holds()) return true;
      pollfd waited{wake_, POLLIN, 0};
      uint64_t times;
      if (::poll(&waited, 1, 5) > 0) (void)!read(wake_, &times, sizeof times);
    }
    return false;
  }

  int wake_;
  int64_t next_;
  mutable std::mutex mutex_;
  std::vector<Status> failures_;
  std::unique_ptr<Fetcher> fetcher_;
};

std::string authenticated(int64_t session_ms, ErrorCode error = ErrorCode::None,
                          std::string_view why = "") {
  WireWriter to;
  to.i16(int16_t(error)), to.string(why), to.bytes(""), to.i64(session_ms);
  return to.take();
}

}  // namespace

// A broker answers until it is destroyed: what its answers use is declared before it.

TEST_CASE("connections that are cut, silent or half closed lose nothing and repeat nothing") {
  FakeCluster cluster;
  cluster.end_offset = 300;
  std::atomic<int> count{0};
  FakeBroker broker(cluster, 1);
  broker.answer(Api::Fetch, [&](const Request&) -> Reply {
    switch (count++ % 7) {
      case 1:
        return {Reply::Kind::Cut};
      case 3:
        return {Reply::Kind::Silent};
      case 5:
        return {Reply::Kind::HalfClosed};
      default:
        return {};
    }
  });
  Reading reading(options_for(broker));
  CHECK(reading.reaches(300));
}

TEST_CASE("answers that can't be read: again, but not for ever") {
  FakeCluster cluster;
  cluster.end_offset = 40;
  std::atomic<int> count{0};
  FakeBroker broker(cluster, 1);
  broker.answer(Api::Fetch, [&](const Request&) -> Reply {
    return count++ % 4 == 3 ? Reply{} : Reply{Reply::Kind::Body, "no Fetch answer"};
  });
  {
    Reading reading(options_for(broker));
    CHECK(reading.reaches(40));
  }
  broker.answer(Api::Fetch, [](const Request&) { return Reply{Reply::Kind::Body, "nor this"}; });
  Reading reading(options_for(broker));
  auto failure = reading.failure();
  REQUIRE(failure);
  CHECK(failure->exit() == Exit::Failed);
  CHECK(failure->message().find("can't be read") != std::string::npos);
}

TEST_CASE("a wrong checksum: fetched once more, then believed") {
  FakeCluster cluster;
  cluster.end_offset = 500;
  std::map<int64_t, int> asked;  // by offset
  auto damaged = [](const Request& request) -> Reply {
    int64_t offset = FakeBroker::fetch_offset(request);
    std::string body = FakeBroker::fetch_answer(offset, 500);
    body.back() = char(body.back() ^ 1);
    return {Reply::Kind::Body, std::move(body)};
  };
  FakeBroker broker(cluster, 1);
  broker.answer(Api::Fetch, [&](const Request& request) -> Reply {
    int64_t offset = FakeBroker::fetch_offset(request);
    return offset % 50 == 30 && asked[offset]++ == 0 ? damaged(request) : Reply{};
  });
  {
    Reading reading(options_for(broker));
    CHECK(reading.reaches(500));
  }
  // On the broker's disk: it stays as it is.
  broker.answer(Api::Fetch, [&](const Request& request) -> Reply {
    int64_t offset = FakeBroker::fetch_offset(request);
    return offset <= 100 && offset + 10 > 100 ? damaged(request) : Reply{};
  });
  Reading reading(options_for(broker));
  CHECK(!reading.reaches(500));
  auto failure = reading.failure();
  REQUIRE(failure);
  CHECK(failure->exit() == Exit::Failed);
  CHECK(failure->message().find("the record batch at offset 100") != std::string::npos);
}

TEST_CASE("a broker that throttles is left alone for as long as it says") {
  FakeCluster cluster;
  cluster.end_offset = 30;
  std::atomic<int> count{0};
  FakeBroker broker(cluster, 1);
  broker.answer(Api::Fetch, [&](const Request& request) -> Reply {
    if (count++ != 1) return {};
    int64_t offset = FakeBroker::fetch_offset(request);
    return {Reply::Kind::Body, FakeBroker::fetch_answer(offset, 30, ErrorCode::None, 400)};
  });
  Reading reading(options_for(broker));
  CHECK(reading.reaches(30));
  std::vector<Request> asked = broker.seen(Api::Fetch);
  REQUIRE(asked.size() >= 3);
  CHECK(asked[2].at - asked[1].at >= milliseconds(400));
}

TEST_CASE("a leader that moves is followed") {
  FakeCluster cluster;
  cluster.end_offset = 200;
  cluster.epoch_end_offset = 200;
  FakeBroker one(cluster, 1), two(cluster, 2);
  one.answer(Api::Fetch, [&](const Request& request) -> Reply {
    if (FakeBroker::fetch_offset(request) < 100) return {};
    std::lock_guard lock(cluster.mutex);
    cluster.leader = 2;
    cluster.leader_epoch = 4;
    return {Reply::Kind::Body, FakeBroker::fetch_answer(100, 200, ErrorCode::NotLeaderOrFollower)};
  });
  Reading reading(options_for(one));
  CHECK(reading.reaches(200));
  CHECK(!two.seen(Api::Fetch).empty());
  CHECK(!two.seen(Api::OffsetForLeaderEpoch).empty());  // asked before it was read from
}

TEST_CASE("a log that was cut behind the position is said, never read over (KIP-320)") {
  FakeCluster cluster;
  cluster.end_offset = 100;
  cluster.epoch_end_offset = 40;
  FakeBroker broker(cluster, 1);
  Reading reading(options_for(broker), {50, 2});
  auto failure = reading.failure();
  REQUIRE(failure);
  CHECK(failure->exit() == Exit::Failed);
  CHECK(failure->message().find("the log was cut") != std::string::npos);
  CHECK(failure->message().find("now ends at 40") != std::string::npos);
  CHECK(broker.seen(Api::Fetch).empty());
}

TEST_CASE("a follower is read from where the leader says so, until it is behind (KIP-392)") {
  FakeCluster cluster;
  cluster.end_offset = 200;
  FakeBroker leader(cluster, 1), follower(cluster, 2);
  leader.answer(Api::Fetch, [](const Request& request) -> Reply {
    int64_t offset = FakeBroker::fetch_offset(request);
    if (offset >= 150) return {};
    return {Reply::Kind::Body, FakeBroker::fetch_answer(offset, 0, ErrorCode::None, 0, 2)};
  });
  follower.answer(Api::Fetch, [](const Request& request) -> Reply {
    int64_t offset = FakeBroker::fetch_offset(request);
    bool is_behind = offset >= 150;
    return {Reply::Kind::Body,
            FakeBroker::fetch_answer(offset, 150,
                                     is_behind ? ErrorCode::OffsetOutOfRange : ErrorCode::None)};
  });
  FetchOptions options = options_for(leader);
  options.rack = "here";
  Reading reading(options);
  CHECK(reading.reaches(200));
  CHECK(follower.seen(Api::Fetch).size() >= 15);
  CHECK(leader.seen(Api::Fetch)[0].body.ends_with(std::string("\0\4here", 6)));
}

TEST_CASE("a connection authenticates again before its time is over (KIP-368)") {
  FakeCluster cluster;
  cluster.end_offset = 100;
  FakeBroker broker(cluster, 1);
  constexpr int64_t kSessionMs = 400;
  broker.answer(Api::SaslAuthenticate, [](const Request& request) -> Reply {
    WireReader from(request.body);
    CHECK(from.bytes() == std::string_view("\0user\0pencil", 12));
    return {Reply::Kind::Body, authenticated(kSessionMs)};
  });
  FetchOptions options = options_for(broker);
  options.sasl = {"PLAIN", "user", "pencil", ""};
  Reading reading(options);
  CHECK(reading.reaches(100));
  std::this_thread::sleep_for(milliseconds(3 * kSessionMs));
  {
    std::lock_guard lock(cluster.mutex);
    cluster.end_offset = 200;
  }
  CHECK(reading.reaches(200));
  // Nobody asked for records on a connection whose time was over, and none had to be made anew.
  std::map<int, std::vector<Request>> authentications;
  for (const Request& one : broker.seen(Api::SaslAuthenticate))
    authentications[one.connection].push_back(one);
  CHECK(authentications.size() == 2);  // for metadata and for records
  std::vector<Request> fetches = broker.seen(Api::Fetch);
  CHECK(authentications[fetches[0].connection].size() >= 3);
  for (const Request& fetch : fetches) {
    bool is_fresh = false;
    for (const Request& one : authentications[fetch.connection])
      is_fresh |= one.at <= fetch.at && fetch.at - one.at < milliseconds(kSessionMs);
    CHECK(is_fresh);
  }
}

TEST_CASE("a password that is refused is said once, without it") {
  FakeCluster cluster;
  FakeBroker broker(cluster, 1);
  broker.answer(Api::SaslAuthenticate, [](const Request&) -> Reply {
    return {Reply::Kind::Body,
            authenticated(0, ErrorCode::SaslAuthenticationFailed,
                          "Authentication failed: Invalid username or password")};
  });
  FetchOptions options = options_for(broker);
  options.sasl = {"PLAIN", "user", "pencil", ""};
  Reading reading(options);
  auto failure = reading.failure();
  REQUIRE(failure);
  CHECK(failure->exit() == Exit::Permission);
  CHECK(failure->message() == "`" + options.brokers +
                                  "`: SASL PLAIN: Authentication failed: Invalid username or "
                                  "password");
}

TEST_CASE("a mechanism that the broker does not take is said with those that it takes") {
  FakeCluster cluster;
  FakeBroker broker(cluster, 1);
  broker.answer(Api::SaslHandshake, [](const Request&) -> Reply {
    WireWriter to;
    to.i16(int16_t(ErrorCode::UnsupportedSaslMechanism));
    to.array(2), to.string("GSSAPI"), to.string("PLAIN");
    return {Reply::Kind::Body, to.take()};
  });
  FetchOptions options = options_for(broker);
  options.sasl = {"SCRAM-SHA-256", "user", "pencil", ""};
  Reading reading(options);
  auto failure = reading.failure();
  REQUIRE(failure);
  CHECK(failure->exit() == Exit::Configuration);
  CHECK(failure->message().find("SCRAM-SHA-256; it takes GSSAPI, PLAIN") != std::string::npos);
}

}  // namespace weir::runtime::kafka::fetch
