// What `weir test` says: how found rows differ from expected ones, and JUnit XML for build servers.
#pragma once

#include <string>
#include <vector>

#include "tools/weir/rows.h"

namespace weir::tools {

// One line for each row that is missing or too much; a missing row beside the one that was probably
// meant, with the fields that differ:
//
//     - { event_type = "start", rides = 2 }
//     + { event_type = "start", rides = 3 }
//       rides: expected 2, found 3
std::string difference_text(const RowDifference& difference);

struct TestResult {
  std::string file, title;
  double seconds = 0;
  std::string failure;  // "": passed
};
// One `testsuite` for each file.
std::string junit_xml(const std::vector<TestResult>& results);

}  // namespace weir::tools
