// Event time of partitions, and the watermarks that follow from it.
//
//     watermark of a partition   greatest event time seen − delay
//     of a time domain           minimum over its live partitions; it never goes back
//
// A partition is not live when its input has ended, or while it is idle: at the end of the log for
// `idle` of machine time. One that has not seen an event time yet holds everything back. Threads:
// the control thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/contract/stage_abi.h"

namespace weir::runtime {

struct PartitionTime {
  uint32_t time = 0;  // domain
  bool has_watermark = false;
  int64_t delay_us = 0;
  int64_t idle_us = 0;  // 0: never idle
  int64_t event_time_max = kNoEventTime;
  int64_t at_end_since_us = -1;  // machine time; −1: there is more, or it is not known
  bool idle = false;
  bool ended = false;  // bounded input that has been read

  bool live() const { return has_watermark && !ended && !idle; }
  int64_t watermark() const {
    return event_time_max == kNoEventTime ? INT64_MIN : event_time_max - delay_us;
  }
};

class Watermarks {
 public:
  explicit Watermarks(uint32_t times) : floors_(times, INT64_MIN) {}
  int64_t floor(uint32_t time) const { return floors_[time]; }
  void restore(uint32_t time, int64_t floor) { floors_[time] = std::max(floors_[time], floor); }

  // Who has become idle by machine time. True: somebody has.
  static bool update_idle(std::vector<PartitionTime*>& partitions, int64_t now_us);
  // Floors from the partitions. `end_fires`: where all input has ended, time has too (INT64_MAX).
  void advance(const std::vector<PartitionTime*>& partitions, bool end_fires);
  // After the end of input has fired everything: time stands where the last window closed, so that
  // a later run finds rows of those windows late, and no others.
  void settle(uint32_t time, int64_t floor) { floors_[time] = floor; }
  // For each partition the minimum over the other live ones of its domain; INT64_MAX if there is
  // none.
  static std::vector<int64_t> others(const std::vector<PartitionTime*>& partitions);

 private:
  std::vector<int64_t> floors_;
};

}  // namespace weir::runtime
