// Instants and durations. A duration is microseconds; an instant keeps its own unit.
#include "codegen/expr.h"

namespace weir::codegen {

using compiler::Op;
using compiler::TimeUnit;
using compiler::Type;
using compiler::TypeKind;

Value Expressions::time_arithmetic(const compiler::Expr& expr, const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Type micros = compiler::type_of(TypeKind::Duration);
  auto of = [&](llvm::Value* v) { return Value{v, nullptr, nullptr, micros}; };
  if (a.type.is(TypeKind::Timestamp) && b.type.is(TypeKind::Timestamp) && expr.op == Op::Subtract) {
    Value difference = integer_arithmetic(Op::Subtract, of(a.v), of(b.v));
    if (a.type.unit == TimeUnit::Milli)
      return integer_arithmetic(Op::Multiply, difference, of(emit_.i64(1000)));
    if (a.type.unit == TimeUnit::Nano) return of(ir.CreateSDiv(difference.v, emit_.i64(1000)));
    return difference;
  }
  const Value& instant = a;
  const Value& duration = b;
  Value step = of(duration.v);
  if (instant.type.is(TypeKind::Date)) {
    llvm::Value* day = emit_.i64(86'400'000'000);
    fail_if(ir.CreateICmpNE(ir.CreateSRem(duration.v, day), emit_.i64(0)), k_bad_cast);
    Value days = integer_arithmetic(expr.op, of(ir.CreateSExt(instant.v, ir.getInt64Ty())),
                                    of(ir.CreateSDiv(duration.v, day)));
    return fit_integer(days.v, false, expr.type);
  }
  if (instant.type.unit == TimeUnit::Milli) {
    llvm::Value* thousand = emit_.i64(1000);
    fail_if(ir.CreateICmpNE(ir.CreateSRem(duration.v, thousand), emit_.i64(0)), k_bad_cast);
    step.v = ir.CreateSDiv(duration.v, thousand);
  } else if (instant.type.unit == TimeUnit::Nano) {
    step = integer_arithmetic(Op::Multiply, step, of(emit_.i64(1000)));
  }
  Value result = integer_arithmetic(expr.op, of(instant.v), step);
  result.type = expr.type;
  return result;
}

}  // namespace weir::codegen
