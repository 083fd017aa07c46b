// The proleptic Gregorian calendar in UTC: days since 1970-01-01 and RFC 3339 text.
#pragma once

#include "stdlib/kernel.h"

struct WeirDate {
  int64_t year;
  uint32_t month, day;  // from 1
};

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kSecondsPerDay = 86'400;
inline constexpr int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;

// Howard Hinnant's days_from_civil and civil_from_days (public domain).
WEIR_INLINE_KERNEL int64_t weir_days_from_date(int64_t year, uint32_t month, uint32_t day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  auto year_of_era = uint32_t(year - era * 400);
  uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + int64_t(day_of_era) - 719468;
}

inline WeirDate weir_date_from_days(int64_t days) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  auto day_of_era = uint32_t(days - era * 146097);
  uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  uint32_t month = (5 * day_of_year + 2) / 153;
  WeirDate date;
  date.day = day_of_year - (153 * month + 2) / 5 + 1;
  date.month = month < 10 ? month + 3 : month - 9;
  date.year = int64_t(year_of_era) + era * 400 + (date.month <= 2);
  return date;
}

inline int64_t weir_floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

inline uint32_t weir_days_of_month(int64_t year, uint32_t month) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap);
}

inline bool weir_read_digits(const char* p, int count, uint32_t* value) {
  *value = 0;
  for (int i = 0; i < count; i++) {
    if (p[i] < '0' || p[i] > '9') return false;
    *value = *value * 10 + uint32_t(p[i] - '0');
  }
  return true;
}

// "2025-01-31", years 0001 to 9999.
inline bool weir_read_date(const char* p, uint64_t size, int64_t* days) {
  uint32_t year, month, day;
  if (size != 10 || p[4] != '-' || p[7] != '-' || !weir_read_digits(p, 4, &year) ||
      !weir_read_digits(p + 5, 2, &month) || !weir_read_digits(p + 8, 2, &day)) {
    return false;
  }
  if (year == 0 || month == 0 || month > 12 || day == 0 || day > weir_days_of_month(year, month))
    return false;
  *days = weir_days_from_date(year, month, day);
  return true;
}

// RFC 3339: "2025-01-31T12:30:00.25+01:00", `T` or a space, `Z` in either case, up to nine digits
// of a second. A leap second (:60) is not a time. Seconds since 1970 and nanoseconds behind them.
inline bool weir_read_rfc3339(const char* p, uint64_t size, int64_t* seconds, uint32_t* nanos) {
  const char* end = p + size;
  int64_t days;
  uint32_t hour, minute, second;
  if (size < 20 || !weir_read_date(p, 10, &days) ||
      (p[10] != 'T' && p[10] != 't' && p[10] != ' ') || p[13] != ':' || p[16] != ':' ||
      !weir_read_digits(p + 11, 2, &hour) || !weir_read_digits(p + 14, 2, &minute) ||
      !weir_read_digits(p + 17, 2, &second) || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  p += 19;
  *nanos = 0;
  if (*p == '.') {
    uint32_t unit = 1'000'000'000;
    for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
      unit /= 10;
      if (unit == 0) return false;
      *nanos += uint32_t(*p - '0') * unit;
    }
    if (unit == 1'000'000'000) return false;
  }
  int64_t offset = 0;
  if (end - p == 1 && (*p == 'Z' || *p == 'z')) {
    offset = 0;
  } else if (end - p == 6 && (*p == '+' || *p == '-') && p[3] == ':') {
    uint32_t hours, minutes;
    if (!weir_read_digits(p + 1, 2, &hours) || !weir_read_digits(p + 4, 2, &minutes) ||
        hours > 23 || minutes > 59)
      return false;
    offset = (int64_t(hours) * 60 + minutes) * 60 * (*p == '-' ? -1 : 1);
  } else {
    return false;
  }
  *seconds = days * kSecondsPerDay + int64_t(hour) * 3600 + minute * 60 + second - offset;
  return true;
}

// In `unit` (0 ms, 1 µs, 2 ns). False if digits of the second would be lost, or it does not fit.
inline bool weir_time_in_unit(int64_t seconds, uint32_t nanos, int32_t unit, int64_t* value) {
  constexpr int64_t kPerSecond[] = {1'000, 1'000'000, 1'000'000'000};
  auto nanos_per_unit = uint32_t(1'000'000'000 / kPerSecond[unit]);
  if (nanos % nanos_per_unit != 0) return false;
  return !__builtin_mul_overflow(seconds, kPerSecond[unit], value) &&
         !__builtin_add_overflow(*value, int64_t(nanos / nanos_per_unit), value);
}

inline void weir_write_digits(char* to, int count, uint64_t value) {
  for (int i = count - 1; i >= 0; i--, value /= 10) to[i] = char('0' + value % 10);
}

// "2025-01-31"; years outside 0000 to 9999 with a sign and at least four digits. At most 26 bytes.
inline uint64_t weir_write_date(char* to, int64_t days) {
  WeirDate date = weir_date_from_days(days);
  char* at = to;
  uint64_t year = date.year < 0 ? uint64_t(-date.year) : uint64_t(date.year);
  if (date.year < 0) *at++ = '-';
  if (date.year > 9999) *at++ = '+';
  int digits = 4;
  for (uint64_t power = 10000; year >= power && digits < 19; power *= 10) digits++;
  weir_write_digits(at, digits, year);
  at += digits;
  *at++ = '-';
  weir_write_digits(at, 2, date.month);
  at[2] = '-';
  weir_write_digits(at + 3, 2, date.day);
  return uint64_t(at + 5 - to);
}

// RFC 3339 in UTC, with as many digits of the second as are not 0, by threes. At most 48 bytes.
inline uint64_t weir_write_rfc3339(char* to, int64_t value, int32_t unit) {
  constexpr int64_t kPerSecond[] = {1'000, 1'000'000, 1'000'000'000};
  int64_t seconds = weir_floor_divide(value, kPerSecond[unit]);
  auto nanos =
      uint64_t(value - seconds * kPerSecond[unit]) * uint64_t(1'000'000'000 / kPerSecond[unit]);
  int64_t days = weir_floor_divide(seconds, kSecondsPerDay);
  auto second = uint64_t(seconds - days * kSecondsPerDay);
  char* at = to + weir_write_date(to, days);
  *at++ = 'T';
  weir_write_digits(at, 2, second / 3600);
  at[2] = ':';
  weir_write_digits(at + 3, 2, second / 60 % 60);
  at[5] = ':';
  weir_write_digits(at + 6, 2, second % 60);
  at += 8;
  if (nanos != 0) {
    int digits = nanos % 1'000'000 == 0 ? 3 : nanos % 1'000 == 0 ? 6 : 9;
    *at++ = '.';
    weir_write_digits(at, digits,
                      digits == 3   ? nanos / 1'000'000
                      : digits == 6 ? nanos / 1'000
                                    : nanos);
    at += digits;
  }
  *at++ = 'Z';
  return uint64_t(at - to);
}
