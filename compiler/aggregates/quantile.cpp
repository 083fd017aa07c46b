// quantile(x, q): the value at place ⌈q · n⌉ (stdlib/engine/quantile.h): exact of up to 256 values,
// then within a relative error of 1 %, or of what `approx` says. Of numbers float64, of durations a
// duration; of nothing null.
#include <cmath>

#include "compiler/aggregates/kept.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

std::optional<AggregateBody> expand_quantile(const AggregateRequest& request,
                                             std::string& refusal) {
  constexpr double kErrorUsual = 0.01, kErrorMin = 0.0001, kErrorMax = 0.5;
  const Type bytes = type_of(TypeKind::Bytes), int64 = type_of(TypeKind::Int64),
             float64 = type_of(TypeKind::Float64);
  Type argument = request.arguments[0];
  Expr value = argument_of(0, argument);
  if (argument.is(TypeKind::Duration)) {
    value = cast_to(std::move(value), int64);
  } else if (!argument.is_numeric()) {
    refusal = "wants numbers or durations";
    return std::nullopt;
  }
  if (!value.type.is(TypeKind::Float64)) value = cast_to(std::move(value), float64);
  double q = std::get<double>(request.constant.value);
  if (!(q >= 0 && q <= 1)) {
    refusal = "wants a fraction between 0 and 1, as 0.95";
    request.refused = AggregateRequest::kConstant;
    return std::nullopt;
  }
  double error = request.approx.value_or(kErrorUsual);
  if (!(error >= kErrorMin && error <= kErrorMax)) {
    refusal = "counts with an error between 0.0001 and 0.5";
    request.refused = AggregateRequest::kApprox;
    return std::nullopt;
  }
  auto millionths = int64_t(std::floor(error * 1e6));

  Expr state = state_of(0, bytes);
  AggregateBody body =
      kept_by("weir_quantile_add", "weir_quantile_merge", std::move(value), number(millionths));
  Expr result = kernel(Op::Call, "weir_quantile_value", float64,
                       {state, constant_expr(float64, Constant{q}, {})});
  if (argument.is(TypeKind::Duration))
    result = cast_to(cast_to(std::move(result), int64), argument);
  Expr count = kernel(Op::Call, "weir_quantile_count", int64, {state});
  Expr none = make(Op::Equal, type_of(TypeKind::Bool), {std::move(count), number(0)}, {});
  body.finish = unless_empty(request, std::move(none), std::move(result));
  body.parameters = " error " + std::to_string(millionths);
  return body;
}

}  // namespace weir::compiler
