// Rows as tests compare them: JSON objects, numbers by their exact decimal value, a row matching
// when all the fields that are written in the expectation are equal.
#pragma once

#include <string>
#include <vector>

namespace weir::tools {

struct RowDifference {
  std::vector<std::string> missing;     // expected rows that nothing matches
  std::vector<std::string> unexpected;  // rows that no expectation takes
  bool empty() const { return missing.empty() && unexpected.empty(); }
};

// Pairs expected with found rows, each at most once, in any order; as many pairs as possible.
RowDifference compare_rows(const std::vector<std::string>& expected,
                           const std::vector<std::string>& found);

// "1.50", "15e-1" → "1.5"; "-0" → "0"; "1e3" → "1000". Requires: a JSON number.
std::string canonical_number(const std::string& text);

}  // namespace weir::tools
