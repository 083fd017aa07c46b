// What a value of one type may stand for: widening, common types, the implicit casts of the
// language page. No conversion here loses anything; those that can are calls of the program,
// `T(e)`.
#include <algorithm>

#include "compiler/cast_text.h"
#include "compiler/checker.h"
#include "compiler/constant.h"
#include "dsl/literal.h"

namespace weir::compiler {

using dsl::Code;

const Scope::Visible* Scope::find(std::string_view name) const {
  for (size_t i = names.size(); i-- > 0;) {
    if (names[i].name == name) return &names[i];
  }
  return nullptr;
}

Expr make(Op op, Type type, std::vector<Expr> args, dsl::Span span) {
  Expr expr;
  expr.op = op;
  expr.type = type;
  expr.args = std::move(args);
  expr.span = span;
  return expr;
}

Expr joined(std::vector<Expr> parts, const std::function<Expr(Expr, Expr)>& join) {
  // Balanced, so that a long list does not become a deep tree.
  while (parts.size() > 1) {
    std::vector<Expr> half;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      half.push_back(join(std::move(parts[i]), std::move(parts[i + 1])));
    if (parts.size() % 2) half.push_back(std::move(parts.back()));
    parts = std::move(half);
  }
  return std::move(parts.front());
}

Expr cast_to(Expr expr, Type type) {
  if (expr.type == type || expr.type.is(TypeKind::Error)) return expr;
  dsl::Span span = expr.span;
  if (expr.op == Op::Constant) {
    if (auto constant = convert(expr.constant, expr.type, type))
      return constant_expr(type, std::move(*constant), span);
  }
  std::vector<Expr> args;
  args.push_back(std::move(expr));
  return make(Op::Cast, type, std::move(args), span);
}

Expr wrapped(Expr expr) {
  if (expr.type.optional || expr.type.is(TypeKind::Error)) return expr;
  if (expr.type.is(TypeKind::Null)) return expr;
  Type type = expr.type.nullable();
  dsl::Span span = expr.span;
  std::vector<Expr> args;
  args.push_back(std::move(expr));
  return make(Op::Wrap, type, std::move(args), span);
}

Expr unwrapped(Expr expr) {
  if (!expr.type.optional) return expr;
  Type type = expr.type.required();
  dsl::Span span = expr.span;
  if (expr.op == Op::Wrap) {
    Expr inner = std::move(expr.args[0]);
    return inner;
  }
  std::vector<Expr> args;
  args.push_back(std::move(expr));
  return make(Op::Unwrap, type, std::move(args), span);
}

std::optional<Expr> split_presence(Expr& value) {
  if (!value.type.optional) return std::nullopt;
  const Type boolean = type_of(TypeKind::Bool);
  Expr present =
      make(Op::Not, boolean, {make(Op::IsNull, boolean, {value}, value.span)}, value.span);
  value = unwrapped(std::move(value));
  return present;
}

Expr field_expr(uint32_t index, Type type, dsl::Span span) {
  Expr expr = make(Op::Field, type, {}, span);
  expr.index = index;
  return expr;
}

Expr bool_constant(bool value, dsl::Span span) {
  return constant_expr(type_of(TypeKind::Bool), Constant{value}, span);
}

std::string path_of(const Expr& expr) {
  switch (expr.op) {
    case Op::Field:
      return "f" + std::to_string(expr.index);
    case Op::Local:
      return "l" + std::to_string(expr.index);
    case Op::Unwrap:
      return path_of(expr.args[0]);
    case Op::Member: {
      std::string object = path_of(expr.args[0]);
      return object.empty() ? "" : object + "." + std::to_string(expr.index);
    }
    default:
      return "";
  }
}

void facts_of(const Expr& condition, bool truth, std::set<std::string>& facts) {
  auto add = [&](const Expr& expr) {
    std::string path = path_of(expr);
    if (!path.empty()) facts.insert(std::move(path));
  };
  switch (condition.op) {
    case Op::IsNull:
      if (!truth) add(condition.args[0]);
      break;
    case Op::Not:
      facts_of(condition.args[0], !truth, facts);
      break;
    case Op::And:
    case Op::Or:
      if (truth == (condition.op == Op::And)) {
        facts_of(condition.args[0], truth, facts);
        facts_of(condition.args[1], truth, facts);
      }
      break;
    case Op::Equal:
    case Op::NotEqual:
      // Equal to something that is not null.
      if (truth == (condition.op == Op::Equal)) {
        if (condition.args[1].op == Op::Wrap) add(condition.args[0]);
        if (condition.args[0].op == Op::Wrap) add(condition.args[1]);
      }
      break;
    default:
      break;
  }
}

size_t size_of(const Expr& expr, size_t limit) {
  size_t size = 1;
  for (const Expr& arg : expr.args) {
    if (size >= limit) break;
    size += size_of(arg, limit - size);
  }
  return size;
}

namespace {

int integer_bits(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int8:
    case TypeKind::UInt8:
      return 8;
    case TypeKind::Int16:
    case TypeKind::UInt16:
      return 16;
    case TypeKind::Int32:
    case TypeKind::UInt32:
      return 32;
    default:
      return 64;
  }
}
bool is_signed(TypeKind kind) { return kind <= TypeKind::Int64; }

TypeKind integer_kind(bool with_sign, int bits) {
  switch (bits) {
    case 8:
      return with_sign ? TypeKind::Int8 : TypeKind::UInt8;
    case 16:
      return with_sign ? TypeKind::Int16 : TypeKind::UInt16;
    case 32:
      return with_sign ? TypeKind::Int32 : TypeKind::UInt32;
    default:
      return with_sign ? TypeKind::Int64 : TypeKind::UInt64;
  }
}

std::optional<Type> common_integer(Type a, Type b) {
  bool sa = is_signed(a.kind), sb = is_signed(b.kind);
  int ba = integer_bits(a.kind), bb = integer_bits(b.kind);
  if (sa == sb) return type_of(integer_kind(sa, std::max(ba, bb)));
  // The unsigned one needs one more bit.
  int bits = std::max(sa ? ba : bb, 2 * (sa ? bb : ba));
  if (bits > 64) return std::nullopt;
  return type_of(integer_kind(true, bits));
}

Type as_decimal(Type type) {
  return type.is(TypeKind::Decimal) ? type : decimal_type(uint8_t(integer_digits(type.kind)), 0);
}

}  // namespace

bool widens(Type from, Type to) {
  if (from == to) return true;
  if (from.is_integer() && to.is_integer()) {
    auto common = common_integer(from, to);
    return common && *common == to;
  }
  if (from.is_integer() && to.is_float())
    return to.is(TypeKind::Float64) || integer_bits(from.kind) <= 16;
  if ((from.is_integer() || from.is(TypeKind::Decimal)) && to.is(TypeKind::Decimal)) {
    Type decimal = as_decimal(from);
    return decimal.scale <= to.scale &&
           decimal.precision - decimal.scale <= to.precision - to.scale;
  }
  if (from.is(TypeKind::Float32) && to.is(TypeKind::Float64)) return true;
  if (from.is(TypeKind::Timestamp) && to.is(TypeKind::Timestamp)) return from.unit <= to.unit;
  return false;
}

std::optional<Type> common_type(Type a, Type b) {
  if (a.is(TypeKind::Error)) return b;
  if (b.is(TypeKind::Error)) return a;
  if (a.is(TypeKind::Null)) return b.is(TypeKind::Null) ? b : b.nullable();
  if (b.is(TypeKind::Null)) return a.nullable();
  bool optional = a.optional || b.optional;
  a.optional = b.optional = false;
  auto with_null = [&](Type type) {
    type.optional = optional;
    return type;
  };
  if (a == b) return with_null(a);
  if (a.is_integer() && b.is_integer()) {
    auto common = common_integer(a, b);
    return common ? std::optional(with_null(*common)) : std::nullopt;
  }
  if (a.is_numeric() && b.is_numeric() && (a.is_float() || b.is_float())) {
    if (a.is(TypeKind::Decimal) || b.is(TypeKind::Decimal)) return std::nullopt;
    Type f32 = type_of(TypeKind::Float32);
    return with_null(widens(a, f32) && widens(b, f32) ? f32 : type_of(TypeKind::Float64));
  }
  if (a.is_numeric() && b.is_numeric()) {
    a = as_decimal(a);
    b = as_decimal(b);
    int scale = std::max(a.scale, b.scale);
    int whole = std::max(a.precision - a.scale, b.precision - b.scale);
    return with_null(
        decimal_type(uint8_t(std::min(kDecimalDigitsMax, whole + scale)), uint8_t(scale)));
  }
  if (a.is(TypeKind::Timestamp) && b.is(TypeKind::Timestamp))
    return with_null(timestamp_type(std::max(a.unit, b.unit)));
  return std::nullopt;
}

bool can_compare(const Types& types, Type type) {
  switch (type.kind) {
    case TypeKind::Record:
      for (const Field& field : types.record(type).fields) {
        if (!can_compare(types, field.type)) return false;
      }
      return true;
    case TypeKind::List:
      return can_compare(types, types.element(type));
    case TypeKind::Map:
    case TypeKind::Json:
      return false;
    default:
      return true;
  }
}

bool can_order(Type type) {
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Date:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
    case TypeKind::Error:
      return true;
    default:
      return type.is_numeric();
  }
}

bool can_be_key(Type type) {
  switch (type.kind) {
    case TypeKind::Record:
    case TypeKind::List:
    case TypeKind::Map:
    case TypeKind::Json:
    case TypeKind::Null:
      return false;
    default:
      return true;
  }
}

dsl::Diagnostic& Checker::report(Code code, dsl::Span span, std::string message) {
  return diagnostics_.report(code, place(span), std::move(message));
}

std::string Checker::source_text(dsl::Span span) const {
  span = place(span);
  if (span.file >= declarations_.sources->size()) return "…";
  std::string text(declarations_.sources->text(span));
  if (text.size() > 60 || text.find('\n') != std::string::npos) return "…";
  return text;
}

namespace {

// What a missing value is most often replaced by.
std::string default_text(Type type) {
  if (type.is_integer() || type.is(TypeKind::Decimal)) return "0";
  if (type.is_float()) return "0.0";
  switch (type.kind) {
    case TypeKind::Bool:
      return "false";
    case TypeKind::String:
      return "\"\"";
    case TypeKind::Duration:
      return "0s";
    default:
      return "";
  }
}

}  // namespace

namespace {

bool is_duration(const std::string& text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  dsl::LiteralScan scan = dsl::scan_number(text);
  return scan.kind == dsl::TokenKind::Duration && !scan.problem && scan.length == text.size();
}

}  // namespace

// A literal of another type whose text is one of `want`, as it is written there: `"10m"` for a
// duration, `60` for a duration of seconds, `42` for a text, `"42"` for a number. Else "".
std::string Checker::meant_literal(const Expr& expr, Type want) const {
  if (expr.op != Op::Constant) return "";
  auto number = [](std::string_view text) {
    bool point = false;
    for (size_t i = text.starts_with('-'); i < text.size(); ++i) {
      if (text[i] == '.' && !point && i + 1 < text.size())
        point = true;
      else if (text[i] < '0' || text[i] > '9')
        return false;
    }
    return !text.empty() && text != "-" && !text.starts_with('.');
  };
  const auto* text = std::get_if<std::string>(&expr.constant.value);
  if (text && expr.type.is(TypeKind::String)) {
    bool whole = number(*text) && text->find('.') == std::string::npos;
    if (want.is(TypeKind::Duration) && is_duration(*text)) return *text;
    if (want.is(TypeKind::Duration) && whole) return *text + "s";
    if (want.is_integer() && whole) return *text;
    if ((want.is_float() || want.is(TypeKind::Decimal)) && number(*text)) return *text;
    if (want.is(TypeKind::Bool) && (*text == "true" || *text == "false")) return *text;
    return "";
  }
  std::string written = source_text(expr.span);
  if (!number(written)) return "";
  if (want.is(TypeKind::String)) return "\"" + written + "\"";
  if (want.is(TypeKind::Duration) && expr.type.is_integer()) return written + "s";
  return "";
}

Expr Checker::required(Expr expr, const std::string& what) {
  if (expr.type.is(TypeKind::Null)) {
    report(Code::may_be_null, expr.span, "`null` where " + what + " wants a value")
        .with_label("null");
    return error(expr.span);
  }
  if (!expr.type.optional) return expr;
  std::string text = source_text(expr.span);
  auto& diagnostic = report(Code::may_be_null, expr.span,
                            "`" + text + "` may be null where " + what + " wants a value")
                         .with_label(this->text(expr.type));
  std::string fallback = default_text(expr.type);
  bool simple = text.find(' ') == std::string::npos;
  if (!fallback.empty() && !inlined_at_) {
    std::string fix = (simple ? text : "(" + text + ")") + " ?? " + fallback;
    bool arithmetic =
        what == "`+`" || what == "`-`" || what == "`*`" || what == "`/`" || what == "`%`";
    if (arithmetic) fix = "(" + fix + ")";  // `??` binds looser
    diagnostic.with_fix(expr.span, fix);
  } else {
    diagnostic.with_fix_text("where " + text + " is not null");
  }
  return error(expr.span);
}

Expr Checker::convert(Expr expr, Type want, const std::string& what) {
  if (expr.op == Op::Fail && expr.type.is(TypeKind::Error)) expr.type = want;
  if (want.is(TypeKind::Error) || expr.type.is(TypeKind::Error)) return expr;
  if (expr.type == want) return expr;
  if (expr.type.is(TypeKind::Null)) {
    if (want.optional) return constant_expr(want, Constant{}, expr.span);
    return required(std::move(expr), what);
  }
  if (expr.type.optional && !want.optional) {
    expr = required(std::move(expr), what);
    if (expr.type.is(TypeKind::Error)) return expr;
  }
  Type from = expr.type.required(), to = want.required();
  if (from != to) {
    bool literal =
        expr.op == Op::Constant && weir::compiler::convert(expr.constant, from, to).has_value();
    if (!literal && !widens(from, to)) {
      if (expr.op == Op::Constant && from.is_integer() && to.is_integer()) {
        report(Code::literal_out_of_range, expr.span,
               "`" + source_text(expr.span) + "` does not fit into " + text(to))
            .with_label(text(to) + " for " + what);
      } else {
        auto& diagnostic =
            report(Code::type_mismatch, expr.span,
                   what + " wants " + text(want) + ", and this is " + text(expr.type))
                .with_label(text(expr.type));
        std::string literal_fix = meant_literal(expr, to);
        bool castable = (from.is_numeric() && to.is_numeric()) || to.is(TypeKind::String) ||
                        (from.is(TypeKind::String) && !to.is(TypeKind::Record) &&
                         !to.is(TypeKind::List) && !to.is(TypeKind::Map));
        if (!literal_fix.empty() && !inlined_at_)
          diagnostic.with_fix(expr.span, literal_fix);
        else if (castable && !inlined_at_)
          diagnostic.with_fix(expr.span, cast_text(text(to), source_text(expr.span)));
      }
      return error(expr.span);
    }
    Type cast = to;
    cast.optional = expr.type.optional;
    expr = cast_to(std::move(expr), cast);
  }
  return want.optional ? wrapped(std::move(expr)) : expr;
}

Expr Checker::check_as(const dsl::Expr& expr, Scope& scope, Type want, const std::string& what) {
  return convert(check(expr, scope, want), want, what);
}

Expr Checker::check_condition(const dsl::Expr& expr, Scope& scope, const std::string& what,
                              bool null_is_false) {
  Expr condition = check(expr, scope, type_of(TypeKind::Bool));
  if (condition.type.is(TypeKind::Error)) return condition;
  if (!condition.type.is(TypeKind::Bool)) {
    report(Code::type_mismatch, condition.span,
           what + " wants bool, and this is " + text(condition.type))
        .with_label(text(condition.type));
    return error(condition.span);
  }
  if (condition.type.optional && !null_is_false) return required(std::move(condition), what);
  return condition;
}

std::optional<Constant> Checker::constant(const dsl::Expr& expr, Type want,
                                          const std::string& what) {
  Scope scope;
  size_t errors = diagnostics_.error_count();
  Expr checked = check_as(expr, scope, want, what);
  if (diagnostics_.error_count() != errors || want.is(TypeKind::Error)) return std::nullopt;
  auto value = fold(checked);
  if (!value) {
    report(Code::constant_expected, expr.span,
           what + " wants a value that is known before any row comes");
  }
  return value;
}

std::optional<int64_t> Checker::duration(const dsl::Expr& expr, const std::string& what) {
  auto value = constant(expr, type_of(TypeKind::Duration), what);
  if (!value || !std::holds_alternative<int64_t>(value->value)) return std::nullopt;
  return std::get<int64_t>(value->value);
}

}  // namespace weir::compiler
