// A lane runs the source stage over one partition: it fetches, calls the stage until the batch is
// taken, and keeps what comes out (encoded rows, partial groups, rows put aside) until the epoch
// takes it.
//
// Threads: `run` on any one thread while the lanes run; all else on the control thread while they
// stand.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/aside.h"
#include "runtime/log.h"
#include "runtime/machine.h"
#include "runtime/stage_memory.h"
#include "runtime/watermark.h"

namespace weir::runtime {

struct LaneCounts {
  uint64_t rows = 0, bytes = 0, late = 0, out = 0, json_slow = 0;
};
// How many records had a timestamp (ms); end-to-end latency is measured from them, one sample for
// each batch.
struct TimestampSample {
  int64_t timestamp_ms;
  uint32_t rows;
};

class Lane {
 public:
  using Fetch = std::function<Fetched(const TopicPartition&, uint32_t rows_max)>;
  struct Start {
    uint32_t source = 0;  // index in Program::sources
    TopicPartition partition;
    Position position;
    int64_t event_time_max = kNoEventTime;
    bool idle = false;
    int64_t end_offset = -1;  // reads up to here; −1: no end
    bool bounded = false;     // `at_end` is the end
  };
  Lane(const Program& program, const Start& start, const StageLimits& limits, Fetch fetch);

  struct Round {
    int64_t watermark_floor, watermark_others, fire_at;
    uint32_t rows_per_batch;
    uint64_t rows_max;
    Machine::Time until;
    Machine* machine;
  };
  enum class Stopped : uint8_t { Waits, Round, Fires, Full, Ended, Failed };
  void run(const Round& round);

  Stopped stopped() const { return stopped_; }
  uint64_t rows_in_round() const { return rows_in_round_; }
  const Status& failure() const { return failure_; }  // of a row, with on_error = fail
  PartitionTime& time() { return time_; }
  const TopicPartition& partition() const { return start_.partition; }
  uint32_t source() const { return start_.source; }
  // Where to go on reading after a restart: in front of the first row that is not taken.
  Position position() const;
  StageMemory& memory() { return memory_; }
  std::vector<AsideRow> take_aside() { return std::move(aside_); }
  std::vector<TimestampSample> take_timestamps() { return std::move(timestamps_); }
  LaneCounts take_counts();
  bool has_rows() const { return batch_ != nullptr; }

 private:
  bool fetch(const Round& round);
  bool take_errors(const WeirBatch& batch);

  const Program& program_;
  Start start_;
  const SourceInfo& source_;
  StageMemory memory_;
  Fetch fetch_;
  PartitionTime time_;
  Position position_;
  std::unique_ptr<RecordBatch> batch_;
  uint32_t batch_count_ = 0;  // of its rows, those in front of the end
  uint32_t next_ = 0;         // in batch_
  Position batch_next_;       // behind batch_
  Stopped stopped_ = Stopped::Waits;
  uint64_t rows_in_round_ = 0;
  uint64_t bytes_ = 0;
  Status failure_;
  std::vector<AsideRow> aside_;
  std::vector<TimestampSample> timestamps_;
};

}  // namespace weir::runtime
