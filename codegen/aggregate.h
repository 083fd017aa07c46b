// Aggregates over accumulators: a row's step, the merge of two groups.
#pragma once

#include "codegen/expr.h"
#include "codegen/row.h"
#include "compiler/graph.h"

namespace weir::codegen {

// Arguments of one aggregate for a row. `counts` i1: the row concerns it (its `where`, nothing
// null); null: always.
struct Arguments {
  llvm::Value* counts = nullptr;
  std::vector<Value> values;
};
Arguments evaluate_arguments(Emit& emit, Expressions& expressions, const RowShape& row,
                             Leaves& leaves, const compiler::AggregateUse& use);

// What an aggregate's step sees.
class StepLeaves final : public Leaves {
 public:
  StepLeaves(Emit& emit, Leaves& row, const compiler::KeyedNode& node,
             const compiler::Layout& layout, llvm::Value* group, const Arguments& arguments)
      : emit_(emit),
        row_(row),
        node_(node),
        layout_(layout),
        group_(group),
        arguments_(arguments) {}
  Value event_time() override { return row_.event_time(); }
  Value meta(compiler::MetaField field) override { return row_.meta(field); }
  Value state(uint32_t index) override {
    return emit_.load_value(node_.state[index].type, group_, layout_.slots[index],
                            node_.state[index].name.c_str());
  }
  Value argument(uint32_t index) override { return arguments_.values[index]; }

 private:
  Emit& emit_;
  Leaves& row_;
  const compiler::KeyedNode& node_;
  const compiler::Layout& layout_;
  llvm::Value* group_;
  const Arguments& arguments_;
};

// Steps aggregate number `use` of `group`. `texts`: WeirArena* that texts in state live in. An
// error becomes the group's.
void emit_aggregate_step(Emit& emit, Expressions& expressions, Leaves& leaves,
                         const compiler::KeyedNode& node, size_t use,
                         const compiler::Layout& layout, llvm::Value* group, llvm::Value* texts,
                         llvm::Value* counts);

}  // namespace weir::codegen
