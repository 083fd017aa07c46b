// How many different values there are, about: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007)
// over 64-bit hashes with a sparse form for few values (Heule, Nunkesser, Hall 2013), read out by
// Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, section
// 3), which needs no tables and no corrections at either end.
//
// With m = 2^digits registers the standard error is 1.04 / √m; `digits` is the least that keeps it
// within what was asked for. Up to m / 32 values are counted exactly (their hashes are kept). The
// state depends on the set of values only, not on their order or on how it was merged.
#pragma once

#include "stdlib/engine/bag.h"

extern "C" {
WeirReason weir_distinct_add(WeirArena* arena, int64_t digits, WeirBytes state, WeirBytes value,
                             WeirBytes* result);
WeirReason weir_distinct_merge(WeirArena* arena, int64_t digits, WeirBytes state, WeirBytes other,
                               WeirBytes* result);
int64_t weir_distinct_count(WeirBytes state);
}
