// One run of a pipeline in this process: from what is durable to the end, a stop, or an error. An
// epoch that fails is thrown away with all memory state, and the run begins again from what is
// durable, without leaving the group.
//
// Threads: the control thread, which calls `run`. Lanes run in the arena, commits on their own
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/commit.h"
#include "runtime/inputs.h"
#include "runtime/machine.h"
#include "runtime/metrics.h"
#include "runtime/operators.h"
#include "runtime/pipeline.h"
#include "runtime/progress.h"
#include "runtime/snapshots.h"
#include "runtime/startup.h"

namespace weir::runtime {

// How the budget is dealt out.
struct MemoryShares {
  explicit MemoryShares(uint64_t budget)
      : state(budget * 3 / 8),
        store(budget / 8),
        output(budget / 16),
        dirty(budget / 16),
        partial(budget / 16) {}
  uint64_t state;    // final groups in memory
  uint64_t store;    // RocksDB's caches and write buffers
  uint64_t output;   // encoded rows of the epoch that is being filled
  uint64_t dirty;    // changed groups of it
  uint64_t partial;  // of all lanes
};

// Makes the allocator give memory back and not keep it by thread, where the budget is too small for
// that. Before there are threads.
void bound_allocator(uint64_t budget);

class PipelineRun {
 public:
  PipelineRun(const Program& program, RunOptions& options, Log* log, Store& store,
              std::vector<Sink*> sinks, std::map<std::string, Sink*> dead_letters, Metrics& metrics,
              Machine::Time begin);

  // Snapshots are taken, and what is lost is restored from them. Outlive the run.
  void use(Snapshots* snapshots) { snapshots_ = snapshots; }

  Status run(Inputs& inputs, RunSummary* summary);

 private:
  enum class Outcome : uint8_t { Done, Failed, Aborted, Rebalanced };

  // The life of one attempt; `status_` says why it ended with Failed or Aborted.
  Outcome attempt(Inputs& inputs);
  Outcome wait_for_assignment(Inputs& inputs);
  Status begin_attempt(Inputs& inputs);
  Outcome rounds(Inputs& inputs);
  Outcome take_events(Inputs& inputs);
  Outcome finish(Inputs& inputs, bool fires);

  Status find_ends(Inputs& inputs, const std::vector<InputPartition>& partitions);
  bool all_at_end() const;
  Status settle(Inputs& inputs);
  Status run_round();
  Status after_round();
  Status bound_memory(Inputs& inputs);
  bool spill();
  bool epoch_due() const;
  Status end_epoch(Inputs& inputs);
  Status cut_epoch(Inputs& inputs);
  Status make_room(Inputs& inputs);
  // Results that fill the memory go into the epoch's transaction before it ends.
  Status drain_outputs();
  // A commit that is done; fails if it failed.
  Status take_commit(int timeout_ms);
  Status wait_for_commit();
  Status renew_producer();
  // The newest snapshot becomes the store; false: there is none.
  Result<bool> restore_snapshot();
  void take_checkpoint(Result<Checkpoint> checkpoint);
  void take_snapshot();
  int wait_ms() const;
  bool anything_uncommitted() const;
  bool ended() const;
  bool stop_asked() const {
    return options_.stop && options_.stop->load(std::memory_order_relaxed);
  }
  int64_t machine_us() const;
  void collect_counts();
  void publish(Inputs& inputs);

  const Program& program_;
  RunOptions& options_;
  Log* log_;
  Store& store_;
  std::vector<Sink*> sinks_;
  std::map<std::string, Sink*> dead_letters_;
  Metrics& metrics_;
  Progress progress_;
  Machine::Time begin_;
  Machine& machine_;
  MemoryShares shares_;
  WorkArena arena_;
  Failpoints failpoints_;
  Snapshots* snapshots_ = nullptr;  // null: none
  RunSummary* summary_ = nullptr;

  // Kept over attempts.
  std::vector<TopicPartition> assigned_;
  bool joined_ = false;
  std::map<TopicPartition, int64_t> end_offsets_;

  // Of the attempt.
  std::unique_ptr<LogProducer> producer_;
  std::unique_ptr<Operators> operators_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> lane_pointers_;
  std::vector<PartitionTime*> times_;
  std::unique_ptr<Watermarks> watermarks_;
  std::unique_ptr<CommitThread> commits_;
  CommitRecord record_;  // as of the last frozen epoch
  uint64_t epoch_ = 0;   // the one that is being filled
  uint64_t durable_ = 0;
  uint32_t shards_ = 0;
  bool must_commit_ = false;   // the first positions become durable at once
  bool epoch_wanted_ = false;  // by memory
  uint64_t rows_in_epoch_ = 0;
  int64_t worked_in_round_us_ = 0;  // in the last one, by all lanes
  uint64_t part_rows_out_ = 0;      // of the epoch, drained already
  uint64_t merged_checked_ = 0;     // Operators::merged_bytes when memory was last looked at
  Machine::Time epoch_begin_;
  std::vector<AsideRow> aside_;
  std::vector<TimestampSample> timestamps_;
  Status status_;
};

}  // namespace weir::runtime
