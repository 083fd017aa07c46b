// Functions of URLs (url.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_url_scheme(WeirArena* arena, WeirBytes s, WeirBytes* result);
WeirReason weir_url_host(WeirArena* arena, WeirBytes s, WeirBytes* result);
WeirReason weir_url_port(WeirArena* arena, WeirBytes s, int64_t* result);
WeirReason weir_url_user(WeirBytes s, WeirBytes* result);
WeirBytes weir_url_path(WeirArena* arena, WeirBytes s);
WeirReason weir_url_query(WeirBytes s, WeirBytes* result);
WeirReason weir_url_fragment(WeirBytes s, WeirBytes* result);
WeirReason weir_url_parameter(WeirArena* arena, WeirBytes s, WeirBytes name, WeirBytes* result);
WeirList weir_url_parameters(WeirArena* arena, WeirBytes s);
WeirBytes weir_url_encode(WeirArena* arena, WeirBytes s);
WeirReason weir_url_decode(WeirArena* arena, WeirBytes s, WeirBytes* result);
bool weir_url_is_valid(WeirBytes s);
}
