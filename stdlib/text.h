// Text functions of the language (text.weir), and those its operators stand for: `like`,
// interpolation.
#pragma once

#include "stdlib/call.h"

WEIR_INLINE_KERNEL int64_t weir_text_byte_len(WeirBytes s) { return int64_t(s.size); }

extern "C" {
int64_t weir_text_len(WeirBytes s);
bool weir_text_is_ascii(WeirBytes s);

// text_case.cpp
WeirBytes weir_text_lower(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_upper(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_fold_case(WeirArena* arena, WeirBytes s);
WeirReason weir_text_normalize(WeirArena* arena, WeirBytes s, WeirBytes form, WeirBytes* result);

WeirBytes weir_text_trim(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_trim_start(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_trim_end(WeirArena* arena, WeirBytes s);
WeirBytes weir_text_strip(WeirArena* arena, WeirBytes s, WeirBytes characters);

bool weir_text_starts_with(WeirBytes s, WeirBytes prefix);
bool weir_text_ends_with(WeirBytes s, WeirBytes suffix);
bool weir_text_contains(WeirBytes s, WeirBytes part);
WeirReason weir_text_position(WeirBytes s, WeirBytes part, int64_t* result);
WeirReason weir_text_last_position(WeirBytes s, WeirBytes part, int64_t* result);
int64_t weir_text_occurrences(WeirBytes s, WeirBytes part);

WeirBytes weir_text_substring_string(WeirArena* arena, WeirBytes s, int64_t start, int64_t count);
WeirBytes weir_text_right(WeirArena* arena, WeirBytes s, int64_t count);
WeirReason weir_text_before(WeirBytes s, WeirBytes separator, WeirBytes* result);
WeirReason weir_text_after(WeirBytes s, WeirBytes separator, WeirBytes* result);

WeirBytes weir_text_replace(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to);
WeirBytes weir_text_replace_first(WeirArena* arena, WeirBytes s, WeirBytes from, WeirBytes to);
WeirBytes weir_text_concat(WeirArena* arena, WeirBytes a, WeirBytes b);
WeirReason weir_text_repeat(WeirArena* arena, WeirBytes s, int64_t count, WeirBytes* result);
WeirBytes weir_text_reverse(WeirArena* arena, WeirBytes s);
WeirReason weir_text_pad_start(WeirArena* arena, WeirBytes s, int64_t length, WeirBytes fill,
                               WeirBytes* result);
WeirReason weir_text_pad_end(WeirArena* arena, WeirBytes s, int64_t length, WeirBytes fill,
                             WeirBytes* result);

// text_list.cpp
WeirList weir_text_split(WeirArena* arena, WeirBytes s, WeirBytes separator);
WeirReason weir_text_split_part(WeirBytes s, WeirBytes separator, int64_t index, WeirBytes* result);
WeirList weir_text_lines(WeirArena* arena, WeirBytes s);
WeirList weir_text_words(WeirArena* arena, WeirBytes s);
WeirReason weir_text_join(WeirArena* arena, WeirList parts, WeirBytes separator, WeirBytes* result);

WeirReason weir_text_code_point(WeirBytes s, int64_t* result);
WeirReason weir_text_from_code_point(WeirArena* arena, int64_t code, WeirBytes* result);
WeirReason weir_text_edit_distance(WeirArena* arena, WeirBytes a, WeirBytes b, int64_t* result);

// `%` is any run of characters, `_` one character, `\` makes the next one plain.
bool weir_text_like(WeirBytes s, WeirBytes pattern);
}
