// Time functions of the language (time.weir), on microseconds since 1970 in UTC.
#pragma once

#include "stdlib/engine/civil.h"
#include "stdlib/reasons.h"

WEIR_INLINE_KERNEL WeirReason weir_time_truncate(int64_t t, int64_t duration, int64_t* result) {
  if (duration <= 0) return kReasonOutOfRange;
  int64_t rest = t % duration;
  if (rest < 0) rest += duration;
  return __builtin_sub_overflow(t, rest, result) ? kReasonOverflow : 0;
}

inline int64_t weir_day_of(int64_t t) { return weir_floor_divide(t, kMicrosPerDay); }
inline int64_t weir_second_of_day(int64_t t) {
  return weir_floor_divide(t, kMicrosPerSecond) - weir_day_of(t) * kSecondsPerDay;
}

WEIR_KERNEL inline int64_t weir_time_year(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).year;
}
WEIR_KERNEL inline int64_t weir_time_month(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).month;
}
WEIR_KERNEL inline int64_t weir_time_day(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).day;
}
WEIR_KERNEL inline int64_t weir_time_hour(int64_t t) { return weir_second_of_day(t) / 3600; }
WEIR_KERNEL inline int64_t weir_time_minute(int64_t t) { return weir_second_of_day(t) / 60 % 60; }
WEIR_KERNEL inline int64_t weir_time_second(int64_t t) { return weir_second_of_day(t) % 60; }
// 1970-01-01 was a Thursday.
WEIR_KERNEL inline int64_t weir_time_weekday(int64_t t) {
  int64_t day = weir_day_of(t) + 3;
  return day - weir_floor_divide(day, 7) * 7 + 1;
}
