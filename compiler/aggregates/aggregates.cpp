#include "compiler/aggregates.h"

#include "compiler/checker.h"

namespace weir::compiler {

const std::vector<Aggregate>& all_aggregates() {
  static const std::vector<Aggregate> all = {
#define AGGREGATE(name, arguments_min, arguments_max, takes) \
  {#name, arguments_min, arguments_max, takes, expand_##name},
#include "compiler/aggregates/aggregates.def"
#undef AGGREGATE
  };
  return all;
}

const Aggregate* find_aggregate(std::string_view name) {
  for (const Aggregate& aggregate : all_aggregates()) {
    if (aggregate.name == name) return &aggregate;
  }
  return nullptr;
}

namespace {

Expr numbered(Op op, uint32_t index, Type type) {
  Expr expr = make(op, type, {}, {});
  expr.index = index;
  return expr;
}

}  // namespace

Expr state_of(uint32_t field, Type type) { return numbered(Op::State, field, type); }
Expr other_of(uint32_t field, Type type) { return numbered(Op::Other, field, type); }
Expr argument_of(uint32_t index, Type type) { return numbered(Op::Argument, index, type); }

Expr unless_empty(const AggregateRequest& request, Expr is_empty, Expr result) {
  if (!request.may_be_empty) return result;
  Type type = result.type.nullable();
  Expr null = make(Op::Constant, type, {}, {});
  return make(Op::If, type, {std::move(is_empty), std::move(null), wrapped(std::move(result))}, {});
}

}  // namespace weir::compiler
