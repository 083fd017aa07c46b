// Texts cut into lists and put together again; characters and their numbers.
#include <algorithm>
#include <vector>

#include "stdlib/reasons.h"
#include "stdlib/text.h"
#include "stdlib/text_space.h"
#include "stdlib/utf8.h"

using weir::stdlib::behind_character;
using weir::stdlib::bytes;
using weir::stdlib::is_space;
using weir::stdlib::kTextBytesMax;
using weir::stdlib::ListBuilder;
using weir::stdlib::read_character;
using weir::stdlib::view;
using weir::stdlib::write_character;

WeirList weir_text_split(WeirArena* arena, WeirBytes s, WeirBytes separator) {
  ListBuilder<WeirBytes> parts(arena);
  const char *p = s.data, *end = s.data + s.size;
  if (separator.size == 0) {
    while (p < end) {
      const char* next = behind_character(p, end);
      parts.add({p, uint64_t(next - p)});
      p = next;
    }
    return parts.list();
  }
  while (true) {
    auto* found =
        static_cast<const char*>(memmem(p, uint64_t(end - p), separator.data, separator.size));
    if (found == nullptr) break;
    parts.add({p, uint64_t(found - p)});
    p = found + separator.size;
  }
  parts.add({p, uint64_t(end - p)});
  return parts.list();
}

WeirReason weir_text_split_part(WeirBytes s, WeirBytes separator, int64_t index,
                                WeirBytes* result) {
  std::string_view text = view(s), by = view(separator);
  if (by.empty()) return kReasonAbsent;
  for (; index > 0; index--) {
    size_t at = text.find(by);
    if (at == std::string_view::npos) return kReasonAbsent;
    text.remove_prefix(at + by.size());
  }
  for (; index < -1; index++) {
    size_t at = text.rfind(by);
    if (at == std::string_view::npos) return kReasonAbsent;
    text = text.substr(0, at);
  }
  if (index == -1) {
    size_t at = text.rfind(by);
    if (at != std::string_view::npos) text.remove_prefix(at + by.size());
  } else {
    text = text.substr(0, text.find(by));
  }
  *result = bytes(text);
  return 0;
}

WeirList weir_text_lines(WeirArena* arena, WeirBytes s) {
  ListBuilder<WeirBytes> parts(arena);
  for (std::string_view rest = view(s); !rest.empty();) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r') && end < rest.size()) line.remove_suffix(1);
    parts.add(bytes(line));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts.list();
}

WeirList weir_text_words(WeirArena* arena, WeirBytes s) {
  ListBuilder<WeirBytes> parts(arena);
  const char *p = s.data, *end = s.data + s.size, *word = nullptr;
  while (p < end) {
    const char* at = p;
    bool space = is_space(read_character(p, end));
    if (!space && word == nullptr) word = at;
    if (space && word != nullptr) parts.add({word, uint64_t(at - word)}), word = nullptr;
  }
  if (word != nullptr) parts.add({word, uint64_t(end - word)});
  return parts.list();
}

WeirReason weir_text_join(WeirArena* arena, WeirList parts, WeirBytes separator,
                          WeirBytes* result) {
  auto* items = static_cast<const WeirBytes*>(parts.data);
  uint64_t size = 0;
  for (uint64_t i = 0; i < parts.count; i++) {
    size += items[i].size + (i > 0 ? separator.size : 0);
    if (size > kTextBytesMax) return kReasonTooLarge;
  }
  char* to = weir_arena_take(arena, size);
  char* at = to;
  for (uint64_t i = 0; i < parts.count; i++) {
    if (i > 0) at = std::copy_n(separator.data, separator.size, at);
    at = std::copy_n(items[i].data, items[i].size, at);
  }
  *result = {to, size};
  return 0;
}

WeirReason weir_text_code_point(WeirBytes s, int64_t* result) {
  if (s.size == 0) return kReasonAbsent;
  const char* p = s.data;
  *result = read_character(p, s.data + s.size);
  return 0;
}

WeirReason weir_text_from_code_point(WeirArena* arena, int64_t code, WeirBytes* result) {
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return kReasonOutOfRange;
  char* to = weir_arena_take(arena, 4);
  *result = {to, write_character(to, uint32_t(code))};
  return 0;
}

WeirReason weir_text_edit_distance(WeirArena*, WeirBytes a, WeirBytes b, int64_t* result) {
  constexpr size_t kCharactersMax = 10'000;
  auto characters = [](WeirBytes s) {
    std::vector<uint32_t> codes;
    for (const char *p = s.data, *end = s.data + s.size; p < end;)
      codes.push_back(read_character(p, end));
    return codes;
  };
  if (a.size > 4 * kCharactersMax || b.size > 4 * kCharactersMax) return kReasonTooLarge;
  std::vector<uint32_t> x = characters(a), y = characters(b);
  if (x.size() > kCharactersMax || y.size() > kCharactersMax) return kReasonTooLarge;
  // row[j]: the distance between what was seen of x and the first j of y.
  std::vector<int64_t> row(y.size() + 1);
  for (size_t j = 0; j < row.size(); j++) row[j] = int64_t(j);
  for (size_t i = 0; i < x.size(); i++) {
    int64_t diagonal = row[0];
    row[0] = int64_t(i) + 1;
    for (size_t j = 0; j < y.size(); j++) {
      int64_t replaced = diagonal + (x[i] != y[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  *result = row[y.size()];
  return 0;
}
