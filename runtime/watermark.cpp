#include "runtime/watermark.h"

namespace weir::runtime {

bool Watermarks::update_idle(std::vector<PartitionTime*>& partitions, int64_t now_us) {
  bool changed = false;
  for (PartitionTime* p : partitions) {
    if (p->idle || p->idle_us <= 0 || p->at_end_since_us < 0 ||
        now_us - p->at_end_since_us < p->idle_us)
      continue;
    p->idle = changed = true;  // until it has rows again: its lane says so
  }
  return changed;
}

void Watermarks::advance(const std::vector<PartitionTime*>& partitions, bool end_fires) {
  for (uint32_t time = 0; time < floors_.size(); ++time) {
    int64_t least = INT64_MAX;
    bool live = false, unended = false;
    for (const PartitionTime* p : partitions) {
      if (p->time != time) continue;
      unended |= !p->ended;
      if (!p->live()) continue;
      live = true;
      least = std::min(least, p->watermark());
    }
    if (live) {
      floors_[time] = std::max(floors_[time], least);
    } else if (!unended && end_fires) {
      floors_[time] = INT64_MAX;
    }
  }
}

std::vector<int64_t> Watermarks::others(const std::vector<PartitionTime*>& partitions) {
  std::vector<int64_t> others(partitions.size(), INT64_MAX);
  for (size_t i = 0; i < partitions.size(); ++i) {
    for (size_t j = 0; j < partitions.size(); ++j) {
      if (i == j || partitions[j]->time != partitions[i]->time || !partitions[j]->live()) continue;
      others[i] = std::min(others[i], partitions[j]->watermark());
    }
  }
  return others;
}

}  // namespace weir::runtime
