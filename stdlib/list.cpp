#include "stdlib/list.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "stdlib/decimal.h"
#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

using weir::stdlib::ListBuilder;
using weir::stdlib::view;

namespace {

constexpr int64_t kRangeMax = 1'000'000;

const char* item(WeirList xs, WeirElement of, uint64_t index) {
  return static_cast<const char*>(xs.data) + index * of.size;
}

template <typename T>
T load(const char* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
int order(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// NaN equals itself and is greater than all numbers.
template <typename Float>
int order_floats(Float a, Float b) {
  bool a_nan = std::isnan(a), b_nan = std::isnan(b);
  return a_nan || b_nan ? int(a_nan) - int(b_nan) : order(a, b);
}

template <typename T>
int order_at(const char* a, const char* b) {
  return order(load<T>(a), load<T>(b));
}

// Less than 0, 0, greater; both are there.
int compare_present(const char* a, const char* b, WeirElement of) {
  switch (of.kind) {
    case kWeirBool:
    case kWeirUInt8:
      return order_at<uint8_t>(a, b);
    case kWeirInt8:
      return order_at<int8_t>(a, b);
    case kWeirInt16:
      return order_at<int16_t>(a, b);
    case kWeirUInt16:
      return order_at<uint16_t>(a, b);
    case kWeirInt32:
    case kWeirDate:
    case kWeirEnum:
      return order_at<int32_t>(a, b);
    case kWeirUInt32:
      return order_at<uint32_t>(a, b);
    case kWeirInt64:
    case kWeirTimestamp:
    case kWeirDuration:
      return order_at<int64_t>(a, b);
    case kWeirUInt64:
      return order_at<uint64_t>(a, b);
    case kWeirFloat32:
      return order_floats(load<float>(a), load<float>(b));
    case kWeirFloat64:
      return order_floats(load<double>(a), load<double>(b));
    case kWeirDecimal:
      // A wide one: its elements are 16 bytes apart, or 32 with a byte for presence.
      return of.presence >= 16 || (of.presence == 0 && of.size == 16) ? order_at<weir_i128>(a, b)
                                                                      : order_at<int64_t>(a, b);
    case kWeirUuid:
      return memcmp(a, b, 16);
    default:
      return view(load<WeirBytes>(a)).compare(view(load<WeirBytes>(b)));
  }
}

int compare(const char* a, const char* b, WeirElement of) {
  if (of.presence != 0) {
    bool a_there = a[of.presence] != 0, b_there = b[of.presence] != 0;
    if (!a_there || !b_there) return int(a_there) - int(b_there);
  }
  return compare_present(a, b, of);
}

// The places of the elements, in the order of their values; equal ones in their order.
std::vector<uint64_t> ordered_places(WeirList xs, WeirElement of) {
  std::vector<uint64_t> places(xs.count);
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](uint64_t a, uint64_t b) {
    int order = compare(item(xs, of, a), item(xs, of, b), of);
    return order != 0 ? order < 0 : a < b;
  });
  return places;
}

// The elements at these places.
WeirList pick(WeirArena* arena, WeirList xs, WeirElement of, const std::vector<uint64_t>& places) {
  char* to = weir_arena_take(arena, places.size() * of.size);
  for (uint64_t i = 0; i < places.size(); i++)
    memcpy(to + i * of.size, item(xs, of, places[i]), of.size);
  return {to, places.size()};
}

}  // namespace

WeirReason weir_list_place_of(WeirList xs, WeirElement of, WeirList x, WeirElement,
                              int64_t* result) {
  for (uint64_t i = 0; x.count == 1 && i < xs.count; i++) {
    if (compare(item(xs, of, i), static_cast<const char*>(x.data), of) != 0) continue;
    *result = int64_t(i);
    return 0;
  }
  return kReasonAbsent;
}

WeirList weir_list_slice(WeirArena*, WeirList xs, WeirElement of, int64_t start, int64_t count) {
  uint64_t from = std::min(uint64_t(std::max<int64_t>(start, 0)), xs.count);
  uint64_t size = std::min(uint64_t(std::max<int64_t>(count, 0)), xs.count - from);
  return {item(xs, of, from), size};
}

WeirList weir_list_concat(WeirArena* arena, WeirList a, WeirElement of, WeirList b, WeirElement) {
  char* to = weir_arena_take(arena, (a.count + b.count) * of.size);
  memcpy(to, a.data, a.count * of.size);
  memcpy(to + a.count * of.size, b.data, b.count * of.size);
  return {to, a.count + b.count};
}

WeirList weir_list_reverse(WeirArena* arena, WeirList xs, WeirElement of) {
  char* to = weir_arena_take(arena, xs.count * of.size);
  for (uint64_t i = 0; i < xs.count; i++)
    memcpy(to + i * of.size, item(xs, of, xs.count - 1 - i), of.size);
  return {to, xs.count};
}

WeirList weir_list_sort(WeirArena* arena, WeirList xs, WeirElement of) {
  return pick(arena, xs, of, ordered_places(xs, of));
}

WeirList weir_list_distinct(WeirArena* arena, WeirList xs, WeirElement of) {
  std::vector<uint64_t> places = ordered_places(xs, of);
  auto last = std::unique(places.begin(), places.end(), [&](uint64_t a, uint64_t b) {
    return compare(item(xs, of, a), item(xs, of, b), of) == 0;
  });
  places.erase(last, places.end());
  std::sort(places.begin(), places.end());
  return pick(arena, xs, of, places);
}

WeirReason weir_list_sum_list_int64(WeirList xs, int64_t* result) {
  weir_i128 sum = 0;
  for (uint64_t i = 0; i < xs.count; i++) sum += static_cast<const int64_t*>(xs.data)[i];
  *result = int64_t(sum);
  return *result == sum ? 0 : kReasonOverflow;
}

double weir_list_sum_list_float64(WeirList xs) {
  double sum = 0;
  for (uint64_t i = 0; i < xs.count; i++) sum += static_cast<const double*>(xs.data)[i];
  return sum;
}

WeirReason weir_list_sum_list_decimal(WeirList xs, WeirElement of, int32_t precision, int32_t,
                                      weir_i128* result) {
  weir_i128 sum = 0;
  for (uint64_t i = 0; i < xs.count; i++) {
    weir_i128 next = of.size == 16 ? load<weir_i128>(item(xs, of, i))
                                   : weir_i128(load<int64_t>(item(xs, of, i)));
    if (__builtin_add_overflow(sum, next, &sum)) return kReasonOverflow;
  }
  *result = sum;
  return weir_decimal_fits(sum, precision) ? 0 : kReasonOverflow;
}

WeirReason weir_list_range(WeirArena* arena, int64_t from, int64_t to, WeirList* result) {
  weir_i128 count = weir_i128(to) - from;
  if (count > kRangeMax) return kReasonTooLarge;
  ListBuilder<int64_t> numbers(arena);
  for (int64_t i = from; i < to; i++) numbers.add(i);
  *result = numbers.list();
  return 0;
}

WeirList weir_list_keys(WeirArena* arena, WeirList map, WeirElement of) {
  ListBuilder<WeirBytes> keys(arena);
  for (uint64_t i = 0; i < map.count; i++)
    keys.add(load<WeirBytes>(item(map, of, i) + of.presence));
  return keys.list();
}
