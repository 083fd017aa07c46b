#include "runtime/connectors/connectors.h"

namespace weir::runtime {

Result<std::unique_ptr<Feed>> open_feed(const FeedContext& context) {
  const std::string& wanted = context.source->connector();
#define FEED(name) \
  if (wanted == #name) return open_##name##_feed(context);
#include "runtime/connectors/connectors.def"
  return Status::error(Exit::NotSupported, "source `" + context.source->name() +
                                               "`: there is no connector `" + wanted +
                                               "` to read from");
}

Result<std::unique_ptr<Sink>> open_sink(const SinkContext& context) {
  const std::string& wanted = context.sink->connector();
#define SINK(name) \
  if (wanted == #name) return open_##name##_sink(context);
#include "runtime/connectors/connectors.def"
  return Status::error(
      Exit::NotSupported,
      "sink `" + context.sink->name() + "`: there is no connector `" + wanted + "` to write to");
}

}  // namespace weir::runtime
