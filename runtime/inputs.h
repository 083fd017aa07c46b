// All sources of a pipeline as one: the log's sources through one consumer (a member of the
// pipeline's group), the others through their feeds. It knows partitions, where to begin, and where
// bounded input ends.
//
// Threads: the control thread; `fetch` as Feed and LogConsumer say.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/feed.h"
#include "runtime/log.h"
#include "runtime/pipeline.h"
#include "runtime/program.h"

namespace weir::runtime {

struct InputPartition {
  uint32_t source = 0;
  TopicPartition partition;
};

class Inputs {
 public:
  static Result<std::unique_ptr<Inputs>> open(const Program& program, const RunOptions& options,
                                              Log* log);
  ~Inputs();

  // What happened to the group; nothing for pipelines without a log source. Must be called every
  // few seconds.
  Result<std::vector<GroupEvent>> poll(int timeout_ms);
  // Partitions of feeds, and those of the log that the group has given us.
  Result<std::vector<InputPartition>> partitions(const std::vector<TopicPartition>& assigned);
  // How many partitions the log's sources have in all.
  Result<uint32_t> log_partitions();
  Result<Positions> committed(const std::vector<TopicPartition>& partitions) {
    return consumer_->committed(partitions);
  }
  Result<std::map<TopicPartition, LogConsumer::Ends>> ends(
      const std::vector<TopicPartition>& partitions) {
    return consumer_->ends(partitions);
  }
  // By the source's `start` option, for partitions that have never been read.
  Result<Positions> first_positions(const std::vector<InputPartition>& partitions);
  // Reads from these positions.
  Status start(const std::vector<InputPartition>& partitions, const Positions& positions);
  Status unassign() { return consumer_ ? consumer_->unassign() : Status(); }

  Fetched fetch(uint32_t source, const TopicPartition& partition, uint32_t rows_max);
  // Until there may be records, or the time is over.
  void wait(int timeout_ms);
  bool is_log(uint32_t source) const { return program_.sources[source].is_log; }
  bool bounded(uint32_t source) const { return feeds_[source] && feeds_[source]->bounded(); }
  // Every source ends by itself.
  bool all_bounded() const;
  int64_t feeds_size() const;  // sum of Feed::size; 0: some do not know
  std::unique_ptr<GroupMetadata> group_metadata() {
    return consumer_ ? consumer_->group_metadata() : nullptr;
  }
  bool has_consumer() const { return consumer_ != nullptr; }
  void close();

 private:
  Inputs(const Program& program, Log* log) : program_(program), log_(log) {}
  const Program& program_;
  Log* log_;
  std::unique_ptr<LogConsumer> consumer_;
  std::vector<std::unique_ptr<Feed>> feeds_;  // as Program::sources; null: a log's
};

}  // namespace weir::runtime
