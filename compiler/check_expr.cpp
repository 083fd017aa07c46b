// The dispatch over expressions, and what has no file of its own.
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

Expr Checker::check(const dsl::Expr& expr, Scope& scope, Type hint) {
  if (++declarations_.nodes_checked >= kNodesMax) {
    if (declarations_.nodes_checked == kNodesMax) {
      report(Code::too_deep, expr.span,
             "more than " + std::to_string(kNodesMax) +
                 " parts of expressions, with functions written out");
    }
    return error(place(expr.span));
  }
  Expr checked = check_node(expr, scope, hint);
  checked.span = place(expr.span);
  if (declarations_.meanings && !inlined_at_)
    declarations_.meanings->typed.push_back({expr.span, text(checked.type)});
  return checked;
}

Expr Checker::check_node(const dsl::Expr& expr, Scope& scope, Type hint) {
  dsl::Span span = place(expr.span);
  struct Visit {
    Checker& checker;
    Scope& scope;
    Type hint;
    dsl::Span span;
    Expr operator()(const dsl::NumberLiteral& e) { return checker.number(e, span, hint, false); }
    Expr operator()(const dsl::TextLiteral& e) {
      return constant_expr(type_of(TypeKind::String), text_constant(e.text), span);
    }
    Expr operator()(const dsl::Interpolation& e) { return checker.interpolation(e, span, scope); }
    Expr operator()(const dsl::BoolLiteral& e) { return bool_constant(e.value, span); }
    Expr operator()(const dsl::NullLiteral&) {
      Type type = type_of(TypeKind::Null);
      type.optional = true;
      return constant_expr(type, Constant{}, span);
    }
    Expr operator()(const dsl::DurationLiteral& e) {
      return constant_expr(type_of(TypeKind::Duration), int_constant(e.micros), span);
    }
    Expr operator()(const dsl::SizeLiteral& e) {
      return constant_expr(type_of(TypeKind::Int64), int_constant(e.bytes), span);
    }
    Expr operator()(const dsl::InstantLiteral& e) { return checker.instant(e, span, hint); }
    Expr operator()(const dsl::DateLiteral& e) {
      return constant_expr(type_of(TypeKind::Date), int_constant(e.days), span);
    }
    Expr operator()(const dsl::NameRef& e) { return checker.name(e, span, scope, hint); }
    Expr operator()(const dsl::Unary& e) { return checker.unary(e, span, scope, hint); }
    Expr operator()(const dsl::Binary& e) { return checker.binary(e, span, scope, hint); }
    Expr operator()(const dsl::Between& e) { return checker.between(e, span, scope); }
    Expr operator()(const dsl::IsNull& e) { return checker.is_null(e, span, scope); }
    Expr operator()(const dsl::If& e) { return checker.if_(e, span, scope, hint); }
    Expr operator()(const dsl::Match& e) { return checker.match(e, span, scope, hint); }
    Expr operator()(const dsl::Member& e) { return checker.member(e, span, scope); }
    Expr operator()(const dsl::Index& e) { return checker.index(e, span, scope); }
    Expr operator()(const dsl::Call& e) { return checker.call(e, span, scope, hint); }
    Expr operator()(const dsl::ListLiteral& e) { return checker.list(e, span, scope, hint); }
    Expr operator()(const dsl::MapLiteral& e) { return checker.map(e, span, scope, hint); }
    Expr operator()(const dsl::RecordLiteral& e) { return checker.record(e, span, scope, hint); }
    Expr operator()(const dsl::Lambda&) {
      checker.report(Code::type_mismatch, span,
                     "a function `x => …` stands only where a list's `map`, `filter`, `any` or "
                     "`all` wants one");
      return checker.error(span);
    }
    Expr operator()(const dsl::BadExpr&) { return checker.error(span); }
  };
  return std::visit(Visit{*this, scope, hint, span}, expr.node);
}

Expr Checker::index(const dsl::Index& index, dsl::Span span, Scope& scope) {
  Expr object = required(check(*index.object, scope), "`[…]`");
  if (object.type.is(TypeKind::Error)) return object;
  if (object.type.is(TypeKind::List)) {
    Type element = graph_.types.element(object.type);
    Expr at = check_as(*index.index, scope, type_of(TypeKind::Int64), "the index of a list");
    if (at.type.is(TypeKind::Error)) return at;
    return make(Op::Index, element, {std::move(object), std::move(at)}, span);
  }
  if (object.type.is(TypeKind::Map)) {
    Type element = graph_.types.element(object.type).nullable();
    Expr at = check_as(*index.index, scope, type_of(TypeKind::String), "the key of a map");
    if (at.type.is(TypeKind::Error)) return at;
    return make(Op::Index, element, {std::move(object), std::move(at)}, span);
  }
  report(Code::type_mismatch, object.span,
         "`[…]` wants a list or a map, and this is " + text(object.type))
      .with_label(text(object.type));
  return error(span);
}

Expr Checker::new_local(Type type, dsl::Span span) {
  Expr local = make(Op::Local, type, {}, span);
  local.index = declarations_.next_local++;
  return local;
}

Expr Checker::with_value(Expr value, const std::function<Expr(const Expr& value)>& body) {
  if (value.type.is(TypeKind::Error)) return value;
  if (value.op == Op::Constant || !path_of(value).empty()) return body(value);
  Expr local = new_local(value.type, value.span);
  uint32_t index = local.index;
  Expr inner = body(local);
  if (inner.type.is(TypeKind::Error)) return inner;
  Type type = inner.type;
  dsl::Span span = value.span;
  Expr let = make(Op::Let, type, {std::move(value), std::move(inner)}, span);
  let.index = index;
  return let;
}

}  // namespace weir::compiler
