// A sink that is not a log: it gets the encoded records of each epoch.
//
// Delivery: rows of an epoch are handed over with `write` when the epoch has been committed (or,
// where the target can take rows back, before). Exactly once by position: the sink says how far it
// has come, that goes into the commit record, and `start` takes it back to there.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/contract/plan.pb.h"
#include "runtime/status.h"

namespace weir::runtime {

class Sink {
 public:
  virtual ~Sink() = default;
  // Goes back to `position` (what `position` returned at the last committed epoch; "" at the first
  // start).
  virtual Status start(const std::string& position) = 0;
  // One encoded record (key null: none).
  virtual Status write(std::string_view value, const std::string_view* key) = 0;
  // Everything written is where it must survive a crash of this process.
  virtual Status flush() = 0;
  virtual std::string position() const = 0;
};

struct SinkContext {
  const contract::Plan* plan;
  const contract::Sink* sink;
  std::map<std::string, std::string> options;
};
Result<std::unique_ptr<Sink>> open_sink(const SinkContext& context);

}  // namespace weir::runtime
