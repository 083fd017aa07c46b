#include "stdlib/time_zone.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "stdlib/engine/civil.h"

namespace weir::stdlib {

namespace {

constexpr const char* kFolder = "/usr/share/zoneinfo/";
constexpr size_t kHeaderBytes = 44, kNameMax = 64;

// Numbers of a TZif file, big-endian; reading behind the end fails for good.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  int64_t number(size_t bytes) {
    if (data_.size() < bytes) return failed_ = true, 0;
    uint64_t value = (data_[0] & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < bytes; i++) value = value << 8 | uint8_t(data_[i]);
    data_.remove_prefix(bytes);
    return int64_t(value);
  }
  void skip(int64_t bytes) {
    if (bytes < 0 || uint64_t(bytes) > data_.size()) {
      failed_ = true;
    } else {
      data_.remove_prefix(size_t(bytes));
    }
  }
  bool failed() const { return failed_; }
  std::string_view rest() const { return data_; }

 private:
  std::string_view data_;
  bool failed_ = false;
};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && name[0] != '/' &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(uint8_t(c)) || c == '/' || c == '_' || c == '-' || c == '+';
         });
}

bool read_number(std::string_view& text, int& number) {
  size_t digits = 0;
  for (number = 0; digits < text.size() && digits < 3 && std::isdigit(uint8_t(text[digits]));)
    number = number * 10 + (text[digits++] - '0');
  text.remove_prefix(digits);
  return digits > 0;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

TimeZone::TimeZone(std::string_view name) {
  if (name == "UTC" || name == "Z") {
    known_ = true;
    return;
  }
  if (!is_name(name)) return;
  std::string path = kFolder + std::string(name);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return;
  std::ifstream file(path, std::ios::binary);
  std::string data{std::istreambuf_iterator<char>(file), {}};
  known_ = read(data);
}

bool TimeZone::read(std::string_view data) {
  // The first part has times of 32 bits, for old programs; the second says the same with 64.
  for (int part = 0; part < 2; part++) {
    if (data.size() < kHeaderBytes || !data.starts_with("TZif") || data[4] < '2') return false;
    Reader header(data.substr(20));
    int64_t ut = header.number(4), standard = header.number(4), leaps = header.number(4),
            times = header.number(4), kinds = header.number(4), letters = header.number(4);
    Reader body(data.substr(kHeaderBytes));
    int64_t width = part == 0 ? 4 : 8;
    if (part == 0) {
      body.skip(times * (width + 1) + kinds * 6 + letters + leaps * (width + 4) + standard + ut);
      if (body.failed()) return false;
      data = body.rest();
      continue;
    }
    for (int64_t i = 0; i < times && !body.failed(); i++) times_.push_back(body.number(8));
    for (int64_t i = 0; i < times && !body.failed(); i++) kinds_.push_back(uint8_t(body.number(1)));
    std::vector<uint8_t> names;
    for (int64_t i = 0; i < kinds && !body.failed(); i++) {
      offsets_.push_back({body.number(4), ""});
      body.number(1);
      names.push_back(uint8_t(body.number(1)));
    }
    std::string_view texts = body.rest();
    body.skip(letters + leaps * 12 + standard + ut);
    if (body.failed() || offsets_.empty()) return false;
    for (size_t i = 0; i < offsets_.size(); i++) {
      if (names[i] >= letters) return false;
      offsets_[i].abbreviation = texts.substr(names[i]).data();
    }
    for (uint8_t kind : kinds_) {
      if (kind >= offsets_.size()) return false;
    }
    std::string_view footer = body.rest();
    if (!take(footer, '\n')) return false;
    footer = footer.substr(0, footer.find('\n'));
    return footer.empty() || read_rule(footer);
  }
  return false;
}

// "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30".
bool TimeZone::read_rule(std::string_view text) {
  Kept standard, summer;
  if (!read_name(text, standard.abbreviation) || !read_clock(text, standard.seconds)) return false;
  standard.seconds = -standard.seconds;  // POSIX counts westwards
  standard_ = standard;
  if (text.empty()) return true;
  if (!read_name(text, summer.abbreviation)) return false;
  summer.seconds = standard.seconds + 3600;
  if (!text.empty() && text[0] != ',') {
    if (!read_clock(text, summer.seconds)) return false;
    summer.seconds = -summer.seconds;
  }
  summer_ = summer;
  return take(text, ',') && read_change(text, to_summer_) && take(text, ',') &&
         read_change(text, to_standard_) && text.empty();
}

bool TimeZone::read_name(std::string_view& text, std::string& name) {
  bool quoted = take(text, '<');
  size_t size = 0;
  while (size < text.size() &&
         (quoted ? text[size] != '>' : std::isalpha(uint8_t(text[size])) != 0))
    size++;
  name = text.substr(0, size);
  text.remove_prefix(size);
  return size > 0 && (!quoted || take(text, '>'));
}

// [+-]hh[:mm[:ss]]
bool TimeZone::read_clock(std::string_view& text, int64_t& seconds) {
  bool negative = take(text, '-');
  if (!negative) take(text, '+');
  int hours, minutes = 0, rest = 0;
  if (!read_number(text, hours)) return false;
  if (take(text, ':') && !read_number(text, minutes)) return false;
  if (take(text, ':') && !read_number(text, rest)) return false;
  seconds = (int64_t(hours) * 60 + minutes) * 60 + rest;
  if (negative) seconds = -seconds;
  return true;
}

bool TimeZone::read_change(std::string_view& text, Change& change) {
  bool good;
  if (take(text, 'M')) {
    change.kind = Change::Kind::Month;
    good = read_number(text, change.month) && take(text, '.') && read_number(text, change.week) &&
           take(text, '.') && read_number(text, change.day) && change.month >= 1 &&
           change.month <= 12 && change.week >= 1 && change.week <= 5 && change.day <= 6;
  } else {
    change.kind = take(text, 'J') ? Change::Kind::Julian : Change::Kind::Day;
    good = read_number(text, change.day) && change.day <= 365;
  }
  return good && (!take(text, '/') || read_clock(text, change.seconds));
}

// Seconds since 1970 on the local clock.
int64_t TimeZone::Change::in_year(int64_t year) const {
  int64_t day_number = weir_days_from_date(year, 1, 1);
  if (kind == Kind::Julian) {
    // February 29 is never counted.
    bool leap = weir_days_of_month(year, 2) == 29;
    day_number += day - 1 + (leap && day >= 60 ? 1 : 0);
  } else if (kind == Kind::Day) {
    day_number += day;
  } else {
    int64_t first = weir_days_from_date(year, uint32_t(month), 1);
    int64_t weekday = (first + 4) - weir_floor_divide(first + 4, 7) * 7;  // Sunday is 0
    int64_t of_month = (day - weekday + 7) % 7 + (week - 1) * 7;
    if (of_month >= weir_days_of_month(year, uint32_t(month))) of_month -= 7;
    day_number = first + of_month;
  }
  return day_number * kSecondsPerDay + seconds;
}

TimeZone::Offset TimeZone::by_rule(int64_t utc) const {
  if (!summer_) return {standard_->seconds, standard_->abbreviation};
  int64_t year =
      weir_date_from_days(weir_floor_divide(utc + standard_->seconds, kSecondsPerDay)).year;
  int64_t from = to_summer_.in_year(year) - standard_->seconds;
  int64_t to = to_standard_.in_year(year) - summer_->seconds;
  bool summer = from < to ? utc >= from && utc < to : utc >= from || utc < to;
  const Kept& now = summer ? *summer_ : *standard_;
  return {now.seconds, now.abbreviation};
}

TimeZone::Offset TimeZone::at(int64_t utc) const {
  if (offsets_.empty()) return {};
  auto next = std::upper_bound(times_.begin(), times_.end(), utc);
  if (next == times_.end() && standard_) return by_rule(utc);
  // Before all changes the first kind counts.
  size_t kind = next == times_.begin() ? 0 : kinds_[size_t(next - times_.begin()) - 1];
  return {offsets_[kind].seconds, offsets_[kind].abbreviation};
}

int64_t TimeZone::utc_of(int64_t local) const {
  int64_t before = at(local - kSecondsPerDay).seconds, after = at(local + kSecondsPerDay).seconds;
  if (at(local - before).seconds == before) return local - before;
  return at(local - after).seconds == after ? local - after : local - before;
}

}  // namespace weir::stdlib
