// `weir test --update`: what was found takes the place of what a test expects, in the text of the
// program. Rows that are right stay as they are written.
#pragma once

#include <string>
#include <vector>

#include "compiler/type.h"
#include "dsl/source.h"
#include "tools/weir/test_run.h"

namespace weir::tools {

struct TestEdit {
  dsl::Span place;
  std::string text;
};

// What has to change in the steps of a test so that they expect the outcome. Nothing is left out of
// a row that was not left out before; steps that read a file are left alone.
std::vector<TestEdit> edits_for(const compiler::Compiled& compiled, const compiler::TestCase& test,
                                const TestOutcome& outcome);

// The edits in one text. Requires: none overlaps another.
std::string edited(std::string text, std::vector<TestEdit> edits);

// A row, written as JSON, as a program writes it; of a record only the fields in `only`, unless
// that is empty.
std::string row_literal(const compiler::Types& types, compiler::RecordId record,
                        const std::string& json, const std::vector<std::string>& only);

}  // namespace weir::tools
