#include "codegen/stage.h"

namespace weir::codegen {

// A row for each element. One that fails is put aside and the next one follows.
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Flatten& flatten,
               const compiler::StageStep& step) {
  Emit& emit = to.emit;
  to.expressions.subject = "flatten";
  Value container = to.expressions.eval(row, to.cursor, flatten.container);
  compiler::Type element = emit.types.element(container.type);
  std::vector<compiler::Type> parts = {element};
  if (container.type.is(compiler::TypeKind::Map))
    parts.insert(parts.begin(), compiler::type_of(compiler::TypeKind::String));
  compiler::Layout layout = compiler::layout_of(emit.types, parts);
  size_t mark = to.expressions.memo.mark();
  emit.loop(container.size, "flatten", [&](llvm::Value* i) {
    llvm::Value* at = emit.at(container.v, emit.ir.CreateMul(i, emit.i64(layout.size)), "element");
    for (size_t part = 0; part < flatten.locals.size(); ++part)
      to.expressions.bind(flatten.locals[part],
                          emit.load_value(parts[part], at, layout.slots[part]));
    ErrorTarget target = emit.begin_target("failed.element");
    llvm::BasicBlock* done = emit.block("element.done");
    to.run(row, step.next);
    emit.jump(done);
    if (emit.end_target(target)) {
      emit.enter(target.block);
      to.put_aside({target.reason, target.detail, target.detail_size}, to.stream);
      emit.jump(done);
    }
    emit.enter(done);
  });
  to.expressions.memo.rewind(mark);
}

}  // namespace weir::codegen
