// `if` and `match`: one value of several, of one type.
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

// Brings all values to one type. False (reported) if there is none.
bool Checker::unify(std::vector<Expr*> values, dsl::Span span, const char* word) {
  std::optional<Type> common;
  Expr* named = nullptr;
  for (Expr* value : values) {
    if (value->type.is(TypeKind::Error)) {
      if (value->op != Op::Fail) return false;
      continue;
    }
    auto next = common ? common_type(*common, value->type) : std::optional(value->type);
    // A literal takes the type of the others if it fits.
    if (!next && common) {
      if (value->op == Op::Constant &&
          weir::compiler::convert(value->constant, value->type.required(), common->required()))
        next = common;
    }
    if (!next) {
      report(Code::no_common_type, value->span,
             std::string("the values of this ") + word + " have no common type: " + text(*common) +
                 " and " + text(value->type))
          .with_label(text(value->type))
          .with_note(place(named->span), text(named->type));
      return false;
    }
    common = next;
    if (!named || !value->type.is(TypeKind::Null)) named = value;
  }
  if (!common) return false;
  if (common->is(TypeKind::Null)) {
    report(Code::no_common_type, span, std::string("this ") + word + " is always null");
    return false;
  }
  for (Expr* value : values) {
    if (value->op == Op::Fail) {
      value->type = *common;
      continue;
    }
    *value = convert(std::move(*value), *common, std::string("this ") + word);
    if (value->type.is(TypeKind::Error)) return false;
  }
  return true;
}

Expr Checker::if_(const dsl::If& choice, dsl::Span span, Scope& scope, Type hint) {
  Expr condition = check_condition(*choice.condition, scope, "`if`", false);
  auto facts = scope.facts;
  facts_of(condition, true, scope.facts);
  Expr then = check(*choice.then, scope, hint);
  scope.facts = facts;
  facts_of(condition, false, scope.facts);
  Expr otherwise = check(*choice.otherwise, scope, hint.is(TypeKind::Error) ? then.type : hint);
  scope.facts = std::move(facts);
  if (condition.type.is(TypeKind::Error)) return error(span);
  if (!unify({&then, &otherwise}, span, "`if`")) return error(span);
  Type type = then.type;
  return make(Op::If, type, {std::move(condition), std::move(then), std::move(otherwise)}, span);
}

// The condition under which `value` is what the pattern says.
Expr Checker::pattern(const dsl::Pattern& pattern, const Expr& value, Scope& scope) {
  Expr wanted;
  switch (pattern.kind) {
    case dsl::Pattern::Kind::Literal:
      wanted = check(*pattern.literal, scope, value.type);
      break;
    case dsl::Pattern::Kind::Path: {
      auto enumeration = declarations_.enums.find(pattern.first.text);
      if (enumeration == declarations_.enums.end()) {
        report(Code::unknown_name, pattern.first.span,
               "there is no enum `" + pattern.first.text + "`");
        return error(pattern.span);
      }
      wanted = enum_case(enumeration->second, pattern.second, pattern.span);
      break;
    }
    case dsl::Pattern::Kind::Name:
      if (!value.type.is(TypeKind::Enum)) {
        report(Code::type_mismatch, pattern.span,
               "a name as a pattern is a case of an enum, and this is a match over " +
                   text(value.type))
            .with_fix_text("_ => …, or a literal");
        return error(pattern.span);
      }
      wanted = enum_case(value.type.ref, pattern.first, pattern.span);
      break;
    case dsl::Pattern::Kind::Wildcard:
      return bool_constant(true, pattern.span);
  }
  if (wanted.type.is(TypeKind::Error)) return wanted;
  return comparison(Op::Equal, value, std::move(wanted), pattern.span);
}

Expr Checker::match(const dsl::Match& match, dsl::Span span, Scope& scope, Type hint) {
  if (match.arms.size() > kMatchArmsMax) {
    report(Code::too_deep, span,
           "a `match` with more than " + std::to_string(kMatchArmsMax) + " cases");
    return error(span);
  }
  Expr value = check(*match.value, scope);
  if (value.type.is(TypeKind::Error)) {
    for (const auto& arm : match.arms) check(*arm.value, scope, hint);
    return error(span);
  }
  if (!can_compare(graph_.types, value.type) || value.type.is(TypeKind::Null)) {
    report(Code::not_comparable, value.span,
           "values of type " + text(value.type) + " can't be matched")
        .with_label(text(value.type));
    return error(span);
  }
  return with_value(std::move(value), [&](const Expr& value) -> Expr {
    struct Arm {
      Expr condition, value;
      bool always;
    };
    std::vector<Arm> arms;
    std::set<std::string> covered;  // constants as text
    bool failed = false, null_covered = !value.type.optional, everything = false;
    for (const auto& arm : match.arms) {
      std::optional<Expr> condition;
      bool always = false;
      for (const auto& item : arm.patterns) {
        if (everything) {
          report(Code::match_not_exhaustive, item.span,
                 "this is never reached: everything is matched above");
          failed = true;
          break;
        }
        Expr test = pattern(item, value, scope);
        if (test.type.is(TypeKind::Error)) {
          failed = true;
          continue;
        }
        if (item.kind == dsl::Pattern::Kind::Wildcard) {
          always = true;
        } else if (test.op == Op::IsNull) {
          if (null_covered && value.type.optional)
            report(Code::match_not_exhaustive, item.span, "`null` stands twice"), failed = true;
          null_covered = true;
        } else if (test.args.size() == 2) {
          const Expr* constant = &test.args[1];
          while (constant->op == Op::Wrap) constant = &constant->args[0];
          if (constant->op == Op::Constant &&
              !covered.insert(plan_text(graph_.types, constant->type, constant->constant)).second) {
            report(Code::match_not_exhaustive, item.span, "this case stands twice");
            failed = true;
          }
        }
        if (!condition)
          condition = std::move(test);
        else
          condition = make(Op::Or, type_of(TypeKind::Bool),
                           {std::move(*condition), std::move(test)}, item.span);
      }
      everything |= always;
      auto facts = scope.facts;
      if (condition) facts_of(*condition, true, scope.facts);
      Expr result =
          check(*arm.value, scope,
                hint.is(TypeKind::Error) && !arms.empty() ? arms.front().value.type : hint);
      scope.facts = std::move(facts);
      if (result.type.is(TypeKind::Error) && result.op != Op::Fail) failed = true;
      arms.push_back({condition ? std::move(*condition) : bool_constant(true, span),
                      std::move(result), always});
    }
    if (failed || arms.empty()) {
      if (arms.empty()) report(Code::match_not_exhaustive, span, "a `match` without a case");
      return error(span);
    }
    std::string missing;
    if (!everything) {
      if (value.type.is(TypeKind::Enum)) {
        for (const auto& item : graph_.types.enumeration(value.type).cases) {
          if (!covered.count(item.wire_name))
            missing += (missing.empty() ? "`" : ", `") + item.name + "`";
        }
      } else if (value.type.is(TypeKind::Bool)) {
        for (const char* item : {"true", "false"}) {
          if (!covered.count(item))
            missing += (missing.empty() ? "`" : ", `") + std::string(item) + "`";
        }
      } else {
        missing = "everything else";
      }
      if (!null_covered) missing += missing.empty() ? "`null`" : " and `null`";
    }
    if (!missing.empty()) {
      report(Code::match_not_exhaustive, value.span, "this `match` leaves out " + missing)
          .with_fix_text("_ => …");
      return error(span);
    }
    std::vector<Expr*> values;
    for (Arm& arm : arms) values.push_back(&arm.value);
    if (!unify(values, span, "`match`")) return error(span);
    // The last one needs no test: the others have failed.
    Expr chain = std::move(arms.back().value);
    for (size_t i = arms.size() - 1; i-- > 0;) {
      Type type = chain.type;
      chain =
          make(Op::If, type,
               {std::move(arms[i].condition), std::move(arms[i].value), std::move(chain)}, span);
    }
    return chain;
  });
}

}  // namespace weir::compiler
