// Rows that nobody wants: for measuring, and for trying a pipeline out.
#include "runtime/connectors/connectors.h"

namespace weir::runtime {
namespace {

class DiscardSink final : public Sink {
 public:
  Status start(const std::string&) override { return {}; }
  Status write(std::string_view, const std::string_view*) override { return {}; }
  Status flush() override { return {}; }
  std::string position() const override { return ""; }
};

}  // namespace

Result<std::unique_ptr<Sink>> open_discard_sink(const SinkContext&) {
  return std::unique_ptr<Sink>(std::make_unique<DiscardSink>());
}

}  // namespace weir::runtime
