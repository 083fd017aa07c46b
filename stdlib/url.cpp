#include "stdlib/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

#include "stdlib/engine/json_text.h"
#include "stdlib/reasons.h"
#include "stdlib/text.h"
#include "stdlib/utf8.h"

using weir::stdlib::bytes;
using weir::stdlib::ListBuilder;
using weir::stdlib::view;

namespace {

struct Url {
  std::optional<std::string_view> scheme, user, host, port, query, fragment;
  std::string_view path;
};

// What stands behind the first `mark`, which is cut off.
std::optional<std::string_view> cut(std::string_view& text, char mark) {
  size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::isalpha(uint8_t(text[0])) != 0 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(uint8_t(c)) != 0 || c == '+' || c == '-' || c == '.';
         });
}

// As RFC 3986 divides them, whatever characters there are.
Url parts_of(WeirBytes s) {
  Url url;
  std::string_view rest = view(s);
  url.fragment = cut(rest, '#');
  url.query = cut(rest, '?');
  if (size_t colon = rest.find(':'); colon != std::string_view::npos) {
    if (is_scheme(rest.substr(0, colon))) {
      url.scheme = rest.substr(0, colon);
      rest.remove_prefix(colon + 1);
    }
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    rest.remove_prefix(slash);
    if (size_t at = authority.rfind('@'); at != std::string_view::npos) {
      url.user = authority.substr(0, at);
      authority.remove_prefix(at + 1);
    }
    size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    size_t colon = authority.find(':', std::min(bracket, authority.size()));
    if (colon != std::string_view::npos) {
      url.port = authority.substr(colon + 1);
      authority = authority.substr(0, colon);
    }
    url.host = authority;
  }
  url.path = rest;
  return url;
}

WeirReason give(std::optional<std::string_view> part, WeirBytes* result) {
  if (!part) return kReasonAbsent;
  *result = bytes(*part);
  return 0;
}

int digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

// False: a broken escape, or no UTF-8.
bool decode(WeirArena* arena, std::string_view s, bool plus_is_space, WeirBytes* result) {
  char* to = weir_arena_take(arena, s.size());
  char* at = to;
  for (size_t i = 0; i < s.size(); i++) {
    if (s[i] == '%') {
      if (i + 2 >= s.size() || digit(s[i + 1]) < 0 || digit(s[i + 2]) < 0) return false;
      *at++ = char(digit(s[i + 1]) * 16 + digit(s[i + 2]));
      i += 2;
    } else {
      *at++ = plus_is_space && s[i] == '+' ? ' ' : s[i];
    }
  }
  *result = {to, uint64_t(at - to)};
  return weir_utf8_valid(result->data, result->size);
}

// In a query what can't be decoded stays as it is.
WeirBytes decoded(WeirArena* arena, std::string_view s) {
  WeirBytes result;
  return decode(arena, s, true, &result) ? result : bytes(s);
}

template <typename Found>
void each_parameter(std::string_view query, Found found) {
  while (!query.empty()) {
    size_t end = std::min(query.find('&'), query.size());
    std::string_view name = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    std::string_view value = cut(name, '=').value_or(std::string_view("", 0));
    if (!name.empty() && !found(name, value)) return;
  }
}

}  // namespace

WeirReason weir_url_scheme(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  WeirReason reason = give(parts_of(s).scheme, result);
  if (reason == 0) *result = weir_text_lower(arena, *result);
  return reason;
}
WeirReason weir_url_host(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  WeirReason reason = give(parts_of(s).host, result);
  if (reason == 0) *result = weir_text_lower(arena, *result);
  return reason;
}

WeirReason weir_url_port(WeirArena* arena, WeirBytes s, int64_t* result) {
  Url url = parts_of(s);
  if (url.port && !url.port->empty()) {
    const char* end = url.port->data() + url.port->size();
    auto read = std::from_chars(url.port->data(), end, *result);
    return read.ec == std::errc() && read.ptr == end && *result >= 0 && *result <= 65535
               ? 0
               : kReasonAbsent;
  }
  if (!url.scheme || !url.host) return kReasonAbsent;
  struct Usual {
    std::string_view scheme;
    int64_t port;
  };
  for (Usual usual : {Usual{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"ftp", 21}}) {
    if (view(weir_text_lower(arena, bytes(*url.scheme))) != usual.scheme) continue;
    *result = usual.port;
    return 0;
  }
  return kReasonAbsent;
}

WeirReason weir_url_user(WeirBytes s, WeirBytes* result) { return give(parts_of(s).user, result); }
WeirBytes weir_url_path(WeirArena*, WeirBytes s) { return bytes(parts_of(s).path); }
WeirReason weir_url_query(WeirBytes s, WeirBytes* result) {
  return give(parts_of(s).query, result);
}
WeirReason weir_url_fragment(WeirBytes s, WeirBytes* result) {
  return give(parts_of(s).fragment, result);
}

WeirReason weir_url_parameter(WeirArena* arena, WeirBytes s, WeirBytes name, WeirBytes* result) {
  WeirReason reason = kReasonAbsent;
  each_parameter(parts_of(s).query.value_or(""), [&](auto key, auto value) {
    if (view(decoded(arena, key)) != view(name)) return true;
    *result = decoded(arena, value);
    reason = 0;
    return false;
  });
  return reason;
}

WeirList weir_url_parameters(WeirArena* arena, WeirBytes s) {
  ListBuilder<WeirTextEntry> map(arena);
  each_parameter(parts_of(s).query.value_or(""), [&](auto key, auto value) {
    WeirTextEntry entry{decoded(arena, key), decoded(arena, value)};
    bool known = std::any_of(map.items(), map.items() + map.count(),
                             [&](const auto& other) { return view(other.key) == view(entry.key); });
    if (!known) map.add(entry);
    return true;
  });
  return map.list();
}

WeirBytes weir_url_encode(WeirArena* arena, WeirBytes s) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  char* to = weir_arena_take(arena, s.size * 3);
  char* at = to;
  for (char c : view(s)) {
    if ((uint8_t(c) < 0x80 && std::isalnum(uint8_t(c)) != 0) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = kDigits[uint8_t(c) >> 4];
      *at++ = kDigits[uint8_t(c) & 15];
    }
  }
  return {to, uint64_t(at - to)};
}

WeirReason weir_url_decode(WeirArena* arena, WeirBytes s, WeirBytes* result) {
  WeirBytes text;
  if (!decode(arena, view(s), false, &text)) return kReasonBadText;
  *result = text;
  return 0;
}

bool weir_url_is_valid(WeirBytes s) {
  constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=";
  std::string_view text = view(s);
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '%' && (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0))
      return false;
    if (uint8_t(c) >= 0x80 ||
        (c != '%' && std::isalnum(uint8_t(c)) == 0 && kMarks.find(c) == std::string_view::npos))
      return false;
  }
  Url url = parts_of(s);
  int port = 0;
  if (url.port && !url.port->empty()) {
    const char* end = url.port->data() + url.port->size();
    auto read = std::from_chars(url.port->data(), end, port);
    if (read.ec != std::errc() || read.ptr != end || port < 0 || port > 65535) return false;
  }
  return url.scheme && url.host && !url.host->empty();
}
