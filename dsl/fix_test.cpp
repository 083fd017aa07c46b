#include "dsl/fix.h"

#include <doctest/doctest.h>

namespace weir::dsl {
namespace {

// A file and edits of its texts, each the first place where it stands.
struct Edited {
  Sources sources;
  Diagnostics diagnostics;
  FileId file;

  explicit Edited(std::string text) : file(sources.add("t.weir", std::move(text))) {}
  Span find(std::string_view what) const {
    auto begin = static_cast<uint32_t>(sources.file(file).text().find(what));
    return {begin, begin + static_cast<uint32_t>(what.size()), file};
  }
  void edit(Span at, std::string replacement) {
    diagnostics.report(Code::unexpected_token, at, "").with_fix(at, std::move(replacement));
  }
  std::string fixed() const { return apply_fixes(sources, file, diagnostics).text; }
};

TEST_CASE("fixes are applied in the order of the text, whatever order they came in") {
  Edited e("a b c d");
  e.edit(e.find("c"), "C");
  e.edit(e.find("a"), "AA");
  Span end = e.find("d");
  e.edit({end.end, end.end, e.file}, "!");
  CHECK(e.fixed() == "AA b C d!");
  CHECK(apply_fixes(e.sources, e.file, e.diagnostics).applied == 3);
}

TEST_CASE("of overlapping fixes the first counts") {
  Edited e("one two three");
  e.edit(e.find("one two"), "1 2");
  e.edit(e.find("two"), "TWO");
  e.edit(e.find("three"), "3");
  CHECK(e.fixed() == "1 2 3");
}

TEST_CASE("fixes of another file are left alone") {
  Edited e("a");
  FileId other = e.sources.add("o.weir", "b");
  e.edit({0, 1, other}, "B");
  CHECK(e.fixed() == "a");
  CHECK(apply_fixes(e.sources, other, e.diagnostics).text == "B");
}

TEST_CASE("the lines that a fix makes") {
  Edited e("record R {\n  a: T\n}\nstream x = a | where b = 1\n");
  auto shown = [&](Span at, std::string text) {
    FixedLines lines = fixed_lines(e.sources.file(e.file), {at, std::move(text)});
    return std::to_string(lines.line) + ": " + lines.text;
  };
  CHECK(shown(e.find("= 1"), "== 1") == "4: stream x = a | where b == 1");
  Span field = e.find("a: T");
  CHECK(shown({field.end, field.end, e.file}, "\n  b: U") == "3: b: U");
  CHECK(shown(e.find("  a: T\n"), "") == "2: }");
}

TEST_CASE("an item is added as the braces are laid out") {
  auto added = [](const std::string& text, std::string_view braces) {
    Edited e(text);
    Fix fix = add_item(e.sources.file(e.file), e.find(braces), "b = 2");
    e.edit(fix.span, fix.replacement);
    return e.fixed();
  };
  CHECK(added("k() { a = 1 }", "{ a = 1 }") == "k() { a = 1, b = 2 }");
  CHECK(added("k() {}", "{}") == "k() { b = 2 }");
  CHECK(added("k() {\n  a = 1  // x\n}\n", "{\n  a = 1  // x\n}") ==
        "k() {\n  a = 1  // x\n  b = 2\n}\n");
  Edited bare("k()");
  Fix fix = add_item(bare.sources.file(bare.file), {3, 3, bare.file}, "b = 2");
  CHECK(fix.replacement == " { b = 2 }");
}

}  // namespace
}  // namespace weir::dsl
