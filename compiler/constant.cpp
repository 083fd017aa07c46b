#include "compiler/constant.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace weir::compiler {

__int128 power_of_ten(int n) {
  __int128 power = 1;
  while (n-- > 0) power *= 10;
  return power;
}

std::string int128_text(__int128 value) {
  bool negative = value < 0;
  unsigned __int128 rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string text;
  do {
    text.insert(text.begin(), char('0' + int(rest % 10)));
    rest /= 10;
  } while (rest);
  return negative ? "-" + text : text;
}

std::optional<DecimalDigits> read_decimal(std::string_view text) {
  DecimalDigits read;
  read.digits = 0;
  bool point = false;
  for (char c : text) {
    if (c == '.') {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (read.unscaled || c != '0') read.digits++;
    if (read.digits > kDecimalDigitsMax) return std::nullopt;
    read.unscaled = read.unscaled * 10 + (c - '0');
    read.scale += point;
    if (read.scale > kDecimalDigitsMax) return std::nullopt;
  }
  read.digits = std::max({read.digits, read.scale, 1});
  return read;
}

bool fits_integer(TypeKind kind, __int128 value) {
  auto within = [&](__int128 low, __int128 high) { return low <= value && value <= high; };
  switch (kind) {
    case TypeKind::Int8:
      return within(INT8_MIN, INT8_MAX);
    case TypeKind::Int16:
      return within(INT16_MIN, INT16_MAX);
    case TypeKind::Int32:
      return within(INT32_MIN, INT32_MAX);
    case TypeKind::Int64:
      return within(INT64_MIN, INT64_MAX);
    case TypeKind::UInt8:
      return within(0, UINT8_MAX);
    case TypeKind::UInt16:
      return within(0, UINT16_MAX);
    case TypeKind::UInt32:
      return within(0, UINT32_MAX);
    case TypeKind::UInt64:
      return within(0, UINT64_MAX);
    default:
      return false;
  }
}

int integer_digits(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int8:
    case TypeKind::UInt8:
      return 3;
    case TypeKind::Int16:
    case TypeKind::UInt16:
      return 5;
    case TypeKind::Int32:
    case TypeKind::UInt32:
      return 10;
    case TypeKind::UInt64:
      return 20;
    default:
      return 19;
  }
}

namespace {

__int128 whole_of(const Constant& constant, Type type) {
  int64_t bits = std::get<int64_t>(constant.value);
  return type.is(TypeKind::UInt64) ? __int128(uint64_t(bits)) : __int128(bits);
}

std::optional<Constant> from_whole(__int128 whole, Type to) {
  if (to.is_integer()) {
    if (!fits_integer(to.kind, whole)) return std::nullopt;
    return Constant{int64_t(whole)};
  }
  if (to.is_float()) {
    double value = double(whole);
    if (to.is(TypeKind::Float32)) value = double(float(value));
    if (__int128(value) != whole) return std::nullopt;
    return Constant{value};
  }
  if (to.is(TypeKind::Decimal)) {
    __int128 limit = power_of_ten(to.precision - to.scale);
    if (whole >= limit || whole <= -limit) return std::nullopt;
    return Constant{whole * power_of_ten(to.scale)};
  }
  return std::nullopt;
}

std::optional<Constant> from_decimal(__int128 unscaled, int scale, Type to) {
  while (scale > 0 && unscaled % 10 == 0) unscaled /= 10, --scale;
  if (to.is(TypeKind::Decimal)) {
    if (scale > to.scale) return std::nullopt;
    __int128 limit = power_of_ten(to.precision - (to.scale - scale));
    if (unscaled >= limit || unscaled <= -limit) return std::nullopt;
    return Constant{unscaled * power_of_ten(to.scale - scale)};
  }
  if (scale == 0) return from_whole(unscaled, to);
  return std::nullopt;
}

int64_t per_second(TimeUnit unit) {
  return unit == TimeUnit::Milli ? 1'000 : unit == TimeUnit::Micro ? 1'000'000 : 1'000'000'000;
}

std::string decimal_text(__int128 unscaled, int scale) {
  std::string text = int128_text(unscaled < 0 ? -unscaled : unscaled);
  if (scale > 0) {
    if (int(text.size()) <= scale) text.insert(0, size_t(scale) + 1 - text.size(), '0');
    text.insert(text.size() - size_t(scale), ".");
  }
  return unscaled < 0 ? "-" + text : text;
}

template <typename Float>
std::string float_text(Float value) {
  std::array<char, 32> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

std::string date_text(int64_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  std::array<char, 32> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", int(date.year()),
                unsigned(date.month()), unsigned(date.day()));
  return buffer.data();
}

std::string instant_text(int64_t value, TimeUnit unit) {
  int64_t scale = per_second(unit);
  int64_t seconds = value / scale - (value % scale < 0);
  int64_t fraction = value - seconds * scale;
  int64_t days = seconds / 86400 - (seconds % 86400 < 0);
  int64_t of_day = seconds - days * 86400;
  std::array<char, 48> buffer;
  std::snprintf(buffer.data(), buffer.size(), "T%02d:%02d:%02d", int(of_day / 3600),
                int(of_day / 60 % 60), int(of_day % 60));
  std::string text = date_text(days) + buffer.data();
  if (fraction) {
    std::string digits = std::to_string(fraction + scale).substr(1);
    while (digits.back() == '0') digits.pop_back();
    text += "." + digits;
  }
  return text + "Z";
}

std::string uuid_text(const std::string& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    std::array<char, 4> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%02x", unsigned(uint8_t(bytes[i])));
    text += buffer.data();
  }
  return text;
}

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? uint8_t(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

}  // namespace

std::optional<Constant> convert(const Constant& constant, Type from, Type to) {
  if (constant.is_null()) return to.optional ? std::optional(constant) : std::nullopt;
  if (from.required() == to.required()) return constant;
  if (from.is_integer()) return from_whole(whole_of(constant, from), to);
  if (from.is(TypeKind::Decimal)) {
    // A decimal literal where a float is wanted: the nearest one, as everywhere.
    __int128 unscaled = std::get<__int128>(constant.value);
    if (to.is_float()) {
      double value = std::strtod(decimal_text(unscaled, from.scale).c_str(), nullptr);
      return Constant{to.is(TypeKind::Float32) ? double(float(value)) : value};
    }
    return from_decimal(unscaled, from.scale, to);
  }
  if (from.is_float() && to.is_float()) {
    double value = std::get<double>(constant.value);
    return Constant{to.is(TypeKind::Float32) ? double(float(value)) : value};
  }
  if (from.is(TypeKind::Timestamp) && to.is(TypeKind::Timestamp)) {
    __int128 value = __int128(std::get<int64_t>(constant.value)) * per_second(to.unit);
    if (value % per_second(from.unit)) return std::nullopt;
    value /= per_second(from.unit);
    if (!fits_integer(TypeKind::Int64, value)) return std::nullopt;
    return Constant{int64_t(value)};
  }
  return std::nullopt;
}

std::string plan_text(const Types& types, Type type, const Constant& constant) {
  if (constant.is_null()) return "";
  switch (type.kind) {
    case TypeKind::Bool:
      return std::get<bool>(constant.value) ? "true" : "false";
    case TypeKind::UInt64:
      return std::to_string(uint64_t(std::get<int64_t>(constant.value)));
    case TypeKind::Float32:
      return float_text(float(std::get<double>(constant.value)));
    case TypeKind::Float64:
      return float_text(std::get<double>(constant.value));
    case TypeKind::Decimal:
      return decimal_text(std::get<__int128>(constant.value), type.scale);
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
      return std::get<std::string>(constant.value);
    case TypeKind::Uuid:
      return uuid_text(std::get<std::string>(constant.value));
    case TypeKind::Date:
      return date_text(std::get<int64_t>(constant.value));
    case TypeKind::Timestamp:
      return instant_text(std::get<int64_t>(constant.value), type.unit);
    case TypeKind::Enum: {
      const auto& cases = types.enumeration(type).cases;
      auto index = size_t(std::get<int64_t>(constant.value));
      return index < cases.size() ? cases[index].wire_name : "";
    }
    case TypeKind::Record:
    case TypeKind::List:
    case TypeKind::Map:
      return json_text(types, type, constant);
    default:
      return std::to_string(std::get<int64_t>(constant.value));
  }
}

std::string json_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (uint8_t(c) < 0x20) {
      std::array<char, 8> buffer;
      std::snprintf(buffer.data(), buffer.size(), "\\u%04x", unsigned(uint8_t(c)));
      quoted += buffer.data();
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string json_text(const Types& types, Type type, const Constant& constant) {
  if (constant.is_null()) return "null";
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Uuid:
    case TypeKind::Date:
    case TypeKind::Enum:
      return json_quoted(plan_text(types, type, constant));
    case TypeKind::Bytes:
      return json_quoted(base64(std::get<std::string>(constant.value)));
    case TypeKind::Timestamp:
      return std::to_string(std::get<int64_t>(constant.value));
    case TypeKind::List: {
      std::string text = "[";
      for (const Constant& element : std::get<Constant::List>(constant.value)) {
        text += (text.size() > 1 ? "," : "") + json_text(types, types.element(type), element);
      }
      return text + "]";
    }
    case TypeKind::Map: {
      // Keys and values in turn.
      std::string text = "{";
      const auto& list = std::get<Constant::List>(constant.value);
      for (size_t i = 0; i + 1 < list.size(); i += 2) {
        text += (text.size() > 1 ? "," : "") + json_quoted(std::get<std::string>(list[i].value)) +
                ":" + json_text(types, types.element(type), list[i + 1]);
      }
      return text + "}";
    }
    case TypeKind::Record: {
      std::string text = "{";
      const RecordType& record = types.record(type);
      const auto& list = std::get<Constant::List>(constant.value);
      for (size_t i = 0; i < list.size() && i < record.fields.size(); ++i) {
        const Field& field = record.fields[i];
        text += (text.size() > 1 ? "," : "") + json_quoted(field.wire_name) + ":" +
                json_text(types, field.type, list[i]);
      }
      return text + "}";
    }
    default:
      return plan_text(types, type, constant);
  }
}

Expr constant_expr(Type type, Constant constant, dsl::Span span) {
  Expr expr;
  expr.op = Op::Constant;
  expr.type = type;
  expr.constant = std::move(constant);
  expr.span = span;
  return expr;
}

}  // namespace weir::compiler
