#include "compiler/aggregates/kept.h"

#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

Expr kernel(Op op, const char* name, Type type, std::vector<Expr> args) {
  Expr expr = make(op, type, std::move(args), {});
  expr.name = name;
  return expr;
}

Expr number(int64_t value) {
  return constant_expr(type_of(TypeKind::Int64), int_constant(value), {});
}

AggregateBody kept_by(const char* add, const char* merge, Expr entry, std::optional<Expr> first) {
  const Type bytes = type_of(TypeKind::Bytes);
  AggregateBody body;
  body.state.push_back({"kept", bytes, Constant{}, true});
  auto made = [&](const char* name, Expr with) {
    std::vector<Expr> args;
    if (first) args.push_back(*first);
    args.push_back(state_of(0, bytes));
    args.push_back(std::move(with));
    return kernel(Op::Keep, name, bytes, std::move(args));
  };
  body.step.push_back({0, made(add, std::move(entry))});
  body.merge.push_back({0, made(merge, other_of(0, bytes))});
  return body;
}

}  // namespace weir::compiler
