#include "codegen/nodes/group.h"

#include "codegen/key.h"

namespace weir::codegen {

using compiler::KeyedNode;

RowOfGroup evaluate_row(StageEmitter& to, const RowShape& row, const KeyedNode& node) {
  std::vector<Value> components;
  for (const compiler::KeyColumn& column : node.keys) {
    to.expressions.subject = "key " + column.name;
    components.push_back(to.expressions.eval(row, to.cursor, column.value));
  }
  RowOfGroup made;
  for (const compiler::AggregateUse& use : node.aggregates)
    made.arguments.push_back(evaluate_arguments(to.emit, to.expressions, row, to.cursor, use));
  made.key = write_key(to.emit, components);
  return made;
}

void step_group(StageEmitter& to, const KeyedNode& node, llvm::Value* table, llvm::Value* group,
                const std::vector<Arguments>& arguments) {
  Emit& emit = to.emit;
  compiler::Layout layout = state_layout(emit.types, node);
  llvm::Value* texts = emit.at(table, offsetof(WeirTable, keys), "texts");
  for (size_t i = 0; i < node.aggregates.size(); i++) {
    StepLeaves leaves(emit, to.cursor, node, layout, group, arguments[i]);
    emit_aggregate_step(emit, to.expressions, leaves, node, i, layout, group, texts,
                        arguments[i].counts);
  }
}

void unless_late(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update,
                 llvm::Value* is_late, llvm::BasicBlock* end,
                 const std::function<void()>& in_time) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::BasicBlock* late = emit.block("late");
  llvm::BasicBlock* taken = emit.block("in_time");
  emit.branch_unlikely(is_late, late, taken);
  emit.enter(late);
  ir.CreateStore(ir.CreateAdd(ir.CreateLoad(ir.getInt64Ty(), to.rows_late), emit.i64(1)),
                 to.rows_late);
  size_t mark = to.expressions.memo.mark();
  to.run(row, update.late);
  to.expressions.memo.rewind(mark);
  emit.jump(end);
  emit.enter(taken);
  in_time();
  to.expressions.memo.rewind(mark);
  emit.jump(end);
  emit.enter(end);
}

}  // namespace weir::codegen
