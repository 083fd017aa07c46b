// Instants as text by a format, and back.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "stdlib/prepared.h"
#include "stdlib/time.h"
#include "stdlib/time_zone.h"
#include "stdlib/utf8.h"

using weir::stdlib::keep;
using weir::stdlib::Prepared;
using weir::stdlib::TimeZone;
using weir::stdlib::view;

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

void put(std::string& text, int64_t number, size_t digits) {
  std::string shown = std::to_string(number < 0 ? -number : number);
  if (number < 0) text += '-';
  if (shown.size() < digits) text.append(digits - shown.size(), '0');
  text += shown;
}

// False if the format has a letter that means nothing.
bool write(std::string& text, std::string_view format, int64_t t, const TimeZone::Offset& offset) {
  int64_t local = t + offset.seconds * kMicrosPerSecond;
  WeirDate date = weir_date_from_days(weir_day_of(local));
  int64_t second = weir_second_of_day(local);
  int64_t micros = local - weir_floor_divide(local, kMicrosPerSecond) * kMicrosPerSecond;
  int64_t weekday = weir_time_weekday_timestamp(local);
  for (size_t i = 0; i < format.size(); i++) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    if (++i == format.size()) return false;
    char letter = format[i], digits = 0;
    if ((letter == '3' || letter == '6') && i + 1 < format.size() && format[i + 1] == 'f')
      digits = letter, letter = format[++i];
    int64_t twelve = second / 3600 % 12 == 0 ? 12 : second / 3600 % 12;
    switch (letter) {
      case 'Y':
        put(text, date.year, 4);
        break;
      case 'y':
        put(text, date.year % 100, 2);
        break;
      case 'm':
        put(text, date.month, 2);
        break;
      case 'd':
        put(text, date.day, 2);
        break;
      case 'e':
        put(text, date.day, 1);
        break;
      case 'H':
        put(text, second / 3600, 2);
        break;
      case 'k':
        put(text, second / 3600, 1);
        break;
      case 'I':
        put(text, twelve, 2);
        break;
      case 'p':
        text += second >= 43200 ? "PM" : "AM";
        break;
      case 'M':
        put(text, second / 60 % 60, 2);
        break;
      case 'S':
        put(text, second % 60, 2);
        break;
      case 'f':
        put(text, digits == '3' ? micros / 1000 : micros, digits == '3' ? 3 : 6);
        break;
      case 'j':
        put(text, weir_time_day_of_year_timestamp(local), 3);
        break;
      case 'G':
        put(text, weir_time_week_year_timestamp(local), 4);
        break;
      case 'V':
        put(text, weir_time_week_timestamp(local), 2);
        break;
      case 'u':
        put(text, weekday, 1);
        break;
      case 'a':
        text += kDays[size_t(weekday - 1)].substr(0, 3);
        break;
      case 'A':
        text += kDays[size_t(weekday - 1)];
        break;
      case 'b':
        text += kMonths[date.month - 1].substr(0, 3);
        break;
      case 'B':
        text += kMonths[date.month - 1];
        break;
      case 'Z':
        text += offset.abbreviation;
        break;
      case 's':
        put(text, weir_floor_divide(t, kMicrosPerSecond), 1);
        break;
      case 'F':
        write(text, "%Y-%m-%d", t, offset);
        break;
      case 'T':
        write(text, "%H:%M:%S", t, offset);
        break;
      case '%':
        text += '%';
        break;
      case 'z': {
        int64_t minutes = (offset.seconds < 0 ? -offset.seconds : offset.seconds) / 60;
        text += offset.seconds < 0 ? '-' : '+';
        put(text, minutes / 60 * 100 + minutes % 60, 4);
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

// What a text said so far.
struct Read {
  int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
  int64_t offset = 0, since_1970 = 0;
  bool afternoon = false, twelve = false, has_offset = false, has_since_1970 = false;
};

bool take_number(std::string_view& s, size_t digits_max, int64_t least, int64_t most,
                 int64_t& number) {
  size_t digits = 0;
  for (number = 0; digits < s.size() && digits < digits_max && std::isdigit(uint8_t(s[digits]));)
    number = number * 10 + (s[digits++] - '0');
  s.remove_prefix(digits);
  return digits > 0 && number >= least && number <= most;
}

bool starts_with_word(std::string_view s, std::string_view word) {
  return s.size() >= word.size() &&
         std::equal(word.begin(), word.end(), s.begin(), [](char a, char b) {
           return std::tolower(uint8_t(a)) == std::tolower(uint8_t(b));
         });
}

// The name or its first three letters.
template <size_t count>
bool take_name(std::string_view& s, const std::array<std::string_view, count>& names,
               int64_t& number) {
  for (size_t i = 0; i < count; i++) {
    if (!starts_with_word(s, names[i].substr(0, 3))) continue;
    s.remove_prefix(starts_with_word(s, names[i]) ? names[i].size() : 3);
    number = int64_t(i) + 1;
    return true;
  }
  return false;
}

bool take_fraction(std::string_view& s, int64_t& micros) {
  int64_t unit = 1'000'000;
  size_t digits = 0;
  for (micros = 0; digits < s.size() && digits < 9 && std::isdigit(uint8_t(s[digits])); digits++) {
    unit /= 10;  // digits behind the microsecond are dropped
    micros += (s[digits] - '0') * unit;
  }
  s.remove_prefix(digits);
  return digits > 0;
}

bool take_offset(std::string_view& s, Read& read) {
  read.has_offset = true;
  if (s.starts_with('Z')) {
    s.remove_prefix(1);
    return true;
  }
  if (!s.starts_with('+') && !s.starts_with('-')) return false;
  bool west = s[0] == '-';
  s.remove_prefix(1);
  int64_t hours, minutes = 0;
  if (!take_number(s, 2, 0, 23, hours)) return false;
  if (s.starts_with(':')) s.remove_prefix(1);
  if (!s.empty() && std::isdigit(uint8_t(s[0])) && !take_number(s, 2, 0, 59, minutes)) return false;
  read.offset = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
  return true;
}

bool read_text(std::string_view& s, std::string_view format, Read& read) {
  for (size_t i = 0; i < format.size(); i++) {
    if (format[i] != '%') {
      if (!s.starts_with(format[i])) return false;
      s.remove_prefix(1);
      continue;
    }
    if (++i == format.size()) return false;
    if ((format[i] == '3' || format[i] == '6') && i + 1 < format.size() && format[i + 1] == 'f')
      i++;
    int64_t ignored;
    bool good = true;
    switch (format[i]) {
      case 'Y':
        good = take_number(s, 4, 1, 9999, read.year);
        break;
      case 'y':
        good = take_number(s, 2, 0, 99, read.year);
        read.year += read.year < 69 ? 2000 : 1900;  // as POSIX has it
        break;
      case 'm':
        good = take_number(s, 2, 1, 12, read.month);
        break;
      case 'd':
      case 'e':
        good = take_number(s, 2, 1, 31, read.day);
        break;
      case 'H':
      case 'k':
        good = take_number(s, 2, 0, 23, read.hour);
        break;
      case 'I':
        good = take_number(s, 2, 1, 12, read.hour);
        read.twelve = true;
        break;
      case 'p':
        read.afternoon = starts_with_word(s, "PM");
        good = read.afternoon || starts_with_word(s, "AM");
        if (good) s.remove_prefix(2);
        break;
      case 'M':
        good = take_number(s, 2, 0, 59, read.minute);
        break;
      case 'S':
        good = take_number(s, 2, 0, 59, read.second);
        break;
      case 'f':
        good = take_fraction(s, read.micros);
        break;
      case 'a':
      case 'A':
        good = take_name(s, kDays, ignored);
        break;
      case 'b':
      case 'B':
        good = take_name(s, kMonths, read.month);
        break;
      case 'z':
        good = take_offset(s, read);
        break;
      case 's': {
        bool negative = s.starts_with('-');
        if (negative) s.remove_prefix(1);
        good = take_number(s, 12, 0, INT64_MAX, read.since_1970);
        if (negative) read.since_1970 = -read.since_1970;
        read.has_since_1970 = true;
        break;
      }
      case 'F':
        good = read_text(s, "%Y-%m-%d", read);
        break;
      case 'T':
        good = read_text(s, "%H:%M:%S", read);
        break;
      case '%':
        good = s.starts_with('%');
        if (good) s.remove_prefix(1);
        break;
      default:
        return false;
    }
    if (!good) return false;
  }
  return true;
}

}  // namespace

WeirReason weir_time_formatted(WeirArena* arena, WeirSite* site, int64_t t, WeirBytes format,
                               WeirBytes zone, WeirBytes* result) {
  const TimeZone& known = Prepared<TimeZone>::of(site, zone);
  std::string text;
  if (!known.known() || t > INT64_MAX - kMicrosPerDay || t < INT64_MIN + kMicrosPerDay ||
      !write(text, view(format), t, known.at(weir_floor_divide(t, kMicrosPerSecond))))
    return kReasonBadTime;
  *result = keep(arena, text);
  return 0;
}

WeirReason weir_time_parsed(WeirArena*, WeirSite* site, WeirBytes s, WeirBytes format,
                            WeirBytes zone, int64_t* result) {
  const TimeZone& known = Prepared<TimeZone>::of(site, zone);
  Read read;
  std::string_view text = view(s);
  if (!known.known() || !read_text(text, view(format), read) || !text.empty() ||
      read.day > weir_days_of_month(read.year, uint32_t(read.month)))
    return kReasonBadTime;
  if (read.twelve) read.hour = read.hour % 12 + (read.afternoon ? 12 : 0);
  int64_t seconds =
      weir_days_from_date(read.year, uint32_t(read.month), uint32_t(read.day)) * kSecondsPerDay +
      read.hour * 3600 + read.minute * 60 + read.second;
  if (read.has_since_1970) {
    seconds = read.since_1970;
  } else if (read.has_offset) {
    seconds -= read.offset;
  } else {
    seconds = known.utc_of(seconds);
  }
  *result = seconds * kMicrosPerSecond + read.micros;
  return 0;
}
