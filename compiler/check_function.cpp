// Functions of the user and of the standard library: which overload a call means, what its open
// types are, and then a kernel's call or the function's body in its place.
#include <map>
#include <utility>

#include "compiler/checker.h"
#include "compiler/constant.h"
#include "compiler/function_text.h"

namespace weir::compiler {

using dsl::Code;

struct Checker::Bound {
  const Function* function = nullptr;
  std::vector<Type> types;
  Type result;
  int cost = 0;
  std::map<std::string, Type, std::less<>> open;  // type parameters, and "decimal"
};

namespace {

// Type parameters of these names stand for such types only.
bool may_stand_for(std::string_view parameter, const Types& types, Type type) {
  if (parameter == "Ordered") return !type.optional && can_order(type);
  if (parameter == "Comparable")
    return !type.is(TypeKind::Record) && !type.is(TypeKind::List) && can_compare(types, type);
  if (parameter == "Number") return type.is_numeric();
  return true;
}

// The decimal that holds every value of an integer, and the value of a constant one exactly.
Type decimal_of(const Expr* value, Type type) {
  if (type.is(TypeKind::Decimal)) return type.required();
  int digits = integer_digits(type.kind);
  if (value && value->op == Op::Constant) {
    if (auto* whole = std::get_if<int64_t>(&value->constant.value)) {
      for (digits = 1;
           digits < 19 && (*whole >= power_of_ten(digits) || *whole <= -power_of_ten(digits));)
        ++digits;
    }
  }
  return decimal_type(uint8_t(digits), 0);
}

}  // namespace

// How well a value fits a parameter: 0 as it is, more with each conversion, nothing if it can't.
std::optional<int> Checker::fit(const Expr& value, Type parameter) {
  Type from = value.type.required(), to = parameter.required();
  if (value.type.is(TypeKind::Error)) return 0;
  if (value.type.is(TypeKind::Null)) return parameter.optional ? std::optional(1) : std::nullopt;
  if (from == to) return 0;
  if (from.is_integer() && to.is_integer() && widens(from, to)) return 1;
  if (from.is(TypeKind::Timestamp) && to.is(TypeKind::Timestamp))
    return widens(from, to) ? std::optional(1) : std::nullopt;
  if (value.op == Op::Constant && weir::compiler::convert(value.constant, from, to)) return 2;
  if (widens(from, to)) return 3;
  if (from.is(TypeKind::List) && to.is(TypeKind::List)) {
    Type inner = graph_.types.element(from), wanted = graph_.types.element(to);
    if (!inner.optional && !wanted.optional && widens(inner, wanted)) return 3;
    // A list that is written out takes the type that is wanted.
    if (value.op == Op::MakeList) {
      for (const Expr& item : value.args) {
        if (!fit(item, wanted)) return std::nullopt;
      }
      return 3;
    }
  }
  return std::nullopt;
}

// A list is brought to another element type element by element.
Expr Checker::as_argument(Expr value, Type want, const std::string& what) {
  if (!value.type.is(TypeKind::List) || !want.is(TypeKind::List) ||
      value.type.required() == want.required() || !fit(value, want))
    return convert(std::move(value), want, what);
  value = required(std::move(value), what);
  if (value.type.is(TypeKind::Error)) return value;
  Type wanted = graph_.types.element(want);
  if (value.op == Op::MakeList) {
    for (Expr& item : value.args) item = convert(std::move(item), wanted, what);
    value.type = want;
    return value;
  }
  dsl::Span span = value.span;
  Expr element = new_local(graph_.types.element(value.type), span);
  uint32_t local = element.index;
  Expr mapped =
      make(Op::ListMap, want, {std::move(value), cast_to(std::move(element), wanted)}, span);
  mapped.index = local;
  return mapped;
}

// Matches a parameter's type with an argument's: what is open is bound. False if they differ in
// form. `value` is the argument itself, null inside of a list.
bool Checker::match_type(const dsl::TypeRef& ref, const Function& function, const Expr* value,
                         Type actual, Bound& bound) {
  const std::string& name = ref.name.text;
  bool is_parameter = false;
  for (const auto& parameter : function.signature->type_parameters)
    is_parameter |= parameter.text == name;
  bool any_decimal = name == "decimal" && ref.arguments.empty() && function.standard();
  if (is_parameter || any_decimal) {
    if (actual.is(TypeKind::Error)) return true;
    if (actual.is(TypeKind::Null)) return ref.optional;
    if (any_decimal && !actual.is(TypeKind::Decimal) && !actual.is_integer()) return false;
    if (!may_stand_for(name, graph_.types, actual)) return false;
    if (any_decimal) {
      if (actual.is_integer()) bound.cost += 4;
      actual = decimal_of(value, actual);
    }
    if (value || ref.optional) actual.optional = false;
    auto [at, fresh] = bound.open.try_emplace(name, actual);
    if (fresh || at->second == actual) return true;
    auto common = common_type(at->second, actual);
    if (!common) return false;
    at->second = *common;
    bound.cost++;
    return true;
  }
  if (ref.parameters.empty()) return true;  // compared by `fit`
  if (actual.is(TypeKind::Error)) return true;
  TypeKind kind = name == "list" ? TypeKind::List : TypeKind::Map;
  if (!actual.is(kind)) return false;
  return match_type(ref.parameters.back(), function, nullptr, graph_.types.element(actual), bound);
}

// The type, with what is open replaced.
Type Checker::type_in(const dsl::TypeRef& ref, const Bound& bound) {
  Type type;
  if (auto at = bound.open.find(ref.name.text); at != bound.open.end() && ref.arguments.empty()) {
    type = at->second;
  } else if (!ref.parameters.empty()) {
    Type element = type_in(ref.parameters.back(), bound);
    if (element.is(TypeKind::Error)) return element;
    type = ref.name.text == "list" ? graph_.types.list_of(element) : graph_.types.map_of(element);
  } else {
    for (const auto& parameter : bound.function->signature->type_parameters) {
      if (parameter.text == ref.name.text) return Type{};
    }
    return resolve_type(ref, declarations_, graph_, diagnostics_);
  }
  type.optional |= ref.optional;
  return type;
}

std::optional<Checker::Bound> Checker::bind(const Function& function,
                                            const std::vector<Expr>& values) {
  if (function.types.size() != values.size()) return std::nullopt;
  Bound bound;
  bound.function = &function;
  bound.types = function.types;
  bound.result = function.result;
  if (function.generic) {
    const auto& parameters = function.signature->parameters;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!match_type(parameters[i].type, function, &values[i], values[i].type, bound))
        return std::nullopt;
    }
    for (size_t i = 0; i < values.size(); ++i) bound.types[i] = type_in(parameters[i].type, bound);
    bound.result = type_in(function.signature->result, bound);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (bound.types[i].is(TypeKind::Error)) continue;
    auto one = fit(values[i], bound.types[i]);
    if (!one) return std::nullopt;
    bound.cost += *one;
  }
  return bound;
}

Expr Checker::function(const std::vector<const Function*>& overloads, const std::string& name,
                       const std::vector<const dsl::Expr*>& arguments, dsl::Span span,
                       Scope& scope) {
  std::vector<Expr> values;
  bool failed = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    Type hint =
        overloads.size() == 1 && i < overloads[0]->types.size() ? overloads[0]->types[i] : Type{};
    values.push_back(check(*arguments[i], scope, hint));
    failed |= values.back().type.is(TypeKind::Error) && values.back().op != Op::Fail;
  }
  if (failed) return error(span);
  std::optional<Bound> best;
  for (const Function* function : overloads) {
    auto bound = bind(*function, values);
    if (bound && (!best || bound->cost < best->cost)) best = std::move(bound);
  }
  if (!best) {
    // With the right number of arguments there is one that can be named.
    if (overloads.size() == 1 && !overloads[0]->generic &&
        overloads[0]->types.size() == values.size()) {
      best = Bound{overloads[0], overloads[0]->types, overloads[0]->result, 0, {}};
    } else {
      std::string given;
      for (const Expr& value : values) given += (given.empty() ? "" : ", ") + text(value.type);
      auto& diagnostic = report(Code::wrong_arguments, span,
                                "`" + name + "` can't be called with (" + given + ")");
      for (size_t i = 0; i < overloads.size() && i < 5; ++i)
        diagnostic.with_note(signature_text(name, *overloads[i]->signature));
      return error(span);
    }
  }
  const Function& chosen = *best->function;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = as_argument(std::move(values[i]), best->types[i],
                            "`" + chosen.parameters[i] + "` of `" + name + "`");
    failed |= values[i].type.is(TypeKind::Error);
  }
  if (failed) return error(span);
  if (chosen.body) return inlined(chosen, std::move(values), best->result, span);
  if (best->result.is(TypeKind::Error)) {
    report(Code::wrong_arguments, span, "nothing says what type the result of `" + name + "` has");
    return error(span);
  }
  Expr call = make(Op::Call, best->result, std::move(values), span);
  call.name = chosen.kernel;
  return call;
}

// The body with the parameters as locals: each argument is computed once.
Expr Checker::inlined(const Function& function, std::vector<Expr> arguments, Type result,
                      dsl::Span span) {
  for (const Function* outer : inlining_) {
    if (outer == &function) {
      report(Code::declaration_cycle, span, "function `" + function.name + "` calls itself");
      return error(span);
    }
  }
  if (inlining_.size() >= kInliningMax) {
    report(Code::too_deep, span,
           "functions that call each other deeper than " + std::to_string(kInliningMax));
    return error(span);
  }
  Scope scope;
  std::vector<uint32_t> locals;
  for (size_t i = 0; i < arguments.size(); ++i) {
    Expr local = new_local(arguments[i].type, span);
    locals.push_back(local.index);
    bool own = !function.standard() && function.signature;
    scope.names.push_back({function.parameters[i], std::move(local), -1,
                           own ? function.signature->parameters[i].name.span : dsl::Span{}});
  }
  inlining_.push_back(&function);
  const PipeFrame* outer_frame = std::exchange(frame, nullptr);
  auto outer = inlined_at_;
  if (function.standard() && !inlined_at_) inlined_at_ = span;  // its text is not the user's
  Expr body = check_as(*function.body, scope, result, "the result of `" + function.name + "`");
  inlined_at_ = outer;
  inlining_.pop_back();
  frame = outer_frame;
  if (body.type.is(TypeKind::Error)) return error(span);
  for (size_t i = arguments.size(); i-- > 0;) {
    Type type = body.type;
    body = make(Op::Let, type, {std::move(arguments[i]), std::move(body)}, span);
    body.index = locals[i];
  }
  return body;
}

}  // namespace weir::compiler
