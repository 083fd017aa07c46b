#include "stdlib/convert.h"

#include <cmath>
#include <initializer_list>

#include "stdlib/decimal.h"
#include "stdlib/engine/civil.h"
#include "stdlib/engine/float_text.h"
#include "stdlib/engine/json_read.h"
#include "stdlib/engine/text_number.h"
#include "stdlib/reasons.h"

namespace {

WeirBytes keep(WeirArena* arena, const char* text, uint64_t size) {
  char* copy = weir_arena_take(arena, size);
  memcpy(copy, text, size);
  return {copy, size};
}
WeirBytes keep(WeirArena* arena, const char* text) { return keep(arena, text, strlen(text)); }

template <typename Float>
WeirBytes keep_float(WeirArena* arena, Float value, uint64_t (*write)(char*, Float)) {
  if (std::isnan(value)) return keep(arena, "NaN");
  if (std::isinf(value)) return keep(arena, value < 0 ? "-Infinity" : "Infinity");
  char text[kFloatTextBytes];
  return keep(arena, text, write(text, value));
}

bool same(WeirBytes text, const char* word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

template <typename Float>
WeirReason read_float(WeirBytes text, Float* value, bool (*parse)(const char*, uint64_t, Float*)) {
  for (const char* word : {"NaN", "Infinity", "-Infinity"}) {
    if (!same(text, word)) continue;
    *value = *word == 'N' ? Float(NAN) : *word == '-' ? Float(-INFINITY) : Float(INFINITY);
    return 0;
  }
  WeirJsonNumber number;
  const char* end = text.data + text.size;
  if (weir_json_scan_number(text.data, end, &number) != end) return kReasonBadCast;
  return parse(text.data, text.size, value) ? 0 : kReasonBadCast;
}

struct Unit {
  const char* name;
  int64_t micros;
};
constexpr Unit kUnits[] = {{"w", 7 * kMicrosPerDay},
                           {"d", kMicrosPerDay},
                           {"h", 3600 * kMicrosPerSecond},
                           {"m", 60 * kMicrosPerSecond},
                           {"s", kMicrosPerSecond},
                           {"ms", 1000},
                           {"us", 1}};

}  // namespace

WeirBytes weir_text_from_bool(WeirArena* arena, bool value) {
  return keep(arena, value ? "true" : "false");
}

WeirBytes weir_text_from_int64(WeirArena* arena, int64_t value) {
  char text[kIntegerTextBytes + 1];
  return keep(arena, text, uint64_t(weir_write_int64(text, value) - text));
}

WeirBytes weir_text_from_uint64(WeirArena* arena, uint64_t value) {
  char text[kIntegerTextBytes];
  return keep(arena, text, uint64_t(weir_write_uint64(text, value) - text));
}

WeirBytes weir_text_from_float32(WeirArena* arena, float value) {
  return keep_float(arena, value, weir_float32_text);
}
WeirBytes weir_text_from_float64(WeirArena* arena, double value) {
  return keep_float(arena, value, weir_float64_text);
}

WeirBytes weir_text_from_decimal(WeirArena* arena, weir_i128 value, int32_t scale) {
  char text[kDecimalTextBytes];
  return keep(arena, text, uint64_t(weir_write_decimal(text, value, scale) - text));
}

WeirBytes weir_text_from_uuid(WeirArena* arena, weir_i128 value) {
  char bytes[16], text[36];
  memcpy(bytes, &value, 16);
  weir_write_uuid(text, bytes);
  return keep(arena, text, sizeof text);
}

WeirBytes weir_text_from_timestamp(WeirArena* arena, int64_t value, int32_t unit) {
  char text[64];
  return keep(arena, text, weir_write_rfc3339(text, value, unit));
}

WeirBytes weir_text_from_date(WeirArena* arena, int32_t value) {
  char text[32];
  return keep(arena, text, weir_write_date(text, value));
}

// The greatest units first, only those that are needed: 1h30m, 0s.
WeirBytes weir_text_from_duration(WeirArena* arena, int64_t value) {
  char text[64];
  char* at = text;
  auto rest = value < 0 ? 0 - uint64_t(value) : uint64_t(value);
  if (value < 0) *at++ = '-';
  for (const Unit& unit : kUnits) {
    if (*unit.name == 'w') continue;
    uint64_t count = rest / uint64_t(unit.micros);
    if (count == 0) continue;
    rest -= count * uint64_t(unit.micros);
    at = weir_write_uint64(at, count);
    for (const char* c = unit.name; *c; c++) *at++ = *c;
  }
  if (value == 0) return keep(arena, "0s");
  return keep(arena, text, uint64_t(at - text));
}

WeirReason weir_text_to_bool(WeirBytes text, bool* value) {
  if (!same(text, "true") && !same(text, "false")) return kReasonBadCast;
  *value = text.size == 4;
  return 0;
}

WeirReason weir_text_to_decimal(WeirBytes text, int32_t precision, int32_t scale,
                                weir_i128* value) {
  const char *p = text.data, *end = p + text.size;
  bool negative = p < end && *p == '-';
  p += p < end && (*p == '-' || *p == '+');
  weir_i128 sum = 0;
  int32_t behind = -1, digits = 0;  // behind: digits since the point, −1 before it
  for (; p < end; p++) {
    if (*p == '.' && behind < 0 && digits > 0) {
      behind = 0;
      continue;
    }
    if (*p < '0' || *p > '9') return kReasonBadCast;
    digits++;
    if (behind >= 0 && ++behind > scale) {
      if (*p != '0') return kReasonBadCast;  // nothing is lost silently
      continue;
    }
    if (!weir_decimal_fits(sum, kDecimalDigitsMax - 1)) return kReasonBadCast;
    sum = sum * 10 + (*p - '0');
  }
  if (digits == 0 || behind == 0) return kReasonBadCast;
  return weir_decimal_rescale(negative ? -sum : sum,
                              behind < 0       ? 0
                              : behind < scale ? behind
                                               : scale,
                              precision, scale, value);
}

WeirReason weir_text_to_int64(WeirBytes text, int64_t* value) {
  weir_i128 wide;
  if (weir_text_to_decimal(text, kDecimalDigitsMax, 0, &wide) != 0 || wide != int64_t(wide))
    return kReasonBadCast;
  if (memchr(text.data, '.', text.size) != nullptr) return kReasonBadCast;
  *value = int64_t(wide);
  return 0;
}

WeirReason weir_text_to_uint64(WeirBytes text, uint64_t* value) {
  weir_i128 wide;
  if (weir_text_to_decimal(text, kDecimalDigitsMax, 0, &wide) != 0 || wide < 0 ||
      wide > weir_i128(UINT64_MAX))
    return kReasonBadCast;
  if (memchr(text.data, '.', text.size) != nullptr) return kReasonBadCast;
  *value = uint64_t(wide);
  return 0;
}

WeirReason weir_text_to_float32(WeirBytes text, float* value) {
  return read_float(text, value, weir_float32_parse);
}
WeirReason weir_text_to_float64(WeirBytes text, double* value) {
  return read_float(text, value, weir_float64_parse);
}

WeirReason weir_text_to_uuid(WeirBytes text, weir_i128* value) {
  char bytes[16];
  if (!weir_uuid_read(text.data, text.size, bytes)) return kReasonBadCast;
  memcpy(value, bytes, 16);
  return 0;
}

WeirReason weir_text_to_timestamp(WeirBytes text, int32_t unit, int64_t* value) {
  int64_t seconds;
  uint32_t nanos;
  if (!weir_read_rfc3339(text.data, text.size, &seconds, &nanos)) return kReasonBadTime;
  return weir_time_in_unit(seconds, nanos, unit, value) ? 0 : kReasonBadCast;
}

WeirReason weir_text_to_date(WeirBytes text, int32_t* value) {
  int64_t days;
  if (!weir_read_date(text.data, text.size, &days)) return kReasonBadTime;
  *value = int32_t(days);
  return 0;
}

WeirReason weir_text_to_duration(WeirBytes text, int64_t* value) {
  const char *p = text.data, *end = p + text.size;
  bool negative = p < end && *p == '-';
  p += negative;
  weir_i128 sum = 0;
  if (p == end) return kReasonBadTime;
  while (p < end) {
    weir_i128 count = 0;
    const char* digits = p;
    for (; p < end && *p >= '0' && *p <= '9' && p - digits < 19; p++)
      count = count * 10 + (*p - '0');
    const char* name = p;
    while (p < end && (*p < '0' || *p > '9')) p++;
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (same({name, uint64_t(p - name)}, unit.name)) found = &unit;
    }
    if (name == digits || found == nullptr) return kReasonBadTime;
    sum += count * found->micros;
    if (sum > weir_i128(INT64_MAX)) return kReasonBadTime;
  }
  *value = negative ? -int64_t(sum) : int64_t(sum);
  return 0;
}
