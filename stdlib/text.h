// Text functions of the language (text.weir), and those its operators stand for: `like`,
// interpolation.
#pragma once

#include "stdlib/kernel.h"

extern "C" {
WeirBytes weir_text_lower(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_upper(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_trim(WeirArena* arena, WeirBytes s);
int64_t weir_text_len(WeirBytes s);
bool weir_text_starts_with(WeirBytes s, WeirBytes prefix);
bool weir_text_ends_with(WeirBytes s, WeirBytes suffix);
bool weir_text_contains(WeirBytes s, WeirBytes part);
WeirBytes weir_text_substring(WeirArena* arena, WeirBytes s, int64_t start, int64_t count);
WeirBytes weir_text_replace(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to);
WeirBytes weir_text_concat(WeirArena* arena, WeirBytes a, WeirBytes b);
// `%` is any run of characters, `_` one character, `\` makes the next one plain.
bool weir_text_like(WeirBytes s, WeirBytes pattern);
}
