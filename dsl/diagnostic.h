// What is said about a program: a code from `diagnostic.def`, a place, the facts that clash, a fix.
//
// Every phase reports into one `Diagnostics` and goes on as far as it can. Wording: situation
// first, lower case, no full stop, code in backticks; never "invalid" or "illegal".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/source.h"

namespace weir::dsl {

enum class Severity : uint8_t { Error, Warning };

// The stable codes: `Code::unknown_name` is W0201, and so on. A code is never used again for
// something else.
enum class Code : uint16_t {
#define DIAGNOSTIC(number, name, severity, summary) name = number,
#include "dsl/diagnostic.def"
#undef DIAGNOSTIC
};

struct CodeInfo {
  Code code;
  const char* name;
  Severity severity;
  const char* summary;
};
// All codes in the order of their numbers.
const std::vector<CodeInfo>& all_codes();
const CodeInfo& info(Code code);
// What `weir explain-error` says beside the summary: why, a program that reaches the code, and the
// same program repaired; the programs are empty where an example would not fit.
struct CodePage {
  std::string_view why, wrong, right;
};
const CodePage& page(Code code);
// An example of a page as a whole program: with the records and the source that it takes for
// granted.
std::string page_program(std::string_view example);
// "W0201".
std::string code_text(Code code);

// A second place with a sentence ("declared here: …").
struct Note {
  std::optional<Span> span;
  std::string text;
};

// An edit that repairs the program: replace `span` by `replacement`. `weir check --fix` and editors
// apply it as it is (fix.h).
struct Fix {
  Span span;
  std::string replacement;
};

struct Diagnostic {
  Code code;
  Span span;
  std::string message;  // one line: situation and the facts that clash
  std::string label;    // beside the underline: what is here ("decimal(12, 2)?"); may be empty
  std::vector<Note> notes;
  std::optional<Fix> fix;
  std::string fix_text;  // shown after `fix:`; what the edit makes if empty; without an edit a hint

  Diagnostic& with_label(std::string text) {
    label = std::move(text);
    return *this;
  }
  Diagnostic& with_note(std::string text) {
    notes.push_back({std::nullopt, std::move(text)});
    return *this;
  }
  Diagnostic& with_note(Span at, std::string text) {
    notes.push_back({at, std::move(text)});
    return *this;
  }
  Diagnostic& with_fix(Span at, std::string replacement) {
    fix = Fix{at, std::move(replacement)};
    return *this;
  }
  Diagnostic& with_fix(Fix edit) {
    fix = std::move(edit);
    return *this;
  }
  Diagnostic& with_fix_text(std::string text) {
    fix_text = std::move(text);
    return *this;
  }
};

// Collects diagnostics. Not thread-safe: one per compilation.
class Diagnostics {
 public:
  // Adds one and returns it, to be completed: `d.report(Code::x, span, "…").with_fix(…)`.
  // The reference holds until the next report. After `kDiagnosticsMax` errors further ones are only
  // counted.
  Diagnostic& report(Code code, Span span, std::string message);

  bool has_errors() const { return errors_ > 0; }
  size_t error_count() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return all_; }
  // In the order in which a person would repair them: errors by place (file, begin), then warnings.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> all_;
  Diagnostic overflow_;
  size_t errors_ = 0;
};

inline constexpr size_t kDiagnosticsMax = 100;

}  // namespace weir::dsl
