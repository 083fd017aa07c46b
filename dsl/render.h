// Diagnostics as a person reads them, and as JSON lines for editors.
#pragma once

#include <string>

#include "dsl/diagnostic.h"

namespace weir::dsl {

struct RenderOptions {
  bool color = false;
};

// error W0314: `amount` may be null where `sum` wants a number
//   ┌ rides.weir:18:21
// 18 │   revenue = price(amount)
//    │                   ^^^^^^ decimal(12, 2)?
//    │ declared here: rides.weir:5  amount: decimal(12, 2)?
//    = fix: price(amount ?? 0)
std::string render(const Diagnostics& diagnostics, const Sources& sources,
                   const RenderOptions& options = {});
// One JSON object a line: code, severity, message, file, line, column, end_line, end_column, label,
// notes, fix.
std::string render_json(const Diagnostics& diagnostics, const Sources& sources);

// The name in `candidates` that is nearest to `name` (edit distance at most a third of its length),
// or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace weir::dsl
