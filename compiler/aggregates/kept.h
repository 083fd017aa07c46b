// Aggregates that keep values in one field of bytes, by kernels (stdlib/engine/bag.h): what their
// files write expressions with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/aggregates.h"

namespace weir::compiler {

// Kernel `name` (args): a Call, or a Keep.
Expr kernel(Op op, const char* name, Type type, std::vector<Expr> args);
Expr number(int64_t value);
// One field of state, changed by two kernels, one with `entry` and one with the other's state;
// `first` stands in front of their arguments.
AggregateBody kept_by(const char* add, const char* merge, Expr entry, std::optional<Expr> first);

}  // namespace weir::compiler
