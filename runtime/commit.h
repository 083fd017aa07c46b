// The commit of epochs, on a thread of its own: epoch n is committed while the lanes work on n + 1.
// One at a time.
//
// All outside effects of the pipeline happen here, in the order that commit.cpp gives. A commit
// that fails leaves nothing behind: the caller throws away what it has in memory and starts again
// from what is durable.
//
// Threads: all methods from the control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/epoch.h"
#include "runtime/failpoint.h"
#include "runtime/machine.h"
#include "runtime/sink.h"
#include "runtime/state/snapshot.h"
#include "runtime/state/store.h"

namespace weir::runtime {

// Where commits go. What it points to outlives the thread.
struct CommitPlaces {
  const Program* program = nullptr;
  Store* store = nullptr;
  LogProducer* producer = nullptr;               // null: a pipeline without a log
  std::vector<Sink*> sinks;                      // as in Program::sinks; null: not of this kind
  std::map<std::string, Sink*> dead_letters;     // by topic, of a pipeline without a log
  std::map<TopicPartition, int64_t> changelogs;  // next offsets, after the start
  std::function<void(const std::string& sink, std::string_view key, std::string_view value)>
      collect;
  std::function<void(const std::string& sink)> collect_begins;
  std::function<void(const std::string& stream, const std::string& kind, const std::string& json)>
      aside;
  Failpoints* failpoints = nullptr;
  Machine* machine = nullptr;
  int64_t retry_ms_max = 60'000;  // of one step
};

struct Committed {
  Status status;
  uint64_t epoch = 0;
  bool part = false;
  bool spent = false;  // LogProducer::spent: the next epoch needs a new producer
  uint64_t rows_out = 0;
  double seconds = 0;
  std::vector<TimestampSample> timestamps;
  // If the epoch wanted one. That there is none does not undo the commit.
  std::optional<Result<Checkpoint>> checkpoint;
};

class CommitThread {
 public:
  explicit CommitThread(CommitPlaces places);
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Commits the epoch, or, of a part of one, only brings its rows into the epoch's transaction.
  // Requires: not busy.
  void begin(std::unique_ptr<FrozenEpoch> epoch);
  bool busy() const { return busy_; }
  // From now on with this producer. Requires: not busy, no part has begun a transaction.
  void use(LogProducer* producer) { places_.producer = producer; }
  // The result of the commit, once; nothing while it goes on. Waits up to `timeout_ms`.
  std::optional<Committed> result(int timeout_ms);

 private:
  Committed run(FrozenEpoch& epoch);
  Status commit(FrozenEpoch& epoch, uint64_t* rows_out);
  Status take_part(FrozenEpoch& part, uint64_t* rows_out);
  Status produce_outputs(FrozenEpoch& epoch, uint64_t* rows_out);
  Status produce_dead_letters(FrozenEpoch& epoch);
  Status write_sinks(FrozenEpoch& epoch, bool before_commit, uint64_t* rows_out);
  Status produce_changes(FrozenEpoch& epoch);
  Status write_store(FrozenEpoch& epoch);
  Result<Checkpoint> checkpoint(const FrozenEpoch& epoch);
  void show_aside(const FrozenEpoch& epoch);
  template <class Step>
  Status retried(Step step);

  CommitPlaces places_;
  bool in_transaction_ = false;          // a part has begun it
  std::vector<FrozenEpoch::Rows> held_;  // of parts, for sinks that can't take rows back
  bool busy_ = false;                    // control thread's view
  std::unique_ptr<FrozenEpoch> epoch_;   // to commit; the worker's while it works, like all above
  Committed result_;
  std::unique_ptr<Worker> worker_;  // goes first: it waits for the commit that is going on
};

}  // namespace weir::runtime
