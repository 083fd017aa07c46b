// JSON: reading one value of a known type, the short way inlined into the stage, everything else by
// weir_json_read.
//
// All have one form: `p` is where the value begins, `type` describes it. The position behind the
// value comes back, null: malformed. `reason` not 0: no value; kJsonNull: it is `null`.
#pragma once

#include "stdlib/engine/json_number.h"
#include "stdlib/engine/json_read.h"

// `null`, as it stands in a compact record. (Elsewhere weir_json_read finds it.)
WEIR_JSON_KERNEL bool weir_json_null(const char* p) {
  return weir_load4(p) == 0x6C6C756E && weir_json_ends(p[4]);
}

namespace weir::stdlib {
// The cold half: reads into a place of its own, so that `value` can stay in a register.
template <typename T>
__attribute__((always_inline)) inline const char* json_read_cold(const char* p, const char* end,
                                                                 WeirArena* arena,
                                                                 const WeirJsonType* type, T* value,
                                                                 WeirReason* reason) {
  T cold{};
  WeirReason why = 0;
  const char* behind = weir_json_read(p, end, arena, type, reinterpret_cast<char*>(&cold), &why);
  *value = cold;
  *reason = why;
  return behind;
}

template <typename T>
__attribute__((always_inline)) inline const char* json_integer(const char* p, const char* end,
                                                               WeirArena* arena,
                                                               const WeirJsonType* type, T* value,
                                                               WeirReason* reason) {
  int64_t wide;
  *reason = 0;
  const char* behind = weir_json_short_integer(p, &wide);
  bool fits = sizeof(T) == 8 ? T(-1) < T(0) || wide >= 0 : wide == int64_t(T(wide));
  if (__builtin_expect(behind != nullptr && fits, 1)) {
    *value = T(wide);
    return behind;
  }
  return json_read_cold(p, end, arena, type, value, reason);
}
}  // namespace weir::stdlib

#define WEIR_JSON_VALUE(name, T)                                                                  \
  WEIR_JSON_KERNEL const char* weir_json_##name(const char* p, const char* end, WeirArena* arena, \
                                                const WeirJsonType* type, T* value,               \
                                                WeirReason* reason)

WEIR_JSON_VALUE(int8, int8_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(int16, int16_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(int32, int32_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(int64, int64_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(uint8, uint8_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(uint16, uint16_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(uint32, uint32_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}
WEIR_JSON_VALUE(uint64, uint64_t) {
  return weir::stdlib::json_integer(p, end, arena, type, value, reason);
}

WEIR_JSON_VALUE(float64, double) {
  *reason = 0;
  const char* behind = weir_json_short_float(p, value);
  if (__builtin_expect(behind != nullptr, 1)) return behind;
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}
// A double that is then rounded to float would be rounded twice: never the short way.
WEIR_JSON_VALUE(float32, float) {
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}

// decimal(p, s), p ≤ 18.
WEIR_JSON_KERNEL const char* weir_json_decimal64(const char* p, const char* end, WeirArena* arena,
                                                 const WeirJsonType* type, int64_t* value,
                                                 WeirReason* reason, uint32_t precision,
                                                 uint32_t scale) {
  *reason = 0;
  const char* behind = weir_json_short_decimal(p, precision, scale, value);
  if (__builtin_expect(behind != nullptr, 1)) return behind;
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}
WEIR_JSON_KERNEL const char* weir_json_decimal128(const char* p, const char* end, WeirArena* arena,
                                                  const WeirJsonType* type, weir_i128* value,
                                                  WeirReason* reason, uint32_t precision,
                                                  uint32_t scale) {
  int64_t narrow;
  *reason = 0;
  const char* behind = weir_json_short_decimal(p, precision < 18 ? precision : 18, scale, &narrow);
  if (__builtin_expect(behind != nullptr, 1)) {
    *value = narrow;
    return behind;
  }
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}

WEIR_JSON_VALUE(bool, bool) {
  *reason = 0;
  if (weir_load4(p) == 0x65757274 && weir_json_ends(p[4])) {
    *value = true;
    return p + 4;
  }
  if (weir_load4(p + 1) == 0x65736C61 && *p == 'f' && weir_json_ends(p[5])) {
    *value = false;
    return p + 5;
  }
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}

WEIR_JSON_VALUE(string, WeirBytes) {
  *reason = 0;
  const char* behind = weir_json_plain_string(p, end, value);
  if (__builtin_expect(behind != nullptr, 1)) return behind;
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}

WEIR_JSON_VALUE(enum, int32_t) {
  WeirBytes text;
  *reason = 0;
  const char* behind = weir_json_plain_string(p, end, &text);
  if (__builtin_expect(behind != nullptr, 1)) {
    for (uint32_t i = 0; i < type->count; i++) {
      if (type->cases[i].size == text.size &&
          memcmp(type->cases[i].data, text.data, text.size) == 0) {
        *value = int32_t(i);
        return behind;
      }
    }
  }
  return weir::stdlib::json_read_cold(p, end, arena, type, value, reason);
}
