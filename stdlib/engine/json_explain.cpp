#include "stdlib/engine/json_explain.h"

#include "stdlib/engine/json_text.h"

WEIR_JSON_NATIVE const char* weir_json_open(const char* p, const char* end, WeirReason* reason) {
  *reason = kReasonMalformed;
  p = weir_json_space(p, end);
  if (p >= end) return nullptr;
  *reason = *p == '{' ? 0 : weir_json_is_null(p, end) ? kJsonNull : kReasonWrongType;
  return *reason == 0 ? p : weir_json_skip(p, end);
}

namespace weir::stdlib {
namespace {

// Appends to a text of limited size.
struct JsonDetail {
  char* at;
  char* end;
  void add(WeirBytes text) {
    uint64_t size = text.size < uint64_t(end - at) ? text.size : uint64_t(end - at);
    memcpy(at, text.data, size);
    at += size;
  }
  void add(const char* text) { add(WeirBytes{text, strlen(text)}); }
  void add(uint64_t number) {
    char digits[20];
    int size = 0;
    do {
      digits[19 - size++] = char('0' + number % 10);
      number /= 10;
    } while (number > 0);
    add(WeirBytes{digits + 20 - size, uint64_t(size)});
  }
};

// Brackets outside strings nest deeper than is read.
WEIR_JSON_OVERREAD bool json_too_deep(const char* p, const char* end) {
  uint32_t depth = 0;
  while (p < end) {
    if (*p == '"') {
      p = weir_json_skip_string(p, end);
      if (p == nullptr) return false;
      continue;
    }
    if ((*p | 0x20) == '{' && ++depth > kJsonDepthMax) return true;
    if ((*p | 0x20) == '}' && depth-- == 0) return false;
    p++;
  }
  return false;
}

// Where the structure of the record breaks.
WEIR_JSON_OVERREAD const char* json_break(const char* begin, const char* end) {
  const char* p = weir_json_space(begin, end);
  if (p >= end || *p != '{') return p;
  p = weir_json_space(p + 1, end);
  if (p < end && *p == '}') return weir_json_space(p + 1, end);
  while (p < end) {
    if (*p != '"') return p;
    const char* behind = weir_json_skip_string(p, end);
    if (behind == nullptr || behind > end) return p;
    p = weir_json_space(behind, end);
    if (p >= end || *p != ':') return p;
    p = weir_json_space(p + 1, end);
    if (p >= end) return p;
    behind = weir_json_skip(p, end);
    if (behind == nullptr || behind > end) return p;
    p = weir_json_space(behind, end);
    if (p >= end) return end;
    if (*p == '}') return weir_json_space(p + 1, end);
    if (*p != ',') return p;
    p = weir_json_space(p + 1, end);
  }
  return end;
}

}  // namespace
}  // namespace weir::stdlib

// The reason, and `text` made of it. `at` is where the record [begin, end) breaks.
static WEIR_JSON_OVERREAD WeirReason weir_json_say(WeirArena* arena, const char* begin,
                                                   const char* end, const char* at, bool too_deep,
                                                   WeirBytes* detail) {
  char* memory = weir_arena_take(arena, 64);
  weir::stdlib::JsonDetail text{memory, memory + 64};
  text.add(too_deep    ? "too_deep at byte "
           : at >= end ? "malformed: not closed, at byte "
                       : "malformed at byte ");
  text.add(uint64_t((at < end ? at : end) - begin));
  *detail = {memory, uint64_t(text.at - memory)};
  return too_deep ? kReasonTooDeep : kReasonMalformed;
}

WEIR_JSON_NATIVE WeirReason weir_json_explain(WeirArena* arena, const char* begin, const char* end,
                                              WeirBytes* detail) {
  // On a copy with zeros behind it: what is said must not depend on what lies behind the record.
  auto size = uint64_t(end - begin);
  begin = weir_json_move(arena, begin, size);
  end = begin + size;
  const char* at = weir::stdlib::json_break(begin, end);
  bool too_deep = at < end && weir::stdlib::json_too_deep(at, end);
  return weir_json_say(arena, begin, end, at, too_deep, detail);
}

WEIR_JSON_NATIVE WeirReason weir_json_explain_strict(WeirArena* arena, const char* begin,
                                                     const char* end, const char* place,
                                                     WeirBytes* detail) {
  auto size = uint64_t(end - begin);
  const char* copy = weir_json_move(arena, begin, size);
  const char* at = copy + (place - begin);
  bool too_deep = place < end && weir::stdlib::json_too_deep(copy, at + 1);
  return weir_json_say(arena, copy, copy + size, at, too_deep, detail);
}

WEIR_JSON_NATIVE void weir_json_detail(WeirArena* arena, const WeirBytes* name,
                                       const WeirBytes* reasons, WeirReason reason,
                                       uint32_t position, WeirBytes* detail) {
  uint64_t room = name->size + 64;
  char* memory = weir_arena_take(arena, room);
  weir::stdlib::JsonDetail text{memory, memory + room};
  text.add(*name);
  text.add(": ");
  text.add(reasons[reason - 7000]);
  if (position != ~0u) {
    text.add(" at byte ");
    text.add(uint64_t(position));
  }
  *detail = {memory, uint64_t(text.at - memory)};
}
