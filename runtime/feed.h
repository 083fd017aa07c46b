// A feed is where a source's records come from: partitions with positions, whatever is behind them.
// Kafka and the in-memory log are feeds through `LogFeed`; files, generators and stdin are feeds of
// their own.
//
// Threads: control thread for all but `fetch`, which one thread for each partition may call at a
// time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/log.h"

namespace weir::runtime {

class Feed {
 public:
  virtual ~Feed() = default;
  // Its partitions now (all are this process's, except a log's: those of LogConsumer events).
  virtual Result<std::vector<TopicPartition>> partitions() = 0;
  // Reads from `positions` (missing: the beginning). Called once before fetch, and again after a
  // restart in process.
  virtual Status start(const Positions& positions) = 0;
  virtual Fetched fetch(const TopicPartition& partition, uint32_t rows_max) = 0;
  // Why this partition gives nothing any more; ok while it does. Asked by the control thread
  // between rounds.
  virtual Status status(const TopicPartition& partition) const { return {}; }
  // The whole input has an end (file without follow, stdin, generate with rows).
  virtual bool bounded() const = 0;
  // Reading again from a position gives the same records (files, generators; not stdin):
  // exactly-once is possible.
  virtual bool replayable() const = 0;
  // Bytes or rows in all, for progress; 0: unknown. Same unit as Position::offset summed over
  // partitions.
  virtual int64_t size() const = 0;
};

struct FeedContext {
  const contract::Plan* plan;
  const contract::Source* source;
  std::map<std::string, std::string>
      options;  // resolved: parameters filled in; values as in contract.Option
};
// By the connector's name; a Status naming it if there is none.
Result<std::unique_ptr<Feed>> open_feed(const FeedContext& context);

}  // namespace weir::runtime
