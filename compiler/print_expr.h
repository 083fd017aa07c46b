// Typed expressions as a person reads them: close to the program, with casts and null steps shown
// where they matter.
#pragma once

#include <string>

#include "compiler/graph.h"

namespace weir::compiler {

// `row`: of the fields; kNoRecord in aggregate bodies.
inline constexpr RecordId kNoRecord = ~0u;
std::string print_expr(const Graph& graph, const Expr& expr, RecordId row = kNoRecord);

}  // namespace weir::compiler
