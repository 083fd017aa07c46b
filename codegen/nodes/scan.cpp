// What a scan does with a row of its key: statements in their order, then the key's state is set,
// then rows leave. A row for which a statement fails changes nothing; an emitted row that fails is
// put aside for itself.
#include "codegen/stage.h"

namespace weir::codegen {

using compiler::KeptRows;

void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Scan& step,
               const compiler::StageStep& whole) {
  Emit& emit = to.emit;
  const auto& node = std::get<compiler::KeyedNode>(to.pipeline.graph.nodes[step.keyed].is);
  const KeptRows::Scan& scan = *node.rows->scan;
  to.expressions.subject = "scan";
  for (const KeptRows::Bind& bind : scan.binds)
    to.expressions.bind(bind.local, to.expressions.eval(row, to.cursor, bind.value));
  compiler::Layout layout = state_layout(emit.types, node);
  for (const compiler::StateAssign& assign : scan.assigns)
    emit.store_value(to.expressions.eval(row, to.cursor, assign.value), to.cursor.kept,
                     layout.slots[assign.field]);
  for (const KeptRows::Emit& emitted : scan.emits) {
    size_t mark = to.expressions.memo.mark();
    auto leave = [&] {
      ErrorTarget target = emit.begin_target("failed.emitted");
      llvm::BasicBlock* done = emit.block("emitted");
      RowShape shape{&row, &emitted.values};
      to.run(shape, whole.next);
      emit.jump(done);
      if (emit.end_target(target)) {
        emit.enter(target.block);
        to.put_aside({target.reason, target.detail, target.detail_size}, to.stream);
        emit.jump(done);
      }
      emit.enter(done);
    };
    if (emitted.condition) {
      emit.if_(to.expressions.truth(row, to.cursor, *emitted.condition), "emit", leave);
    } else {
      leave();
    }
    to.expressions.memo.rewind(mark);
  }
}

}  // namespace weir::codegen
