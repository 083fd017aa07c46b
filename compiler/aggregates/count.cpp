// count(): rows. count(x): rows in which x is not null. Of nothing 0.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

std::optional<AggregateBody> expand_count(const AggregateRequest&, std::string&) {
  const Type int64 = type_of(TypeKind::Int64);
  AggregateBody body;
  body.state = {{"n", int64, int_constant(0)}};
  body.step = {{0, make(Op::Add, int64,
                        {state_of(0, int64), constant_expr(int64, int_constant(1), {})}, {})}};
  body.merge = {{0, make(Op::Add, int64, {state_of(0, int64), other_of(0, int64)}, {})}};
  body.finish = state_of(0, int64);
  return body;
}

}  // namespace weir::compiler
