// Time functions of the language (time.weir), on microseconds since 1970 in UTC.
#pragma once

#include "stdlib/call.h"
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
// 1970-01-01 was a Thursday. Monday is 1.
inline int64_t weir_weekday_of_day(int64_t day) {
  return day + 3 - weir_floor_divide(day + 3, 7) * 7 + 1;
}

WEIR_KERNEL inline int64_t weir_time_year_timestamp(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).year;
}
WEIR_KERNEL inline int64_t weir_time_month_timestamp(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).month;
}
WEIR_KERNEL inline int64_t weir_time_day_timestamp(int64_t t) {
  return weir_date_from_days(weir_day_of(t)).day;
}
WEIR_KERNEL inline int64_t weir_time_hour_timestamp(int64_t t) {
  return weir_second_of_day(t) / 3600;
}
WEIR_KERNEL inline int64_t weir_time_minute_timestamp(int64_t t) {
  return weir_second_of_day(t) / 60 % 60;
}
WEIR_KERNEL inline int64_t weir_time_second(int64_t t) { return weir_second_of_day(t) % 60; }
WEIR_KERNEL inline int64_t weir_time_weekday_timestamp(int64_t t) {
  return weir_weekday_of_day(weir_day_of(t));
}
WEIR_KERNEL inline int64_t weir_time_day_of_year_timestamp(int64_t t) {
  int64_t day = weir_day_of(t);
  return day - weir_days_from_date(weir_date_from_days(day).year, 1, 1) + 1;
}
// An ISO week belongs to the year of its Thursday.
WEIR_KERNEL inline int64_t weir_time_week_year_timestamp(int64_t t) {
  int64_t day = weir_day_of(t);
  return weir_date_from_days(day + 4 - weir_weekday_of_day(day)).year;
}
WEIR_KERNEL inline int64_t weir_time_week_timestamp(int64_t t) {
  int64_t day = weir_day_of(t), thursday = day + 4 - weir_weekday_of_day(day);
  return (thursday - weir_days_from_date(weir_date_from_days(thursday).year, 1, 1)) / 7 + 1;
}

extern "C" {
WeirReason weir_time_start_of_timestamp(int64_t t, WeirBytes unit, int64_t* result);
WeirReason weir_time_make_date(int64_t year, int64_t month, int64_t day, int32_t* result);
WeirReason weir_time_add_months_timestamp(int64_t t, int64_t months, int64_t* result);
WeirReason weir_time_to_local(WeirArena* arena, WeirSite* site, int64_t t, WeirBytes zone,
                              int64_t* result);
WeirReason weir_time_from_local(WeirArena* arena, WeirSite* site, int64_t t, WeirBytes zone,
                                int64_t* result);
bool weir_time_is_zone(WeirBytes zone);
// time_format.cpp
WeirReason weir_time_formatted(WeirArena* arena, WeirSite* site, int64_t t, WeirBytes format,
                               WeirBytes zone, WeirBytes* result);
WeirReason weir_time_parsed(WeirArena* arena, WeirSite* site, WeirBytes s, WeirBytes format,
                            WeirBytes zone, int64_t* result);
}
