// What the list of connectors opens: one function for each line of connectors.def.
#pragma once

#include <memory>

#include "runtime/feed.h"
#include "runtime/sink.h"

namespace weir::runtime {

#define FEED(name) Result<std::unique_ptr<Feed>> open_##name##_feed(const FeedContext& context);
#define SINK(name) Result<std::unique_ptr<Sink>> open_##name##_sink(const SinkContext& context);
#include "runtime/connectors/connectors.def"

}  // namespace weir::runtime
