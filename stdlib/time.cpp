#include "stdlib/time.h"

#include <algorithm>

#include "stdlib/prepared.h"
#include "stdlib/time_zone.h"
#include "stdlib/utf8.h"

using weir::stdlib::Prepared;
using weir::stdlib::TimeZone;
using weir::stdlib::view;

namespace {

constexpr int64_t kYearMax = 300'000;  // microseconds reach no further

WeirReason micros_of(int64_t day, int64_t rest, int64_t* result) {
  return __builtin_mul_overflow(day, kMicrosPerDay, result) ||
                 __builtin_add_overflow(*result, rest, result)
             ? kReasonOverflow
             : 0;
}

}  // namespace

WeirReason weir_time_start_of_timestamp(int64_t t, WeirBytes unit, int64_t* result) {
  std::string_view word = view(unit);
  if (word == "second") return weir_time_truncate(t, kMicrosPerSecond, result);
  if (word == "minute") return weir_time_truncate(t, 60 * kMicrosPerSecond, result);
  if (word == "hour") return weir_time_truncate(t, 3600 * kMicrosPerSecond, result);
  int64_t day = weir_day_of(t);
  WeirDate date = weir_date_from_days(day);
  if (word == "week") {
    day -= weir_weekday_of_day(day) - 1;
  } else if (word == "month") {
    day -= date.day - 1;
  } else if (word == "quarter") {
    day = weir_days_from_date(date.year, (date.month - 1) / 3 * 3 + 1, 1);
  } else if (word == "year") {
    day = weir_days_from_date(date.year, 1, 1);
  } else if (word != "day") {
    return kReasonBadTime;
  }
  return micros_of(day, 0, result);
}

WeirReason weir_time_make_date(int64_t year, int64_t month, int64_t day, int32_t* result) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > weir_days_of_month(year, uint32_t(month)))
    return kReasonBadTime;
  *result = int32_t(weir_days_from_date(year, uint32_t(month), uint32_t(day)));
  return 0;
}

WeirReason weir_time_add_months_timestamp(int64_t t, int64_t months, int64_t* result) {
  int64_t day = weir_day_of(t), rest = t - day * kMicrosPerDay, place;
  WeirDate date = weir_date_from_days(day);
  if (__builtin_add_overflow(date.year * 12 + int64_t(date.month) - 1, months, &place))
    return kReasonOverflow;
  int64_t year = weir_floor_divide(place, 12);
  if (year > kYearMax || year < -kYearMax) return kReasonOverflow;
  auto month = uint32_t(place - year * 12 + 1);
  uint32_t of_month = std::min(date.day, weir_days_of_month(year, month));
  return micros_of(weir_days_from_date(year, month, of_month), rest, result);
}

WeirReason weir_time_to_local(WeirArena*, WeirSite* site, int64_t t, WeirBytes zone,
                              int64_t* result) {
  const TimeZone& known = Prepared<TimeZone>::of(site, zone);
  if (!known.known()) return kReasonBadTime;
  int64_t ahead = known.at(weir_floor_divide(t, kMicrosPerSecond)).seconds * kMicrosPerSecond;
  return __builtin_add_overflow(t, ahead, result) ? kReasonOverflow : 0;
}

WeirReason weir_time_from_local(WeirArena*, WeirSite* site, int64_t t, WeirBytes zone,
                                int64_t* result) {
  const TimeZone& known = Prepared<TimeZone>::of(site, zone);
  if (!known.known()) return kReasonBadTime;
  int64_t local = weir_floor_divide(t, kMicrosPerSecond);
  int64_t ahead = (local - known.utc_of(local)) * kMicrosPerSecond;
  return __builtin_sub_overflow(t, ahead, result) ? kReasonOverflow : 0;
}

bool weir_time_is_zone(WeirBytes zone) { return TimeZone(view(zone)).known(); }
