#include "stdlib/text.h"

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
// Not a byte in the middle of a character.
bool begins_character(char c) { return (c & 0xC0) != 0x80; }

WeirBytes map_bytes(WeirArena* arena, WeirBytes s, char first, char last, int by) {
  char* to = weir_arena_take(arena, s.size);
  for (uint64_t i = 0; i < s.size; i++)
    to[i] = s.data[i] >= first && s.data[i] <= last ? char(s.data[i] + by) : s.data[i];
  return {to, s.size};
}

// The first occurrence of `part` at or behind `from`, or UINT64_MAX.
uint64_t find(WeirBytes s, WeirBytes part, uint64_t from) {
  if (part.size == 0) return from;
  const void* found = s.size - from >= part.size
                          ? memmem(s.data + from, s.size - from, part.data, part.size)
                          : nullptr;
  return found == nullptr ? UINT64_MAX : uint64_t(static_cast<const char*>(found) - s.data);
}

const char* behind_character(const char* p, const char* end) {
  do p++;
  while (p < end && !begins_character(*p));
  return p;
}

}  // namespace

WeirBytes weir_text_lower(WeirArena* arena, WeirBytes s) {
  return map_bytes(arena, s, 'A', 'Z', 'a' - 'A');
}
WeirBytes weir_text_upper(WeirArena* arena, WeirBytes s) {
  return map_bytes(arena, s, 'a', 'z', 'A' - 'a');
}

WeirBytes weir_text_trim(WeirArena*, WeirBytes s) {
  while (s.size > 0 && is_space(s.data[0])) s.data++, s.size--;
  while (s.size > 0 && is_space(s.data[s.size - 1])) s.size--;
  return s;
}

int64_t weir_text_len(WeirBytes s) {
  int64_t count = 0;
  for (uint64_t i = 0; i < s.size; i++) count += begins_character(s.data[i]);
  return count;
}

bool weir_text_starts_with(WeirBytes s, WeirBytes prefix) {
  return s.size >= prefix.size && memcmp(s.data, prefix.data, prefix.size) == 0;
}

bool weir_text_ends_with(WeirBytes s, WeirBytes suffix) {
  return s.size >= suffix.size &&
         memcmp(s.data + s.size - suffix.size, suffix.data, suffix.size) == 0;
}

bool weir_text_contains(WeirBytes s, WeirBytes part) { return find(s, part, 0) != UINT64_MAX; }

WeirBytes weir_text_substring(WeirArena*, WeirBytes s, int64_t start, int64_t count) {
  const char *p = s.data, *end = s.data + s.size;
  for (; start > 0 && p < end; start--) p = behind_character(p, end);
  const char* from = p;
  for (; count > 0 && p < end; count--) p = behind_character(p, end);
  return {from, uint64_t(p - from)};
}

WeirBytes weir_text_replace(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to) {
  if (from.size == 0) return s;
  uint64_t count = 0;
  for (uint64_t at = 0; (at = find(s, from, at)) != UINT64_MAX; at += from.size) count++;
  if (count == 0) return s;
  char* result = weir_arena_take(arena, s.size + count * to.size - count * from.size);
  char* at = result;
  uint64_t taken = 0;
  for (uint64_t found; (found = find(s, from, taken)) != UINT64_MAX; taken = found + from.size) {
    memcpy(at, s.data + taken, found - taken);
    at += found - taken;
    memcpy(at, to.data, to.size);
    at += to.size;
  }
  memcpy(at, s.data + taken, s.size - taken);
  at += s.size - taken;
  return {result, uint64_t(at - result)};
}

WeirBytes weir_text_concat(WeirArena* arena, WeirBytes a, WeirBytes b) {
  char* to = weir_arena_take(arena, a.size + b.size);
  memcpy(to, a.data, a.size);
  memcpy(to + a.size, b.data, b.size);
  return {to, a.size + b.size};
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
