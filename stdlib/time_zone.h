// Time zones of the IANA database as the system has it (/usr/share/zoneinfo, RFC 8536), with the
// rule for the years behind the last listed change. Native only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::stdlib {

class TimeZone {
 public:
  struct Offset {
    int64_t seconds = 0;  // east of UTC
    std::string_view abbreviation = "UTC";
  };

  // "Europe/Berlin", "UTC". Of a name that the system does not have `known` is false.
  explicit TimeZone(std::string_view name);
  bool known() const { return known_; }

  // At so many seconds since 1970 in UTC.
  Offset at(int64_t utc) const;
  // Seconds since 1970 in UTC of what the clock on the wall shows. Of a time that comes twice the
  // first; one that is left out counts on from before the gap.
  int64_t utc_of(int64_t local) const;

 private:
  // When a rule's half of the year begins: POSIX `M3.5.0/2`, `J60`, `59`.
  struct Change {
    enum class Kind : uint8_t { None, Month, Julian, Day } kind = Kind::None;
    int month = 0, week = 0, day = 0;
    int64_t seconds = 7200;  // of the local day, may be negative or beyond one
    int64_t in_year(int64_t year) const;
  };
  struct Kept {
    int64_t seconds = 0;
    std::string abbreviation;
  };

  bool read(std::string_view data);
  bool read_rule(std::string_view text);
  static bool read_name(std::string_view& text, std::string& name);
  static bool read_clock(std::string_view& text, int64_t& seconds);
  static bool read_change(std::string_view& text, Change& change);
  Offset by_rule(int64_t utc) const;

  bool known_ = false;
  std::vector<int64_t> times_;
  std::vector<uint8_t> kinds_;  // of the time from times_[i] on
  std::vector<Kept> offsets_;
  std::optional<Kept> standard_, summer_;  // of the rule
  Change to_summer_, to_standard_;
};

}  // namespace weir::stdlib
