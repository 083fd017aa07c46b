// The options that all programs on events in memory share:
// `--query rides|ads|users --order fixed|other|random --events N --window SIZE_MS/SLIDE_MS
// --threads N`.
#pragma once

#include <cstdint>

#include "tools/bench/events.h"
#include "tools/bench/result.h"

namespace weir::bench {

struct Workload {
  Query query = Query::Rides;
  Order order = Order::Fixed;
  uint64_t events = 1'000'000;
  Window window{};  // of the query, if not told otherwise
  int threads = 1;
};

// Reads `arguments[from]` and on. False: one of them is not known, or has no value.
bool read_workload(int count, char** arguments, int from, Workload& workload);

}  // namespace weir::bench
