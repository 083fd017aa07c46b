#include "tools/weir/rows.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>

namespace weir::tools {

namespace {

// A JSON value with its numbers as canonical text: nothing is rounded on the way.
struct Json {
  enum class Kind : uint8_t { Null, Bool, Number, Text, Array, Object } kind = Kind::Null;
  std::string text;  // Bool: "true", "false"
  std::vector<Json> items;
  std::map<std::string, Json> fields;
};

// nlohmann gives floating-point numbers with their text; that is all we need of a parser.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put({}); }
  bool boolean(bool value) override {
    return put({Json::Kind::Bool, value ? "true" : "false", {}, {}});
  }
  bool number_integer(number_integer_t value) override { return number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return number(text); }
  bool string(string_t& text) override { return put({Json::Kind::Text, text, {}, {}}); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Json::Kind::Object); }
  bool start_array(size_t) override { return open(Json::Kind::Array); }
  bool key(string_t& name) override {
    keys_.back() = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  Json value;

 private:
  bool number(const std::string& text) {
    return put({Json::Kind::Number, canonical_number(text), {}, {}});
  }
  bool open(Json::Kind kind) {
    stack_.push_back({kind, "", {}, {}});
    keys_.emplace_back();
    return true;
  }
  bool close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    keys_.pop_back();
    return put(std::move(done));
  }
  bool put(Json json) {
    if (stack_.empty()) {
      value = std::move(json);
    } else if (stack_.back().kind == Json::Kind::Array) {
      stack_.back().items.push_back(std::move(json));
    } else {
      stack_.back().fields.emplace(keys_.back(), std::move(json));
    }
    return true;
  }
  std::vector<Json> stack_;
  std::vector<std::string> keys_;
};

std::optional<Json> read(const std::string& text) {
  Reader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) return std::nullopt;
  return std::move(reader.value);
}

// A field that is not there is null.
bool matches(const Json& expected, const Json* found) {
  static const Json kNull;
  if (!found) found = &kNull;
  if (expected.kind != found->kind) return false;
  if (expected.kind == Json::Kind::Object) {
    for (const auto& [name, value] : expected.fields) {
      auto field = found->fields.find(name);
      if (!matches(value, field == found->fields.end() ? nullptr : &field->second)) return false;
    }
    return true;
  }
  if (expected.kind == Json::Kind::Array) {
    if (expected.items.size() != found->items.size()) return false;
    for (size_t i = 0; i < expected.items.size(); ++i) {
      if (!matches(expected.items[i], &found->items[i])) return false;
    }
    return true;
  }
  return expected.text == found->text;
}

// Kuhn's augmenting paths: expectations leave fields out, so one may match several rows.
class Pairing {
 public:
  Pairing(const std::vector<std::optional<Json>>& expected,
          const std::vector<std::optional<Json>>& found)
      : expected_(expected), found_(found), taken_by_(found.size(), kNobody) {}

  bool place(size_t e, std::vector<bool>& tried) {
    for (size_t f = 0; f < found_.size(); ++f) {
      if (tried[f] || !expected_[e] || !found_[f] || !matches(*expected_[e], &*found_[f])) continue;
      tried[f] = true;
      if (taken_by_[f] == kNobody || place(taken_by_[f], tried)) {
        taken_by_[f] = e;
        return true;
      }
    }
    return false;
  }
  bool taken(size_t f) const { return taken_by_[f] != kNobody; }

 private:
  static constexpr size_t kNobody = ~size_t{0};
  const std::vector<std::optional<Json>>& expected_;
  const std::vector<std::optional<Json>>& found_;
  std::vector<size_t> taken_by_;
};

}  // namespace

std::string canonical_number(const std::string& text) {
  bool negative = text[0] == '-';
  size_t at = negative ? 1 : 0;
  std::string digits;
  long exponent = 0;
  for (bool fraction = false; at < text.size(); ++at) {
    char c = text[at];
    if (c == '.') {
      fraction = true;
    } else if (c == 'e' || c == 'E') {
      exponent += std::strtol(text.c_str() + at + 1, nullptr, 10);
      break;
    } else {
      digits += c;
      if (fraction) --exponent;
    }
  }
  size_t zeros = digits.find_first_not_of('0');
  if (zeros == std::string::npos) return "0";
  digits.erase(0, zeros);
  while (digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  return (negative ? "-" : "") + digits + (exponent ? "e" + std::to_string(exponent) : "");
}

RowDifference compare_rows(const std::vector<std::string>& expected,
                           const std::vector<std::string>& found) {
  std::vector<std::optional<Json>> wanted, there;
  for (const std::string& row : expected) wanted.push_back(read(row));
  for (const std::string& row : found) there.push_back(read(row));
  Pairing pairing(wanted, there);
  RowDifference difference;
  for (size_t e = 0; e < wanted.size(); ++e) {
    std::vector<bool> tried(there.size());
    if (!pairing.place(e, tried)) difference.missing.push_back(expected[e]);
  }
  for (size_t f = 0; f < there.size(); ++f) {
    if (!pairing.taken(f)) difference.unexpected.push_back(found[f]);
  }
  return difference;
}

}  // namespace weir::tools
