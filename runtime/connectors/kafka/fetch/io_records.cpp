// Asking for records, and what comes of it.
#include "runtime/connectors/kafka/fetch/io.h"

#include <algorithm>

namespace weir::runtime::kafka::fetch {
namespace {

constexpr int64_t kStarvedMs = 2;  // looks again for room that lanes have made

}  // namespace

void Io::drive(Link& link) {
  if (waits(link)) return;
  bool wanted = std::any_of(tracked_.begin(), tracked_.end(), [&](const auto& one) {
    return one.second.source() == link.id && (one.second.state == Tracked::State::Ready ||
                                              one.second.state == Tracked::State::NeedsCheck);
  });
  if (!wanted) return;
  if (!link.connection.is_open()) {
    connect(link);
    return;
  }
  if (!link.is_ready || authenticate_again(link)) return;
  if (link.not_before > now_) {
    remind(link.not_before);
    return;
  }
  if (!ask_epochs(link)) ask_fetch(link);
}

void Io::give_up(Tracked& tracked, Status status) {
  tracked.state = Tracked::State::Failed;
  fail_(std::move(status));
  lanes_have_news_ = true;
}

bool Io::ask_fetch(Link& link) {
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
    if (auto again = tracked.partition->wanted_again()) {
      tracked.next = again->offset;
      tracked.position_epoch = again->leader_epoch;
      tracked.at_end = false;
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

bool Io::on_fetch(Link& link, const BufferRef& buffer, std::string_view body) {
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

void Io::on_partition(Tracked& tracked, FetchAnswer::Partition& answer, const BufferRef& buffer) {
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

}  // namespace weir::runtime::kafka::fetch
