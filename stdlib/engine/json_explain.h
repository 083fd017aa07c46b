// JSON: saying what is wrong with a record. Cold: runs once for each row that is put aside.
#pragma once

#include "stdlib/engine/json_read.h"

// Where an object should begin and does not, at least not at `p`: behind white space (reason 0), or it is something
// else (a reason; the position is behind it). Null: malformed.
WEIR_JSON_COLD_KERNEL const char* weir_json_open(const char* p, const char* end, WeirReason* reason) {
  weir::stdlib::JsonReader reader{end, nullptr};
  *reason = kReasonMalformed;
  p = weir_json_space(p, end);
  if (p >= end) return nullptr;
  *reason = *p == '{' ? 0 : reader.is_null(p) ? kJsonNull : kReasonWrongType;
  return *reason == 0 ? p : weir_json_skip(p, end);
}

namespace weir::stdlib {

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
inline bool json_too_deep(const char* p, const char* end) {
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
inline const char* json_break(const char* begin, const char* end) {
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

}  // namespace weir::stdlib

// Of a record that the decoder gave up: the reason, and "malformed at byte 57" in the arena.
WEIR_JSON_COLD_KERNEL WeirReason weir_json_explain(WeirArena* arena, const char* begin, const char* end,
                                                   WeirBytes* detail) {
  const char* at = weir::stdlib::json_break(begin, end);
  bool too_deep = at < end && weir::stdlib::json_too_deep(at, end);
  char* memory = weir_arena_take(arena, 64);
  weir::stdlib::JsonDetail text{memory, memory + 64};
  text.add(too_deep ? "too_deep at byte " : at >= end ? "malformed: not closed, at byte " : "malformed at byte ");
  text.add(uint64_t((at < end ? at : end) - begin));
  *detail = {memory, uint64_t(text.at - memory)};
  return too_deep ? kReasonTooDeep : kReasonMalformed;
}

// "amount: wrong_type at byte 57". `reasons` are the names of the reasons from 7000 on; position ~0: none.
WEIR_JSON_COLD_KERNEL void weir_json_detail(WeirArena* arena, const WeirBytes* name, const WeirBytes* reasons,
                                            WeirReason reason, uint32_t position, WeirBytes* detail) {
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
