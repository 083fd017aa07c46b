// `T(e)` between text and everything else. Native functions. `unit` of a timestamp: 0 ms, 1 µs, 2
// ns.
//
// From text, the whole text has to be the value, without spaces around it: integers and decimals as
// in JSON (a `+` and leading zeros are fine, an exponent is not), floats as in JSON, `true`
// `false`, RFC 3339 instants, `2025-01-31`, uuids, and durations as the language writes them:
// `1h30m`, `-250ms`, units `d h m s ms us`, and `w`.
#pragma once

#include "stdlib/kernel.h"

extern "C" {
WeirBytes weir_text_from_bool(WeirArena* arena, bool value);
WeirBytes weir_text_from_int64(WeirArena* arena, int64_t value);
WeirBytes weir_text_from_uint64(WeirArena* arena, uint64_t value);
WeirBytes weir_text_from_float32(WeirArena* arena, float value);
WeirBytes weir_text_from_float64(WeirArena* arena, double value);
WeirBytes weir_text_from_decimal(WeirArena* arena, weir_i128 value, int32_t scale);
WeirBytes weir_text_from_uuid(WeirArena* arena, weir_i128 value);
WeirBytes weir_text_from_timestamp(WeirArena* arena, int64_t value, int32_t unit);
WeirBytes weir_text_from_date(WeirArena* arena, int32_t value);
WeirBytes weir_text_from_duration(WeirArena* arena, int64_t value);

WeirReason weir_text_to_bool(WeirBytes text, bool* value);
WeirReason weir_text_to_int64(WeirBytes text, int64_t* value);
WeirReason weir_text_to_uint64(WeirBytes text, uint64_t* value);
WeirReason weir_text_to_float32(WeirBytes text, float* value);
WeirReason weir_text_to_float64(WeirBytes text, double* value);
WeirReason weir_text_to_decimal(WeirBytes text, int32_t precision, int32_t scale, weir_i128* value);
WeirReason weir_text_to_uuid(WeirBytes text, weir_i128* value);
WeirReason weir_text_to_timestamp(WeirBytes text, int32_t unit, int64_t* value);
WeirReason weir_text_to_date(WeirBytes text, int32_t* value);
WeirReason weir_text_to_duration(WeirBytes text, int64_t* value);
}
