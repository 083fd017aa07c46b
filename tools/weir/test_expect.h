// What a test's steps expect, compared with what came out.
#pragma once

#include "tools/weir/test_run.h"

namespace weir::tools {

// The differences, as lines; empty: as expected.
std::string check_test(const contract::Plan& plan, const compiler::TestCase& test,
                       const TestOutcome& outcome);

// What came out of the step's stream, as the step's mode wants it; in front of a change stands what
// it is.
struct FoundRow {
  size_t advances = 0;
  compiler::TestStep::Change change = compiler::TestStep::Change::Insert;
  std::string row;
};
std::vector<FoundRow> found_rows(const contract::Plan& plan, const compiler::TestStep& step,
                                 const TestOutcome& outcome);

}  // namespace weir::tools
