// The smallest schedule around a failing one that still fails: fewer faults, fewer records, fewer
// epochs, a plainer pipeline.
#pragma once

#include "tests/simulation/schedule.h"

namespace weir::simulation {

Schedule shrink(const Schedule& failing, Mutation mutation);

}  // namespace weir::simulation
