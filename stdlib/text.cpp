#include "stdlib/text.h"

#include <algorithm>

#include "stdlib/reasons.h"
#include "stdlib/text_space.h"
#include "stdlib/utf8.h"

using weir::stdlib::before_character;
using weir::stdlib::begins_character;
using weir::stdlib::behind_character;
using weir::stdlib::kTextBytesMax;
using weir::stdlib::read_character;
using weir::stdlib::view;

namespace {

// The first occurrence of `part` at or behind `from`, or UINT64_MAX.
uint64_t find(WeirBytes s, WeirBytes part, uint64_t from) {
  if (part.size == 0) return from;
  const void* found = s.size - from >= part.size
                          ? memmem(s.data + from, s.size - from, part.data, part.size)
                          : nullptr;
  return found == nullptr ? UINT64_MAX : uint64_t(static_cast<const char*>(found) - s.data);
}

// Without the characters around it that `drops`.
template <typename Drops>
WeirBytes trimmed(WeirBytes s, bool start, bool end, Drops drops) {
  const char *from = s.data, *to = s.data + s.size;
  while (start && from < to) {
    const char* p = from;
    if (!drops(read_character(p, to))) break;
    from = p;
  }
  while (end && from < to) {
    const char* last = before_character(from, to);
    const char* p = last;
    if (!drops(read_character(p, to))) break;
    to = last;
  }
  return {from, uint64_t(to - from)};
}

WeirReason position_at(WeirBytes s, size_t at, int64_t* result) {
  if (at == std::string_view::npos) return kReasonAbsent;
  *result = weir_text_len({s.data, at});
  return 0;
}

// `count` characters of `fill`, again and again. False if that is too much.
bool fill_text(WeirArena* arena, WeirBytes s, int64_t length, WeirBytes fill, WeirBytes* result) {
  int64_t count = length - weir_text_len(s);
  if (length < 0 || count <= 0 || fill.size == 0) {
    *result = {s.data, 0};
    return true;
  }
  // Whole rounds of `fill`, and one that is begun.
  auto rounds = uint64_t(count / std::max<int64_t>(1, weir_text_len(fill))) + 1;
  uint64_t size;
  if (__builtin_mul_overflow(rounds, fill.size, &size) || size > kTextBytesMax) return false;
  char* to = weir_arena_take(arena, size);
  char* at = to;
  for (const char *p = fill.data, *end = fill.data + fill.size; count > 0; count--) {
    if (p == end) p = fill.data;
    const char* next = behind_character(p, end);
    at = std::copy(p, next, at);
    p = next;
  }
  *result = {to, uint64_t(at - to)};
  return true;
}

}  // namespace

int64_t weir_text_len(WeirBytes s) {
  int64_t count = 0;
  for (uint64_t i = 0; i < s.size; i++) count += begins_character(s.data[i]);
  return count;
}

WeirBytes weir_text_trim(WeirArena*, WeirBytes s) {
  return trimmed(s, true, true, weir::stdlib::is_space);
}
WeirBytes weir_text_trim_start(WeirArena*, WeirBytes s) {
  return trimmed(s, true, false, weir::stdlib::is_space);
}
WeirBytes weir_text_trim_end(WeirArena*, WeirBytes s) {
  return trimmed(s, false, true, weir::stdlib::is_space);
}
WeirBytes weir_text_strip(WeirArena*, WeirBytes s, WeirBytes characters) {
  return trimmed(s, true, true, [&](uint32_t code) {
    for (const char *p = characters.data, *end = p + characters.size; p < end;) {
      if (read_character(p, end) == code) return true;
    }
    return false;
  });
}

bool weir_text_starts_with(WeirBytes s, WeirBytes prefix) {
  return view(s).starts_with(view(prefix));
}
bool weir_text_ends_with(WeirBytes s, WeirBytes suffix) { return view(s).ends_with(view(suffix)); }
bool weir_text_contains(WeirBytes s, WeirBytes part) { return find(s, part, 0) != UINT64_MAX; }

WeirReason weir_text_position(WeirBytes s, WeirBytes part, int64_t* result) {
  return position_at(s, view(s).find(view(part)), result);
}
WeirReason weir_text_last_position(WeirBytes s, WeirBytes part, int64_t* result) {
  return position_at(s, view(s).rfind(view(part)), result);
}

int64_t weir_text_occurrences(WeirBytes s, WeirBytes part) {
  if (part.size == 0) return 0;
  int64_t count = 0;
  for (uint64_t at = 0; (at = find(s, part, at)) != UINT64_MAX; at += part.size) count++;
  return count;
}

WeirBytes weir_text_substring_string(WeirArena*, WeirBytes s, int64_t start, int64_t count) {
  const char *p = s.data, *end = s.data + s.size;
  for (; start > 0 && p < end; start--) p = behind_character(p, end);
  const char* from = p;
  for (; count > 0 && p < end; count--) p = behind_character(p, end);
  return {from, uint64_t(p - from)};
}

WeirBytes weir_text_right(WeirArena*, WeirBytes s, int64_t count) {
  const char *end = s.data + s.size, *p = end;
  for (; count > 0 && p > s.data; count--) p = before_character(s.data, p);
  return {p, uint64_t(end - p)};
}

WeirReason weir_text_before(WeirBytes s, WeirBytes separator, WeirBytes* result) {
  uint64_t at = find(s, separator, 0);
  if (at == UINT64_MAX) return kReasonAbsent;
  *result = {s.data, at};
  return 0;
}
WeirReason weir_text_after(WeirBytes s, WeirBytes separator, WeirBytes* result) {
  uint64_t at = find(s, separator, 0);
  if (at == UINT64_MAX) return kReasonAbsent;
  at += separator.size;
  *result = {s.data + at, s.size - at};
  return 0;
}

WeirBytes weir_text_replace(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to) {
  auto count = uint64_t(weir_text_occurrences(s, from));
  if (count == 0) return s;
  char* result = weir_arena_take(arena, s.size + count * to.size - count * from.size);
  char* at = result;
  uint64_t taken = 0;
  for (uint64_t found; (found = find(s, from, taken)) != UINT64_MAX; taken = found + from.size) {
    at = std::copy(s.data + taken, s.data + found, at);
    at = std::copy_n(to.data, to.size, at);
  }
  at = std::copy(s.data + taken, s.data + s.size, at);
  return {result, uint64_t(at - result)};
}

WeirBytes weir_text_replace_first(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to) {
  uint64_t found = from.size == 0 ? UINT64_MAX : find(s, from, 0);
  if (found == UINT64_MAX) return s;
  WeirBytes front = weir_text_concat(arena, {s.data, found}, to);
  uint64_t behind = found + from.size;
  return weir_text_concat(arena, front, {s.data + behind, s.size - behind});
}

WeirBytes weir_text_concat(WeirArena* arena, WeirBytes a, WeirBytes b) {
  char* to = weir_arena_take(arena, a.size + b.size);
  memcpy(to, a.data, a.size);
  memcpy(to + a.size, b.data, b.size);
  return {to, a.size + b.size};
}

WeirReason weir_text_repeat(WeirArena* arena, WeirBytes s, int64_t count, WeirBytes* result) {
  uint64_t size;
  if (count < 0) count = 0;
  if (__builtin_mul_overflow(s.size, uint64_t(count), &size) || size > kTextBytesMax)
    return kReasonTooLarge;
  char* to = weir_arena_take(arena, size);
  for (uint64_t at = 0; at < size; at += s.size) memcpy(to + at, s.data, s.size);
  *result = {to, size};
  return 0;
}

WeirBytes weir_text_reverse(WeirArena* arena, WeirBytes s) {
  char* to = weir_arena_take(arena, s.size);
  char* at = to;
  for (const char* p = s.data + s.size; p > s.data;) {
    const char* from = before_character(s.data, p);
    at = std::copy(from, p, at);
    p = from;
  }
  return {to, s.size};
}

WeirReason weir_text_pad_start(WeirArena* arena, WeirBytes s, int64_t length, WeirBytes fill,
                               WeirBytes* result) {
  WeirBytes padding;
  if (!fill_text(arena, s, length, fill, &padding)) return kReasonTooLarge;
  *result = weir_text_concat(arena, padding, s);
  return 0;
}
WeirReason weir_text_pad_end(WeirArena* arena, WeirBytes s, int64_t length, WeirBytes fill,
                             WeirBytes* result) {
  WeirBytes padding;
  if (!fill_text(arena, s, length, fill, &padding)) return kReasonTooLarge;
  *result = weir_text_concat(arena, s, padding);
  return 0;
}

bool weir_text_like(WeirBytes s, WeirBytes pattern) {
  const char *p = s.data, *end = s.data + s.size;
  const char *q = pattern.data, *pattern_end = pattern.data + pattern.size;
  // Where to try again: behind the last %, one character later each time.
  const char *again_q = nullptr, *again_p = nullptr;
  while (true) {
    if (q < pattern_end && *q == '%') {
      again_q = ++q;
      again_p = p;
      continue;
    }
    if (p == end && q == pattern_end) return true;
    if (p < end && q < pattern_end) {
      if (*q == '_') {
        p = behind_character(p, end);
        q++;
        continue;
      }
      const char* plain = *q == '\\' && q + 1 < pattern_end ? q + 1 : q;
      if (*plain == *p) {
        p++;
        q = plain + 1;
        continue;
      }
    }
    if (again_q == nullptr || again_p == end) return false;
    p = again_p = behind_character(again_p, end);
    q = again_q;
  }
}
