// Kernels of the module `list` (list.weir). What an element is, `WeirElement` says: those that
// compare know scalars and texts, the others move bytes.
#pragma once

#include "stdlib/call.h"

WEIR_INLINE_KERNEL int64_t weir_list_len(WeirList list) { return int64_t(list.count); }

extern "C" {
WeirReason weir_list_place_of(WeirList xs, WeirElement of, WeirList x, WeirElement of_x,
                              int64_t* result);
WeirList weir_list_slice(WeirArena* arena, WeirList xs, WeirElement of, int64_t start,
                         int64_t count);
WeirList weir_list_concat(WeirArena* arena, WeirList a, WeirElement of, WeirList b,
                          WeirElement of_b);
WeirList weir_list_reverse(WeirArena* arena, WeirList xs, WeirElement of);
WeirList weir_list_sort(WeirArena* arena, WeirList xs, WeirElement of);
WeirList weir_list_distinct(WeirArena* arena, WeirList xs, WeirElement of);
WeirReason weir_list_sum_list_int64(WeirList xs, int64_t* result);
double weir_list_sum_list_float64(WeirList xs);
WeirReason weir_list_sum_list_decimal(WeirList xs, WeirElement of, int32_t precision, int32_t scale,
                                      weir_i128* result);
WeirReason weir_list_range(WeirArena* arena, int64_t from, int64_t to, WeirList* result);
WeirList weir_list_keys(WeirArena* arena, WeirList map, WeirElement of);
}
