// A row goes to an operator that keeps rows (compiler/graph.h, KeptRows): into the stage's table as
// an accumulator of its own, its values and its aggregates over itself alone.
//
// The table's key says where the row belongs and stands (runtime/keyed_rows.h reads it):
//
//     | canonical key bytes | event time i64 | offset i64, 0 where there is none | number i64 |
//
// The number counts the rows in the table, so no two rows meet, and the order of arrival is known.
#include "codegen/nodes/group.h"

namespace weir::codegen {

using compiler::KeyedNode;

static constexpr uint64_t kPlaceBytes = 24;

static void keep(StageEmitter& to, const RowShape& row, const KeyedNode& node,
                 const PaneCache& cache) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  auto [key, arguments] = evaluate_row(to, row, node);
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
  step_group(to, node, table, group, arguments);
}

void emit_keep(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  const auto& node = std::get<KeyedNode>(to.pipeline.graph.nodes[update.keyed].is);
  llvm::Value* watermark = ir.CreateLoad(ir.getInt64Ty(), to.watermark, "watermark");
  unless_late(to, row, update, ir.CreateICmpSLT(to.cursor.time, watermark), emit.block("keep.end"),
              [&] { keep(to, row, node, to.panes.at(update.keyed)); });
}

}  // namespace weir::codegen
