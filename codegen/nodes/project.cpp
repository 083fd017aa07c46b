#include "codegen/stage.h"

namespace weir::codegen {

// Nothing is computed here: each field is, where it is used.
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Project& project,
               const compiler::StageStep& step) {
  RowShape shape{&row, &project.values};
  size_t mark = to.expressions.memo.mark();
  to.run(shape, step.next);
  to.expressions.memo.rewind(mark);  // `shape` ends here, and with it what is remembered of it
}

}  // namespace weir::codegen
