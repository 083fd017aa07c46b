// `test` blocks: their rows, checked against the rows of the stream and written as JSON.
#pragma once

#include <vector>

#include "compiler/builder.h"
#include "compiler/compile.h"

namespace weir::compiler {

// Requires: the builder has built the program.
std::vector<TestCase> check_tests(const Declarations& declarations, Graph& graph, Builder& builder,
                                  dsl::Diagnostics& diagnostics);

}  // namespace weir::compiler
