// A row goes to an operator that keeps rows (compiler/graph.h, KeptRows): into the stage's table as
// an accumulator of its own, its values and its aggregates over itself alone.
//
// The table's key says where the row belongs and stands (runtime/keyed_rows.h reads it):
//
//     | canonical key bytes | event time i64 | offset i64, 0 where there is none | number i64 |
//
// The number counts the rows in the table, so no two rows meet, and the order of arrival is known.
#include "codegen/aggregate.h"
#include "codegen/key.h"
#include "codegen/stage.h"

namespace weir::codegen {

using compiler::KeyedNode;

static constexpr uint64_t kPlaceBytes = 24;

// Everything is evaluated before anything is changed: a row that fails leaves no trace.
static void keep(StageEmitter& to, const RowShape& row, const KeyedNode& node,
                 const PaneCache& cache) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  std::vector<Value> components;
  for (const compiler::KeyColumn& column : node.keys) {
    to.expressions.subject = "key " + column.name;
    components.push_back(to.expressions.eval(row, to.cursor, column.value));
  }
  std::vector<Arguments> arguments;
  for (const compiler::AggregateUse& use : node.aggregates)
    arguments.push_back(evaluate_arguments(emit, to.expressions, row, to.cursor, use));
  Value key = write_key(emit, components);
  llvm::Value* placed =
      emit.call("weir_arena_take", {emit.arena, ir.CreateAdd(key.size, emit.i64(kPlaceBytes))});
  ir.CreateMemCpy(placed, llvm::Align(1), key.v, llvm::Align(1), key.size);
  llvm::Value* place = emit.at(placed, key.size, "place");
  auto put = [&](llvm::Value* value, uint64_t offset) {
    ir.CreateAlignedStore(value, emit.at(place, offset), llvm::Align(1));
  };
  const compiler::Node& input = to.pipeline.graph.nodes[to.stage.input];
  bool records = std::holds_alternative<compiler::SourceNode>(input.is);
  put(to.cursor.time, 0);
  put(records ? to.cursor.meta(compiler::MetaField::Offset).v
              : static_cast<llvm::Value*>(emit.i64(0)),
      8);
  put(emit.load(ir.getInt64Ty(), cache.panes, offsetof(WeirPanes, groups)), 16);

  llvm::Value* table = ir.CreateLoad(emit.ptr(), cache.table, "table");
  llvm::Value* group = emit.call(
      "weir_table_upsert", {table, placed, ir.CreateAdd(key.size, emit.i64(kPlaceBytes))}, "kept");
  compiler::Layout layout = state_layout(emit.types, node);
  llvm::Value* texts = emit.at(table, offsetof(WeirTable, keys), "texts");
  for (size_t i = 0; i < node.aggregates.size(); i++) {
    StepLeaves leaves(emit, to.cursor, node, layout, group, arguments[i]);
    emit_aggregate_step(emit, to.expressions, leaves, node, i, layout, group, texts,
                        arguments[i].counts);
  }
}

void emit_keep(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  const auto& node = std::get<KeyedNode>(to.pipeline.graph.nodes[update.keyed].is);
  llvm::Value* watermark = ir.CreateLoad(ir.getInt64Ty(), to.watermark, "watermark");
  llvm::BasicBlock* late = emit.block("late");
  llvm::BasicBlock* in_time = emit.block("in_time");
  llvm::BasicBlock* end = emit.block("keep.end");
  emit.branch_unlikely(ir.CreateICmpSLT(to.cursor.time, watermark), late, in_time);
  emit.enter(late);
  ir.CreateStore(ir.CreateAdd(ir.CreateLoad(ir.getInt64Ty(), to.rows_late), emit.i64(1)),
                 to.rows_late);
  size_t mark = to.expressions.memo.mark();
  to.run(row, update.late);
  to.expressions.memo.rewind(mark);
  emit.jump(end);
  emit.enter(in_time);
  keep(to, row, node, to.panes.at(update.keyed));
  to.expressions.memo.rewind(mark);
  emit.jump(end);
  emit.enter(end);
}

}  // namespace weir::codegen
