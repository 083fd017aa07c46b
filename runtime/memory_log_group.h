// The coordinator of one consumer group of the in-memory log, with Kafka's eager protocol:
//
//     member joins or leaves → everybody who owns partitions is told `Revoked` → each answers by
//     giving them up and polls again → when all have, the generation goes up and everybody is told
//     `Assigned`
//
// Until then the old generation may still commit: that is how a member ends its epoch when it is
// revoked. A static member (one with an instance) that comes back takes its old place without a
// rebalance; its older incarnation is fenced. Not locked: MemoryLog's mutex guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/log.h"

namespace weir::runtime {

// Kafka's `range`: of each topic that a member reads, consecutive partitions, to members in the
// order given. `members` are topic lists; the result has one list of partitions for each.
std::vector<std::vector<TopicPartition>> assign_range(
    const std::vector<std::vector<std::string>>& members,
    const std::function<int32_t(const std::string&)>& partitions);

class MemoryGroup {
 public:
  using MemberId = uint64_t;  // never used again

  explicit MemoryGroup(std::string name) : name_(std::move(name)) {}

  MemberId join(const std::string& instance, const std::vector<std::string>& topics);
  // What happened to the member since it asked last. A rebalance goes on in here.
  Result<std::vector<GroupEvent>> poll(
      MemberId member, const std::function<int32_t(const std::string&)>& partitions);
  void unassign(MemberId member);
  // The member's session is over: it owns nothing any more, and hears `Lost`.
  void expire(MemberId member);
  void expire(const std::string& instance);
  void leave(MemberId member);

  // May this member of this generation commit offsets?
  Status check(MemberId member, int32_t generation) const;
  int32_t generation(MemberId member) const;
  std::vector<MemberId> members() const;  // those that the group counts with, in their order

  Positions offsets;  // committed

 private:
  struct Member {
    std::string instance;
    std::vector<std::string> topics;
    std::vector<TopicPartition> owned;
    std::deque<GroupEvent> events;
    int32_t generation = -1;
    bool owns = false;    // holds an assignment that it has not given up
    bool told = false;    // of the revocation of this rebalance, or that it is fenced
    bool joined = false;  // stands at this rebalance's barrier
    enum class Gone : uint8_t { No, Fenced, Expired } gone = Gone::No;
  };
  void begin_rebalance();
  void end_rebalance(const std::function<int32_t(const std::string&)>& partitions);

  std::string name_;
  std::map<MemberId, Member> members_;
  MemberId next_member_ = 1;
  int32_t generation_ = 0;
  bool rebalancing_ = false;
};

}  // namespace weir::runtime
