// The commit of epochs, on a thread of its own: epoch n is committed while the lanes work on n + 1.
// One at a time.
//
// All outside effects of the pipeline happen here, in the order that commit.cpp gives. A commit
// that fails leaves nothing behind: the caller throws away what it has in memory and starts again
// from what is durable.
//
// Threads: all methods from the control thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/epoch.h"
#include "runtime/failpoint.h"
#include "runtime/sink.h"
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
  std::function<void(const std::string& stream, const std::string& kind, const std::string& json)>
      aside;
  Failpoints* failpoints = nullptr;
  int64_t retry_ms_max = 60'000;  // of one step
};

struct Committed {
  Status status;
  uint64_t epoch = 0;
  bool part = false;
  uint64_t rows_out = 0;
  double seconds = 0;
  std::vector<TimestampSample> timestamps;
};

class CommitThread {
 public:
  explicit CommitThread(CommitPlaces places);
  // Waits for the commit that is going on.
  ~CommitThread();
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Commits the epoch, or, of a part of one, only brings its rows into the epoch's transaction.
  // Requires: not busy.
  void begin(std::unique_ptr<FrozenEpoch> epoch);
  bool busy() const { return busy_; }
  // The result of the commit, once; nothing while it goes on. Waits up to `timeout_ms`.
  std::optional<Committed> result(int timeout_ms);

 private:
  void run();
  Status commit(FrozenEpoch& epoch, uint64_t* rows_out);
  Status take_part(FrozenEpoch& part, uint64_t* rows_out);
  Status produce_outputs(FrozenEpoch& epoch, uint64_t* rows_out);
  Status produce_dead_letters(FrozenEpoch& epoch);
  Status write_sinks(FrozenEpoch& epoch, bool before_commit, uint64_t* rows_out);
  Status produce_changes(FrozenEpoch& epoch);
  Status write_store(FrozenEpoch& epoch);
  void show_aside(const FrozenEpoch& epoch);
  template <class Step>
  Status retried(Step step);

  CommitPlaces places_;
  bool in_transaction_ = false;  // commit thread's: a part has begun it
  std::vector<FrozenEpoch::Rows>
      held_;           // commit thread's: of parts, for sinks that can't take rows back
  bool busy_ = false;  // control thread's view
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<FrozenEpoch> epoch_;  // to commit
  std::optional<Committed> result_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace weir::runtime
