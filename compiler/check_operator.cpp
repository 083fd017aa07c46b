// Operators: which type both sides are brought to, and what comes out.
#include <algorithm>

#include "compiler/cast_text.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::BinaryOp;
using dsl::Code;

namespace {

Type bool_type() { return type_of(TypeKind::Bool); }

bool is_literal(const dsl::Expr& expr) {
  if (auto* unary = std::get_if<dsl::Unary>(&expr.node)) {
    return unary->op == dsl::UnaryOp::Negate && unary->operand && is_literal(*unary->operand);
  }
  return std::holds_alternative<dsl::NumberLiteral>(expr.node) ||
         std::holds_alternative<dsl::InstantLiteral>(expr.node) ||
         std::holds_alternative<dsl::ListLiteral>(expr.node) ||
         std::holds_alternative<dsl::RecordLiteral>(expr.node);
}

// A name alone may be an enum's case: the other side says which.
bool needs_hint(const dsl::Expr& expr, const Scope& scope) {
  if (is_literal(expr)) return true;
  auto* name = std::get_if<dsl::NameRef>(&expr.node);
  return name && !scope.find(name->name);
}

const char* word_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return "+";
    case BinaryOp::Subtract:
      return "-";
    case BinaryOp::Multiply:
      return "*";
    case BinaryOp::Divide:
      return "/";
    case BinaryOp::Modulo:
      return "%";
    case BinaryOp::Equal:
      return "==";
    case BinaryOp::NotEqual:
      return "!=";
    case BinaryOp::Less:
      return "<";
    case BinaryOp::LessEqual:
      return "<=";
    case BinaryOp::Greater:
      return ">";
    case BinaryOp::GreaterEqual:
      return ">=";
    case BinaryOp::And:
      return "and";
    case BinaryOp::Or:
      return "or";
    case BinaryOp::Coalesce:
      return "??";
    case BinaryOp::In:
      return "in";
    case BinaryOp::NotIn:
      return "not in";
    case BinaryOp::Like:
      return "like";
    case BinaryOp::NotLike:
      return "not like";
    case BinaryOp::Matches:
      return "matches";
    case BinaryOp::NotMatches:
      return "not matches";
  }
  return "?";
}

Op op_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return Op::Add;
    case BinaryOp::Subtract:
      return Op::Subtract;
    case BinaryOp::Multiply:
      return Op::Multiply;
    case BinaryOp::Divide:
      return Op::Divide;
    case BinaryOp::Modulo:
      return Op::Modulo;
    case BinaryOp::Equal:
      return Op::Equal;
    case BinaryOp::NotEqual:
      return Op::NotEqual;
    case BinaryOp::Less:
      return Op::Less;
    case BinaryOp::LessEqual:
      return Op::LessEqual;
    case BinaryOp::Greater:
      return Op::Greater;
    default:
      return Op::GreaterEqual;
  }
}

Expr negated_if(bool negated, Expr condition) {
  if (!negated || condition.type.is(TypeKind::Error)) return condition;
  dsl::Span span = condition.span;
  return make(Op::Not, bool_type(), {std::move(condition)}, span);
}

}  // namespace

Expr Checker::unary(const dsl::Unary& unary, dsl::Span span, Scope& scope, Type hint) {
  switch (unary.op) {
    case dsl::UnaryOp::Negate: {
      if (auto* literal = std::get_if<dsl::NumberLiteral>(&unary.operand->node))
        return number(*literal, span, hint, true);
      Expr value = required(check(*unary.operand, scope, hint), "`-`");
      if (value.type.is(TypeKind::Error)) return value;
      bool is_unsigned = value.type.kind >= TypeKind::UInt8 && value.type.kind <= TypeKind::UInt64;
      if (!(value.type.is_numeric() || value.type.is(TypeKind::Duration)) || is_unsigned) {
        report(Code::type_mismatch, value.span,
               "`-` wants a signed number or a duration, and this is " + text(value.type))
            .with_label(text(value.type));
        return error(span);
      }
      Type type = value.type;
      return make(Op::Negate, type, {std::move(value)}, span);
    }
    case dsl::UnaryOp::Not: {
      Expr value = check_condition(*unary.operand, scope, "`not`", false);
      if (value.type.is(TypeKind::Error)) return value;
      return make(Op::Not, bool_type(), {std::move(value)}, span);
    }
    case dsl::UnaryOp::Try: {
      Expr value = check(*unary.operand, scope, hint);
      if (value.type.is(TypeKind::Error) || value.type.is(TypeKind::Null)) return value;
      Type type = value.type.nullable();
      return make(Op::Try, type, {std::move(value)}, span);
    }
  }
  return error(span);
}

// Checks both sides; a side that is a literal, or may be an enum's case, second, with the other's
// type as hint.
void Checker::operands(const dsl::Expr& left, const dsl::Expr& right, Scope& scope, Type hint,
                       bool scales, Expr& l, Expr& r) {
  // Of a product each side keeps its own digits.
  auto hint_of = [&](const Expr& other) {
    if (other.type.is(TypeKind::Error)) return hint;
    return scales && other.type.is(TypeKind::Decimal) ? Type{} : other.type.required();
  };
  if (needs_hint(left, scope) && !needs_hint(right, scope)) {
    r = check(right, scope, hint);
    l = check(left, scope, hint_of(r));
  } else {
    l = check(left, scope, scales && hint.is(TypeKind::Decimal) ? Type{} : hint);
    r = check(right, scope, hint_of(l));
  }
}

Expr Checker::binary(const dsl::Binary& binary, dsl::Span span, Scope& scope, Type hint) {
  switch (binary.op) {
    case BinaryOp::And:
    case BinaryOp::Or: {
      bool is_and = binary.op == BinaryOp::And;
      std::string word = is_and ? "`and`" : "`or`";
      Expr left = check_condition(*binary.left, scope, word, false);
      auto facts = scope.facts;
      facts_of(left, is_and, scope.facts);
      Expr right = check_condition(*binary.right, scope, word, false);
      scope.facts = std::move(facts);
      if (left.type.is(TypeKind::Error) || right.type.is(TypeKind::Error)) return error(span);
      return make(is_and ? Op::And : Op::Or, bool_type(), {std::move(left), std::move(right)},
                  span);
    }
    case BinaryOp::Coalesce:
      return coalesce(binary, span, scope, hint);
    case BinaryOp::In:
    case BinaryOp::NotIn:
      return in(binary, span, scope, binary.op == BinaryOp::NotIn);
    case BinaryOp::Like:
    case BinaryOp::NotLike:
      return like(binary, span, scope, binary.op == BinaryOp::NotLike);
    case BinaryOp::Matches:
    case BinaryOp::NotMatches:
      return matches(binary, span, scope, binary.op == BinaryOp::NotMatches);
    default:
      break;
  }
  Expr left, right;
  bool compares = binary.op >= BinaryOp::Equal && binary.op <= BinaryOp::GreaterEqual;
  bool scales = binary.op == BinaryOp::Multiply || binary.op == BinaryOp::Divide;
  operands(*binary.left, *binary.right, scope, compares ? Type{} : hint, scales, left, right);
  if (left.type.is(TypeKind::Error) || right.type.is(TypeKind::Error)) return error(span);
  if (compares) return comparison(op_of(binary.op), std::move(left), std::move(right), span);
  return arithmetic(op_of(binary.op), std::move(left), std::move(right), binary, span);
}

Expr Checker::no_common(const Expr& left, const Expr& right, dsl::Span span, const char* word) {
  auto& diagnostic = report(Code::no_common_type, span,
                            std::string("`") + word + "` has no meaning between " +
                                text(left.type) + " and " + text(right.type));
  for (auto [literal, other] : {std::pair{&left, &right}, std::pair{&right, &left}}) {
    std::string meant = meant_literal(*literal, other->type.required());
    if (meant.empty() || inlined_at_) continue;
    diagnostic
        .with_note("`" + source_text(other->span) + "` is " + text(other->type) + ", `" +
                   source_text(literal->span) + "` is " + text(literal->type))
        .with_fix(literal->span, meant);
    return error(span);
  }
  if (left.type.is(TypeKind::Decimal) && right.type.is_float()) {
    diagnostic.with_note("a decimal and a float do not mix by themselves")
        .with_fix(left.span, cast_text("float64", source_text(left.span)));
  } else if (right.type.is(TypeKind::Decimal) && left.type.is_float()) {
    diagnostic.with_note("a decimal and a float do not mix by themselves")
        .with_fix(right.span, cast_text("float64", source_text(right.span)));
  } else if (left.type.is_integer() && right.type.is_integer()) {
    const Expr& narrow = left.type.is(TypeKind::UInt64) ? left : right;
    diagnostic.with_note("no integer holds the values of both")
        .with_fix(narrow.span, cast_text("int64", source_text(narrow.span)));
  } else if (left.type.is(TypeKind::String) && right.type.is(TypeKind::String)) {
    // The content of a plain text, else an interpolation of the value.
    auto piece = [&](const Expr& part) {
      std::string shown = source_text(part.span);
      bool literal = shown.size() >= 2 && shown.front() == '"' && shown.back() == '"';
      return literal ? shown.substr(1, shown.size() - 2) : "{" + shown + "}";
    };
    diagnostic.with_note("texts are joined by putting values into one: `\"{a}{b}\"`")
        .with_fix(span, "\"" + piece(left) + piece(right) + "\"");
  } else if (left.type.is(TypeKind::Enum) && right.op == Op::Constant &&
             right.type.is(TypeKind::String)) {
    for (const auto& item : graph_.types.enumeration(left.type).cases) {
      const auto& written = std::get<std::string>(right.constant.value);
      if (item.wire_name == written || item.name == written)
        diagnostic.with_fix(right.span, item.name);
    }
  }
  return error(span);
}

Expr Checker::arithmetic(Op op, Expr left, Expr right, const dsl::Binary& binary, dsl::Span span) {
  std::string what = std::string("`") + word_of(binary.op) + "`";
  bool left_null = left.type.optional, right_null = right.type.optional;
  if (left_null) left = required(std::move(left), what);
  if (right_null) right = required(std::move(right), what);
  if (left_null || right_null) return error(span);
  if (left.type.is_numeric() && right.type.is_numeric())
    return numeric(op, std::move(left), std::move(right), binary, span);
  bool handled = false;
  const Expr shown_left = left, shown_right = right;
  Expr result = temporal(op, std::move(left), std::move(right), span, handled);
  if (handled) return result;
  return no_common(shown_left, shown_right, span, word_of(binary.op));
}

Expr Checker::numeric(Op op, Expr left, Expr right, const dsl::Binary& binary, dsl::Span span) {
  auto as_decimal = [](Expr value) {
    if (!value.type.is_integer()) return value;
    int digits = integer_digits(value.type.kind);
    if (auto* whole = std::get_if<int64_t>(&value.constant.value);
        whole && value.op == Op::Constant) {
      for (digits = 1;
           digits < 19 && (*whole >= power_of_ten(digits) || *whole <= -power_of_ten(digits));)
        ++digits;
    }
    return cast_to(std::move(value), decimal_type(uint8_t(digits), 0));
  };
  Type a = left.type, b = right.type;
  if (op == Op::Divide && a.is_integer() && b.is_integer()) {
    Type real = type_of(TypeKind::Float64);
    return make(Op::Divide, real, {cast_to(std::move(left), real), cast_to(std::move(right), real)},
                span);
  }
  if ((a.is(TypeKind::Decimal) || b.is(TypeKind::Decimal)) && !a.is_float() && !b.is_float()) {
    left = as_decimal(std::move(left));
    right = as_decimal(std::move(right));
    a = left.type;
    b = right.type;
    if (op == Op::Multiply || op == Op::Divide) {
      int scale =
          op == Op::Multiply ? a.scale + b.scale : std::max({int(a.scale), int(b.scale), 6});
      int precision =
          op == Op::Multiply ? a.precision + b.precision : a.precision - a.scale + b.scale + scale;
      if (scale > kDecimalDigitsMax) {
        report(Code::no_common_type, span,
               "the product of " + text(a) + " and " + text(b) +
                   " has more than 38 digits behind the point")
            .with_fix_text("cast one side to fewer digits first: decimal(20, 4)(…)");
        return error(span);
      }
      Type type = decimal_type(
          uint8_t(std::clamp(precision, std::max(scale, 1), kDecimalDigitsMax)), uint8_t(scale));
      return make(op, type, {std::move(left), std::move(right)}, span);
    }
    int scale = std::max(a.scale, b.scale);
    int whole = std::max(a.precision - a.scale, b.precision - b.scale) + (op != Op::Modulo);
    Type type = decimal_type(uint8_t(std::min(kDecimalDigitsMax, whole + scale)), uint8_t(scale));
    return make(op, type, {cast_to(std::move(left), type), cast_to(std::move(right), type)}, span);
  }
  auto common = common_type(a, b);
  if (!common) return no_common(left, right, span, word_of(binary.op));
  return make(op, *common, {cast_to(std::move(left), *common), cast_to(std::move(right), *common)},
              span);
}

// instant − instant, instant ± duration, dates likewise, duration ± duration, duration × number,
// duration / duration.
Expr Checker::temporal(Op op, Expr left, Expr right, dsl::Span span, bool& handled) {
  handled = true;
  const Type duration = type_of(TypeKind::Duration), int64 = type_of(TypeKind::Int64),
             float64 = type_of(TypeKind::Float64);
  const Type millis = timestamp_type(TimeUnit::Milli);
  bool additive = op == Op::Add || op == Op::Subtract;
  auto is = [&](TypeKind a, TypeKind b) { return left.type.is(a) && right.type.is(b); };
  if (is(TypeKind::Timestamp, TypeKind::Timestamp) && op == Op::Subtract) {
    Type common = *common_type(left.type, right.type);
    return make(op, duration, {cast_to(std::move(left), common), cast_to(std::move(right), common)},
                span);
  }
  if (is(TypeKind::Date, TypeKind::Date) && op == Op::Subtract) {
    return make(op, duration, {cast_to(std::move(left), millis), cast_to(std::move(right), millis)},
                span);
  }
  if (op == Op::Add && left.type.is(TypeKind::Duration) &&
      (right.type.is(TypeKind::Timestamp) || right.type.is(TypeKind::Date))) {
    std::swap(left, right);
  }
  // Of a date whole days, of an instant what its unit can say: anything else is an error of the
  // row.
  if ((is(TypeKind::Timestamp, TypeKind::Duration) || is(TypeKind::Date, TypeKind::Duration)) &&
      additive) {
    Type type = left.type;
    return make(op, type, {std::move(left), std::move(right)}, span);
  }
  if (is(TypeKind::Duration, TypeKind::Duration)) {
    if (additive || op == Op::Modulo)
      return make(op, duration, {std::move(left), std::move(right)}, span);
    if (op == Op::Divide) {
      return make(op, float64,
                  {cast_to(cast_to(std::move(left), int64), float64),
                   cast_to(cast_to(std::move(right), int64), float64)},
                  span);
    }
  }
  if (op == Op::Multiply && right.type.is(TypeKind::Duration)) std::swap(left, right);
  if (left.type.is(TypeKind::Duration) && op == Op::Multiply && right.type.is_integer()) {
    return cast_to(
        make(op, int64, {cast_to(std::move(left), int64), cast_to(std::move(right), int64)}, span),
        duration);
  }
  if (left.type.is(TypeKind::Duration) && (op == Op::Multiply || op == Op::Divide) &&
      right.type.is_numeric()) {
    return cast_to(cast_to(make(op, float64,
                                {cast_to(cast_to(std::move(left), int64), float64),
                                 cast_to(std::move(right), float64)},
                                span),
                           int64),
                   duration);
  }
  handled = false;
  return error(span);
}

Expr Checker::comparison(Op op, Expr left, Expr right, dsl::Span span) {
  bool equality = op == Op::Equal || op == Op::NotEqual;
  const char* word = op == Op::Equal       ? "=="
                     : op == Op::NotEqual  ? "!="
                     : op == Op::Less      ? "<"
                     : op == Op::LessEqual ? "<="
                     : op == Op::Greater   ? ">"
                                           : ">=";
  if (equality && (left.type.is(TypeKind::Null) || right.type.is(TypeKind::Null))) {
    Expr& value = left.type.is(TypeKind::Null) ? right : left;
    if (!value.type.optional) {
      report(Code::always_null_check, span, "`" + source_text(value.span) + "` is never null")
          .with_label(text(value.type));
      return bool_constant(op == Op::NotEqual, span);
    }
    return negated_if(op == Op::NotEqual, make(Op::IsNull, bool_type(), {std::move(value)}, span));
  }
  if (!equality) {
    bool missing = left.type.optional || right.type.optional;
    std::string what = std::string("`") + word + "`";
    if (left.type.optional) left = required(std::move(left), what);
    if (right.type.optional) right = required(std::move(right), what);
    if (missing) return error(span);
  }
  auto common = common_type(left.type, right.type);
  if (!common) {
    // A decimal literal beside a float is a float.
    if (right.op == Op::Constant &&
        weir::compiler::convert(right.constant, right.type, left.type.required()))
      common = left.type;
    else if (left.op == Op::Constant &&
             weir::compiler::convert(left.constant, left.type, right.type.required()))
      common = right.type;
    else
      return no_common(left, right, span, word);
  }
  if (!can_compare(graph_.types, *common) || (!equality && !can_order(*common))) {
    report(
        Code::not_comparable, span,
        std::string("values of type ") + text(*common) +
            (equality ? " can't be compared" : " have no order for `" + std::string(word) + "`"));
    return error(span);
  }
  auto bring = [&](Expr value) {
    Type type = *common;
    type.optional = value.type.optional;
    value = cast_to(std::move(value), type);
    return common->optional ? wrapped(std::move(value)) : value;
  };
  return make(op, bool_type(), {bring(std::move(left)), bring(std::move(right))}, span);
}

Expr Checker::coalesce(const dsl::Binary& binary, dsl::Span span, Scope& scope, Type hint) {
  Expr left = check(*binary.left, scope, hint);
  if (left.type.is(TypeKind::Error)) {
    check(*binary.right, scope, hint);
    return left;
  }
  auto facts = scope.facts;
  Expr right =
      check(*binary.right, scope, left.type.is(TypeKind::Null) ? hint : left.type.required());
  scope.facts = std::move(facts);
  if (left.type.is(TypeKind::Null)) return right;
  if (right.op == Op::Fail) right.type = left.type.required();
  if (right.type.is(TypeKind::Error)) return right;
  if (!left.type.optional) {
    report(Code::always_null_check, left.span,
           "`" + source_text(left.span) + "` is never null: `??` does nothing")
        .with_label(text(left.type))
        .with_fix(place(span), source_text(left.span));
    return left;
  }
  if (right.type.is(TypeKind::Null)) return left;
  auto common = common_type(left.type.required(), right.type.required());
  if (!common && right.op == Op::Constant &&
      weir::compiler::convert(right.constant, right.type, left.type.required()))
    common = left.type.required();
  if (!common) return no_common(left, right, span, "??");
  Type type = *common;
  type.optional = right.type.optional;
  left = cast_to(std::move(left), common->nullable());
  right = cast_to(std::move(right), type);
  return make(Op::Coalesce, type, {std::move(left), std::move(right)}, span);
}

Expr Checker::in(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated) {
  Expr value = check(*binary.left, scope);
  if (value.type.is(TypeKind::Error)) {
    return value;
  }
  auto* literal = std::get_if<dsl::ListLiteral>(&binary.right->node);
  if (literal) {
    if (literal->items.empty()) {
      report(Code::type_mismatch, binary.right->span, "`in []` is never true");
      return error(span);
    }
    return with_value(std::move(value), [&](const Expr& value) {
      std::vector<Expr> tests;
      for (const auto& item : literal->items) {
        Expr element = check(*item, scope, value.type.required());
        if (element.type.is(TypeKind::Error)) return error(span);
        Expr test = comparison(Op::Equal, value, std::move(element), item->span);
        if (test.type.is(TypeKind::Error)) return test;
        tests.push_back(std::move(test));
      }
      return negated_if(negated, joined(std::move(tests), [&](Expr a, Expr b) {
                          return make(Op::Or, bool_type(), {std::move(a), std::move(b)}, span);
                        }));
    });
  }
  Expr list = required(check(*binary.right, scope), "`in`");
  if (list.type.is(TypeKind::Error)) return list;
  if (!list.type.is(TypeKind::List)) {
    report(Code::type_mismatch, list.span, "`in` wants a list, and this is " + text(list.type))
        .with_label(text(list.type));
    return error(span);
  }
  return with_value(std::move(value), [&](const Expr& value) {
    Expr element = new_local(graph_.types.element(list.type), span);
    uint32_t local = element.index;
    Expr test = comparison(Op::Equal, value, std::move(element), span);
    if (test.type.is(TypeKind::Error)) return test;
    Expr any = make(Op::ListAny, bool_type(), {std::move(list), std::move(test)}, span);
    any.index = local;
    return negated_if(negated, std::move(any));
  });
}

Expr Checker::like(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated) {
  Type string = type_of(TypeKind::String);
  Expr value = check_as(*binary.left, scope, string, "`like`");
  Expr pattern = check_as(*binary.right, scope, string, "the pattern of `like`");
  if (value.type.is(TypeKind::Error) || pattern.type.is(TypeKind::Error)) return error(span);
  Expr call = make(Op::Call, bool_type(), {std::move(value), std::move(pattern)}, span);
  call.name = "weir_text_like";
  return negated_if(negated, std::move(call));
}

// As `regex.matches`.
Expr Checker::matches(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated) {
  Type string = type_of(TypeKind::String);
  Expr value = check_as(*binary.left, scope, string, "`matches`");
  Expr pattern = check_as(*binary.right, scope, string, "the pattern of `matches`");
  if (value.type.is(TypeKind::Error) || pattern.type.is(TypeKind::Error)) return error(span);
  Expr call = make(Op::Call, bool_type(), {std::move(value), std::move(pattern)}, span);
  call.name = "weir_regex_matches";
  return negated_if(negated, std::move(call));
}

Expr Checker::between(const dsl::Between& between, dsl::Span span, Scope& scope) {
  Expr value = check(*between.value, scope);
  Expr low = check(*between.low, scope, value.type.required());
  Expr high = check(*between.high, scope, value.type.required());
  if (value.type.is(TypeKind::Error) || low.type.is(TypeKind::Error) ||
      high.type.is(TypeKind::Error))
    return error(span);
  return with_value(std::move(value), [&](const Expr& value) {
    Expr above = comparison(Op::GreaterEqual, value, std::move(low), span);
    if (above.type.is(TypeKind::Error)) return above;
    Expr below = comparison(Op::LessEqual, value, std::move(high), span);
    if (below.type.is(TypeKind::Error)) return below;
    return negated_if(between.negated,
                      make(Op::And, bool_type(), {std::move(above), std::move(below)}, span));
  });
}

Expr Checker::is_null(const dsl::IsNull& test, dsl::Span span, Scope& scope) {
  Expr value = check(*test.value, scope);
  if (value.type.is(TypeKind::Error)) return value;
  if (!value.type.optional) {
    report(Code::always_null_check, span, "`" + source_text(value.span) + "` is never null")
        .with_label(text(value.type));
    return bool_constant(test.negated, span);
  }
  return negated_if(test.negated, make(Op::IsNull, bool_type(), {std::move(value)}, span));
}

}  // namespace weir::compiler
