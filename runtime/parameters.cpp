#include "runtime/parameters.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "runtime/contract/stage_abi.h"
#include "runtime/state/state_value.h"
#include "stdlib/engine/civil.h"

namespace weir::runtime {

namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_date(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = number<int>(text.substr(0, 4)), month = number<int>(text.substr(5, 2)),
       day = number<int>(text.substr(8, 2));
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31)
    return std::nullopt;
  return weir_days_from_date(*year, uint32_t(*month), uint32_t(*day));
}

std::optional<weir_i128> parse_decimal(const std::string& text, uint32_t precision,
                                       uint32_t scale) {
  size_t at = 0;
  bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) at = 1;
  weir_i128 value = 0;
  uint32_t digits = 0, behind = 0;
  bool point = false, any = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (text[at] < '0' || text[at] > '9' || digits >= 38) return std::nullopt;
    any = true;
    if (point && behind == scale) {
      if (text[at] != '0') return std::nullopt;  // would be rounded
      continue;
    }
    value = value * 10 + (text[at] - '0');
    if (value != 0) ++digits;
    if (point) ++behind;
  }
  for (; behind < scale; ++behind) {
    value *= 10;
    if (value != 0 && ++digits > 38) return std::nullopt;
  }
  if (!any || digits > precision) return std::nullopt;
  return negative ? -value : value;
}

template <class T>
bool store(const std::optional<T>& value, char* to) {
  if (value) memcpy(to, &*value, sizeof *value);
  return value.has_value();
}

// Writes the value that `text` stands for. False: it stands for none of that type.
bool store_value(const contract::Plan& plan, const contract::Type& type, const std::string& text,
                 std::deque<std::string>* texts, char* to) {
  using T = contract::Type;
  switch (type.kind()) {
    case T::BOOL:
      *to = text == "true";
      return text == "true" || text == "false";
    case T::INT8:
      return store(number<int8_t>(text), to);
    case T::INT16:
      return store(number<int16_t>(text), to);
    case T::INT32:
      return store(number<int32_t>(text), to);
    case T::INT64:
      return store(number<int64_t>(text), to);
    case T::UINT8:
      return store(number<uint8_t>(text), to);
    case T::UINT16:
      return store(number<uint16_t>(text), to);
    case T::UINT32:
      return store(number<uint32_t>(text), to);
    case T::UINT64:
      return store(number<uint64_t>(text), to);
    case T::FLOAT32:
      return store(number<float>(text), to);
    case T::FLOAT64:
      return store(number<double>(text), to);
    case T::DECIMAL: {
      auto value = parse_decimal(text, type.precision(), type.scale());
      if (!value) return false;
      if (type.precision() > 18) return store(value, to);
      return store(std::optional<int64_t>(int64_t(*value)), to);
    }
    case T::STRING:
    case T::BYTES:
    case T::JSON: {
      const std::string& kept = texts->emplace_back(text);
      WeirBytes bytes{kept.data(), kept.size()};
      memcpy(to, &bytes, sizeof bytes);
      return true;
    }
    case T::DATE: {
      auto days = parse_date(text);
      return days && store(std::optional<int32_t>(int32_t(*days)), to);
    }
    case T::TIMESTAMP: {
      auto us = parse_instant_us(text);
      if (!us) return false;
      int64_t value = type.unit() == T::MILLI ? *us / 1000 : *us;
      if (type.unit() == T::NANO && __builtin_mul_overflow(*us, 1000, &value)) return false;
      return store(std::optional<int64_t>(value), to);
    }
    case T::DURATION:
      return store(parse_duration_us(text), to);
    case T::ENUM: {
      const contract::Enum& is = plan.enums(int(type.ref()));
      for (int i = 0; i < is.cases_size(); ++i) {
        if (is.cases(i) == text) return store(std::optional<int32_t>(i), to);
      }
      return false;
    }
    case T::UUID: {
      int digits = 0;
      for (char c : text) {
        if (c == '-') continue;
        int value = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (value < 0 || digits == 32) return false;
        to[digits / 2] = char(digits % 2 == 0 ? value << 4 : to[digits / 2] | value);
        ++digits;
      }
      return digits == 32;
    }
    default:
      return false;
  }
}

std::string environment_name(const std::string& name) {
  std::string upper = "WEIR_";
  for (char c : name) upper += char(c >= 'a' && c <= 'z' ? c - 32 : c);
  return upper;
}

}  // namespace

std::optional<int64_t> parse_instant_us(const std::string& text) {
  if (text.size() < 20 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':')
    return std::nullopt;
  auto days = parse_date(text.substr(0, 10));
  auto hour = number<int>(text.substr(11, 2)), minute = number<int>(text.substr(14, 2)),
       second = number<int>(text.substr(17, 2));
  if (!days || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59)
    return std::nullopt;
  int64_t us = ((*days * 24 + *hour) * 60 + *minute) * 60'000'000 + *second * 1'000'000;
  size_t at = 19;
  if (text[at] == '.') {
    int64_t unit = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      us += unit * (text[at] - '0');
  }
  std::string zone = text.substr(at);
  if (zone == "Z" || zone == "z") return us;
  if (zone.size() != 6 || zone[3] != ':' || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  auto hours = number<int>(zone.substr(1, 2)), minutes = number<int>(zone.substr(4, 2));
  if (!hours || !minutes) return std::nullopt;
  int64_t offset = (*hours * 60 + *minutes) * int64_t{60'000'000};
  return zone[0] == '+' ? us - offset : us + offset;
}

std::optional<int64_t> parse_duration_us(const std::string& text) {
  if (auto plain = number<int64_t>(text)) return plain;
  static constexpr struct {
    const char* name;
    int64_t us;
  } kUnits[] = {{"us", 1},         {"ms", 1000},         {"s", 1'000'000},
                {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
  int64_t total = 0;
  size_t at = 0;
  while (at < text.size()) {
    size_t digits = at;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    size_t unit_end = digits;
    while (unit_end < text.size() && text[unit_end] >= 'a' && text[unit_end] <= 'z') ++unit_end;
    auto count = number<int64_t>(text.substr(at, digits - at));
    int64_t unit_us = 0;
    for (const auto& unit : kUnits) {
      if (text.substr(digits, unit_end - digits) == unit.name) unit_us = unit.us;
    }
    int64_t part = 0;
    if (!count || unit_us == 0 || __builtin_mul_overflow(*count, unit_us, &part) ||
        __builtin_add_overflow(total, part, &total))
      return std::nullopt;
    at = unit_end;
  }
  return text.empty() ? std::nullopt : std::optional(total);
}

Result<Parameters> Parameters::make(const contract::Plan& plan,
                                    const std::map<std::string, std::string>& set) {
  for (const auto& [name, value] : set) {
    bool known = false;
    for (const contract::Param& param : plan.params()) known |= param.name() == name;
    if (known) continue;
    std::string names;
    for (const contract::Param& param : plan.params())
      names += (names.empty() ? "" : ", ") + ("`" + param.name() + "`");
    return Status::error(Exit::Usage, "the program has no parameter `" + name + "`" +
                                          (names.empty() ? "; it has none" : "; it has " + names));
  }
  Parameters made;
  uint64_t size = plan.params_bytes() + 16;
  made.block_.reset(static_cast<char*>(::operator new(size, std::align_val_t{16})));
  memset(made.block_.get(), 0, size);
  for (const contract::Param& param : plan.params()) {
    std::string value;
    std::string variable = environment_name(param.name());
    const char* environment = std::getenv(variable.c_str());
    if (auto it = set.find(param.name()); it != set.end()) {
      value = it->second;
    } else if (environment) {
      value = environment;
    } else if (param.has_default()) {
      value = param.default_value();
    } else if (param.type().optional()) {
      made.values_.push_back("");
      continue;  // null: the presence byte stays 0
    } else {
      return Status::error(Exit::Usage, "parameter `" + param.name() +
                                            "` has no value: give `--set " + param.name() +
                                            "=…` or " + variable);
    }
    if (!store_value(plan, param.type(), value, &made.texts_, made.block_.get() + param.offset())) {
      return Status::error(Exit::Usage, "parameter `" + param.name() + "` can't be `" + value +
                                            "`: it has another type");
    }
    if (param.presence() >= 0) made.block_.get()[param.presence()] = 1;
    made.values_.push_back(value);
  }
  return made;
}

}  // namespace weir::runtime
