// Runs a compiled pipeline: the only entry, for JIT and for binaries.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/contract/stage_abi.h"
#include "runtime/log.h"
#include "runtime/status.h"

namespace weir::runtime {

class Machine;

enum class Until : uint8_t {
  Forever,
  End,
  Now
};  // End: of bounded input (a log: its end now), then everything fires

struct RunOptions {
  std::string name;  // of the pipeline; default the plan's
  std::string instance = "00";
  Until until = Until::Forever;
  std::string brokers;    // overrides the program's
  std::string state_dir;  // default: build-independent, under the user's state directory by name
                          // and instance
  std::string metrics_address;                // "127.0.0.1:9464"; empty: none
  std::map<std::string, std::string> params;  // --set
  int64_t commit_interval_ms = 100;
  uint64_t memory_bytes = uint64_t{1} << 30;  // budget of state and queues together
  uint32_t rows_per_batch = 4096;             // per stage call; tests use 1 and 7
  uint32_t rows_per_epoch_max = 0;            // 0: no bound
  uint32_t shards = 16;
  uint64_t restore_write_bytes = 64 << 20;  // of changelogs that go into the store at once
  uint32_t threads = 0;                     // 0: all cores
  std::string snapshots;                    // directory; empty: none
  int64_t snapshot_every_ms = 600'000;
  uint32_t snapshots_kept = 2;
  // What an operator should read: progress (`passing`: the next one may be written over it),
  // restarts in process. Null: nobody.
  std::function<void(const std::string& line, bool passing)> say;
  int64_t progress_ms = 10'000;  // between passing lines; 0: none
  bool json_logs = false;
  Log* log = nullptr;  // dev and tests: use this log for kafka sources and sinks
  // Tests, with Until::Forever: asked when everything that is there has been read and committed. It
  // may add records and move the machine's clock. False: that was all, the input ends.
  std::function<bool()> more;
  Machine* machine = nullptr;         // null: this one; simulation has its own
  std::atomic<bool>* stop = nullptr;  // SIGTERM: end the epoch, commit, return
  // A "collect" sink's rows as they are committed (tests, --dev): sink name, key or "", value.
  std::function<void(const std::string&, std::string_view, std::string_view)> collect;
  // … and before them, once in each epoch that has some: a firing is never in two epochs.
  std::function<void(const std::string& sink)> collect_begins;
  // Rows put aside and late rows, for tests: stream or source name, kind ("late", "error"), JSON
  // text.
  std::function<void(const std::string&, const std::string&, const std::string&)> aside;
  double first_event_ms = 0;  // out: time from the call to the first event processed
};

struct RunSummary {
  uint64_t rows_in = 0, rows_out = 0, rows_late = 0, rows_dead = 0, bytes_in = 0;
  uint64_t epochs = 0, aborts = 0;
  uint64_t snapshots = 0;
  uint64_t restored_snapshot_epoch = 0;  // 0: none was restored
  uint64_t restored_snapshot_bytes = 0, restored_changelog_bytes = 0;
  double restored_snapshot_seconds = 0, restored_changelog_seconds = 0;
  uint64_t spills = 0;  // times that state was dropped from memory to stay in the budget
  double seconds = 0, join_seconds = 0, first_event_seconds = 0;
};

// Runs until the end, a stop, or an error. Prints nothing: `say` does.
Status run_pipeline(const WeirPipelineImage& image, RunOptions& options, RunSummary* summary);

// The best image of a binary for this machine, or null.
const WeirPipelineImage* choose_image(const WeirBinary& binary);

}  // namespace weir::runtime
