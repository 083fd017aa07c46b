// What differs between two texts, line by line, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::dsl {

struct LineEdit {
  enum class Kind : uint8_t { Same, Removed, Added } kind;
  std::string_view line;
};

// Every line of both texts in their order. The views are of the arguments. Time is bounded: texts
// with very many differences are shown as wholly different in between.
std::vector<LineEdit> line_edits(std::string_view before, std::string_view after);

// The unified diff with three lines around each difference; "" if the texts are the same.
std::string unified_diff(std::string_view before, std::string_view after,
                         const std::string& before_name, const std::string& after_name);

}  // namespace weir::dsl
