// Functions of JSON values in fields (json.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_json_parse(WeirBytes s, WeirBytes* result);
bool weir_json_is_valid(WeirBytes s);
WeirReason weir_json_get(WeirBytes json, WeirBytes path, WeirBytes* result);
WeirReason weir_json_text_at(WeirArena* arena, WeirBytes json, WeirBytes path, WeirBytes* result);
WeirReason weir_json_int(WeirBytes json, WeirBytes path, int64_t* result);
WeirReason weir_json_float(WeirBytes json, WeirBytes path, double* result);
WeirReason weir_json_boolean(WeirBytes json, WeirBytes path, bool* result);
WeirBytes weir_json_kind(WeirArena* arena, WeirBytes json);
WeirReason weir_json_size(WeirBytes json, int64_t* result);
WeirList weir_json_keys(WeirArena* arena, WeirBytes json);
WeirList weir_json_items(WeirArena* arena, WeirBytes json);
WeirBytes weir_json_quote(WeirArena* arena, WeirBytes s);
}
