#include "tests/simulation/shrink.h"

#include "tests/simulation/simulate.h"

namespace weir::simulation {

Schedule shrink(const Schedule& failing, Mutation mutation) {
  Schedule best = failing;
  auto fails = [&](const Schedule& schedule) {
    if (simulate(schedule, mutation, nullptr).violation.empty()) return false;
    best = schedule;
    return true;
  };
  bool smaller = true;
  while (smaller) {
    smaller = false;
    for (size_t i = 0; i < best.faults.size(); ++i) {
      Schedule without = best;
      without.faults.erase(without.faults.begin() + ptrdiff_t(i));
      if (fails(without)) {
        smaller = true;
        break;
      }
    }
    for (uint32_t records : {best.records / 2, best.records * 3 / 4, best.records - 1}) {
      Schedule fewer = best;
      fewer.records = records;
      if (records >= 4 && fails(fewer)) {
        smaller = true;
        break;
      }
    }
    if (best.epoch_rows < best.records) {
      Schedule longer = best;
      longer.epoch_rows *= 2;
      smaller |= fails(longer);
    }
    if (best.partitions > 1) {
      Schedule narrow = best;
      --narrow.partitions;
      smaller |= fails(narrow);
    }
    for (Fault& fault : best.faults) {
      if (fault.nth < 2) continue;
      Schedule earlier = best;
      --earlier.faults[size_t(&fault - best.faults.data())].nth;
      if (fails(earlier)) {
        smaller = true;
        break;
      }
    }
  }
  return best;
}

}  // namespace weir::simulation
