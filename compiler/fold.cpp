// Computing with constants: what has no row in it is done once, here. Whatever could be an error
// (overflow, division by zero) is left as it is: it is the row's error, and only where a row comes.
#include "compiler/constant.h"

namespace weir::compiler {
namespace {

std::optional<Constant> arithmetic(Op op, Type type, const Constant& left, const Constant& right) {
  if (type.is_integer() && !type.is(TypeKind::UInt64)) {
    __int128 a = std::get<int64_t>(left.value), b = std::get<int64_t>(right.value);
    __int128 result;
    switch (op) {
      case Op::Add:
        result = a + b;
        break;
      case Op::Subtract:
        result = a - b;
        break;
      case Op::Multiply:
        result = a * b;
        break;
      default:
        return std::nullopt;
    }
    if (!fits_integer(type.kind, result)) return std::nullopt;
    return Constant{int64_t(result)};
  }
  if (type.is(TypeKind::Duration) && left.value.index() == right.value.index()) {
    __int128 a = std::get<int64_t>(left.value), b = std::get<int64_t>(right.value);
    if (op != Op::Add && op != Op::Subtract) return std::nullopt;
    __int128 result = op == Op::Add ? a + b : a - b;
    if (!fits_integer(TypeKind::Int64, result)) return std::nullopt;
    return Constant{int64_t(result)};
  }
  if (type.is(TypeKind::Float64)) {
    double a = std::get<double>(left.value), b = std::get<double>(right.value);
    switch (op) {
      case Op::Add:
        return Constant{a + b};
      case Op::Subtract:
        return Constant{a - b};
      case Op::Multiply:
        return Constant{a * b};
      case Op::Divide:
        if (b != 0) return Constant{a / b};
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Constant> negated(Type type, const Constant& value) {
  if (auto* whole = std::get_if<int64_t>(&value.value)) {
    if (type.is(TypeKind::UInt64) || !(type.is_integer() || type.is(TypeKind::Duration)))
      return std::nullopt;
    if (type.is_integer() && !fits_integer(type.kind, -__int128(*whole))) return std::nullopt;
    if (*whole == INT64_MIN) return std::nullopt;
    return Constant{-*whole};
  }
  if (auto* real = std::get_if<double>(&value.value)) return Constant{-*real};
  if (auto* decimal = std::get_if<__int128>(&value.value)) return Constant{-*decimal};
  return std::nullopt;
}

std::optional<Constant> list_of(const std::vector<Expr>& args) {
  Constant::List list;
  for (const Expr& arg : args) {
    auto value = fold(arg);
    if (!value) return std::nullopt;
    list.push_back(std::move(*value));
  }
  return Constant{std::move(list)};
}

std::optional<Constant> logic(const Expr& expr) {
  auto left = fold(expr.args[0]);
  if (!left || !std::holds_alternative<bool>(left->value)) return std::nullopt;
  bool value = std::get<bool>(left->value);
  if (expr.op == Op::Not) return Constant{!value};
  if (value == (expr.op == Op::Or)) return left;
  return fold(expr.args[1]);
}

}  // namespace

std::optional<Constant> fold(const Expr& expr) {
  switch (expr.op) {
    case Op::Constant:
      return expr.constant;
    case Op::Wrap:
    case Op::Try:
      return fold(expr.args[0]);
    case Op::Unwrap: {
      auto value = fold(expr.args[0]);
      return value && !value->is_null() ? value : std::nullopt;
    }
    case Op::IsNull: {
      auto value = fold(expr.args[0]);
      return value ? std::optional(Constant{value->is_null()}) : std::nullopt;
    }
    case Op::Coalesce: {
      auto value = fold(expr.args[0]);
      if (!value) return std::nullopt;
      return value->is_null() ? fold(expr.args[1]) : value;
    }
    case Op::Negate: {
      auto value = fold(expr.args[0]);
      return value ? negated(expr.type, *value) : std::nullopt;
    }
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Divide: {
      if (expr.args[0].type != expr.type || expr.args[1].type != expr.type || expr.type.optional)
        return std::nullopt;
      auto left = fold(expr.args[0]);
      if (!left) return std::nullopt;
      auto right = fold(expr.args[1]);
      return right ? arithmetic(expr.op, expr.type, *left, *right) : std::nullopt;
    }
    case Op::And:
    case Op::Or:
    case Op::Not:
      return logic(expr);
    case Op::If: {
      auto condition = fold(expr.args[0]);
      if (!condition || !std::holds_alternative<bool>(condition->value)) return std::nullopt;
      return fold(expr.args[std::get<bool>(condition->value) ? 1 : 2]);
    }
    case Op::Cast: {
      auto value = fold(expr.args[0]);
      return value ? convert(*value, expr.args[0].type, expr.type) : std::nullopt;
    }
    case Op::MakeRecord:
    case Op::MakeList:
      return list_of(expr.args);
    default:
      return std::nullopt;
  }
}

void simplify(Expr& expr) {
  for (Expr& arg : expr.args) simplify(arg);
  if (expr.op == Op::Constant || expr.type.is(TypeKind::Record) || expr.type.is(TypeKind::List) ||
      expr.type.is(TypeKind::Map))
    return;
  if (auto value = fold(expr)) {
    expr.op = Op::Constant;
    expr.args.clear();
    expr.constant = std::move(*value);
    return;
  }
  // `true and p`, `false or p`, and an `if` whose condition is known.
  auto known = [&](size_t index) -> std::optional<bool> {
    auto value = fold(expr.args[index]);
    if (!value || !std::holds_alternative<bool>(value->value)) return std::nullopt;
    return std::get<bool>(value->value);
  };
  std::optional<size_t> chosen;
  if (expr.op == Op::And || expr.op == Op::Or) {
    if (auto left = known(0); left && *left == (expr.op == Op::And)) chosen = 1;
  } else if (expr.op == Op::If) {
    if (auto condition = known(0)) chosen = *condition ? 1 : 2;
  }
  if (chosen) {
    Expr taken = std::move(expr.args[*chosen]);
    expr = std::move(taken);
  }
}

}  // namespace weir::compiler
