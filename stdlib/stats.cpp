#include "stdlib/stats.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <vector>

#include "stdlib/reasons.h"

namespace {

using Numbers = std::span<const double>;

Numbers numbers(WeirList xs) { return {static_cast<const double*>(xs.data), size_t(xs.count)}; }

double mean_of(Numbers xs) {
  return std::accumulate(xs.begin(), xs.end(), 0.0) / double(xs.size());
}

// Sums of products of the distances from the means: of pairs, of each side with itself.
struct Moments {
  double x_mean, y_mean, xy = 0, xx = 0, yy = 0;
};
Moments moments_of(Numbers xs, Numbers ys) {
  Moments sums{mean_of(xs), mean_of(ys)};
  for (size_t i = 0; i < xs.size(); i++) {
    double x = xs[i] - sums.x_mean, y = ys[i] - sums.y_mean;
    sums.xy += x * y;
    sums.xx += x * x;
    sums.yy += y * y;
  }
  return sums;
}

template <typename Result>
WeirReason of_pairs(WeirList xs, WeirList ys, double* result, Result of) {
  if (xs.count != ys.count) return kReasonOutOfRange;
  if (xs.count < 2) return kReasonAbsent;
  *result = of(moments_of(numbers(xs), numbers(ys)));
  return std::isnan(*result) ? kReasonAbsent : 0;
}

}  // namespace

WeirReason weir_stats_quantile(WeirList xs, double share, double* result) {
  if (!(share >= 0 && share <= 1)) return kReasonOutOfRange;
  if (xs.count == 0) return kReasonAbsent;
  std::vector<double> sorted(numbers(xs).begin(), numbers(xs).end());
  std::sort(sorted.begin(), sorted.end(), [](double a, double b) {
    return std::isnan(b) ? !std::isnan(a) : a < b;  // NaN is the greatest
  });
  double place = share * double(sorted.size() - 1);
  auto below = size_t(place);
  double rest = place - double(below);
  *result = rest == 0 ? sorted[below] : sorted[below] + rest * (sorted[below + 1] - sorted[below]);
  return 0;
}

WeirReason weir_stats_variance(WeirList xs, double* result) {
  if (xs.count < 2) return kReasonAbsent;
  *result = moments_of(numbers(xs), numbers(xs)).xx / double(xs.count - 1);
  return 0;
}
WeirReason weir_stats_variance_pop(WeirList xs, double* result) {
  if (xs.count == 0) return kReasonAbsent;
  *result = moments_of(numbers(xs), numbers(xs)).xx / double(xs.count);
  return 0;
}

WeirReason weir_stats_covariance(WeirList xs, WeirList ys, double* result) {
  return of_pairs(xs, ys, result, [&](const Moments& m) { return m.xy / double(xs.count - 1); });
}
WeirReason weir_stats_correlation(WeirList xs, WeirList ys, double* result) {
  return of_pairs(xs, ys, result, [](const Moments& m) { return m.xy / std::sqrt(m.xx * m.yy); });
}
WeirReason weir_stats_slope(WeirList xs, WeirList ys, double* result) {
  return of_pairs(xs, ys, result, [](const Moments& m) { return m.xy / m.xx; });
}
WeirReason weir_stats_intercept(WeirList xs, WeirList ys, double* result) {
  return of_pairs(xs, ys, result,
                  [](const Moments& m) { return m.y_mean - m.xy / m.xx * m.x_mean; });
}

WeirReason weir_stats_geometric_mean(WeirList xs, double* result) {
  double sum = 0;
  for (double x : numbers(xs)) {
    if (!(x > 0)) return kReasonAbsent;
    sum += std::log(x);
  }
  if (xs.count == 0) return kReasonAbsent;
  *result = std::exp(sum / double(xs.count));
  return 0;
}

WeirReason weir_stats_spread(WeirList xs, double* result) {
  if (xs.count == 0) return kReasonAbsent;
  auto [least, most] = std::minmax_element(numbers(xs).begin(), numbers(xs).end());
  *result = *most - *least;
  return 0;
}

double weir_stats_normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
double weir_stats_normal_pdf(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

WeirReason weir_stats_entropy(WeirList xs, double* result) {
  double sum = 0, entropy = 0;
  for (double x : numbers(xs)) {
    if (!(x >= 0)) return kReasonOutOfRange;
    sum += x;
  }
  if (sum == 0) return kReasonAbsent;
  for (double x : numbers(xs)) {
    if (x > 0) entropy -= x / sum * std::log2(x / sum);
  }
  *result = entropy;
  return 0;
}
