#include "runtime/connectors/kafka/fetch/io.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace weir::runtime::kafka::fetch {
namespace {

constexpr uint64_t kWakeEvent = UINT64_MAX;
constexpr uint64_t kPartitionRoomMin = 64 << 10, kPartitionRoomMax = 4 << 20;

int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
}
void signal(int event) {
  uint64_t one = 1;
  (void)!write(event, &one, sizeof one);
}

}  // namespace

std::string text_of(const TopicPartition& name) {
  return "`" + name.topic + "`[" + std::to_string(name.partition) + "]";
}

Io::Io(FetchOptions options, std::shared_ptr<BufferPool> buffers, int wake,
       std::function<void(Status)> fail)
    : options_(std::move(options)),
      bootstrap_(read_endpoints(options_.brokers)),
      buffers_(std::move(buffers)),
      lanes_(wake),
      fail_(std::move(fail)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      random_(std::random_device{}()),
      resolver_(wake_) {
  WEIR_CHECK(epoll_ >= 0 && wake_ >= 0, "descriptors are always to be had");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeEvent;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  alive_ms_ = now_ms();
  thread_ = std::thread([this] { run(); });
}

Io::~Io() {
  stop_ = true;
  wake();
  thread_.join();
  links_.clear();
  ::close(epoll_);
  ::close(wake_);
}

void Io::assign(std::vector<std::pair<PartitionRef, Position>> partitions) {
  {
    std::lock_guard lock(mutex_);
    assigned_ = std::move(partitions);
    assigned_new_ = true;
  }
  wake();
}

void Io::room() {
  if (starved_.exchange(false)) wake();
}
int64_t Io::stuck_ms() const { return now_ms() - alive_ms_; }
void Io::wake() { signal(wake_); }

milliseconds Io::jittered(int64_t ms) {
  return milliseconds(std::uniform_int_distribution<int64_t>(ms * 4 / 5, ms * 6 / 5)(random_));
}

// One round: what is new, what can be asked, wait, what has come.
void Io::run() {
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

void Io::take_assignment() {
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

}  // namespace weir::runtime::kafka::fetch
