// Time zones against what the C library says of the same database, and by known dates.
#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "stdlib/engine/civil.h"
#include "stdlib/time_zone.h"

using weir::stdlib::TimeZone;

namespace {

int64_t seconds(int64_t year, uint32_t month, uint32_t day, int64_t hour = 0, int64_t minute = 0) {
  return weir_days_from_date(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60;
}

}  // namespace

TEST_CASE("offsets agree with the C library's, from 1900 to 2200") {
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
        "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "UTC", "Europe/Dublin",
        "Asia/Gaza", "America/St_Johns"}) {
    TimeZone zone(name);
    REQUIRE_MESSAGE(zone.known(), name);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = seconds(1900, 1, 1); t < seconds(2200, 1, 1); t += 40 * 3600 + 1) {
      time_t now = t;
      tm local{};
      localtime_r(&now, &local);
      TimeZone::Offset offset = zone.at(t);
      REQUIRE_MESSAGE(offset.seconds == local.tm_gmtoff, name, " ", t);
      REQUIRE_MESSAGE(offset.abbreviation == local.tm_zone, name, " ", t);
      // A time that comes twice is the first of the two.
      int64_t back = zone.utc_of(t + offset.seconds);
      REQUIRE_MESSAGE((back == t || (back < t && back >= t - 2 * 3600)), name, " ", t);
    }
  }
  unsetenv("TZ");
  tzset();
}

TEST_CASE("gaps and times that come twice") {
  TimeZone berlin("Europe/Berlin");
  CHECK(berlin.utc_of(seconds(2025, 3, 30, 2, 30)) == seconds(2025, 3, 30, 1, 30));
  CHECK(berlin.utc_of(seconds(2025, 10, 26, 2, 30)) == seconds(2025, 10, 26, 0, 30));
  CHECK(berlin.utc_of(seconds(2025, 10, 26, 3, 0)) == seconds(2025, 10, 26, 2, 0));
  CHECK(berlin.at(seconds(2500, 7, 1)).seconds == 7200);
}

TEST_CASE("names that are no zones") {
  for (const char* name :
       {"", "Europe/Atlantis", "/etc/passwd", "../zoneinfo/UTC", "zone.tab", "Europe", "utc\n"}) {
    CHECK_MESSAGE(!TimeZone(name).known(), name);
  }
}
