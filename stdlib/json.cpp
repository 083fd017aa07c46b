#include "stdlib/json.h"

#include <charconv>

#include "stdlib/engine/float_text.h"
#include "stdlib/engine/json_text.h"
#include "stdlib/json_path.h"
#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

using weir::stdlib::bytes;
using weir::stdlib::json_at;
using weir::stdlib::json_skip_space;
using weir::stdlib::json_value_end;
using weir::stdlib::JsonParts;
using weir::stdlib::ListBuilder;
using weir::stdlib::view;

namespace {

// What stands in a JSON string, given with its quotes.
WeirBytes unquoted(WeirArena* arena, std::string_view quoted) {
  std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return bytes(inside);
  char* to = weir_arena_take(arena, inside.size());
  int64_t size = weir_json_unescape(inside.data(), inside.data() + inside.size(), to);
  return size < 0 ? bytes(inside) : WeirBytes{to, uint64_t(size)};
}

std::string_view trimmed(WeirBytes json) {
  const char *end = json.data + json.size, *from = json_skip_space(json.data, end);
  return {from, size_t(end - from)};
}

// The reason if there is none: nothing there, or a path that can't be read.
WeirReason look_up(WeirBytes json, WeirBytes path, std::string_view& value) {
  bool good;
  auto found = json_at(trimmed(json), view(path), good);
  if (!good) return kReasonBadCast;
  if (!found) return kReasonAbsent;
  value = *found;
  return 0;
}

bool is_number(std::string_view value) {
  return !value.empty() && (value[0] == '-' || (value[0] >= '0' && value[0] <= '9'));
}

}  // namespace

WeirReason weir_json_parse(WeirBytes s, WeirBytes* result) {
  const char *end = s.data + s.size, *from = json_skip_space(s.data, end);
  const char* behind = json_value_end(from, end);
  if (behind == nullptr || json_skip_space(behind, end) != end) return kReasonMalformed;
  *result = {from, uint64_t(behind - from)};
  return 0;
}

bool weir_json_is_valid(WeirBytes s) {
  WeirBytes ignored;
  return weir_json_parse(s, &ignored) == 0;
}

WeirReason weir_json_get(WeirBytes json, WeirBytes path, WeirBytes* result) {
  std::string_view value;
  if (WeirReason reason = look_up(json, path, value)) return reason;
  *result = bytes(value);
  return 0;
}

WeirReason weir_json_text_at(WeirArena* arena, WeirBytes json, WeirBytes path, WeirBytes* result) {
  std::string_view value;
  if (WeirReason reason = look_up(json, path, value)) return reason;
  if (value.empty() || value[0] == '{' || value[0] == '[' || value[0] == 'n') return kReasonAbsent;
  *result = value[0] == '"' ? unquoted(arena, value) : bytes(value);
  return 0;
}

WeirReason weir_json_int(WeirBytes json, WeirBytes path, int64_t* result) {
  std::string_view value;
  if (WeirReason reason = look_up(json, path, value)) return reason;
  auto read = std::from_chars(value.data(), value.data() + value.size(), *result);
  return read.ec == std::errc() && read.ptr == value.data() + value.size() ? 0 : kReasonAbsent;
}

WeirReason weir_json_float(WeirBytes json, WeirBytes path, double* result) {
  std::string_view value;
  if (WeirReason reason = look_up(json, path, value)) return reason;
  return is_number(value) && weir_float64_parse(value.data(), value.size(), result) ? 0
                                                                                    : kReasonAbsent;
}

WeirReason weir_json_boolean(WeirBytes json, WeirBytes path, bool* result) {
  std::string_view value;
  if (WeirReason reason = look_up(json, path, value)) return reason;
  if (value != "true" && value != "false") return kReasonAbsent;
  *result = value == "true";
  return 0;
}

WeirBytes weir_json_kind(WeirArena*, WeirBytes json) {
  std::string_view value = trimmed(json);
  switch (value.empty() ? 'n' : value[0]) {
    case '{':
      return bytes("object");
    case '[':
      return bytes("array");
    case '"':
      return bytes("string");
    case 't':
    case 'f':
      return bytes("bool");
    case 'n':
      return bytes("null");
    default:
      return bytes("number");
  }
}

WeirReason weir_json_size(WeirBytes json, int64_t* result) {
  std::string_view value = trimmed(json);
  if (value.empty() || (value[0] != '{' && value[0] != '[')) return kReasonAbsent;
  *result = 0;
  JsonParts parts(value);
  for (std::string_view name, part; parts.next(name, part);) ++*result;
  return 0;
}

WeirList weir_json_keys(WeirArena* arena, WeirBytes json) {
  ListBuilder<WeirBytes> list(arena);
  JsonParts parts(trimmed(json));
  for (std::string_view name, part; parts.next(name, part);) {
    if (!name.empty()) list.add(unquoted(arena, name));
  }
  return list.list();
}

WeirList weir_json_items(WeirArena* arena, WeirBytes json) {
  ListBuilder<WeirBytes> list(arena);
  JsonParts parts(trimmed(json));
  for (std::string_view name, part; parts.next(name, part);) {
    if (name.empty()) list.add(bytes(part));
  }
  return list.list();
}

WeirBytes weir_json_quote(WeirArena* arena, WeirBytes s) {
  constexpr char kDigits[] = "0123456789abcdef";
  char* to = weir_arena_take(arena, s.size * 6 + 2);
  char* at = to;
  *at++ = '"';
  for (char c : view(s)) {
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
    if (size_t place = kShort.find(c); place != std::string_view::npos) {
      *at++ = '\\';
      *at++ = kLetters[place];
    } else if (uint8_t(c) < 0x20) {
      memcpy(at, "\\u00", 4);
      at[4] = kDigits[uint8_t(c) >> 4];
      at[5] = kDigits[uint8_t(c) & 15];
      at += 6;
    } else {
      *at++ = c;
    }
  }
  *at++ = '"';
  return {to, uint64_t(at - to)};
}
