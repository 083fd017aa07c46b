// Calls: casts `T(e)`, functions of the user (inlined) and of the standard library (kernels),
// methods of lists, and aggregates, which go to whoever hosts them.
#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"
#include "compiler/habits.h"
#include "compiler/standard_library.h"

namespace weir::compiler {

using dsl::Code;

namespace {

bool can_cast(Type from, Type to) {
  using K = TypeKind;
  if (from == to) return true;
  if (from.is_numeric() && to.is_numeric()) return true;
  if (to.is(K::String)) return from.kind <= K::Enum;
  if (from.is(K::String))
    return to.is_numeric() || to.is(K::Bool) || to.is(K::Date) || to.is(K::Timestamp) ||
           to.is(K::Duration) || to.is(K::Uuid) || to.is(K::Bytes) || to.is(K::Enum);
  if (from.is(K::Timestamp) && (to.is(K::Timestamp) || to.is(K::Date) || to.is(K::Int64)))
    return true;
  if (to.is(K::Timestamp) && (from.is(K::Date) || from.is(K::Int64))) return true;
  if ((from.is(K::Duration) && to.is(K::Int64)) || (from.is(K::Int64) && to.is(K::Duration)))
    return true;
  return false;
}

}  // namespace

Expr Checker::explicit_cast(Expr value, Type to, dsl::Span span) {
  if (value.type.is(TypeKind::Error) || to.is(TypeKind::Error)) return error(span);
  if (value.type.is(TypeKind::Null) || !can_cast(value.type.required(), to)) {
    report(Code::bad_cast, span, "there is no cast from " + text(value.type) + " to " + text(to))
        .with_label(text(value.type));
    return error(span);
  }
  if (value.op == Op::Constant && value.type.is_numeric() && to.is_integer() &&
      !value.type.is_float() && !weir::compiler::convert(value.constant, value.type, to) &&
      value.type.is_integer()) {
    report(Code::literal_out_of_range, value.span,
           "`" + source_text(value.span) + "` does not fit into " + text(to));
    return error(span);
  }
  Type result = to;
  result.optional = value.type.optional;
  value = cast_to(std::move(value), result);
  value.span = span;
  return value;
}

std::optional<Type> Checker::cast_target(const dsl::Expr& callee) {
  dsl::TypeRef ref;
  ref.span = callee.span;
  if (auto* name = std::get_if<dsl::NameRef>(&callee.node)) {
    if (!plain_kind(name->name) && !declarations_.enums.count(name->name)) return std::nullopt;
    ref.name = {name->name, callee.span};
    return resolve_type(ref, declarations_, graph_, diagnostics_);
  }
  auto* call = std::get_if<dsl::Call>(&callee.node);
  auto* name = call ? std::get_if<dsl::NameRef>(&call->callee->node) : nullptr;
  if (!name || (name->name != "decimal" && name->name != "timestamp")) return std::nullopt;
  if (name->name == "timestamp") {
    auto* unit = call->arguments.size() == 1
                     ? std::get_if<dsl::NameRef>(&call->arguments[0].value->node)
                     : nullptr;
    if (unit && unit->name == "ms") return timestamp_type(TimeUnit::Milli);
    if (unit && unit->name == "us") return timestamp_type(TimeUnit::Micro);
    if (unit && unit->name == "ns") return timestamp_type(TimeUnit::Nano);
    report(Code::bad_type, callee.span, "`timestamp` wants its unit: `ms`, `us` or `ns`")
        .with_fix_text("timestamp(ms)(…)");
    return Type{};
  }
  int64_t numbers[2] = {0, 0};
  bool good = call->arguments.size() == 2;
  for (size_t i = 0; good && i < 2; ++i) {
    auto* number = std::get_if<dsl::NumberLiteral>(&call->arguments[i].value->node);
    good = number && !number->has_point && !number->has_exponent && number->digits.size() <= 2;
    if (good) numbers[i] = std::atoi(number->digits.c_str());
  }
  if (!good || numbers[0] < 1 || numbers[0] > kDecimalDigitsMax || numbers[1] > numbers[0]) {
    report(Code::bad_type, callee.span,
           "`decimal` wants digits (1 to 38) and how many of them are behind the point")
        .with_fix_text("decimal(12, 2)(…)");
    return Type{};
  }
  return decimal_type(uint8_t(numbers[0]), uint8_t(numbers[1]));
}

Expr Checker::call(const dsl::Call& call, dsl::Span span, Scope& scope, Type hint) {
  if (auto target = cast_target(*call.callee)) {
    if (call.arguments.size() != 1) {
      report(Code::wrong_arguments, span,
             "a cast takes one value, and this one has " + std::to_string(call.arguments.size()));
      return error(span);
    }
    Expr value = check(*call.arguments[0].value, scope, *target);
    if (value.op == Op::Fail && value.type.is(TypeKind::Error)) value.type = *target;
    if (target->is(TypeKind::Error)) return error(span);
    return explicit_cast(std::move(value), *target, span);
  }
  if (auto* name = std::get_if<dsl::NameRef>(&call.callee->node))
    return call_named(name->name, "", nullptr, call, span, scope, hint);
  if (auto* member = std::get_if<dsl::Member>(&call.callee->node)) {
    auto* module = std::get_if<dsl::NameRef>(&member->object->node);
    if (module && !scope.find(module->name) && declarations_.modules.count(module->name)) {
      return call_named(member->field.text, module->name, nullptr, call, span, scope, hint);
    }
    if (member->safe) return safe_call(*member, call, span, scope, hint);
    return call_named(member->field.text, "", member->object.get(), call, span, scope, hint);
  }
  report(Code::unknown_function, place(call.callee->span), "this is not a function");
  return error(span);
}

Expr Checker::call_named(const std::string& name, const std::string& module,
                         const dsl::Expr* receiver, const dsl::Call& call, dsl::Span span,
                         Scope& scope, Type hint) {
  if (frame && module.empty() && !receiver) {
    if (auto given = frame->functions.find(name); given != frame->functions.end())
      return pipe_function(given->second, call, span, scope);
  }
  // The text of the standard library means its own functions, whatever the program calls so.
  const Function* inside =
      inlining_.empty() || !inlining_.back()->standard() ? nullptr : inlining_.back();
  const std::vector<Function>* found = nullptr;
  if (auto at = declarations_.functions.find(name); at != declarations_.functions.end())
    found = &at->second;
  if (inside || !module.empty()) {
    auto hidden = declarations_.hidden_functions.find(name);
    if (hidden != declarations_.hidden_functions.end()) found = &hidden->second;
  }
  bool users = found && !found->front().standard();
  dsl::Span called = call.callee->span;
  if (auto* member = std::get_if<dsl::Member>(&call.callee->node)) called = member->field.span;
  if (users) note(called, found->front().span);
  if (auto own = declarations_.aggregates.find(name); own != declarations_.aggregates.end())
    note(called, own->second.span);
  const bool aggregate =
      module.empty() && !receiver && !users && !inside &&
      (find_aggregate(name) != nullptr || declarations_.aggregates.count(name) > 0);
  if (aggregate && scope.aggregates) return scope.aggregates->aggregate(call, name, span);
  bool aggregates_only = call.by || call.approx || call.where || call.within;
  if (aggregate) {
    auto& diagnostic = report(Code::aggregate_outside_block, span,
                              "`" + name + "` is an aggregate, and there is no group of rows here");
    if (scope.group_instead)
      diagnostic.with_fix(*scope.group_instead);
    else
      diagnostic.with_fix_text("group by … { x = " + name + "(…) }");
    return error(span);
  }
  if (aggregates_only) {
    report(Code::wrong_arguments, span,
           "`by`, `approx`, `where` and `within` belong to aggregates, and `" + name + "` is none");
    return error(span);
  }
  std::vector<const dsl::Expr*> arguments;
  if (receiver) arguments.push_back(receiver);
  for (const auto& argument : call.arguments) {
    if (argument.name) {
      report(Code::wrong_arguments, argument.name->span, "arguments of functions have no names");
      return error(span);
    }
    arguments.push_back(argument.value.get());
  }
  bool handled = false;
  if (module.empty() && !users) {
    Expr result = builtin(name, arguments, span, scope, hint, handled);
    if (handled) return result;
  }
  std::vector<const Function*> overloads;
  if (found) {
    for (const Function& function : *found) {
      bool bare = !function.standard() || is_bare_module(function.module) ||
                  (inside && inside->module == function.module);
      if (module.empty() ? bare : function.module == module) overloads.push_back(&function);
    }
    // `x.f()` finds the functions of the other modules too where no bare one is called so.
    if (overloads.empty() && receiver) {
      for (const Function& function : *found) overloads.push_back(&function);
    }
  }
  if (overloads.empty()) {
    std::vector<std::string_view> candidates = {"event_time", "fail", "len"};
    for (const auto& [other, functions] : declarations_.functions) {
      if (module.empty() ? !functions.front().standard() || is_bare_module(functions.front().module)
                         : functions.front().module == module) {
        candidates.push_back(other);
      }
    }
    if (scope.aggregates) {
      for (const Aggregate& other : all_aggregates()) candidates.push_back(other.name);
      for (const auto& [other, declared] : declarations_.aggregates) candidates.push_back(other);
    }
    dsl::Span at = call.callee->span;
    if (auto* member = std::get_if<dsl::Member>(&call.callee->node)) at = member->field.span;
    auto& diagnostic =
        report(Code::unknown_function, at,
               "there is no function `" + (module.empty() ? "" : module + ".") + name + "`");
    std::string near = nearest(name, candidates);
    if (near.empty()) near = function_meant(name);
    if (!near.empty()) {
      diagnostic.with_note("did you mean `" + near + "`?").with_fix(place(at), near);
    }
    return error(span);
  }
  return function(overloads, name, arguments, span, scope);
}

// The lambda that was given for a parameter of a pipe: its body, with the arguments for its
// parameters. They are written out: an argument is `row` or a field of it.
Expr Checker::pipe_function(const PipeFrame::Function& function, const dsl::Call& call,
                            dsl::Span span, Scope& scope) {
  const dsl::Lambda& lambda = *function.lambda;
  if (call.arguments.size() != lambda.parameters.size()) {
    report(Code::wrong_arguments, span,
           "this takes " + std::to_string(lambda.parameters.size()) + " arguments, and this has " +
               std::to_string(call.arguments.size()));
    return error(span);
  }
  Scope inner;
  inner.has_event_time = scope.has_event_time;
  inner.no_event_time = scope.no_event_time;
  inner.has_meta = scope.has_meta;
  inner.no_meta = scope.no_meta;
  inner.facts = scope.facts;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    Expr argument = check(*call.arguments[i].value, scope);
    if (argument.type.is(TypeKind::Error)) return argument;
    inner.names.push_back(
        {lambda.parameters[i].text, std::move(argument), -1, lambda.parameters[i].span});
  }
  const PipeFrame* here = frame;
  frame = function.scope;
  Expr result = check_as(*lambda.body, inner, function.result, "the result of this function");
  frame = here;
  return result;
}

// x?.f(…): null where x is. The receiver becomes a local that no program can name.
Expr Checker::safe_call(const dsl::Member& member, const dsl::Call& call, dsl::Span span,
                        Scope& scope, Type hint) {
  Expr receiver = check(*member.object, scope);
  if (receiver.type.is(TypeKind::Error) || receiver.type.is(TypeKind::Null)) return error(span);
  if (!receiver.type.optional)
    return call_named(member.field.text, "", member.object.get(), call, span, scope, hint);
  return with_value(std::move(receiver), [&](const Expr& value) {
    dsl::Expr hidden;
    hidden.node = dsl::NameRef{"?."};
    hidden.span = member.object->span;
    scope.names.push_back({"?.", unwrapped(value), -1});
    Expr result = call_named(member.field.text, "", &hidden, call, span, scope, hint);
    scope.names.pop_back();
    if (result.type.is(TypeKind::Error)) return result;
    result = wrapped(std::move(result));
    Type type = result.type;
    return make(Op::If, type,
                {make(Op::IsNull, type_of(TypeKind::Bool), {value}, span),
                 constant_expr(type, Constant{}, span), std::move(result)},
                span);
  });
}

Expr Checker::builtin(const std::string& name, const std::vector<const dsl::Expr*>& arguments,
                      dsl::Span span, Scope& scope, Type hint, bool& handled) {
  handled = true;
  if (name == "event_time" && arguments.empty()) {
    if (!scope.has_event_time) {
      auto& diagnostic = report(Code::watermark_missing, span, "there is no event time here");
      if (!scope.no_event_time.empty()) diagnostic.with_note(scope.no_event_time);
      return error(span);
    }
    return make(Op::EventTime, timestamp_type(TimeUnit::Micro), {}, span);
  }
  if (name == "fail" && arguments.size() == 1) {
    Expr reason = check_as(*arguments[0], scope, type_of(TypeKind::String), "`fail`");
    if (reason.type.is(TypeKind::Error)) return error(span);
    return make(Op::Fail, hint, {std::move(reason)}, span);
  }
  if (name == "len" && arguments.size() == 1) {
    // Of texts it is a function of the standard library.
    size_t errors = diagnostics_.error_count();
    Expr value = check(*arguments[0], scope);
    if (value.type.is(TypeKind::List) || value.type.is(TypeKind::Map)) {
      value = required(std::move(value), "`len`");
      if (value.type.is(TypeKind::Error)) return value;
      Expr call = make(Op::Call, type_of(TypeKind::Int64), {std::move(value)}, span);
      call.name = "weir_list_len";
      return call;
    }
    if (diagnostics_.error_count() != errors) return error(span);
  }
  bool list_word = name == "map" || name == "filter" || name == "any" || name == "all";
  if (list_word && arguments.size() == 2 &&
      std::holds_alternative<dsl::Lambda>(arguments[1]->node)) {
    return list_method(name, *arguments[0], arguments, span, scope);
  }
  handled = false;
  return error(span);
}

Expr Checker::list_method(const std::string& name, const dsl::Expr& of,
                          const std::vector<const dsl::Expr*>& arguments, dsl::Span span,
                          Scope& scope) {
  Expr list = required(check(of, scope), "`" + name + "`");
  if (list.type.is(TypeKind::Error)) return list;
  if (!list.type.is(TypeKind::List)) {
    report(Code::type_mismatch, list.span,
           "`" + name + "` wants a list, and this is " + text(list.type))
        .with_label(text(list.type));
    return error(span);
  }
  const auto& lambda = std::get<dsl::Lambda>(arguments[1]->node);
  if (lambda.parameters.size() != 1) {
    report(Code::wrong_arguments, arguments[1]->span,
           "`" + name + "` wants a function of one parameter")
        .with_fix_text("x => …");
    return error(span);
  }
  Expr element = new_local(graph_.types.element(list.type), span);
  uint32_t local = element.index;
  scope.names.push_back(
      {lambda.parameters[0].text, std::move(element), -1, lambda.parameters[0].span});
  auto facts = scope.facts;
  Expr body = name == "map" ? check(*lambda.body, scope)
                            : check_condition(*lambda.body, scope, "`" + name + "`", false);
  scope.facts = std::move(facts);
  scope.names.pop_back();
  if (body.type.is(TypeKind::Error)) return error(span);
  if (body.type.is(TypeKind::Null)) {
    report(Code::type_mismatch, body.span, "nothing says what type this `null` has");
    return error(span);
  }
  Op op = name == "map"      ? Op::ListMap
          : name == "filter" ? Op::ListFilter
          : name == "any"    ? Op::ListAny
                             : Op::ListAll;
  Type type = name == "map"      ? graph_.types.list_of(body.type)
              : name == "filter" ? list.type
                                 : type_of(TypeKind::Bool);
  Expr result = make(op, type, {std::move(list), std::move(body)}, span);
  result.index = local;
  return result;
}

}  // namespace weir::compiler
