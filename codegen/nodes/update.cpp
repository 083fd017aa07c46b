// A row goes into its group: one update per row, into the pane of its event time, whatever the
// overlap of windows.
//
// A window that holds t begins at a multiple of `slide` (+ offset); the last one that does ends
// last, so a row is late for all its windows when it is late for that one. Panes are as wide as
// gcd(size, slide): all rows of a pane have the same last window, and what was found out for the
// row before holds while rows stay in its pane.
#include "codegen/nodes/group.h"

namespace weir::codegen {

using compiler::KeyedNode;

void prepare_update(StageEmitter& to, compiler::NodeId keyed) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  const auto& node = std::get<KeyedNode>(to.pipeline.graph.nodes[keyed].is);
  auto& cache = to.panes[keyed];
  for (int i = 0; i < to.pipeline.plan.keyed_size(); i++) {
    if (to.pipeline.plan.keyed(i).id() != keyed) continue;
    llvm::Value* panes = emit.load(emit.ptr(), emit.stage, offsetof(WeirStage, panes));
    cache.panes = emit.load(emit.ptr(), panes, uint64_t(i) * sizeof(void*), "panes");
  }
  llvm::Value* no_table = llvm::ConstantPointerNull::get(emit.ptr());
  cache.table = emit.local(emit.ptr(), "pane.table");
  if (!node.window) {
    ir.CreateStore(emit.call("weir_panes_table", {cache.panes, emit.i64(0)}, "table"), cache.table);
    return;
  }
  cache.begin = emit.local(ir.getInt64Ty(), "pane.begin");
  cache.late_at = emit.local(ir.getInt64Ty(), "pane.late_at");
  ir.CreateStore(no_table, cache.table);
  ir.CreateStore(emit.i64(uint64_t(INT64_MIN)),
                 cache.begin);  // further than a pane from every event time
  ir.CreateStore(emit.i64(uint64_t(INT64_MIN)), cache.late_at);
  if (node.window->size_us < node.window->slide_us) {
    cache.outside = emit.local(ir.getInt1Ty(), "pane.outside");
    ir.CreateStore(emit.i1(false), cache.outside);
  }
}

// floor(value / by); `by` is a positive constant.
static llvm::Value* floor_divide(Emit& emit, llvm::Value* value, int64_t by) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* negative = ir.CreateAShr(value, emit.i64(63));
  return ir.CreateXor(ir.CreateSDiv(ir.CreateXor(value, negative), emit.i64(uint64_t(by))),
                      negative);
}

// Makes `cache` that of the pane of `time`.
static void find_pane(StageEmitter& to, const PaneCache& cache, const compiler::WindowSpec& window,
                      llvm::Value* time, llvm::Value* watermark) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  auto constant = [&](int64_t value) { return emit.i64(uint64_t(value)); };
  llvm::Value* shifted = ir.CreateSub(time, constant(window.offset_us));
  auto begin_of = [&](int64_t width) {
    return ir.CreateAdd(ir.CreateMul(floor_divide(emit, shifted, width), constant(width)),
                        constant(window.offset_us));
  };
  llvm::Value* begin = begin_of(window.pane_us());
  llvm::Value* end = ir.CreateAdd(begin_of(window.slide_us), constant(window.size_us), "last_end");
  llvm::Value* late_at = ir.CreateBinaryIntrinsic(llvm::Intrinsic::sadd_sat, end,
                                                  constant(window.grace_us), nullptr, "late_at");
  ir.CreateStore(begin, cache.begin);
  ir.CreateStore(late_at, cache.late_at);
  llvm::Value* takes_rows = ir.CreateICmpSGT(late_at, watermark);
  if (cache.outside) {
    llvm::Value* outside = ir.CreateICmpSGE(begin, end, "outside");
    ir.CreateStore(outside, cache.outside);
    takes_rows = ir.CreateAnd(takes_rows, ir.CreateNot(outside));
  }
  // No table is made for a pane that takes no rows.
  emit.if_(takes_rows, "pane.table", [&] {
    ir.CreateStore(emit.call("weir_panes_table", {cache.panes, begin}, "table"), cache.table);
  });
}

static void update_group(StageEmitter& to, const RowShape& row, const KeyedNode& node,
                         const PaneCache& cache) {
  Emit& emit = to.emit;
  RowOfGroup of = evaluate_row(to, row, node);
  llvm::Value* table = emit.ir.CreateLoad(emit.ptr(), cache.table, "table");
  llvm::Value* group = emit.call("weir_table_upsert", {table, of.key.v, of.key.size}, "group");
  emit.store(emit.i32(~0u), group, offsetof(WeirGroupHeader, changed));
  step_group(to, node, table, group, of.arguments);
}

void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update,
               const compiler::StageStep&) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  const auto& node = std::get<KeyedNode>(to.pipeline.graph.nodes[update.keyed].is);
  const PaneCache& cache = to.panes.at(update.keyed);
  if (node.rows) {
    emit_keep(to, row, update);
    return;
  }
  if (!node.window) {
    update_group(to, row, node, cache);
    return;
  }
  llvm::Type* i64 = ir.getInt64Ty();
  llvm::Value* time = to.cursor.time;
  llvm::Value* watermark = ir.CreateLoad(i64, to.watermark, "watermark");
  llvm::Value* begin = ir.CreateLoad(i64, cache.begin, "pane.begin");
  llvm::Value* elsewhere = ir.CreateICmpUGE(
      ir.CreateSub(time, begin), emit.i64(uint64_t(node.window->pane_us())), "pane.elsewhere");
  emit.if_unlikely(elsewhere, "pane", [&] { find_pane(to, cache, *node.window, time, watermark); });

  llvm::BasicBlock* end = emit.block("update.end");
  if (cache.outside) {
    llvm::BasicBlock* inside = emit.block("update.inside");
    emit.branch(ir.CreateLoad(ir.getInt1Ty(), cache.outside), end, inside);
    emit.enter(inside);
  }
  llvm::Value* is_late = ir.CreateICmpSLE(ir.CreateLoad(i64, cache.late_at), watermark);
  unless_late(to, row, update, is_late, end, [&] { update_group(to, row, node, cache); });
}

}  // namespace weir::codegen
