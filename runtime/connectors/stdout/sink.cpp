// Rows on standard output, a line each, when their epoch has been committed. What was printed can't
// be taken back, so it is printed last, and an epoch whose process dies in between is never
// printed.
#include <unistd.h>

#include "runtime/connectors/connectors.h"
#include "runtime/connectors/output_buffer.h"

namespace weir::runtime {
namespace {

class StdoutSink final : public Sink {
 public:
  Status start(const std::string&) override {
    buffer_.drop();
    return {};
  }
  Status write(std::string_view value, const std::string_view*) override {
    return buffer_.write_line(value);
  }
  Status flush() override { return buffer_.write_out(); }
  std::string position() const override { return ""; }

 private:
  OutputBuffer buffer_{STDOUT_FILENO, "standard output"};
};

}  // namespace

Result<std::unique_ptr<Sink>> open_stdout_sink(const SinkContext&) {
  return std::unique_ptr<Sink>(std::make_unique<StdoutSink>());
}

}  // namespace weir::runtime
