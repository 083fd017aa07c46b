#include "codegen/stage.h"

namespace weir::codegen {

// Rows for which the predicate is true go on. Null is not true.
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Where& where,
               const compiler::StageStep& step) {
  to.expressions.subject = "where";
  auto truth = [&] { return to.expressions.truth(row, to.cursor, where.predicate); };
  llvm::Value* passes;
  if (llvm::Value* known = to.cursor.passed(where.predicate)) {
    size_t before = to.expressions.memo.mark();
    compiler::Type boolean = compiler::type_of(compiler::TypeKind::Bool);
    passes =
        to.emit
            .choose(
                known, "passed", [&] { return Value{to.emit.i1(true), nullptr, nullptr, boolean}; },
                [&] { return Value{truth(), nullptr, nullptr, boolean}; })
            .v;
    to.expressions.memo.rewind(before);
  } else {
    passes = truth();
  }
  size_t mark = to.expressions.memo.mark();
  to.emit.if_(passes, "where", [&] { to.run(row, step.next); });
  to.expressions.memo.rewind(mark);
}

}  // namespace weir::codegen
