#include "codegen/stage.h"

namespace weir::codegen {

// Rows for which the predicate is true go on. Null is not true.
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Where& where,
               const compiler::StageStep& step) {
  to.expressions.subject = "where";
  llvm::Value* passes = to.expressions.truth(row, to.cursor, where.predicate);
  size_t mark = to.expressions.memo.mark();
  to.emit.if_(passes, "where", [&] { to.run(row, step.next); });
  to.expressions.memo.rewind(mark);
}

}  // namespace weir::codegen
