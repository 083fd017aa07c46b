#include "runtime/connectors/kafka/fetch/fetcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "runtime/connectors/kafka/fetch/connection.h"
#include "runtime/connectors/kafka/fetch/session.h"
#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;

constexpr uint64_t kWakeEvent = UINT64_MAX;
constexpr int kControlLink = -1;
// A topic that was there may be unknown to a broker that has just started.
constexpr auto kUnknownTopicMax = milliseconds(15'000);
// Metadata older than what was seen comes from a broker that is behind; if it stays, the topic was
// made anew.
constexpr auto kOlderEpochMax = milliseconds(10'000);
constexpr int kDamagedAnswersMax = 5;
constexpr uint64_t kPartitionRoomMin = 64 << 10, kPartitionRoomMax = 4 << 20;
constexpr int64_t kStarvedMs = 2;  // looks again for room that lanes have made

// A connection with what is asked on it.
struct Link {
  enum class Asked : uint8_t { Nothing, Versions, Metadata, Epochs, Fetch };
  int32_t id;  // of the broker
  Endpoint endpoint;
  Connection connection;
  FetchSession session;
  Asked asked = Asked::Nothing;
  bool negotiated = false;
  int32_t correlation = 0;
  Time deadline;            // of the answer
  Time not_before;          // back-off, throttling
  int failures = 0;         // since the last answer
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

std::string text_of(const TopicPartition& name) {
  return "`" + name.topic + "`[" + std::to_string(name.partition) + "]";
}

}  // namespace

class Fetcher::Io {
 public:
  Io(FetchOptions options, std::shared_ptr<BufferPool> buffers, int wake,
     std::function<void(Status)> fail)
      : options_(std::move(options)),
        bootstrap_(read_endpoints(options_.brokers)),
        buffers_(std::move(buffers)),
        lanes_(wake),
        fail_(std::move(fail)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        random_(std::random_device{}()) {
    WEIR_CHECK(epoll_ >= 0 && wake_ >= 0, "descriptors are always to be had");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kWakeEvent;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
    alive_ms_ = now_ms();
    thread_ = std::thread([this] { run(); });
  }
  ~Io() {
    stop_ = true;
    wake();
    thread_.join();
    links_.clear();
    ::close(epoll_);
    ::close(wake_);
  }

  void assign(std::vector<std::pair<PartitionRef, Position>> partitions) {
    {
      std::lock_guard lock(mutex_);
      assigned_ = std::move(partitions);
      assigned_new_ = true;
    }
    wake();
  }
  // A lane has taken what waited.
  void room() {
    if (starved_.exchange(false)) wake();
  }
  int64_t stuck_ms() const { return now_ms() - alive_ms_; }

 private:
  static int64_t now_ms() {
    return std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
  }
  void wake() { signal(wake_); }
  static void signal(int event) {
    uint64_t one = 1;
    (void)!write(event, &one, sizeof one);
  }

  void run();
  void take_assignment();
  void drive(Link& link);
  void drive_metadata();
  bool connect(Link& link);
  void ask(Link& link, Link::Asked asked, std::string request, int extra_ms = 0);
  bool ask_epochs(Link& link);
  bool ask_fetch(Link& link);
  void on_ready(Link& link);
  bool on_answer(Link& link, BufferRef buffer);
  bool on_versions(Link& link, std::string_view body);
  bool on_metadata(std::string_view body);
  bool on_epochs(Link& link, std::string_view body);
  bool on_fetch(Link& link, const BufferRef& buffer, std::string_view body);
  void on_partition(Tracked& tracked, FetchAnswer::Partition& answer, const BufferRef& buffer);
  void learn_leader(const TopicPartition& name, const MetadataAnswer::Partition& found);
  void drop(Link& link, const std::string& why, bool damaged = false);
  void forget_leader(Tracked& tracked);
  void give_up(Tracked& tracked, Status status);
  Link* link_to(int32_t broker);
  void remind(Time when) { next_ = std::min(next_, when); }
  milliseconds jittered(int64_t ms) {
    return milliseconds(std::uniform_int_distribution<int64_t>(ms * 4 / 5, ms * 6 / 5)(random_));
  }

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
  std::map<int32_t, Endpoint> brokers_;
  std::map<int32_t, std::unique_ptr<Link>> links_;  // by broker; kControlLink: for metadata
  bool metadata_wanted_ = false;
  Time metadata_not_before_, metadata_due_;
  size_t metadata_turn_ = 0;
  int metadata_tries_ = 0;  // since every partition had a leader
  int damaged_ = 0;         // answers in a row that could not be read
  bool lanes_have_news_ = false;
  std::thread thread_;
};

// One round: what is new, what can be asked, wait, what has come.
void Fetcher::Io::run() {
  std::vector<epoll_event> events(64);
  while (!stop_) {
    now_ = Clock::now();
    next_ = now_ + milliseconds(1000);
    take_assignment();
    drive_metadata();
    for (auto& [id, link] : links_) {
      if (id != kControlLink) drive(*link);
    }
    auto wait = std::chrono::ceil<milliseconds>(next_ - now_).count();
    int count = epoll_wait(epoll_, events.data(), int(events.size()),
                           int(std::clamp<int64_t>(wait, 0, 1000)));
    now_ = Clock::now();
    alive_ms_ = now_ms();
    for (int i = 0; i < count; i++) {
      if (events[size_t(i)].data.u64 == kWakeEvent) {
        uint64_t times;
        (void)!read(wake_, &times, sizeof times);
        continue;
      }
      auto found = links_.find(int32_t(events[size_t(i)].data.u64));
      if (found != links_.end() && found->second->connection.is_open()) on_ready(*found->second);
    }
    if (std::exchange(lanes_have_news_, false)) signal(lanes_);
  }
}

void Fetcher::Io::take_assignment() {
  std::lock_guard lock(mutex_);
  if (!std::exchange(assigned_new_, false)) return;
  std::map<TopicPartition, Tracked> before = std::move(tracked_);
  tracked_.clear();
  assignment_++;
  for (auto& [partition, position] : assigned_) {
    Tracked& tracked = tracked_[partition->name()];
    tracked.partition = partition;
    tracked.next = position.offset;
    tracked.position_epoch = position.leader_epoch;
    if (auto known = before.find(partition->name()); known != before.end()) {
      tracked.leader = known->second.leader;
      tracked.leader_epoch = known->second.leader_epoch;
      if (tracked.leader >= 0) tracked.state = Tracked::State::NeedsCheck;
    }
    if (tracked.state == Tracked::State::NeedsLeader) metadata_wanted_ = true;
  }
  // More waiting would only push records out of the CPU's cache.
  partition_room_ =
      std::clamp<uint64_t>(options_.memory_bytes / 2 / std::max<size_t>(tracked_.size(), 1),
                           kPartitionRoomMin, kPartitionRoomMax);
  for (auto& [id, link] : links_) link->session.begin_again();
}

// ---------------------------------------------------------------- connections

Link* Fetcher::Io::link_to(int32_t broker) {
  auto endpoint = brokers_.find(broker);
  if (broker != kControlLink && endpoint == brokers_.end()) return nullptr;
  std::unique_ptr<Link>& link = links_[broker];
  if (!link) {
    ConnectionOptions connection{options_.answer_bytes_max, options_.receive_buffer_bytes};
    link = std::unique_ptr<Link>(new Link{
        .id = broker, .endpoint = {}, .connection = {epoll_, buffers_, connection}, .session = {}});
  }
  if (broker != kControlLink && link->endpoint != endpoint->second) {
    if (link->connection.is_open()) drop(*link, "it has moved");
    link->endpoint = endpoint->second;
    link->not_before = now_;
  }
  return link.get();
}

bool Fetcher::Io::connect(Link& link) {
  if (link.not_before > now_) {
    remind(link.not_before);
    return false;
  }
  if (!link.connection.open(link.endpoint, uint64_t(uint32_t(link.id)))) {
    drop(link, link.connection.why());
    return false;
  }
  link.negotiated = false;
  ask(link, Link::Asked::Versions, api_versions_request(++link.correlation, options_.client));
  return false;
}

void Fetcher::Io::ask(Link& link, Link::Asked asked, std::string request, int extra_ms) {
  link.asked = asked;
  link.deadline = now_ + milliseconds(options_.request_ms_max + extra_ms);
  remind(link.deadline);
  if (!link.connection.send(std::move(request))) drop(link, link.connection.why());
}

// The connection is of no use any more: what was asked on it is asked again later.
void Fetcher::Io::drop(Link& link, const std::string& why, bool damaged) {
  link.connection.close();
  link.session.reset();
  if (link.asked == Link::Asked::Metadata || link.id == kControlLink) metadata_wanted_ = true;
  link.asked = Link::Asked::Nothing;
  int64_t back_off = std::min<int64_t>(int64_t(options_.back_off_ms) << std::min(link.failures, 16),
                                       options_.back_off_ms_max);
  link.failures++;
  link.not_before = now_ + jittered(back_off);
  metadata_wanted_ = metadata_wanted_ || !tracked_.empty();  // the leader may be another one now
  if (damaged && ++damaged_ >= kDamagedAnswersMax) {
    fail_(Status::error(Exit::Failed, "`" + link.endpoint.text() +
                                          "` gives answers that can't be "
                                          "read (" +
                                          why + "); `client = librdkafka` may"));
  }
}

void Fetcher::Io::on_ready(Link& link) {
  while (link.connection.is_open()) {
    bool failed = false;
    BufferRef buffer = link.connection.advance(&failed);
    if (failed) {
      drop(link, link.connection.why());
      return;
    }
    if (!buffer) return;
    if (!on_answer(link, std::move(buffer)) && link.connection.is_open())
      drop(link, "malformed", true);
    if (link.id == kControlLink) {
      drive_metadata();
    } else {
      drive(link);
    }
  }
}

bool Fetcher::Io::on_answer(Link& link, BufferRef buffer) {
  std::string_view text = buffer->text();
  Link::Asked asked = std::exchange(link.asked, Link::Asked::Nothing);
  if (from_big_endian<int32_t>(text.data()) != link.correlation) return false;
  std::string_view body = text.substr(kAnswerHeaderBytes);
  bool good = false;
  switch (asked) {
    case Link::Asked::Nothing:
      return false;
    case Link::Asked::Versions:
      good = on_versions(link, body);
      break;
    case Link::Asked::Metadata:
      good = on_metadata(body);
      break;
    case Link::Asked::Epochs:
      good = on_epochs(link, body);
      break;
    case Link::Asked::Fetch:
      good = on_fetch(link, buffer, body);
      break;
  }
  if (good) damaged_ = 0;
  if (good && asked != Link::Asked::Versions) link.failures = 0;
  return good;
}

bool Fetcher::Io::on_versions(Link& link, std::string_view body) {
  auto answer = read_api_versions(body);
  if (!answer) return false;
  if (answer->missing) {
    fail_(Status::error(Exit::NotSupported,
                        "not supported yet: native fetch from `" + link.endpoint.text() +
                            "`, which does not speak " + *answer->missing +
                            " (Kafka 2.4 and later do); `client = librdkafka` reads it"));
    drop(link, *answer->missing);
    return true;
  }
  link.negotiated = true;
  return true;
}

// ---------------------------------------------------------------- leaders

// Metadata has a connection of its own: its answers must not wait behind those of fetches.
void Fetcher::Io::drive_metadata() {
  if (tracked_.empty()) return;
  Link& link = *link_to(kControlLink);
  if (link.asked != Link::Asked::Nothing) {
    if (now_ < link.deadline) {
      remind(link.deadline);
      return;
    }
    drop(link, "no answer");
  }
  if (!metadata_wanted_ && now_ < metadata_due_) {
    remind(metadata_due_);
    return;
  }
  if (now_ < metadata_not_before_) {
    remind(metadata_not_before_);
    return;
  }
  if (!link.connection.is_open()) {
    // Whoever is known, one after the other.
    std::vector<Endpoint> known = bootstrap_;
    for (const auto& [id, endpoint] : brokers_) known.push_back(endpoint);
    if (link.not_before <= now_) link.endpoint = known[metadata_turn_++ % known.size()];
    connect(link);
    return;
  }
  if (!link.negotiated) return;
  std::vector<std::string> topics;
  for (const auto& [name, tracked] : tracked_) {
    if (topics.empty() || topics.back() != name.topic) topics.push_back(name.topic);
  }
  metadata_wanted_ = false;
  metadata_due_ = now_ + jittered(options_.metadata_ms_max);
  // A leader that stays away is asked for less and less often.
  metadata_not_before_ = now_ + jittered(std::min<int64_t>(int64_t(options_.back_off_ms)
                                                               << std::min(metadata_tries_++, 5),
                                                           options_.back_off_ms_max));
  ask(link, Link::Asked::Metadata, metadata_request(++link.correlation, options_.client, topics));
}

bool Fetcher::Io::on_metadata(std::string_view body) {
  auto answer = read_metadata(body);
  if (!answer) return false;
  brokers_.clear();
  for (const MetadataAnswer::Broker& broker : answer->brokers)
    brokers_[broker.id] = {std::string(broker.host), broker.port};
  for (const MetadataAnswer::Topic& topic : answer->topics) {
    for (auto& [name, tracked] : tracked_) {
      if (name.topic != topic.name || tracked.state == Tracked::State::Failed) continue;
      if (topic.error == ErrorCode::TopicAuthorizationFailed) {
        give_up(tracked, Status::error(Exit::Permission,
                                       "topic `" + name.topic + "`: not authorized to read it"));
      } else if (topic.error == ErrorCode::UnknownTopicOrPartition ||
                 topic.error == ErrorCode::InvalidTopic) {
        if (!tracked.unknown_since) tracked.unknown_since = now_;
        if (now_ - *tracked.unknown_since > kUnknownTopicMax) {
          give_up(tracked,
                  Status::error(Exit::Configuration, "there is no topic `" + name.topic + "` at `" +
                                                         options_.brokers + "` any more"));
        }
        metadata_wanted_ = true;
      } else {
        tracked.unknown_since.reset();
      }
    }
    for (const MetadataAnswer::Partition& partition : topic.partitions)
      learn_leader({std::string(topic.name), partition.partition}, partition);
  }
  for (auto& [name, tracked] : tracked_)
    metadata_wanted_ |= tracked.state == Tracked::State::NeedsLeader;
  if (!metadata_wanted_) metadata_tries_ = 0;
  return true;
}

void Fetcher::Io::learn_leader(const TopicPartition& name, const MetadataAnswer::Partition& found) {
  auto it = tracked_.find(name);
  if (it == tracked_.end()) return;
  Tracked& tracked = it->second;
  if (tracked.state == Tracked::State::Failed) return;
  if (found.leader < 0 || !brokers_.contains(found.leader)) return;
  if (found.leader_epoch >= 0 && found.leader_epoch < tracked.leader_epoch) {
    if (!tracked.older_since) tracked.older_since = now_;
    if (now_ - *tracked.older_since < kOlderEpochMax) return;
  }
  tracked.older_since.reset();
  bool is_new = tracked.leader != found.leader || tracked.leader_epoch != found.leader_epoch;
  tracked.leader = found.leader;
  tracked.leader_epoch = found.leader_epoch;
  if (is_new) tracked.replica = -1;
  if (is_new || tracked.state == Tracked::State::NeedsLeader)
    tracked.state = Tracked::State::NeedsCheck;
  link_to(found.leader);
}

void Fetcher::Io::forget_leader(Tracked& tracked) {
  tracked.state = Tracked::State::NeedsLeader;
  tracked.replica = -1;
  tracked.not_before = now_ + jittered(options_.error_back_off_ms);
  metadata_wanted_ = true;
}

void Fetcher::Io::give_up(Tracked& tracked, Status status) {
  tracked.state = Tracked::State::Failed;
  fail_(std::move(status));
  lanes_have_news_ = true;
}

// ---------------------------------------------------------------- asking for records

void Fetcher::Io::drive(Link& link) {
  if (link.asked != Link::Asked::Nothing) {
    if (now_ < link.deadline) {
      remind(link.deadline);
      return;
    }
    drop(link, "no answer");
  }
  bool wanted = std::any_of(tracked_.begin(), tracked_.end(), [&](const auto& one) {
    return one.second.source() == link.id && (one.second.state == Tracked::State::Ready ||
                                              one.second.state == Tracked::State::NeedsCheck);
  });
  if (!wanted) return;
  if (!link.connection.is_open()) {
    connect(link);
    return;
  }
  if (!link.negotiated) return;
  if (link.not_before > now_) {
    remind(link.not_before);
    return;
  }
  if (!ask_epochs(link)) ask_fetch(link);
}

// Before a position is read from a leader that is new to it: has the log been cut behind it?
bool Fetcher::Io::ask_epochs(Link& link) {
  std::vector<EpochQuestion> questions;
  for (auto& [name, tracked] : tracked_) {
    if (tracked.state != Tracked::State::NeedsCheck || tracked.leader != link.id) continue;
    if (tracked.position_epoch < 0) {  // nothing to compare
      tracked.state = Tracked::State::Ready;
      continue;
    }
    if (tracked.not_before > now_) {
      remind(tracked.not_before);
      continue;
    }
    questions.push_back({name.topic, name.partition, tracked.leader_epoch, tracked.position_epoch});
  }
  if (questions.empty()) return false;
  link.assignment = assignment_;
  ask(link, Link::Asked::Epochs, epochs_request(++link.correlation, options_.client, questions));
  return true;
}

bool Fetcher::Io::on_epochs(Link& link, std::string_view body) {
  auto answers = read_epochs(body);
  if (!answers) return false;
  if (link.assignment != assignment_) return true;
  for (const EpochAnswer& answer : *answers) {
    auto found = tracked_.find({std::string(answer.topic), answer.partition});
    if (found == tracked_.end() || found->second.state != Tracked::State::NeedsCheck) continue;
    Tracked& tracked = found->second;
    if (answer.error != ErrorCode::None) {
      forget_leader(tracked);
    } else if (answer.leader_epoch < 0 || answer.end_offset < tracked.next) {
      give_up(
          tracked,
          Status::error(
              Exit::Failed,
              text_of(found->first) + ": the log was cut: offset " + std::to_string(tracked.next) +
                  " was reached in leader epoch " + std::to_string(tracked.position_epoch) +
                  ", which " +
                  (answer.leader_epoch < 0 ? "its leader does not know"
                                           : "now ends at " + std::to_string(answer.end_offset)) +
                  "; records that were read are gone (unclean leader election, or the topic "
                  "was made anew)"));
    } else {
      tracked.state = Tracked::State::Ready;
    }
  }
  return true;
}

bool Fetcher::Io::ask_fetch(Link& link) {
  uint64_t used = buffers_->bytes_in_use();
  std::vector<FetchQuestion> wanted;
  uint64_t bytes_max = options_.fetch_bytes_max;
  std::vector<const Partition*> full;
  for (auto& [name, tracked] : tracked_) {
    if (tracked.state != Tracked::State::Ready || tracked.source() != link.id) continue;
    if (tracked.replica >= 0 && now_ > tracked.replica_until) {
      tracked.replica = -1;  // asks its leader again, who may know a better one
      if (tracked.leader != link.id) {
        if (Link* leader = link_to(tracked.leader)) remind(std::max(now_, leader->not_before));
        continue;
      }
    }
    if (tracked.not_before > now_) {
      remind(tracked.not_before);
      continue;
    }
    if (tracked.partition->bytes_waiting() >= partition_room_) {
      full.push_back(tracked.partition.get());
      continue;
    }
    uint64_t bytes = std::max(options_.partition_bytes_max, tracked.bytes_wanted);
    bytes_max = std::max(bytes_max, tracked.bytes_wanted);
    wanted.push_back({name.topic, name.partition, tracked.leader_epoch, tracked.next,
                      int32_t(std::min<uint64_t>(bytes, INT32_MAX))});
  }
  if (!full.empty()) {
    starved_ = true;
    // A lane may have taken before it could see that.
    for (const Partition* partition : full) {
      if (partition->bytes_waiting() < partition_room_) remind(now_);
    }
  }
  if (wanted.empty()) return false;
  // A little over the bound is a first batch that is larger than it was asked for.
  if (used > 0 && used + bytes_max > options_.memory_bytes) {
    uint64_t left = options_.memory_bytes > used ? options_.memory_bytes - used : 0;
    if (left < std::min<uint64_t>(options_.memory_bytes / 8, bytes_max)) {
      remind(now_ + milliseconds(kStarvedMs));
      return false;
    }
    bytes_max = left;
  }
  link.assignment = assignment_;
  FetchRequest request;
  // A partition that gets room must not wait for others that have nothing.
  request.wait_ms_max = full.empty() ? options_.wait_ms_max : std::min(options_.wait_ms_max, 1);
  request.bytes_min = options_.bytes_min;
  request.bytes_max = int32_t(std::min<uint64_t>(bytes_max, INT32_MAX));
  request.rack = options_.rack;
  ask(link, Link::Asked::Fetch,
      link.session.request(++link.correlation, options_.client, wanted, std::move(request)),
      options_.wait_ms_max);
  return true;
}

bool Fetcher::Io::on_fetch(Link& link, const BufferRef& buffer, std::string_view body) {
  auto answer = read_fetch(body);
  if (!answer) return false;
  if (answer->throttle_ms > 0)
    link.not_before = now_ + milliseconds(std::min(answer->throttle_ms, 60'000));
  if (!link.session.answered(*answer)) return true;
  if (answer->error != ErrorCode::None) {
    if (answer->error == ErrorCode::ClusterAuthorizationFailed) {
      fail_(Status::error(Exit::Permission, "`" + link.endpoint.text() +
                                                "`: fetch: " + fetch::text_of(answer->error)));
    }
    link.not_before = std::max(link.not_before, now_ + jittered(options_.back_off_ms));
    return true;
  }
  if (link.assignment != assignment_) return true;
  for (FetchAnswer::Partition& partition : answer->partitions) {
    auto found = tracked_.find({std::string(partition.topic), partition.partition});
    if (found == tracked_.end() || found->second.state != Tracked::State::Ready ||
        found->second.source() != link.id) {
      continue;
    }
    on_partition(found->second, partition, buffer);
  }
  return true;
}

void Fetcher::Io::on_partition(Tracked& tracked, FetchAnswer::Partition& answer,
                               const BufferRef& buffer) {
  const TopicPartition& name = tracked.partition->name();
  auto what = [&] { return text_of(name) + " at offset " + std::to_string(tracked.next); };
  switch (answer.error) {
    case ErrorCode::None:
      break;
    case ErrorCode::OffsetOutOfRange:
      if (tracked.replica >= 0) {  // a follower may be behind
        tracked.replica = -1;
        return;
      }
      give_up(
          tracked,
          Status::error(Exit::Failed,
                        what() + ": out of range: there is " +
                            (answer.log_start_offset >= 0
                                 ? "nothing in front of " + std::to_string(answer.log_start_offset)
                                 : "no such offset") +
                            (answer.high_watermark >= 0
                                 ? " nor behind " + std::to_string(answer.high_watermark)
                                 : "")));
      return;
    case ErrorCode::TopicAuthorizationFailed:
      give_up(tracked, Status::error(Exit::Permission, what() + ": not authorized to read it"));
      return;
    case ErrorCode::CorruptMessage:
    case ErrorCode::UnsupportedVersion:
    case ErrorCode::UnsupportedCompression:
      give_up(tracked, Status::error(Exit::Failed, what() + ": " + fetch::text_of(answer.error)));
      return;
    default:
      forget_leader(tracked);
      return;
  }
  tracked.partition->set_ends(answer.log_start_offset, answer.last_stable_offset);
  if (answer.preferred_replica >= 0 && answer.preferred_replica != tracked.source() &&
      link_to(answer.preferred_replica) != nullptr) {
    tracked.replica = answer.preferred_replica;
    tracked.replica_until = now_ + milliseconds(options_.metadata_ms_max);
  }
  BatchesExtent extent = measure(answer.records);
  // Whole batches are good whatever comes behind them; what is wrong is met again, then at the
  // beginning of an answer.
  if (extent.bytes == 0 && extent.fault != BatchFault::None) {
    give_up(tracked, Status::error(Exit::Failed,
                                   what() + ": the record batch " + fetch::text_of(extent.fault)));
    return;
  }
  if (extent.bytes == 0) {
    if (!answer.records.empty()) {
      uint64_t wanted = std::max<uint64_t>(extent.bytes_wanted, answer.records.size() * 2);
      tracked.bytes_wanted = std::min(wanted, options_.answer_bytes_max);
    }
    bool at_end = answer.records.empty() && tracked.next >= answer.last_stable_offset;
    if (at_end && !std::exchange(tracked.at_end, true)) {
      tracked.partition->reach_end();
      lanes_have_news_ = true;
    }
    return;
  }
  tracked.bytes_wanted = 0;
  if (extent.next_offset <= tracked.next) return;  // the tail of a batch that is there already
  tracked.next = extent.next_offset;
  tracked.position_epoch = extent.leader_epoch;
  tracked.at_end = tracked.next >= answer.last_stable_offset;
  tracked.partition->put({buffer, answer.records.substr(0, extent.bytes), std::move(answer.aborted),
                          tracked.next, tracked.at_end});
  lanes_have_news_ = true;
}

// ---------------------------------------------------------------- Fetcher

Fetcher::Fetcher(FetchOptions options, int wake, std::function<void(Status)> fail)
    : buffers_(BufferPool::make(options.memory_bytes / 2)),
      checks_crcs_(options.checks_crcs),
      io_(std::make_unique<Io>(std::move(options), buffers_, wake, std::move(fail))) {}
Fetcher::~Fetcher() = default;

void Fetcher::assign(const Positions& positions) {
  partitions_.clear();
  std::vector<std::pair<PartitionRef, Position>> assigned;
  for (const auto& [name, position] : positions) {
    auto partition = std::make_shared<Partition>(name, position, buffers_, checks_crcs_);
    partitions_[name] = partition;
    assigned.push_back({std::move(partition), position});
  }
  io_->assign(std::move(assigned));
}

Status Fetcher::fetch(const TopicPartition& name, uint32_t rows_max, Fetched* fetched) {
  auto found = partitions_.find(name);
  if (found == partitions_.end()) return {};
  bool drained = false;
  Status status = found->second->take(rows_max, fetched, &drained);
  if (drained) io_->room();
  return status;
}

bool Fetcher::has_records() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& one) { return one.second->has_more(); });
}

std::optional<LogConsumer::Ends> Fetcher::ends(const TopicPartition& name) const {
  auto found = partitions_.find(name);
  if (found == partitions_.end() || found->second->ends().end < 0) return std::nullopt;
  return found->second->ends();
}

int64_t Fetcher::stuck_ms() const { return io_->stuck_ms(); }

}  // namespace weir::runtime::kafka::fetch
