// Quantiles: exact of up to kNumbersMax values, from then on by DDSketch (Masson, Rim, Lee,
// "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB
// 2019): values are counted in bins whose ends are a constant factor apart, so what comes out is
// within the given relative error of the value at that place, however values are distributed.
//
// Chosen before t-digest and KLL because counting in fixed bins does not care for order: the same
// values give the same state, however they were split, merged and restored. The number of bins is
// that of the magnitudes: about 1,400 for a factor of 10^12 at an error of 1 %, and never more than
// 2 · 71,000 (all of float64 at 1 %).
//
// The q-quantile of n values is the one at place ⌈q · n⌉, at least the first. NaN counts as
// greatest.
#pragma once

#include "stdlib/engine/bag.h"

inline constexpr uint32_t kNumbersMax = 256;

extern "C" {
WeirReason weir_quantile_add(WeirArena* arena, int64_t millionths, WeirBytes state, double value,
                             WeirBytes* result);
WeirReason weir_quantile_merge(WeirArena* arena, int64_t millionths, WeirBytes state,
                               WeirBytes other, WeirBytes* result);
int64_t weir_quantile_count(WeirBytes state);
// Of none 0.
double weir_quantile_value(WeirBytes state, double q);
}
