// min(x), max(x): the least or greatest value; of nothing null. NaN is greater than every number,
// so that the order of rows does not matter.
#include "compiler/aggregates.h"
#include "compiler/checker.h"

namespace weir::compiler {
namespace {

std::optional<AggregateBody> expand_extreme(const AggregateRequest& request, bool greatest,
                                            std::string& refusal) {
  Type type = request.arguments[0];
  if (!can_order(type)) {
    refusal = "wants values that have an order";
    return std::nullopt;
  }
  const Type boolean = type_of(TypeKind::Bool), kept = type.nullable();
  auto is_nan = [&](const Expr& value) {
    return make(Op::Not, boolean, {make(Op::LessEqual, boolean, {value, value}, {})}, {});
  };
  // Whether `next` takes the place of `held`; both present.
  auto better = [&](const Expr& next, const Expr& held) {
    Expr order = make(greatest ? Op::Greater : Op::Less, boolean, {next, held}, {});
    if (!type.is_float()) return order;
    return make(Op::Or, boolean, {std::move(order), is_nan(greatest ? next : held)}, {});
  };
  Expr held = state_of(0, kept), other = other_of(0, kept), argument = argument_of(0, type);
  auto is_null = [&](const Expr& value) { return make(Op::IsNull, boolean, {value}, {}); };
  auto either = [&](Expr a, Expr b) {
    return make(Op::Or, boolean, {std::move(a), std::move(b)}, {});
  };

  AggregateBody body;
  body.state = {{"value", kept, Constant{}}};
  body.step = {
      {0, make(Op::If, kept,
               {either(is_null(held), better(argument, unwrapped(held))), wrapped(argument), held},
               {})}};
  Expr takes_other = make(Op::And, boolean,
                          {make(Op::Not, boolean, {is_null(other)}, {}),
                           either(is_null(held), better(unwrapped(other), unwrapped(held)))},
                          {});
  body.merge = {{0, make(Op::If, kept, {std::move(takes_other), other, held}, {})}};
  body.finish = request.may_be_empty ? held : unwrapped(held);
  return body;
}

}  // namespace

std::optional<AggregateBody> expand_min(const AggregateRequest& request, std::string& refusal) {
  return expand_extreme(request, false, refusal);
}
std::optional<AggregateBody> expand_max(const AggregateRequest& request, std::string& refusal) {
  return expand_extreme(request, true, refusal);
}

}  // namespace weir::compiler
