// avg(x): float64; of decimals a decimal with max(s, 6) digits behind the point; of durations a
// duration. Of nothing null.
#include <algorithm>

#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

std::optional<AggregateBody> expand_avg(const AggregateRequest& request, std::string& refusal) {
  Type argument = request.arguments[0];
  const Type int64 = type_of(TypeKind::Int64), float64 = type_of(TypeKind::Float64),
             boolean = type_of(TypeKind::Bool);
  Type kept;
  Expr added = argument_of(0, argument);
  if (argument.is(TypeKind::Duration)) added = cast_to(std::move(added), int64);
  if (argument.is_integer() || argument.is(TypeKind::Duration))
    kept = decimal_type(38, 0);
  else if (argument.is(TypeKind::Decimal))
    kept = decimal_type(38, argument.scale);
  else if (argument.is_float())
    kept = float64;
  else {
    refusal = "wants numbers or durations";
    return std::nullopt;
  }
  AggregateBody body;
  body.state = {{"total", kept, kept.is_float() ? Constant{0.0} : Constant{__int128(0)}},
                {"n", int64, int_constant(0)}};
  body.step.push_back(
      {0, make(Op::Add, kept, {state_of(0, kept), cast_to(std::move(added), kept)}, {})});
  body.step.push_back(
      {1,
       make(Op::Add, int64, {state_of(1, int64), constant_expr(int64, int_constant(1), {})}, {})});
  body.merge.push_back({0, make(Op::Add, kept, {state_of(0, kept), other_of(0, kept)}, {})});
  body.merge.push_back({1, make(Op::Add, int64, {state_of(1, int64), other_of(1, int64)}, {})});

  Expr total = state_of(0, kept), n = state_of(1, int64);
  const Type count = decimal_type(19, 0);
  Expr result;
  if (argument.is(TypeKind::Decimal)) {
    Type type = decimal_type(38, std::max<uint8_t>(argument.scale, 6));
    result = make(Op::Divide, type, {std::move(total), cast_to(std::move(n), count)}, {});
  } else if (argument.is(TypeKind::Duration)) {
    Type whole = decimal_type(38, 0);
    result = make(Op::Divide, whole, {std::move(total), cast_to(std::move(n), count)}, {});
    result = cast_to(cast_to(std::move(result), int64), argument);
  } else {
    result = make(Op::Divide, float64,
                  {cast_to(std::move(total), float64), cast_to(std::move(n), float64)}, {});
  }
  Expr empty =
      make(Op::Equal, boolean, {state_of(1, int64), constant_expr(int64, int_constant(0), {})}, {});
  body.finish = unless_empty(request, std::move(empty), std::move(result));
  return body;
}

}  // namespace weir::compiler
