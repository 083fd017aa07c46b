// What the steps that bring rows to a keyed operator have in common (update.cpp, keep.cpp).
#pragma once

#include <functional>
#include <vector>

#include "codegen/aggregate.h"
#include "codegen/stage.h"

namespace weir::codegen {

// Key and arguments of a row, evaluated before anything is changed: a row that fails leaves no
// trace.
struct RowOfGroup {
  Value key;  // canonical bytes
  std::vector<Arguments> arguments;
};
RowOfGroup evaluate_row(StageEmitter& to, const RowShape& row, const compiler::KeyedNode& node);

// The steps of all aggregates of `group`, which lies in `table`.
void step_group(StageEmitter& to, const compiler::KeyedNode& node, llvm::Value* table,
                llvm::Value* group, const std::vector<Arguments>& arguments);

// A row for which `is_late` is counted and goes on in the update's steps for late rows; with any
// other `in_time` writes what becomes of it. Both end at `end`, where writing goes on.
void unless_late(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update,
                 llvm::Value* is_late, llvm::BasicBlock* end, const std::function<void()>& in_time);

}  // namespace weir::codegen
