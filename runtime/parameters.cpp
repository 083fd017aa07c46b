#include "runtime/parameters.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "runtime/contract/stage_abi.h"
#include "runtime/state/state_value.h"
#include "stdlib/convert.h"

namespace weir::runtime {

namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

WeirBytes bytes_of(const std::string& text) { return {text.data(), text.size()}; }

template <class T>
bool store(const std::optional<T>& value, char* to) {
  if (value) memcpy(to, &*value, sizeof *value);
  return value.has_value();
}

// `T(text)` of the language.
template <class T>
bool cast(WeirReason (*from_text)(WeirBytes, T*), WeirBytes text, char* to) {
  T value;
  return from_text(text, &value) == 0 && store(std::optional(value), to);
}

// Writes the value that `text` stands for. False: it stands for none of that type.
bool store_value(const contract::Plan& plan, const contract::Type& type, const std::string& text,
                 std::deque<std::string>* texts, char* to) {
  using T = contract::Type;
  WeirBytes bytes = bytes_of(text);
  switch (type.kind()) {
    case T::BOOL:
      return cast(weir_text_to_bool, bytes, to);
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
      weir_i128 value;
      if (weir_text_to_decimal(bytes, int32_t(type.precision()), int32_t(type.scale()), &value))
        return false;
      if (type.precision() > 18) return store(std::optional(value), to);
      return store(std::optional(int64_t(value)), to);
    }
    case T::STRING:
    case T::BYTES:
    case T::JSON: {
      const std::string& kept = texts->emplace_back(text);
      return store(std::optional(bytes_of(kept)), to);
    }
    case T::DATE:
      return cast(weir_text_to_date, bytes, to);
    case T::TIMESTAMP: {
      int32_t unit = type.unit() == T::MILLI ? 0 : type.unit() == T::NANO ? 2 : 1;
      int64_t value;
      return weir_text_to_timestamp(bytes, unit, &value) == 0 && store(std::optional(value), to);
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
    case T::UUID:
      return cast(weir_text_to_uuid, bytes, to);
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
  int64_t us;
  if (weir_text_to_timestamp(bytes_of(text), 1, &us) != 0) return std::nullopt;
  return us;
}

std::optional<int64_t> parse_duration_us(const std::string& text) {
  if (auto plain = number<int64_t>(text)) return plain;
  int64_t us;
  if (weir_text_to_duration(bytes_of(text), &us) != 0) return std::nullopt;
  return us;
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
