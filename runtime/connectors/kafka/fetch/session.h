// A fetch session (KIP-227): the broker remembers what it was asked for, and each request says only
// what is to change. Belongs to one connection.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/fetch/protocol.h"
#include "runtime/log.h"

namespace weir::runtime::kafka::fetch {

class FetchSession {
 public:
  // The request that makes the broker fetch `wanted` (by topic) and nothing else. `request` has
  // everything but the session and the partitions.
  std::string request(int32_t correlation, std::string_view client,
                      const std::vector<FetchQuestion>& wanted, FetchRequest request);
  // False: the broker has forgotten the session; the next request begins a new one.
  bool answered(const FetchAnswer& answer);
  // The next request names everything again, and so does its answer: an answer within a session
  // leaves out what has not changed.
  void begin_again() { begins_again_ = true; }
  // The connection is gone, and the session with it.
  void reset();

 private:
  struct Sent {
    int32_t leader_epoch;
    int64_t offset;
    int32_t bytes_max;
    bool wanted;
    bool operator==(const Sent& other) const {
      return leader_epoch == other.leader_epoch && offset == other.offset &&
             bytes_max == other.bytes_max;
    }
  };
  int32_t id_ = 0, epoch_ = 0;  // id 0: the next request begins one
  bool begins_again_ = false;
  std::map<TopicPartition, Sent> sent_;
};

}  // namespace weir::runtime::kafka::fetch
