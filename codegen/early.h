// Conditions that are tested while a record is still being read: as soon as their fields are known,
// so that nothing is made of a row that fails them.
#pragma once

#include <vector>

#include "codegen/formats/format.h"
#include "codegen/row.h"
#include "compiler/graph.h"

namespace weir::codegen {

struct EarlyConditions {
  std::vector<const compiler::Expr*> tests;  // parallel to `decoded.tests`; over the input's row
  // The `where`s that all tests together are: behind a record that passed, these are true.
  std::vector<const compiler::Expr*> whole;
  EarlyTests decoded;
};

// The conditions that each row of the stage must meet first, in program order up to the first that
// asks for more than the record's fields. `used` are the stage's paths.
EarlyConditions early_conditions(const compiler::SourceNode& source, const compiler::Stage& stage,
                                 const std::vector<UsedPath>& used);

}  // namespace weir::codegen
