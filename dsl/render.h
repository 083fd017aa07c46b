// Diagnostics as a person reads them, as JSON lines for editors, as SARIF for code review.
#pragma once

#include <string>
#include <string_view>

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

// The diagnostics of any number of programs as one SARIF 2.1.0 document, which code review reads.
class SarifLog {
 public:
  void add(const Diagnostics& diagnostics, const Sources& sources);
  std::string take(std::string_view version);

 private:
  std::string results_;
};

// The name in `candidates` that is nearest to `name` (edit distance at most a third of its length),
// or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace weir::dsl
