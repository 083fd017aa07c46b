// Functions of regular expressions (regex.weir), by RE2; `matches` is the operator, too.
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_regex_matches(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                              bool* result);
WeirReason weir_regex_find(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                           WeirBytes* result);
WeirReason weir_regex_find_all(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                               WeirList* result);
WeirReason weir_regex_group(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            int64_t number, WeirBytes* result);
WeirReason weir_regex_named(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            WeirBytes name, WeirBytes* result);
WeirReason weir_regex_groups(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                             WeirList* result);
WeirReason weir_regex_replace(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                              WeirBytes by, WeirBytes* result);
WeirReason weir_regex_replace_first(WeirArena* arena, WeirSite* site, WeirBytes s,
                                    WeirBytes pattern, WeirBytes by, WeirBytes* result);
WeirReason weir_regex_split(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            WeirList* result);
WeirReason weir_regex_count(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes pattern,
                            int64_t* result);
WeirBytes weir_regex_escape(WeirArena* arena, WeirBytes s);
bool weir_regex_is_valid(WeirBytes s);
}
