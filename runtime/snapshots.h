// Snapshots of a pipeline's state outside of its machine, and the changelogs that they bound. A
// snapshot is a checkpoint of the store at the end of an epoch, copied file by file, of RocksDB's
// tables only those that the last snapshot does not have. A lost disk is then the newest intact
// snapshot and the changelogs from there. What is in front of the oldest one that is kept is
// deleted from the changelogs.
//
// A snapshot that does not come about never stops a pipeline: it is said, counted, and tried again.
//
// The steps, at which `Failpoints` can kill, and what a crash in front of them leaves behind:
//
//     S0 checkpoint of the store     nothing: the checkpoint is made anew
//     S1 a file is copied            objects that no manifest names; a later snapshot removes them
//     S2 the manifest                the same
//     S3 older manifests are removed one snapshot more than wanted
//     S4 their objects are removed   objects that no manifest names
//     S5 changelogs are cut          longer changelogs than needed
//     R0 a snapshot is fetched       an empty store, and files that the next start removes
//     R1 it becomes the store        the same
//     R2 changelogs are applied      the snapshot, or a part of what is behind it
//
// Threads: the control thread. Copying is on a thread of its own.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/failpoint.h"
#include "runtime/log.h"
#include "runtime/machine.h"
#include "runtime/state/object_store.h"
#include "runtime/state/snapshot.h"
#include "runtime/state/store.h"

namespace weir::runtime {

struct SnapshotOptions {
  int64_t every_ms = 600'000;
  uint32_t kept = 2;  // at least 1
};

// What has become of a snapshot.
struct SnapshotResult {
  Status status;
  uint64_t epoch = 0;
  uint64_t bytes = 0;   // of all its files
  uint64_t copied = 0;  // of those that were new
  double seconds = 0;
};

class Snapshots {
 public:
  // `state_dir`: the store's; checkpoints and snapshots on their way lie in it.
  Snapshots(const std::string& pipeline, const std::string& state_dir, SnapshotOptions options,
            std::unique_ptr<ObjectStore> objects, Log& log, Machine& machine);
  ~Snapshots() { given_up_ = true; }
  // Which snapshots there are. Disk: nobody knows.
  Status open();

  struct Restored {
    bool installed = false;
    uint64_t epoch = 0;
    uint64_t bytes = 0;
    double seconds = 0;
    std::string damaged;  // snapshots that were stepped over, and why; empty: none
  };
  // The newest intact snapshot becomes the store. An error is one of the store: what is wrong with
  // a snapshot is in `damaged`.
  Result<Restored> restore(Store& store, Failpoints& failpoints);

  // The next epoch is wanted with a checkpoint in this directory.
  bool due() const;
  const std::string& checkpoint_directory() const { return checkpoint_; }
  // Copies it, on another thread. Requires: not busy.
  void begin(Checkpoint checkpoint, Failpoints* failpoints);
  // There was none: it is tried again when the time has come.
  void missed();
  bool busy() const { return busy_; }
  // What became of it, once; nothing while it goes on.
  std::optional<SnapshotResult> result();
  // The one that is going on is finished first; else the destructor gives it up.
  void wait();

 private:
  Result<std::vector<std::string>> ids();  // newest first
  Result<SnapshotManifest> read(const std::string& id);
  Result<Restored> restore_from(const std::vector<std::string>& ids, Store& store,
                                Failpoints& failpoints);
  Status fetch(const SnapshotManifest& manifest, Failpoints& failpoints, Restored* restored);
  // Names and sizes of all files of snapshots.
  Result<std::map<std::string, uint64_t>> stored_files();
  Status copy(const SnapshotId& own, SnapshotResult* result);
  Status go_on(const char* step);
  Status prune(const SnapshotId& own);
  bool is_complete(const SnapshotManifest& manifest, const std::map<std::string, uint64_t>& there);

  std::string pipeline_;
  std::string checkpoint_, incoming_;  // directories
  SnapshotOptions options_;
  std::unique_ptr<ObjectStore> objects_;
  Log& log_;
  Machine& machine_;
  Failpoints* failpoints_ = nullptr;
  int64_t last_ms_ = -1;  // when the newest was made
  std::atomic<bool> given_up_ = false;
  bool busy_ = false;
  Checkpoint job_;
  SnapshotResult result_;
  std::unique_ptr<Worker> worker_;  // goes first
};

}  // namespace weir::runtime
