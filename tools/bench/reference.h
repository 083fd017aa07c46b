// The queries in the slowest and plainest way, to check the others: every record parsed whole by
// another JSON library, every window of every event looked up in a map. Knows nothing of panes, and
// nothing of how events were made.
#pragma once

#include "tools/bench/events.h"
#include "tools/bench/result.h"

namespace weir::bench {

Result reference_result(Query query, Window window, const Events& events);

}  // namespace weir::bench
