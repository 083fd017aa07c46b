// Who leads the partitions, and whether what was read is still in their logs.
#include "runtime/connectors/kafka/fetch/io.h"

namespace weir::runtime::kafka::fetch {
namespace {

// A topic that was there may be unknown to a broker that has just started.
constexpr auto kUnknownTopicMax = milliseconds(15'000);
// Metadata older than what was seen comes from a broker that is behind; if it stays, the topic was
// made anew.
constexpr auto kOlderEpochMax = milliseconds(10'000);

}  // namespace

// Metadata has a connection of its own: its answers must not wait behind those of fetches.
void Io::drive_metadata() {
  if (tracked_.empty()) return;
  Link& link = *link_to(kControlLink);
  if (waits(link)) return;
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
  if (!link.is_ready || authenticate_again(link)) return;
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

bool Io::on_metadata(std::string_view body) {
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

void Io::learn_leader(const TopicPartition& name, const MetadataAnswer::Partition& found) {
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

void Io::forget_leader(Tracked& tracked) {
  tracked.state = Tracked::State::NeedsLeader;
  tracked.replica = -1;
  tracked.not_before = now_ + jittered(options_.error_back_off_ms);
  metadata_wanted_ = true;
}

// Before a position is read from a leader that is new to it: has the log been cut behind it?
bool Io::ask_epochs(Link& link) {
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

bool Io::on_epochs(Link& link, std::string_view body) {
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

}  // namespace weir::runtime::kafka::fetch
