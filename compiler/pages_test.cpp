// Every page of `weir explain-error`: its wrong program has the code, the repaired one has no
// error.
#include <doctest/doctest.h>

#include "compiler/compile.h"
#include "dsl/parser.h"
#include "dsl/render.h"

namespace weir::compiler {
namespace {

struct Checked {
  dsl::Sources sources;
  dsl::Diagnostics diagnostics;

  explicit Checked(const std::string& text) {
    dsl::FileId file = sources.add("page.weir", text);
    dsl::Program program = dsl::parse(sources, file, diagnostics);
    if (!diagnostics.has_errors()) compile(program, sources, {}, diagnostics);
  }
  bool has(dsl::Code code) const {
    for (const dsl::Diagnostic& each : diagnostics.all()) {
      if (each.code == code) return true;
    }
    return false;
  }
};

TEST_CASE("the examples of every page reach its code, and don't") {
  size_t examples = 0;
  for (const dsl::CodeInfo& code : dsl::all_codes()) {
    CAPTURE(std::string(code.name));
    const dsl::CodePage& page = dsl::page(code.code);
    CHECK(!page.why.empty());
    if (page.wrong.empty()) continue;
    ++examples;
    Checked wrong(dsl::page_program(page.wrong));
    CHECK_MESSAGE(wrong.has(code.code), dsl::render(wrong.diagnostics, wrong.sources));
    Checked right(dsl::page_program(page.right));
    CHECK_MESSAGE(!right.diagnostics.has_errors(), dsl::render(right.diagnostics, right.sources));
    CHECK(!right.has(code.code));
  }
  CHECK(examples > 40);
}

}  // namespace
}  // namespace weir::compiler
