#include "tests/differential/interpreter.h"

#include <cmath>

namespace weir::differential {

using compiler::Expr;
using compiler::Op;
using compiler::TimeUnit;
using compiler::Type;
using compiler::TypeKind;

const char* reason_name(Reason reason) {
  switch (reason) {
#define REASON(number, name, text) \
  case Reason::name:               \
    return #name;
#include "runtime/contract/reason.def"
#undef REASON
  }
  return "?";
}

Wide least_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int8:
      return INT8_MIN;
    case TypeKind::Int16:
      return INT16_MIN;
    case TypeKind::Int32:
    case TypeKind::Date:
      return INT32_MIN;
    case TypeKind::UInt8:
    case TypeKind::UInt16:
    case TypeKind::UInt32:
    case TypeKind::UInt64:
      return 0;
    default:
      return INT64_MIN;
  }
}

Wide most_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int8:
      return INT8_MAX;
    case TypeKind::Int16:
      return INT16_MAX;
    case TypeKind::Int32:
    case TypeKind::Date:
      return INT32_MAX;
    case TypeKind::UInt8:
      return UINT8_MAX;
    case TypeKind::UInt16:
      return UINT16_MAX;
    case TypeKind::UInt32:
      return UINT32_MAX;
    case TypeKind::UInt64:
      return UINT64_MAX;
    default:
      return INT64_MAX;
  }
}

Wide power_of_ten(int digits) {
  Wide power = 1;
  while (digits-- > 0) power *= 10;
  return power;
}

namespace {

// Room for the product of two decimals, and for a dividend that is moved up.
using Huge = signed _BitInt(512);

Huge huge_power(int digits) {
  Huge power = 1;
  while (digits-- > 0) power *= 10;
  return power;
}

// dividend / divisor, half even.
Huge rounded(Huge dividend, Huge divisor) {
  Huge quotient = dividend / divisor, rest = dividend % divisor;
  if (rest < 0) rest = -rest;
  Huge size = divisor < 0 ? -divisor : divisor;
  bool up = 2 * rest > size || (2 * rest == size && quotient % 2 != 0);
  if (up) quotient += (dividend < 0) == (divisor < 0) ? 1 : -1;
  return quotient;
}

Value fitting(Huge unscaled, Type type, Reason reason) {
  Huge limit = huge_power(type.precision);
  if (unscaled >= limit || unscaled <= -limit) return failure(reason);
  return of_number(Wide(unscaled));
}

Value in_range(Wide number, TypeKind kind, Reason reason) {
  if (number < least_of(kind) || number > most_of(kind)) return failure(reason);
  return of_number(number);
}

Value as_float(double value, Type type) {
  return of_real(type.is(TypeKind::Float32) ? double(float(value)) : value);
}

int64_t units(TimeUnit unit) {
  return unit == TimeUnit::Milli ? 1'000 : unit == TimeUnit::Micro ? 1'000'000 : 1'000'000'000;
}

Wide floored(Wide dividend, Wide divisor) {
  Wide quotient = dividend / divisor;
  return quotient - (dividend % divisor != 0 && (dividend < 0) != (divisor < 0));
}

}  // namespace

Value Interpreter::not_known(const std::string& what) {
  if (unknown_.empty()) unknown_ = what;
  return failure(Reason::none);
}

bool Interpreter::is_path(const Row& row, const Expr& expr) const {
  switch (expr.op) {
    case Op::Field:
      return !row.from || is_path(*row.from, (*row.values)[expr.index]);
    case Op::Member:
    case Op::Unwrap:
      return is_path(row, expr.args[0]);
    default:
      return false;
  }
}

Value Interpreter::path(const Row& row, const Expr& expr) {
  switch (expr.op) {
    case Op::Field:
      return row.from ? path(*row.from, (*row.values)[expr.index]) : (*row.decoded)[expr.index];
    case Op::Member: {
      Value record = path(row, expr.args[0]);
      return record.failed() || record.null ? record : record.items[expr.index];
    }
    default:
      return path(row, expr.args[0]);
  }
}

Value Interpreter::whole(Value value, Type type) const {
  if (!type.is(TypeKind::Record) || value.failed() || value.null) return value;
  const auto& fields = types_.record(type).fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    Value inside = whole(value.items[i], fields[i].type);
    if (inside.failed()) return inside;
  }
  return value;
}

Value Interpreter::field(const Row& row, uint32_t index, Type type) {
  Expr expr;
  expr.op = Op::Field;
  expr.index = index;
  expr.type = type;
  return eval(row, expr);
}

Value Interpreter::eval(const Row& row, const Expr& expr) {
  if (is_path(row, expr)) return whole(path(row, expr), expr.type);
  if (expr.op == Op::Field) return eval(*row.from, (*row.values)[expr.index]);
  return node(row, expr);
}

Value Interpreter::node(const Row& row, const Expr& expr) {
  std::vector<Value> arguments;
  // All of them, in their order, as far as they have values.
  auto evaluated = [&](size_t count) -> const Value* {
    for (size_t i = 0; i < count; ++i) {
      arguments.push_back(eval(row, expr.args[i]));
      if (arguments.back().failed()) return &arguments.back();
    }
    return nullptr;
  };
  switch (expr.op) {
    case Op::Constant:
      return constant(expr.constant, expr.type);
    case Op::Local:
      return locals_[expr.index];
    case Op::Wrap:
    case Op::Unwrap:
      return eval(row, expr.args[0]);
    case Op::IsNull: {
      const Expr& of = expr.args[0];
      Value value =
          of.type.is(TypeKind::Record) && is_path(row, of) ? path(row, of) : eval(row, of);
      return value.failed() ? value : of_number(value.null);
    }
    case Op::Coalesce: {
      Value first = eval(row, expr.args[0]);
      return first.failed() || !first.null ? first : eval(row, expr.args[1]);
    }
    case Op::If: {
      Value condition = eval(row, expr.args[0]);
      return condition.failed() ? condition : eval(row, expr.args[condition.number ? 1 : 2]);
    }
    case Op::And:
    case Op::Or: {
      Value first = eval(row, expr.args[0]);
      bool decided = first.failed() || bool(first.number) == (expr.op == Op::Or);
      return decided ? first : eval(row, expr.args[1]);
    }
    case Op::Let: {
      Value value = eval(row, expr.args[0]);
      if (value.failed()) return value;
      locals_[expr.index] = std::move(value);
      return eval(row, expr.args[1]);
    }
    case Op::Try: {
      Value value = eval(row, expr.args[0]);
      return value.failed() ? no_value() : value;
    }
    case Op::ListMap:
    case Op::ListFilter:
    case Op::ListAny:
    case Op::ListAll:
      return list(row, expr);
    default:
      break;
  }

  if (const Value* bad = evaluated(expr.args.size())) return *bad;
  switch (expr.op) {
    case Op::Fail:
      return failure(Reason::failed);
    case Op::Not:
      return of_number(!arguments[0].number);
    case Op::Negate:
      if (expr.type.is_float()) return of_real(-arguments[0].real);
      if (expr.type.is(TypeKind::Decimal)) return of_number(-arguments[0].number);
      return in_range(-arguments[0].number, expr.type.kind, Reason::overflow);
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Divide:
    case Op::Modulo:
      return arithmetic(expr, arguments[0], arguments[1]);
    case Op::Equal:
    case Op::NotEqual:
      return of_number(equal(arguments[0], arguments[1], expr.args[0].type) ==
                       (expr.op == Op::Equal));
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual: {
      int order = this->order(arguments[0], arguments[1], expr.args[0].type);
      if (order == 2) return of_number(false);
      return of_number(expr.op == Op::Less        ? order < 0
                       : expr.op == Op::LessEqual ? order <= 0
                       : expr.op == Op::Greater   ? order > 0
                                                  : order >= 0);
    }
    case Op::Cast:
      return arguments[0].null
                 ? arguments[0]
                 : cast(arguments[0], expr.args[0].type.required(), expr.type.required());
    case Op::Call:
      for (const Value& argument : arguments) {
        if (argument.null) return no_value();
      }
      return call(expr, arguments);
    case Op::Member:
      return arguments[0].items[expr.index];
    case Op::MakeRecord:
    case Op::MakeList: {
      Value value;
      value.items = std::move(arguments);
      return value;
    }
    case Op::Index: {
      const std::vector<Value>& items = arguments[0].items;
      if (expr.args[0].type.is(TypeKind::List)) {
        Wide at = arguments[1].number;
        return at < 0 || at >= Wide(items.size()) ? failure(Reason::index_out_of_range)
                                                  : items[size_t(at)];
      }
      for (size_t i = 0; i < items.size(); i += 2) {
        if (items[i].text == arguments[1].text) return items[i + 1];
      }
      return no_value();
    }
    default:
      return not_known("operator " + std::to_string(int(expr.op)));
  }
}

Value Interpreter::constant(const compiler::Constant& constant, Type type) const {
  if (constant.is_null()) return no_value();
  if (auto* flag = std::get_if<bool>(&constant.value)) return of_number(*flag);
  if (auto* number = std::get_if<int64_t>(&constant.value))
    return of_number(type.is(TypeKind::UInt64) ? Wide(uint64_t(*number)) : Wide(*number));
  if (auto* real = std::get_if<double>(&constant.value)) return of_real(*real);
  if (auto* wide = std::get_if<__int128>(&constant.value)) return of_number(*wide);
  if (auto* text = std::get_if<std::string>(&constant.value)) return of_text(*text);
  Value value;
  const auto& items = std::get<compiler::Constant::List>(constant.value);
  for (size_t i = 0; i < items.size(); ++i) {
    bool record = type.is(TypeKind::Record);
    value.items.push_back(this->constant(
        items[i], record ? types_.record(type).fields[i].type : types_.element(type)));
  }
  return value;
}

Value Interpreter::arithmetic(const Expr& expr, const Value& a, const Value& b) const {
  Type left = expr.args[0].type, right = expr.args[1].type;
  if (left.is(TypeKind::Timestamp) || left.is(TypeKind::Date) || right.is(TypeKind::Timestamp))
    return instant(expr, a, b);
  if (expr.type.is(TypeKind::Decimal)) return decimal(expr, a, b);
  if (expr.type.is_float()) {
    bool divides = expr.op == Op::Divide || expr.op == Op::Modulo;
    if (divides && b.real == 0) return failure(Reason::division_by_zero);
    switch (expr.op) {
      case Op::Add:
        return as_float(a.real + b.real, expr.type);
      case Op::Subtract:
        return as_float(a.real - b.real, expr.type);
      case Op::Multiply:
        return as_float(a.real * b.real, expr.type);
      case Op::Divide:
        return as_float(a.real / b.real, expr.type);
      default:
        return as_float(std::fmod(a.real, b.real), expr.type);
    }
  }
  TypeKind kind = expr.type.kind;
  switch (expr.op) {
    case Op::Add:
      return in_range(a.number + b.number, kind, Reason::overflow);
    case Op::Subtract:
      return in_range(a.number - b.number, kind, Reason::overflow);
    case Op::Multiply: {
      Huge product = Huge(a.number) * Huge(b.number);
      if (product < Huge(least_of(kind)) || product > Huge(most_of(kind)))
        return failure(Reason::overflow);
      return of_number(Wide(product));
    }
    default:
      if (b.number == 0) return failure(Reason::division_by_zero);
      return expr.op == Op::Divide ? in_range(a.number / b.number, kind, Reason::overflow)
                                   : of_number(a.number % b.number);
  }
}

Value Interpreter::decimal(const Expr& expr, const Value& a, const Value& b) const {
  Huge x = a.number, y = b.number;
  int left = expr.args[0].type.scale, right = expr.args[1].type.scale, scale = expr.type.scale;
  switch (expr.op) {
    case Op::Add:
      return fitting(x + y, expr.type, Reason::overflow);
    case Op::Subtract:
      return fitting(x - y, expr.type, Reason::overflow);
    case Op::Multiply: {
      int drop = left + right - scale;
      Huge product = x * y;
      return fitting(drop > 0 ? rounded(product, huge_power(drop)) : product * huge_power(-drop),
                     expr.type, Reason::overflow);
    }
    case Op::Divide: {
      if (y == 0) return failure(Reason::division_by_zero);
      int up = scale + right - left;
      Huge quotient = up >= 0 ? rounded(x * huge_power(up), y) : rounded(x, y * huge_power(-up));
      return fitting(quotient, expr.type, Reason::overflow);
    }
    default:
      if (y == 0) return failure(Reason::division_by_zero);
      return of_number(Wide(x % y));
  }
}

Value Interpreter::instant(const Expr& expr, const Value& a, const Value& b) const {
  Type left = expr.args[0].type, right = expr.args[1].type;
  if (right.is(TypeKind::Timestamp)) {
    // In microseconds, towards zero.
    Wide difference = a.number - b.number;
    if (!in_range(difference, TypeKind::Int64, Reason::overflow).failed()) {
      Wide micros = left.unit == TimeUnit::Nano ? difference / 1000
                                                : difference * (1'000'000 / units(left.unit));
      return in_range(micros, TypeKind::Int64, Reason::overflow);
    }
    return failure(Reason::overflow);
  }
  Wide step = b.number;
  Wide micros_per_unit = left.is(TypeKind::Date)
                             ? Wide(86'400'000'000)
                             : 1'000'000 / std::min<int64_t>(units(left.unit), 1'000'000);
  if (step % micros_per_unit != 0) return failure(Reason::bad_cast);
  step /= micros_per_unit;
  if (left.is(TypeKind::Timestamp) && left.unit == TimeUnit::Nano) step *= 1000;
  if (in_range(step, TypeKind::Int64, Reason::overflow).failed()) return failure(Reason::overflow);
  return in_range(expr.op == Op::Add ? a.number + step : a.number - step, left.kind,
                  left.is(TypeKind::Date) ? Reason::bad_cast : Reason::overflow);
}

bool Interpreter::equal(const Value& a, const Value& b, Type type) const {
  if (a.null || b.null) return a.null && b.null;
  switch (type.kind) {
    case TypeKind::Float32:
    case TypeKind::Float64:
      return a.real == b.real;
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Uuid:
      return a.text == b.text;
    case TypeKind::Record:
    case TypeKind::List: {
      if (a.items.size() != b.items.size()) return false;
      for (size_t i = 0; i < a.items.size(); ++i) {
        Type part =
            type.is(TypeKind::List) ? types_.element(type) : types_.record(type).fields[i].type;
        if (!equal(a.items[i], b.items[i], part)) return false;
      }
      return true;
    }
    default:
      return a.number == b.number;
  }
}

int Interpreter::order(const Value& a, const Value& b, Type type) const {
  auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (type.is_float()) return std::isnan(a.real) || std::isnan(b.real) ? 2 : sign(a.real, b.real);
  if (type.is(TypeKind::String) || type.is(TypeKind::Uuid)) return sign(a.text.compare(b.text), 0);
  return sign(a.number, b.number);
}

Value Interpreter::list(const Row& row, const Expr& expr) {
  Value of = eval(row, expr.args[0]);
  if (of.failed()) return of;
  Value result;
  result.number = expr.op == Op::ListAll;
  for (const Value& item : of.items) {
    locals_[expr.index] = item;
    Value value = eval(row, expr.args[1]);
    if (value.failed()) return value;
    bool holds = !value.null && value.number;
    if (expr.op == Op::ListMap) result.items.push_back(value);
    if (expr.op == Op::ListFilter && holds) result.items.push_back(item);
    if ((expr.op == Op::ListAny && holds) || (expr.op == Op::ListAll && !holds))
      return of_number(expr.op == Op::ListAny);
  }
  return result;
}

Value Interpreter::cast(const Value& value, Type from, Type to) {
  if (from == to) return value;
  if (to.is(TypeKind::String)) return text_of(value, from);
  if (from.is(TypeKind::String)) return cast_from_text(value.text, to);
  auto is_count = [](Type type) {
    return type.is(TypeKind::Timestamp) || type.is(TypeKind::Duration) || type.is(TypeKind::Date);
  };
  auto is_moment = [](Type type) {
    return type.is(TypeKind::Timestamp) || type.is(TypeKind::Date);
  };
  if (is_moment(from) && is_moment(to)) {
    Wide have = from.is(TypeKind::Date) ? 1 : Wide(86'400) * units(from.unit);  // in a day
    Wide want = to.is(TypeKind::Date) ? 1 : Wide(86'400) * units(to.unit);
    Wide number = want >= have ? value.number * (want / have) : floored(value.number, have / want);
    return in_range(number, to.kind, to.is(TypeKind::Date) ? Reason::bad_cast : Reason::overflow);
  }
  bool whole = from.is_integer() || from.is(TypeKind::Bool) || is_count(from);
  if (from.is_float()) {
    if (to.is_float()) {
      float narrow = float(value.real);
      bool lost = to.is(TypeKind::Float32) && std::isinf(narrow) && !std::isinf(value.real);
      return lost ? failure(Reason::bad_cast) : as_float(value.real, to);
    }
    if (to.is_integer()) {
      double cut = std::trunc(value.real);
      // All limits are exact in long double.
      if (!((long double)cut >= (long double)least_of(to.kind) &&
            (long double)cut <= (long double)most_of(to.kind)))
        return failure(Reason::bad_cast);
      return of_number(Wide(cut));
    }
    if (!std::isfinite(value.real)) return failure(Reason::bad_cast);
    // The shortest text that is this number, exactly.
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", value.real);
    for (int digits = 1; digits < 17; ++digits) {
      std::snprintf(text, sizeof text, "%.*e", digits - 1, value.real);
      if (std::strtod(text, nullptr) == value.real) break;
    }
    Huge unscaled = 0;
    int exponent = 0;
    bool behind = false;
    for (const char* p = text; *p; ++p) {
      if (*p == '.') behind = true;
      if (*p >= '0' && *p <= '9') unscaled = unscaled * 10 + (*p - '0'), exponent -= behind;
      if (*p != 'e') continue;
      exponent += std::atoi(p + 1);
      break;
    }
    if (value.real < 0) unscaled = -unscaled;
    int up = exponent + to.scale;
    if (up > 80) return unscaled == 0 ? of_number(0) : failure(Reason::bad_cast);
    if (up < -80) return of_number(0);
    return fitting(up >= 0 ? unscaled * huge_power(up) : rounded(unscaled, huge_power(-up)), to,
                   Reason::bad_cast);
  }
  if (whole && (to.is_integer() || is_count(to)))
    return in_range(value.number, to.kind, Reason::bad_cast);
  if (whole && to.is_float())
    return of_real(to.is(TypeKind::Float32) ? double(float(value.number)) : double(value.number));
  int scale = whole ? 0 : from.scale;
  if (to.is(TypeKind::Decimal)) {
    int up = to.scale - scale;
    Huge number = value.number;
    return fitting(up >= 0 ? number * huge_power(up) : rounded(number, huge_power(-up)), to,
                   Reason::bad_cast);
  }
  if (to.is_float())
    return as_float(std::strtod(digits_of(value.number, scale).c_str(), nullptr), to);
  return in_range(value.number / power_of_ten(scale), to.kind, Reason::bad_cast);
}

}  // namespace weir::differential
