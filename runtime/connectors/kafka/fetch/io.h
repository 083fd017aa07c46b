// The I/O thread. It does all waiting: for each leader it has a connection with one request in
// flight, for the partitions that have room; one more connection asks for metadata. Three pages of
// code beside its round (io.cpp): connections (io_links.cpp, io_authenticate.cpp), leaders
// (io_leaders.cpp) and records (io_records.cpp).
#pragma once

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "runtime/connectors/kafka/fetch/connection.h"
#include "runtime/connectors/kafka/fetch/fetcher.h"
#include "runtime/connectors/kafka/fetch/resolver.h"
#include "runtime/connectors/kafka/fetch/session.h"

namespace weir::runtime::kafka::fetch {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;

// A connection with what is asked on it.
struct Link {
  enum class Asked : uint8_t {
    Nothing,
    Address,
    Versions,
    SaslHandshake,
    SaslAuthenticate,
    Metadata,
    Epochs,
    Fetch
  };
  int32_t id;  // of the broker
  Endpoint endpoint;
  Connection connection;
  FetchSession session;
  Asked asked = Asked::Nothing;
  bool is_ready = false;                 // versions agreed, authenticated
  std::unique_ptr<Sasl> sasl;            // an authentication that goes on
  std::optional<Time> authenticates_at;  // again
  int32_t correlation = 0;
  Time deadline;            // of the answer
  Time not_before;          // back-off, throttling
  int failures = 0;         // since the last answer
  int damaged = 0;          // answers in a row that could not be read
  uint64_t assignment = 0;  // that the request in flight is for
};

// A partition as the I/O thread sees it.
struct Tracked {
  enum class State : uint8_t { NeedsLeader, NeedsCheck, Ready, Failed };
  PartitionRef partition;
  int64_t next = 0;             // offset of the next fetch
  int32_t position_epoch = -1;  // leader epoch of what is in front of it
  State state = State::NeedsLeader;
  int32_t leader = -1, leader_epoch = -1;
  int32_t replica = -1;  // that the leader told us to fetch from
  Time replica_until, not_before;
  uint64_t bytes_wanted = 0;  // of a batch larger than the usual answer
  bool at_end = false;
  std::optional<Time> unknown_since, older_since;

  int32_t source() const { return replica >= 0 ? replica : leader; }
};

std::string text_of(const TopicPartition& name);

class Io {
 public:
  Io(FetchOptions options, std::shared_ptr<BufferPool> buffers, int wake,
     std::function<void(Status)> fail);
  ~Io();

  // Any thread.
  void assign(std::vector<std::pair<PartitionRef, Position>> partitions);
  // A lane has taken what waited.
  void room();
  int64_t stuck_ms() const;

 private:
  void run();
  void take_assignment();

  // io_links.cpp
  Link* link_to(int32_t broker);
  bool waits(Link& link);
  void connect(Link& link);
  void ask(Link& link, Link::Asked asked, std::string request, int extra_ms = 0);
  void drop(Link& link, const std::string& why);
  void on_ready(Link& link);
  bool on_answer(Link& link, BufferRef buffer);
  bool on_versions(Link& link, std::string_view body);
  void on_damaged(Link& link);
  void refuse(Link& link, Exit exit, const std::string& why);

  // io_authenticate.cpp
  bool authenticates() const { return !options_.sasl.mechanism.empty(); }
  void authenticate(Link& link);
  bool authenticate_again(Link& link);
  bool on_sasl_handshake(Link& link, std::string_view body);
  bool on_sasl_authenticate(Link& link, std::string_view body);

  // io_leaders.cpp
  void drive_metadata();
  bool on_metadata(std::string_view body);
  void learn_leader(const TopicPartition& name, const MetadataAnswer::Partition& found);
  void forget_leader(Tracked& tracked);
  bool ask_epochs(Link& link);
  bool on_epochs(Link& link, std::string_view body);

  // io_records.cpp
  void drive(Link& link);
  bool ask_fetch(Link& link);
  bool on_fetch(Link& link, const BufferRef& buffer, std::string_view body);
  void on_partition(Tracked& tracked, FetchAnswer::Partition& answer, const BufferRef& buffer);
  void give_up(Tracked& tracked, Status status);

  void wake();
  // The round ends then at the latest.
  void remind(Time when) { next_ = std::min(next_, when); }
  milliseconds jittered(int64_t ms);

  static constexpr int32_t kControlLink = -1;

  const FetchOptions options_;
  const std::vector<Endpoint> bootstrap_;
  const std::shared_ptr<BufferPool> buffers_;
  const int lanes_;
  const std::function<void(Status)> fail_;
  const int epoll_, wake_;
  std::mt19937 random_;
  std::atomic<bool> stop_{false}, starved_{false};
  std::atomic<int64_t> alive_ms_{0};

  std::mutex mutex_;
  std::vector<std::pair<PartitionRef, Position>> assigned_;
  bool assigned_new_ = false;

  // The thread's own.
  Time now_, next_;
  uint64_t assignment_ = 0;
  uint64_t partition_room_ = 0;  // waits of one partition
  std::map<TopicPartition, Tracked> tracked_;
  Resolver resolver_;
  std::map<int32_t, Endpoint> brokers_;
  std::map<int32_t, std::unique_ptr<Link>> links_;  // by broker; kControlLink: for metadata
  bool metadata_wanted_ = false;
  Time metadata_not_before_, metadata_due_;
  size_t metadata_turn_ = 0;
  int metadata_tries_ = 0;  // since every partition had a leader
  bool lanes_have_news_ = false;
  std::thread thread_;
};

}  // namespace weir::runtime::kafka::fetch
