#include "runtime/memory_log_group.h"

#include <algorithm>
#include <set>

namespace weir::runtime {

std::vector<std::vector<TopicPartition>> assign_range(
    const std::vector<std::vector<std::string>>& members,
    const std::function<int32_t(const std::string&)>& partitions) {
  std::vector<std::vector<TopicPartition>> assigned(members.size());
  std::set<std::string> topics;
  for (const auto& wanted : members) topics.insert(wanted.begin(), wanted.end());
  for (const std::string& topic : topics) {
    std::vector<size_t> readers;
    for (size_t i = 0; i < members.size(); i++) {
      if (std::find(members[i].begin(), members[i].end(), topic) != members[i].end())
        readers.push_back(i);
    }
    int32_t count = partitions(topic);
    int32_t share = count / static_cast<int32_t>(readers.size());
    int32_t extra = count % static_cast<int32_t>(readers.size());  // the first ones take one more
    int32_t next = 0;
    for (size_t reader : readers) {
      int32_t end = next + share + (extra > 0 ? 1 : 0);
      if (extra > 0) extra--;
      for (; next < end; next++) assigned[reader].push_back({topic, next});
    }
  }
  return assigned;
}

MemoryGroup::MemberId MemoryGroup::join(const std::string& instance,
                                        const std::vector<std::string>& topics) {
  MemberId id = next_member_++;
  Member member;
  member.instance = instance;
  member.topics = topics;
  for (auto& [old_id, old] : members_) {
    if (instance.empty() || old.instance != instance || old.gone != Member::Gone::No) continue;
    old.gone = Member::Gone::Fenced;
    old.told = false;
    // The place is taken over as it stands, unless it means something else now.
    if (!rebalancing_ && old.topics == topics) {
      member.generation = old.generation;
      member.owned = old.owned;
      member.owns = true;
      member.events.push_back({GroupEvent::Kind::Assigned, member.owned});
      members_.emplace(id, std::move(member));
      return id;
    }
  }
  members_.emplace(id, std::move(member));
  begin_rebalance();
  return id;
}

void MemoryGroup::begin_rebalance() {
  rebalancing_ = true;
  for (auto& [id, member] : members_) {
    member.joined = false;
    // Who has heard already and has not given up yet is not told twice.
    if (!member.owns) member.told = false;
  }
}

Result<std::vector<GroupEvent>> MemoryGroup::poll(
    MemberId id, const std::function<int32_t(const std::string&)>& partitions) {
  Member& member = members_.at(id);
  if (member.gone == Member::Gone::Fenced) {
    if (member.told) {
      return Status::error(Exit::Restart,
                           "group `" + name_ + "`: another process has the instance `" +
                               member.instance + "`; two processes of one name and instance");
    }
    member.told = true;
    return std::vector<GroupEvent>{{GroupEvent::Kind::Fenced, member.owned}};
  }
  if (member.gone == Member::Gone::Expired) {
    // Told once, then it is a new member.
    Member again;
    again.instance = member.instance;
    again.topics = member.topics;
    if (!member.owns) member.owned.clear();
    std::vector<GroupEvent> lost{{GroupEvent::Kind::Lost, member.owned}};
    member = std::move(again);
    // An instance has one member: who has taken its place meanwhile loses it.
    for (auto& [other_id, other] : members_) {
      if (other_id == id || member.instance.empty() || other.instance != member.instance ||
          other.gone != Member::Gone::No)
        continue;
      other.gone = Member::Gone::Fenced;
      other.told = false;
    }
    begin_rebalance();
    return lost;
  }
  if (rebalancing_) {
    if (member.owns) {
      if (!member.told) {
        member.told = true;
        member.events.push_back({GroupEvent::Kind::Revoked, member.owned});
      }
    } else {
      member.joined = true;
      bool all = std::all_of(members_.begin(), members_.end(), [](const auto& each) {
        return each.second.joined || each.second.gone != Member::Gone::No;
      });
      if (all) end_rebalance(partitions);
    }
  }
  std::vector<GroupEvent> events(member.events.begin(), member.events.end());
  member.events.clear();
  return events;
}

void MemoryGroup::end_rebalance(const std::function<int32_t(const std::string&)>& partitions) {
  rebalancing_ = false;
  generation_++;
  std::vector<MemberId> order = members();
  std::vector<std::vector<std::string>> topics;
  for (MemberId id : order) topics.push_back(members_.at(id).topics);
  auto assigned = assign_range(topics, partitions);
  for (size_t i = 0; i < order.size(); i++) {
    Member& member = members_.at(order[i]);
    member.owned = std::move(assigned[i]);
    member.owns = true;
    member.told = false;
    member.generation = generation_;
    member.events.push_back({GroupEvent::Kind::Assigned, member.owned});
  }
}

std::vector<MemoryGroup::MemberId> MemoryGroup::members() const {
  std::vector<MemberId> order;
  for (const auto& [id, member] : members_) {
    if (member.gone == Member::Gone::No) order.push_back(id);
  }
  // Static members first and by their names, so that ownership is the same after a restart.
  std::sort(order.begin(), order.end(), [this](MemberId a, MemberId b) {
    const std::string& left = members_.at(a).instance;
    const std::string& right = members_.at(b).instance;
    if (left.empty() != right.empty()) return right.empty();
    return left != right ? left < right : a < b;
  });
  return order;
}

void MemoryGroup::unassign(MemberId id) {
  Member& member = members_.at(id);
  if (member.gone == Member::Gone::No) member.owns = false;
}

void MemoryGroup::expire(MemberId id) {
  Member& member = members_.at(id);
  if (member.gone != Member::Gone::No) return;
  member.gone = Member::Gone::Expired;
  begin_rebalance();
}

void MemoryGroup::expire(const std::string& instance) {
  for (MemberId id : members()) {
    if (members_.at(id).instance == instance) expire(id);
  }
}

void MemoryGroup::leave(MemberId id) {
  bool counted = members_.at(id).gone == Member::Gone::No;
  members_.erase(id);
  if (counted) begin_rebalance();
}

Status MemoryGroup::check(MemberId id, int32_t generation) const {
  auto found = members_.find(id);
  if (found == members_.end() || found->second.gone == Member::Gone::Expired) {
    return Status::error(Exit::Unavailable,
                         "group `" + name_ + "` does not know this member any more");
  }
  if (found->second.gone == Member::Gone::Fenced) {
    return Status::error(
        Exit::Restart,
        "group `" + name_ + "`: another process has the instance `" + found->second.instance + "`");
  }
  if (generation != generation_) {
    return Status::error(Exit::Unavailable, "group `" + name_ + "` is at generation " +
                                                std::to_string(generation_) + ", this member at " +
                                                std::to_string(generation));
  }
  return {};
}

int32_t MemoryGroup::generation(MemberId id) const {
  auto found = members_.find(id);
  return found == members_.end() ? -1 : found->second.generation;
}

}  // namespace weir::runtime
