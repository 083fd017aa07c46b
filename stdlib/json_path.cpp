#include "stdlib/json_path.h"

#include <cctype>
#include <string>
#include <vector>

#include "stdlib/engine/json_text.h"

namespace weir::stdlib {

namespace {

constexpr int kDepthMax = 256;

bool is_digit(const char* p, const char* end) { return p < end && *p >= '0' && *p <= '9'; }

const char* digits_end(const char* p, const char* end) {
  if (!is_digit(p, end)) return nullptr;
  while (is_digit(p, end)) p++;
  return p;
}

const char* number_end(const char* p, const char* end) {
  if (p < end && *p == '-') p++;
  if (p < end && *p == '0') {
    p++;
  } else if ((p = digits_end(p, end)) == nullptr) {
    return nullptr;
  }
  if (p < end && *p == '.' && (p = digits_end(p + 1, end)) == nullptr) return nullptr;
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    p = digits_end(p, end);
  }
  return p;
}

// p is behind the opening quote.
const char* string_end(const char* p, const char* end) {
  while (p < end && *p != '"') {
    if (uint8_t(*p) < 0x20) return nullptr;
    if (*p++ != '\\') continue;
    if (p == end) return nullptr;
    char c = *p++;
    if (c == 'u') {
      for (int i = 0; i < 4; i++, p++) {
        if (p >= end || std::isxdigit(uint8_t(*p)) == 0) return nullptr;
      }
    } else if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      return nullptr;
    }
  }
  return p < end ? p + 1 : nullptr;
}

const char* word_end(const char* p, const char* end, std::string_view word) {
  return std::string_view(p, size_t(end - p)).starts_with(word) ? p + word.size() : nullptr;
}

}  // namespace

const char* json_skip_space(const char* p, const char* end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
  return p;
}

const char* json_value_end(const char* p, const char* end, int depth) {
  if (p == end || depth > kDepthMax) return nullptr;
  switch (*p) {
    case '"':
      return string_end(p + 1, end);
    case 't':
      return word_end(p, end, "true");
    case 'f':
      return word_end(p, end, "false");
    case 'n':
      return word_end(p, end, "null");
    case '{':
    case '[':
      break;
    default:
      return number_end(p, end);
  }
  bool object = *p == '{';
  char closing = object ? '}' : ']';
  p = json_skip_space(p + 1, end);
  if (p < end && *p == closing) return p + 1;
  while (p < end) {
    if (object) {
      if (*p != '"' || (p = string_end(p + 1, end)) == nullptr) return nullptr;
      p = json_skip_space(p, end);
      if (p == end || *p != ':') return nullptr;
      p = json_skip_space(p + 1, end);
    }
    p = json_value_end(p, end, depth + 1);
    if (p == nullptr) return nullptr;
    p = json_skip_space(p, end);
    if (p == end) return nullptr;
    if (*p == closing) return p + 1;
    if (*p != ',') return nullptr;
    p = json_skip_space(p + 1, end);
  }
  return nullptr;
}

JsonParts::JsonParts(std::string_view value)
    : at_(json_skip_space(value.data(), value.data() + value.size())),
      end_(value.data() + value.size()) {
  if (at_ < end_ && (*at_ == '{' || *at_ == '[')) closing_ = *at_ == '{' ? '}' : ']';
  if (closing_ != 0) at_ = json_skip_space(at_ + 1, end_);
}

bool JsonParts::next(std::string_view& name, std::string_view& value) {
  if (closing_ == 0 || at_ == end_ || *at_ == closing_) return false;
  name = {};
  if (closing_ == '}') {
    const char* behind = string_end(at_ + 1, end_);
    if (behind == nullptr) return false;
    name = {at_, size_t(behind - at_)};
    at_ = json_skip_space(json_skip_space(behind, end_) + 1, end_);
  }
  const char* behind = json_value_end(at_, end_);
  if (behind == nullptr) return false;
  value = {at_, size_t(behind - at_)};
  at_ = json_skip_space(behind, end_);
  if (at_ < end_ && *at_ == ',') at_ = json_skip_space(at_ + 1, end_);
  return true;
}

namespace {

bool same_name(std::string_view quoted, std::string_view name) {
  std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside == name;
  std::string plain(inside.size(), '\0');
  int64_t size = weir_json_unescape(inside.data(), inside.data() + inside.size(), plain.data());
  return size >= 0 && std::string_view(plain).substr(0, size_t(size)) == name;
}

std::optional<std::string_view> field_of(std::string_view object, std::string_view wanted) {
  JsonParts parts(object);
  for (std::string_view name, value; parts.next(name, value);) {
    if (!name.empty() && same_name(name, wanted)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> element_of(std::string_view array, int64_t index) {
  std::vector<std::string_view> seen;
  JsonParts parts(array);
  for (std::string_view name, value; parts.next(name, value);) {
    if (!name.empty()) return std::nullopt;
    if (index >= 0 && int64_t(seen.size()) == index) return value;
    seen.push_back(value);
  }
  if (index >= 0 || -index > int64_t(seen.size())) return std::nullopt;
  return seen[size_t(int64_t(seen.size()) + index)];
}

}  // namespace

std::optional<std::string_view> json_at(std::string_view value, std::string_view path, bool& good) {
  std::optional<std::string_view> at = value;
  good = true;
  bool first = true;
  // The whole path is read even where nothing is found: whether it is one does not depend on rows.
  while (!path.empty()) {
    if (path.starts_with("[\"")) {
      size_t close = path.find("\"]", 2);
      good = close != std::string_view::npos;
      if (!good) return std::nullopt;
      if (at) at = field_of(*at, path.substr(2, close - 2));
      path.remove_prefix(close + 2);
    } else if (path[0] == '[') {
      bool from_end = path.substr(1).starts_with('-');
      size_t p = from_end ? 2 : 1, digits = 0;
      int64_t index = 0;
      for (; p + digits < path.size() && digits < 9 && std::isdigit(uint8_t(path[p + digits]));)
        index = index * 10 + (path[p + digits++] - '0');
      p += digits;
      good = digits > 0 && p < path.size() && path[p] == ']';
      if (!good) return std::nullopt;
      if (at) at = element_of(*at, from_end ? -index : index);
      path.remove_prefix(p + 1);
    } else {
      if (path[0] == '.' && !first) path.remove_prefix(1);
      size_t size = std::min(path.find_first_of(".["), path.size());
      good = size > 0;
      if (!good) return std::nullopt;
      if (at) at = field_of(*at, path.substr(0, size));
      path.remove_prefix(size);
      good = path != ".";
      if (!good) return std::nullopt;
    }
    first = false;
  }
  return at;
}

}  // namespace weir::stdlib
