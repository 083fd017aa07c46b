#include "dsl/line_diff.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace weir::dsl {
namespace {

TEST_CASE("a changed line is shown with three lines around it") {
  CHECK(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "a", "b") ==
        "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  CHECK(unified_diff("1\n", "1\n", "a", "b") == "");
  CHECK(unified_diff("", "1\n", "a", "b") == "--- a\n+++ b\n@@ -1,0 +1,1 @@\n+1\n");
  CHECK(unified_diff("1\n", "1", "a", "b").find("end differs") != std::string::npos);
}

TEST_CASE("the edits rebuild both texts, for any two") {
  std::mt19937 random(7);
  auto text = [&] {
    std::string lines;
    for (uint32_t i = random() % 12; i > 0; --i)
      lines += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
    return lines;
  };
  for (int i = 0; i < 2000; ++i) {
    std::string before = text(), after = text(), left, right;
    size_t same = 0;
    for (const LineEdit& edit : line_edits(before, after)) {
      if (edit.kind != LineEdit::Kind::Added) left += std::string(edit.line) + "\n";
      if (edit.kind != LineEdit::Kind::Removed) right += std::string(edit.line) + "\n";
      same += edit.kind == LineEdit::Kind::Same;
    }
    REQUIRE(left == before);
    REQUIRE(right == after);
    if (before == after) REQUIRE(same == before.size() / 2);
  }
}

TEST_CASE("two long texts with nothing in common are compared in bounded time") {
  std::string before, after;
  for (int i = 0; i < 100000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  CHECK(line_edits(before, after).size() == 200000);
}

}  // namespace
}  // namespace weir::dsl
