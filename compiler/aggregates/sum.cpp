// sum(x): of integers int64, kept in 128 bits, so that only a result that does not fit is an error,
// whatever the order; of decimals decimal(38, s); of floats float64; of durations a duration. Of
// nothing null.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

std::optional<AggregateBody> expand_sum(const AggregateRequest& request, std::string& refusal) {
  Type argument = request.arguments[0];
  const Type int64 = type_of(TypeKind::Int64), boolean = type_of(TypeKind::Bool);
  Type kept, result;
  Expr added = argument_of(0, argument);
  if (argument.is_integer()) {
    kept = decimal_type(38, 0);
    result = int64;
  } else if (argument.is(TypeKind::Duration)) {
    kept = decimal_type(38, 0);
    result = argument;
    added = cast_to(std::move(added), int64);
  } else if (argument.is(TypeKind::Decimal)) {
    kept = result = decimal_type(38, argument.scale);
  } else if (argument.is_float()) {
    kept = result = type_of(TypeKind::Float64);
  } else {
    refusal = "wants numbers or durations";
    return std::nullopt;
  }
  added = cast_to(std::move(added), kept);

  AggregateBody body;
  body.state.push_back({"total", kept, kept.is_float() ? Constant{0.0} : Constant{__int128(0)}});
  body.step.push_back({0, make(Op::Add, kept, {state_of(0, kept), std::move(added)}, {})});
  body.merge.push_back({0, make(Op::Add, kept, {state_of(0, kept), other_of(0, kept)}, {})});
  Expr total = state_of(0, kept);
  if (result == int64) total = cast_to(std::move(total), int64);
  if (result.is(TypeKind::Duration)) total = cast_to(cast_to(std::move(total), int64), result);
  if (request.may_be_empty) {
    body.state.push_back({"any", boolean, Constant{false}});
    body.step.push_back({1, bool_constant(true, {})});
    body.merge.push_back(
        {1, make(Op::Or, boolean, {state_of(1, boolean), other_of(1, boolean)}, {})});
  }
  body.finish =
      unless_empty(request, make(Op::Not, boolean, {state_of(1, boolean)}, {}), std::move(total));
  return body;
}

}  // namespace weir::compiler
