#include "dsl/diagnostic.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <tuple>
#include <utility>

namespace weir::dsl {

const std::vector<CodeInfo>& all_codes() {
  static const std::vector<CodeInfo> codes = {
#define DIAGNOSTIC(number, name, severity, summary) \
  {Code::name, #name, Severity::severity, summary},
#include "dsl/diagnostic.def"
#undef DIAGNOSTIC
  };
  return codes;
}

const CodeInfo& info(Code code) {
  const auto& codes = all_codes();
  auto found = std::lower_bound(codes.begin(), codes.end(), code,
                                [](const CodeInfo& a, Code b) { return a.code < b; });
  return *found;
}

std::string code_text(Code code) {
  char text[8];
  std::snprintf(text, sizeof text, "W%04u", static_cast<unsigned>(code));
  return text;
}

Diagnostic& Diagnostics::report(Code code, Span span, std::string message) {
  bool error = info(code).severity == Severity::Error;
  if (error) ++errors_;
  // Warnings are bounded too: they may fill the list up to twice the number of errors.
  bool full = error ? errors_ > kDiagnosticsMax : all_.size() >= 2 * kDiagnosticsMax;
  if (full) {
    overflow_ = Diagnostic{code, span, std::move(message), {}, {}, {}, {}};
    return overflow_;
  }
  return all_.emplace_back(Diagnostic{code, span, std::move(message), {}, {}, {}, {}});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<size_t> order(all_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    auto place = [&](size_t i) { return std::tuple(all_[i].span.file, all_[i].span.begin, i); };
    return place(a) < place(b);
  });
  std::vector<Diagnostic> result;
  for (size_t i : order) result.push_back(all_[i]);
  return result;
}

}  // namespace weir::dsl
