// first(x), last(x): the value of the row that is first or last. arg_min(x, by), arg_max(x, by):
// the value of the row where `by` is least or greatest, of equals the first.
//
// First is by event time, then partition, then offset. Rows that come from another keyed operator
// have no position: of equal times the smaller (`last`: the greater) value counts.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {
namespace {

struct Component {
  Expr next, held;  // both of one required type
  Op wins;          // Less or Greater: `next` goes before `held`
};

// Lexicographic.
Expr precedes(const std::vector<Component>& components, size_t from) {
  const Type boolean = type_of(TypeKind::Bool);
  const Component& c = components[from];
  Expr order = make(c.wins, boolean, {c.next, c.held}, {});
  if (from + 1 == components.size()) return order;
  Expr equal = make(Op::Equal, boolean, {c.next, c.held}, {});
  return make(Op::Or, boolean,
              {std::move(order),
               make(Op::And, boolean, {std::move(equal), precedes(components, from + 1)}, {})},
              {});
}

Expr required(const Expr& expr) { return expr.type.optional ? unwrapped(expr) : expr; }

// State: the value (null before the first row), then what rows are ordered by.
struct Choice {
  AggregateBody body;
  std::vector<Expr> next;  // of the row, by state field
  std::vector<Op> wins;    // by state field; of the value: used where `by_value`
  bool by_value = false;   // ties are broken by the value itself

  void keep(const char* name, Type type, Constant initial, Expr of_row, Op op) {
    body.state.push_back({name, type, std::move(initial)});
    next.push_back(std::move(of_row));
    wins.push_back(op);
  }

  void keep_place(const AggregateRequest& request, Op op) {
    const Type time = timestamp_type(TimeUnit::Micro), int32 = type_of(TypeKind::Int32),
               int64 = type_of(TypeKind::Int64);
    keep("time", time, int_constant(0), make(Op::EventTime, time, {}, {}), op);
    if (!request.positions) return;
    Expr partition = make(Op::Meta, int32, {}, {}), offset = make(Op::Meta, int64, {}, {});
    partition.index = uint32_t(MetaField::Partition);
    offset.index = uint32_t(MetaField::Offset);
    keep("partition", int32, int_constant(0), std::move(partition), op);
    keep("offset", int64, int_constant(0), std::move(offset), op);
  }

  AggregateBody finish(const AggregateRequest& request) && {
    const Type boolean = type_of(TypeKind::Bool);
    std::vector<Expr> held, other;
    for (uint32_t i = 0; i < body.state.size(); ++i) {
      held.push_back(state_of(i, body.state[i].type));
      other.push_back(other_of(i, body.state[i].type));
    }
    auto takes = [&](const std::vector<Expr>& candidate) {
      std::vector<Component> order;
      // Where there is a value, everything is there.
      for (size_t i = 1; i < candidate.size(); ++i)
        order.push_back({required(candidate[i]), required(held[i]), wins[i]});
      if (by_value) order.push_back({required(candidate[0]), required(held[0]), wins[0]});
      return make(Op::Or, boolean, {make(Op::IsNull, boolean, {held[0]}, {}), precedes(order, 0)},
                  {});
    };
    Expr there = make(Op::Not, boolean, {make(Op::IsNull, boolean, {other[0]}, {})}, {});
    Expr step = takes(next);
    Expr merge = make(Op::And, boolean, {std::move(there), takes(other)}, {});
    for (uint32_t i = 0; i < body.state.size(); ++i) {
      Type field = body.state[i].type;
      body.step.push_back({i, make(Op::If, field, {step, next[i], held[i]}, {})});
      body.merge.push_back({i, make(Op::If, field, {merge, other[i], held[i]}, {})});
    }
    body.finish = request.may_be_empty ? held[0] : unwrapped(held[0]);
    return std::move(body);
  }
};

std::optional<Choice> choice_of(const AggregateRequest& request, Op value_wins,
                                std::string& refusal) {
  Type type = request.arguments[0];
  if (!can_be_key(type)) {
    refusal = "can't keep a value of this type yet";
    return std::nullopt;
  }
  Choice choice;
  choice.by_value = !request.positions && can_order(type);
  choice.keep("value", type.nullable(), Constant{}, wrapped(argument_of(0, type)), value_wins);
  return choice;
}

std::optional<AggregateBody> expand_place(const AggregateRequest& request, Op op,
                                          std::string& refusal) {
  auto choice = choice_of(request, op, refusal);
  if (!choice) return std::nullopt;
  choice->keep_place(request, op);
  return std::move(*choice).finish(request);
}

std::optional<AggregateBody> expand_arg(const AggregateRequest& request, Op op,
                                        std::string& refusal) {
  Type by = request.arguments[1];
  if (!can_order(by) || !can_be_key(by)) {
    refusal = "wants something with an order to choose by";
    request.refused = 1;
    return std::nullopt;
  }
  auto choice = choice_of(request, Op::Less, refusal);
  if (!choice) return std::nullopt;
  choice->keep("by", by.nullable(), Constant{}, wrapped(argument_of(1, by)), op);
  choice->keep_place(request, Op::Less);
  return std::move(*choice).finish(request);
}

}  // namespace

std::optional<AggregateBody> expand_first(const AggregateRequest& request, std::string& refusal) {
  return expand_place(request, Op::Less, refusal);
}
std::optional<AggregateBody> expand_last(const AggregateRequest& request, std::string& refusal) {
  return expand_place(request, Op::Greater, refusal);
}
std::optional<AggregateBody> expand_arg_min(const AggregateRequest& request, std::string& refusal) {
  return expand_arg(request, Op::Less, refusal);
}
std::optional<AggregateBody> expand_arg_max(const AggregateRequest& request, std::string& refusal) {
  return expand_arg(request, Op::Greater, refusal);
}

}  // namespace weir::compiler
