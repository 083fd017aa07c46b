// first(x), last(x): the value of the row that is first or last by event time, then partition, then
// offset. Rows that come from another keyed operator have no position: of equal times the smaller
// (first) or greater (last) value counts.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {
namespace {

struct Component {
  Expr next, held;
};  // compared in order; both of one required type

// Lexicographic: next < held (or >).
Expr precedes(const std::vector<Component>& components, size_t from, Op op) {
  const Type boolean = type_of(TypeKind::Bool);
  const Component& c = components[from];
  Expr order = make(op, boolean, {c.next, c.held}, {});
  if (from + 1 == components.size()) return order;
  Expr equal = make(Op::Equal, boolean, {c.next, c.held}, {});
  return make(Op::Or, boolean,
              {std::move(order),
               make(Op::And, boolean, {std::move(equal), precedes(components, from + 1, op)}, {})},
              {});
}

std::optional<AggregateBody> expand_place(const AggregateRequest& request, bool last,
                                          std::string& refusal) {
  Type type = *request.argument;
  if (!can_be_key(type)) {
    refusal = "can't keep a value of this type yet";
    return std::nullopt;
  }
  bool by_value = !request.positions && can_order(type);
  const Type boolean = type_of(TypeKind::Bool), kept = type.nullable(),
             time = timestamp_type(TimeUnit::Micro);
  const Type int32 = type_of(TypeKind::Int32), int64 = type_of(TypeKind::Int64);
  AggregateBody body;
  body.state = {{"value", kept, Constant{}}, {"time", time, int_constant(0)}};
  std::vector<Expr> next = {wrapped(argument_of(type)), make(Op::EventTime, time, {}, {})};
  if (request.positions) {
    Expr partition = make(Op::Meta, int32, {}, {}), offset = make(Op::Meta, int64, {}, {});
    partition.index = uint32_t(MetaField::Partition);
    offset.index = uint32_t(MetaField::Offset);
    body.state.push_back({"partition", int32, int_constant(0)});
    body.state.push_back({"offset", int64, int_constant(0)});
    next.push_back(std::move(partition));
    next.push_back(std::move(offset));
  }
  std::vector<Expr> held, other;
  for (uint32_t i = 0; i < body.state.size(); ++i) {
    held.push_back(state_of(i, body.state[i].type));
    other.push_back(other_of(i, body.state[i].type));
  }
  Op op = last ? Op::Greater : Op::Less;
  auto takes = [&](const std::vector<Expr>& candidate, bool maybe_empty) {
    std::vector<Component> order;
    for (size_t i = 1; i < candidate.size(); ++i) order.push_back({candidate[i], held[i]});
    if (by_value) order.push_back({unwrapped(candidate[0]), unwrapped(held[0])});
    Expr condition = make(Op::Or, boolean,
                          {make(Op::IsNull, boolean, {held[0]}, {}), precedes(order, 0, op)}, {});
    if (!maybe_empty) return condition;
    Expr there = make(Op::Not, boolean, {make(Op::IsNull, boolean, {candidate[0]}, {})}, {});
    return make(Op::And, boolean, {std::move(there), std::move(condition)}, {});
  };
  Expr step = takes(next, false), merge = takes(other, true);
  for (uint32_t i = 0; i < body.state.size(); ++i) {
    Type field = body.state[i].type;
    body.step.push_back({i, make(Op::If, field, {step, next[i], held[i]}, {})});
    body.merge.push_back({i, make(Op::If, field, {merge, other[i], held[i]}, {})});
  }
  body.finish = request.may_be_empty ? held[0] : unwrapped(held[0]);
  return body;
}

}  // namespace

std::optional<AggregateBody> expand_first(const AggregateRequest& request, std::string& refusal) {
  return expand_place(request, false, refusal);
}
std::optional<AggregateBody> expand_last(const AggregateRequest& request, std::string& refusal) {
  return expand_place(request, true, refusal);
}

}  // namespace weir::compiler
