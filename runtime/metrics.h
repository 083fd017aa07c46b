// What operators on call want to know, in Prometheus' text form. The control thread brings it up to
// date after rounds and commits; the endpoint's thread reads it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/status.h"

namespace weir::runtime {

// Times in seconds in buckets that double; percentiles are read from the buckets.
class Histogram {
 public:
  void observe(double seconds, uint64_t times = 1);
  double percentile(double p) const;  // upper end of its bucket; 0 if there is nothing
  std::string text(const std::string& name, const std::string& help,
                   const std::string& labels) const;
  uint64_t count() const { return count_; }

 private:
  static constexpr size_t kBuckets = 26;  // 0.5 ms … 4.6 hours
  static double upper(size_t bucket) { return 0.0005 * double(uint64_t{1} << bucket); }
  std::array<uint64_t, kBuckets + 1> buckets_{};  // the last one: more
  uint64_t count_ = 0;
  double sum_ = 0;
};

struct PartitionMetrics {
  std::string topic;
  int32_t partition = 0;
  int64_t lag = -1;  // records; −1: not known
  int64_t watermark_us = INT64_MIN;
};

struct MetricsValues {
  uint64_t rows_in = 0, rows_out = 0, bytes_in = 0, rows_late = 0, json_slow = 0;
  std::map<std::string, uint64_t> dead;  // by reason
  uint64_t epochs = 0, aborts = 0, rebalances = 0, restored_entries = 0;
  uint64_t state_bytes = 0, state_groups = 0, spills = 0;
  uint64_t snapshots = 0, snapshots_failed = 0, snapshot_bytes = 0, snapshot_copied_bytes = 0;
  int64_t snapshot_ms = -1;  // wall clock of the last one; −1: none yet
  uint64_t restored_snapshot_bytes = 0;
  int64_t watermark_us = INT64_MIN;
  std::vector<PartitionMetrics> partitions;
  Histogram epoch_seconds, latency_seconds;
};

class Metrics {
 public:
  explicit Metrics(std::string pipeline);
  ~Metrics();
  // Serves /metrics and /healthz at "127.0.0.1:9464". Other than loopback addresses are refused.
  Status serve(const std::string& address);
  // Changes values under the lock.
  template <class Change>
  void update(Change change) {
    std::lock_guard lock(mutex_);
    change(values_);
  }
  MetricsValues values() const {
    std::lock_guard lock(mutex_);
    return values_;
  }
  std::string text() const;
  // Whether the gauges have been brought up to date in the last quarter of a second. Control
  // thread.
  bool fresh() const {
    return std::chrono::steady_clock::now() - published_ < std::chrono::milliseconds(250);
  }
  void published() { published_ = std::chrono::steady_clock::now(); }

 private:
  struct Server;
  std::string pipeline_;
  mutable std::mutex mutex_;
  MetricsValues values_;
  std::chrono::steady_clock::time_point published_;
  std::unique_ptr<Server> server_;
};

}  // namespace weir::runtime
