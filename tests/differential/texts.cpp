// Values as text and back: casts, the functions of text and lists, JSON.
#include <charconv>
#include <chrono>
#include <cmath>

#include "tests/differential/interpreter.h"

namespace weir::differential {

using compiler::Expr;
using compiler::Type;
using compiler::TypeKind;

std::string digits_of(Wide unscaled, int scale) {
  std::string text;
  // The least 128-bit number has no positive one; a decimal of 38 digits never is it.
  for (Wide rest = unscaled < 0 ? -unscaled : unscaled; rest > 0; rest /= 10)
    text.insert(text.begin(), char('0' + int(rest % 10)));
  while (int(text.size()) <= scale) text.insert(text.begin(), '0');
  if (scale > 0) text.insert(text.size() - size_t(scale), ".");
  return unscaled < 0 ? "-" + text : text;
}

std::string date_text(int64_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(date.year()), unsigned(date.month()),
                unsigned(date.day()));
  return text;
}

namespace {

std::string float_text(double value, Type type) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char text[64];
  char* end = type.is(TypeKind::Float32) ? std::to_chars(text, text + sizeof text, float(value)).ptr
                                         : std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string uuid_text(const std::string& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    for (int digit : {uint8_t(bytes[i]) >> 4, uint8_t(bytes[i]) & 15})
      text += "0123456789abcdef"[digit];
  }
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The text from the character at `from` on.
size_t behind_characters(const std::string& text, Wide count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count) {
    do ++at;
    while (at < text.size() && (uint8_t(text[at]) & 0xc0) == 0x80);
  }
  return at;
}

bool like(const std::string& text, size_t t, const std::string& pattern, size_t p) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] == '%') {
    for (size_t at = t; at <= text.size(); ++at) {
      if (like(text, at, pattern, p + 1)) return true;
    }
    return false;
  }
  if (t == text.size()) return false;
  if (pattern[p] == '_')
    return like(text, t + behind_characters(text.substr(t), 1), pattern, p + 1);
  return text[t] == pattern[p] && like(text, t + 1, pattern, p + 1);
}

std::string with_case(std::string text, char first, char last, int by) {
  for (char& c : text) {
    if (c >= first && c <= last) c = char(c + by);
  }
  return text;
}

}  // namespace

Value Interpreter::text_of(const Value& value, Type type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return of_text(value.number ? "true" : "false");
    case TypeKind::Decimal:
      return of_text(digits_of(value.number, type.scale));
    case TypeKind::Float32:
    case TypeKind::Float64:
      return of_text(float_text(value.real, type));
    case TypeKind::Uuid:
      return of_text(uuid_text(value.text));
    case TypeKind::Date:
      return of_text(date_text(int64_t(value.number)));
    case TypeKind::Enum:
      return of_text(types_.enumeration(type).cases[size_t(value.number)].wire_name);
    default:
      if (type.is_integer()) return of_text(digits_of(value.number, 0));
      return not_known("a cast of " + compiler::to_text(types_, type) + " to string");
  }
}

Value Interpreter::cast_from_text(const std::string& text, Type to) {
  if (to.is(TypeKind::Bool)) {
    bool known = text == "true" || text == "false";
    return known ? of_number(text == "true") : failure(Reason::bad_cast);
  }
  if (to.is(TypeKind::Enum)) {
    const auto& cases = types_.enumeration(to).cases;
    for (size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].wire_name == text) return of_number(Wide(i));
    }
    return failure(Reason::unknown_case);
  }
  if (to.is(TypeKind::Uuid)) {
    std::string bytes;
    size_t digits = 0;
    for (size_t i = 0; i < text.size() && text.size() == 36; ++i) {
      bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash ? text[i] != '-' : !std::isxdigit(uint8_t(text[i]))) break;
      if (dash) continue;
      int digit = std::isdigit(uint8_t(text[i])) ? text[i] - '0' : (text[i] | 32) - 'a' + 10;
      if (digits++ % 2 == 0)
        bytes += char(digit << 4);
      else
        bytes.back() = char(bytes.back() | digit);
    }
    return digits == 32 ? of_text(bytes) : failure(Reason::bad_cast);
  }
  if (!to.is_integer() && !to.is(TypeKind::Decimal))
    return not_known("a cast of string to " + compiler::to_text(types_, to));
  // A sign, digits, and for a decimal a point with digits on both sides.
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+');
  int behind = -1;
  Wide number = 0;
  bool digits = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && behind < 0 && digits && to.is(TypeKind::Decimal)) {
      behind = 0;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') return failure(Reason::bad_cast);
    digits = true;
    if (behind >= 0 && ++behind > to.scale) {
      // Nothing is lost silently.
      if (text[at] != '0') return failure(Reason::bad_cast);
      --behind;
      continue;
    }
    if (number >= power_of_ten(37)) return failure(Reason::bad_cast);
    number = number * 10 + (text[at] - '0');
  }
  if (!digits || behind == 0) return failure(Reason::bad_cast);
  if (text[0] == '-') number = -number;
  Type written = compiler::decimal_type(38, uint8_t(behind < 0 ? 0 : behind));
  return cast(of_number(number), written, to);
}

Value Interpreter::call(const Expr& expr, const std::vector<Value>& arguments) {
  // Of overloads each has the first parameter's type behind its name.
  auto is = [&](const std::string& name) {
    return expr.name == name || expr.name.starts_with(name + "_");
  };
  auto text = [&](size_t i) -> const std::string& { return arguments[i].text; };
  auto number = [&](size_t i) { return arguments[i].number; };
  if (is("weir_text_concat")) return of_text(text(0) + text(1));
  if (is("weir_text_byte_len")) return of_number(Wide(text(0).size()));
  if (is("weir_text_len")) {
    Wide count = 0;
    for (char c : text(0)) count += (uint8_t(c) & 0xc0) != 0x80;
    return of_number(count);
  }
  if (is("weir_text_starts_with")) return of_number(text(0).starts_with(text(1)));
  if (is("weir_text_ends_with")) return of_number(text(0).ends_with(text(1)));
  if (is("weir_text_contains")) return of_number(text(0).find(text(1)) != std::string::npos);
  if (is("weir_text_like")) return of_number(like(text(0), 0, text(1), 0));
  // No text of these tests has letters with case outside ASCII.
  if (is("weir_text_lower")) return of_text(with_case(text(0), 'A', 'Z', 'a' - 'A'));
  if (is("weir_text_upper")) return of_text(with_case(text(0), 'a', 'z', 'A' - 'a'));
  if (is("weir_text_substring")) {
    std::string rest = text(0).substr(behind_characters(text(0), number(1)));
    return of_text(rest.substr(0, behind_characters(rest, number(2))));
  }
  if (is("weir_list_len")) {
    bool map = expr.args[0].type.is(TypeKind::Map);
    return of_number(Wide(arguments[0].items.size() / (map ? 2 : 1)));
  }
  if (is("weir_math_div") || is("weir_math_mod")) {
    if (number(1) == 0) return failure(Reason::division_by_zero);
    Wide quotient = number(0) / number(1), rest = number(0) % number(1);
    if (is("weir_math_mod"))
      return of_number(rest != 0 && (rest < 0) != (number(1) < 0) ? rest + number(1) : rest);
    return quotient > INT64_MAX ? failure(Reason::overflow) : of_number(quotient);
  }
  if (is("weir_math_bit_and")) return of_number(number(0) & number(1));
  if (is("weir_math_bit_or")) return of_number(number(0) | number(1));
  if (is("weir_math_bit_xor")) return of_number(number(0) ^ number(1));
  return not_known(expr.name);
}

Value json_of(const compiler::Types& types, const Value& value, Type type) {
  if (value.null) return of_text("null");
  switch (type.kind) {
    case TypeKind::Bool:
      return of_text(value.number ? "true" : "false");
    case TypeKind::Float32:
    case TypeKind::Float64:
      if (!std::isfinite(value.real)) return failure(Reason::out_of_range);
      return of_text(float_text(value.real, type));
    case TypeKind::Decimal:
      return of_text(digits_of(value.number, type.scale));
    case TypeKind::String:
      return of_text(quoted(value.text));
    case TypeKind::Uuid:
      return of_text(quoted(uuid_text(value.text)));
    case TypeKind::Date:
      return of_text(quoted(date_text(int64_t(value.number))));
    case TypeKind::Enum:
      return of_text(quoted(types.enumeration(type).cases[size_t(value.number)].wire_name));
    case TypeKind::Record:
    case TypeKind::List:
    case TypeKind::Map: {
      bool list = type.is(TypeKind::List), map = type.is(TypeKind::Map);
      std::string out = list ? "[" : "{";
      for (size_t i = 0; i < value.items.size(); i += map ? 2 : 1) {
        if (i > 0) out += ",";
        const compiler::Field* field = list || map ? nullptr : &types.record(type).fields[i];
        if (map) out += quoted(value.items[i].text) + ":";
        if (field) out += quoted(field->wire_name) + ":";
        Value inside =
            json_of(types, value.items[map ? i + 1 : i], field ? field->type : types.element(type));
        if (inside.failed()) return inside;
        out += inside.text;
      }
      return of_text(out + (list ? "]" : "}"));
    }
    default:
      return of_text(digits_of(value.number, 0));
  }
}

}  // namespace weir::differential
