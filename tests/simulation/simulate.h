// A schedule from beginning to end: processes are started, killed, looked after; at the end
// everything that has to hold is checked.
#pragma once

#include <string>

#include "tests/simulation/schedule.h"
#include "tests/simulation/world.h"

namespace weir::simulation {

struct Outcome {
  std::string violation;  // empty: all is well
  uint64_t trace = 0;     // of all calls in their order: the same schedule has the same
  uint64_t calls = 0;
  uint64_t processes = 0;
  uint64_t faults = 0;  // that have happened
  uint64_t epochs = 0;
};

// `tells`: every call goes to stderr.
Outcome simulate(const Schedule& schedule, Mutation mutation, Coverage* coverage,
                 bool tells = false);

}  // namespace weir::simulation
