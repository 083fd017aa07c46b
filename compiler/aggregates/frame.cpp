// `within …` inside an aggregate: over which rows of its key, up to the row itself, `over` has it.
#include "compiler/aggregates/host.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

constexpr int64_t kFrameRowsMax = 1'000'000;

}  // namespace

std::optional<KeptRows::Frame> BlockHost::frame(const std::optional<dsl::Bound>& bound) {
  KeptRows::Frame frame;
  if (!bound) return frame;
  if (!bound->from) return std::nullopt;
  if (bound->rows) {
    frame.kind = KeptRows::Frame::Kind::Rows;
    std::optional<Constant> rows =
        checker_.constant(*bound->from, type_of(TypeKind::Int64), "the number of rows");
    const int64_t* count = rows ? std::get_if<int64_t>(&rows->value) : nullptr;
    if (!count) return std::nullopt;
    if (*count < 1 || *count > kFrameRowsMax) {
      diagnostics_.report(Code::bad_window, bound->from->span,
                          "the number of rows, the row itself among them, is from 1 to " +
                              std::to_string(kFrameRowsMax));
      return std::nullopt;
    }
    frame.rows = uint32_t(*count);
    return frame;
  }
  frame.kind = KeptRows::Frame::Kind::Time;
  std::optional<int64_t> from = checker_.duration(*bound->from, "`within`"), to = 0;
  if (bound->to) to = checker_.duration(*bound->to, "`within`");
  if (!from || !to) return std::nullopt;
  if (!bound->to) from = -*from;
  auto wrong = [&](dsl::Span span, const std::string& what) {
    diagnostics_.report(Code::bad_window, span, what);
    return std::nullopt;
  };
  if (!bound->to && *from >= 0)
    return wrong(bound->from->span, "`within` looks back: a duration above zero");
  if (*from > *to) return wrong(bound->from->span, "this `within` ends before it begins");
  if (*to > 0)
    return wrong(bound->to->span,
                 "`over` sees the rows of a key up to the row itself, and this ends behind it");
  if (*from < -kSpanMax) return wrong(bound->from->span, "`within` is at most 1000 years");
  frame.from_us = -*from;
  frame.to_us = -*to;
  return frame;
}

}  // namespace weir::compiler
