// stddev(x): the sample's standard deviation, null of fewer than two values; stddev_pop(x): the
// population's. float64, by Welford's recurrence; parts are merged as in Chan, Golub, LeVeque
// ("Updating formulae and a pairwise algorithm for computing sample variances", 1979), so there is
// no difference of large sums.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {
namespace {

const Type kInt = type_of(TypeKind::Int64), kReal = type_of(TypeKind::Float64),
           kBool = type_of(TypeKind::Bool);

Expr real(Op op, Expr a, Expr b) { return make(op, kReal, {std::move(a), std::move(b)}, {}); }
Expr count(int64_t n) { return constant_expr(kInt, int_constant(n), {}); }

std::optional<AggregateBody> expand_deviation(const AggregateRequest& request, bool sample,
                                              std::string& refusal) {
  Type argument = request.arguments[0];
  if (!argument.is_integer() && !argument.is_float() && !argument.is(TypeKind::Decimal)) {
    refusal = "wants numbers";
    return std::nullopt;
  }
  AggregateBody body;
  body.state = {
      {"n", kInt, int_constant(0)}, {"mean", kReal, Constant{0.0}}, {"m2", kReal, Constant{0.0}}};
  const Expr n = state_of(0, kInt), mean = state_of(1, kReal), m2 = state_of(2, kReal);
  {
    Expr x = cast_to(argument_of(0, argument), kReal);
    Expr more = make(Op::Add, kInt, {n, count(1)}, {});
    Expr delta = real(Op::Subtract, x, mean);
    Expr moved = real(Op::Add, mean, real(Op::Divide, delta, cast_to(more, kReal)));
    body.step = {{0, more},
                 {1, moved},
                 {2, real(Op::Add, m2, real(Op::Multiply, delta, real(Op::Subtract, x, moved)))}};
  }
  {
    const Expr n2 = other_of(0, kInt), mean2 = other_of(1, kReal), m22 = other_of(2, kReal);
    Expr all = make(Op::Add, kInt, {n, n2}, {});
    Expr delta = real(Op::Subtract, mean2, mean);
    Expr share = real(Op::Divide, cast_to(n2, kReal), cast_to(all, kReal));  // of the other
    Expr moved = real(Op::Add, mean, real(Op::Multiply, delta, share));
    Expr between = real(Op::Multiply, real(Op::Multiply, delta, delta),
                        real(Op::Multiply, cast_to(n, kReal), share));
    Expr nothing = make(Op::Equal, kBool, {n2, count(0)}, {});  // 0 / 0 if both are empty
    body.merge = {{0, all},
                  {1, make(Op::If, kReal, {nothing, mean, moved}, {})},
                  {2, make(Op::If, kReal,
                           {nothing, m2, real(Op::Add, real(Op::Add, m2, m22), between)}, {})}};
  }
  Expr divisor = sample ? make(Op::Subtract, kInt, {n, count(1)}, {}) : n;
  Expr root = make(Op::Call, kReal, {real(Op::Divide, m2, cast_to(divisor, kReal))}, {});
  root.name = "weir_math_sqrt";
  AggregateRequest result = request;
  result.may_be_empty |= sample;
  body.finish =
      unless_empty(result, make(Op::Less, kBool, {n, count(sample ? 2 : 1)}, {}), std::move(root));
  return body;
}

}  // namespace

std::optional<AggregateBody> expand_stddev(const AggregateRequest& request, std::string& refusal) {
  return expand_deviation(request, true, refusal);
}
std::optional<AggregateBody> expand_stddev_pop(const AggregateRequest& request,
                                               std::string& refusal) {
  return expand_deviation(request, false, refusal);
}

}  // namespace weir::compiler
