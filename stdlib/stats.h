// Statistics of lists of numbers (stats.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_stats_quantile(WeirList xs, double share, double* result);
WeirReason weir_stats_variance(WeirList xs, double* result);
WeirReason weir_stats_variance_pop(WeirList xs, double* result);
WeirReason weir_stats_covariance(WeirList xs, WeirList ys, double* result);
WeirReason weir_stats_correlation(WeirList xs, WeirList ys, double* result);
WeirReason weir_stats_slope(WeirList xs, WeirList ys, double* result);
WeirReason weir_stats_intercept(WeirList xs, WeirList ys, double* result);
WeirReason weir_stats_geometric_mean(WeirList xs, double* result);
WeirReason weir_stats_spread(WeirList xs, double* result);
double weir_stats_normal_cdf(double x);
double weir_stats_normal_pdf(double x);
WeirReason weir_stats_entropy(WeirList xs, double* result);
}
