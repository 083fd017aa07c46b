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

namespace {

// What the examples of pages take for granted.
constexpr std::string_view kPagePrelude = R"(record Ride {
  user_id:    string
  event_type: string
  amount:     decimal(12, 2)?
  seconds:    int64
  tags:       list<string>
  ts:         timestamp(ms)
}
source rides: Ride = kafka("rides") { event_time = ts, watermark = 10s }
)";

}  // namespace

const CodePage& page(Code code) {
  switch (code) {
#define PAGE(name, why, wrong, right)            \
  case Code::name: {                             \
    static const CodePage it{why, wrong, right}; \
    return it;                                   \
  }
#include "dsl/diagnostic_pages.def"
#undef PAGE
  }
  static const CodePage none;
  return none;
}

std::string page_program(std::string_view example) {
  if (example.find("record ") != std::string_view::npos) return std::string(example);
  std::string program = std::string(kPagePrelude) + std::string(example) + "\n";
  bool runs = example.find("sink ") != std::string_view::npos ||
              example.find("test ") != std::string_view::npos;
  return runs ? program : program + "sink t -> discard()\n";
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
    auto place = [&](size_t i) {
      bool warning = info(all_[i].code).severity == Severity::Warning;
      return std::tuple(warning, all_[i].span.file, all_[i].span.begin, i);
    };
    return place(a) < place(b);
  });
  std::vector<Diagnostic> result;
  for (size_t i : order) result.push_back(all_[i]);
  return result;
}

}  // namespace weir::dsl
