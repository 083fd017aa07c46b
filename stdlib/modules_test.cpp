// The functions of text.weir, math.weir, time.weir that have kernels, and the conversions.
#include <doctest/doctest.h>

#include <string>

#include "stdlib/convert.h"
#include "stdlib/engine/arena_blocks.h"
#include "stdlib/math.h"
#include "stdlib/reasons.h"
#include "stdlib/text.h"
#include "stdlib/time.h"

namespace {

struct Scratch {
  Scratch() { blocks.serve(&arena); }
  weir::stdlib::ArenaBlocks blocks;
  WeirArena arena;
} scratch;
WeirArena* const kArena = &scratch.arena;

WeirBytes bytes(const char* text) { return {text, strlen(text)}; }
std::string str(WeirBytes text) { return {text.data, text.size}; }

template <typename T>
struct Read {
  WeirReason reason;
  T value;
};
template <typename T, typename... More>
Read<T> read(WeirReason (*kernel)(WeirBytes, More..., T*), const char* text, More... more) {
  Read<T> result{0, T{}};
  result.reason = kernel(bytes(text), more..., &result.value);
  return result;
}

}  // namespace

TEST_CASE("text") {
  CHECK(str(weir_text_lower(kArena, bytes("Stärt Z"))) == "stärt z");
  CHECK(str(weir_text_upper(kArena, bytes("abcz{"))) == "ABCZ{");
  CHECK(str(weir_text_trim(kArena, bytes(" \t a b\n"))) == "a b");
  CHECK(str(weir_text_trim(kArena, bytes("  "))).empty());
  CHECK(weir_text_len(bytes("Zürich")) == 6);
  CHECK(weir_text_starts_with(bytes("ride.start"), bytes("ride.")));
  CHECK(!weir_text_starts_with(bytes("r"), bytes("ride.")));
  CHECK(weir_text_ends_with(bytes("a.json"), bytes(".json")));
  CHECK(!weir_text_ends_with(bytes("json"), bytes(".json")));
  CHECK(weir_text_contains(bytes("user-agent"), bytes("age")));
  CHECK(weir_text_contains(bytes(""), bytes("")));
  CHECK(!weir_text_contains(bytes("ab"), bytes("abc")));
  CHECK(str(weir_text_substring_string(kArena, bytes("2025-01-31"), 5, 2)) == "01");
  CHECK(str(weir_text_substring_string(kArena, bytes("Zürich"), 1, 2)) == "ür");
  CHECK(str(weir_text_substring_string(kArena, bytes("abc"), -3, 99)) == "abc");
  CHECK(str(weir_text_substring_string(kArena, bytes("abc"), 5, 1)).empty());
  CHECK(str(weir_text_replace(kArena, bytes("a-b-c"), bytes("-"), bytes("::"))) == "a::b::c");
  CHECK(str(weir_text_replace(kArena, bytes("aaa"), bytes("aa"), bytes("b"))) == "ba");
  CHECK(str(weir_text_replace(kArena, bytes("abc"), bytes(""), bytes("x"))) == "abc");
  CHECK(str(weir_text_concat(kArena, bytes("a"), bytes("bc"))) == "abc");
}

TEST_CASE("like") {
  auto like = [](const char* text, const char* pattern) {
    return weir_text_like(bytes(text), bytes(pattern));
  };
  CHECK(like("/internal/health", "/internal/%"));
  CHECK(!like("/x/internal/health", "/internal/%"));
  CHECK(like("abc", "a_c"));
  CHECK(like("aüc", "a_c"));
  CHECK(!like("ac", "a_c"));
  CHECK(like("", "%"));
  CHECK(!like("", "_"));
  CHECK(like("mississippi", "%iss%pi"));
  CHECK(!like("mississippi", "%iss%po"));
  CHECK(like("100%", "100\\%"));
  CHECK(!like("1000", "100\\%"));
  CHECK(like("aXbXc", "a%b%c"));
}

TEST_CASE("math") {
  int64_t n = 0;
  CHECK(weir_math_div(-7, 2, &n) == 0);
  CHECK(n == -3);
  CHECK(weir_math_div(7, 0, &n) == kReasonDivisionByZero);
  CHECK(weir_math_div(INT64_MIN, -1, &n) == kReasonOverflow);
  CHECK(weir_math_round_float64(2.5) == 3);
  CHECK(weir_math_floor_float64(-1.5) == -2);
  CHECK(weir_math_ceil_float64(1.2) == 2);
  CHECK(weir_math_pow(2, 10) == 1024);
}

TEST_CASE("time") {
  int64_t t = 0, r = 0;
  CHECK(read<int64_t, int32_t>(weir_text_to_timestamp, "2025-01-31T23:59:58.5Z", 1).reason == 0);
  t = read<int64_t, int32_t>(weir_text_to_timestamp, "2025-01-31T23:59:58.5Z", 1).value;
  CHECK(weir_time_year_timestamp(t) == 2025);
  CHECK(weir_time_month_timestamp(t) == 1);
  CHECK(weir_time_day_timestamp(t) == 31);
  CHECK(weir_time_hour_timestamp(t) == 23);
  CHECK(weir_time_minute_timestamp(t) == 59);
  CHECK(weir_time_second(t) == 58);
  CHECK(weir_time_weekday_timestamp(t) == 5);
  CHECK(weir_time_weekday_timestamp(-1) == 3);
  CHECK(weir_time_second(-1) == 59);
  CHECK(weir_time_year_timestamp(-1) == 1969);
  CHECK(weir_time_truncate(-1, kMicrosPerDay, &r) == 0);
  CHECK(r == -kMicrosPerDay);
  CHECK(weir_time_truncate(t, 0, &r) == kReasonOutOfRange);
}

TEST_CASE("the calendar goes both ways for every day of 3000 years") {
  int64_t days = weir_days_from_date(-100, 1, 1);
  for (; days < weir_days_from_date(2900, 1, 1); days++) {
    WeirDate date = weir_date_from_days(days);
    REQUIRE(weir_days_from_date(date.year, date.month, date.day) == days);
    REQUIRE(date.day <= weir_days_of_month(date.year, date.month));
  }
}

TEST_CASE("to text") {
  CHECK(str(weir_text_from_int64(kArena, INT64_MIN)) == "-9223372036854775808");
  CHECK(str(weir_text_from_uint64(kArena, UINT64_MAX)) == "18446744073709551615");
  CHECK(str(weir_text_from_float64(kArena, 0.1)) == "0.1");
  CHECK(str(weir_text_from_float32(kArena, 0.1f)) == "0.1");
  CHECK(str(weir_text_from_bool(kArena, true)) == "true");
  CHECK(str(weir_text_from_decimal(kArena, -5, 2)) == "-0.05");
  CHECK(str(weir_text_from_timestamp(kArena, -1, 0)) == "1969-12-31T23:59:59.999Z");
  CHECK(str(weir_text_from_timestamp(kArena, 1700000000000000000, 2)) == "2023-11-14T22:13:20Z");
  CHECK(str(weir_text_from_date(kArena, 0)) == "1970-01-01");
  CHECK(str(weir_text_from_duration(kArena, 5400 * kMicrosPerSecond)) == "1h30m");
  CHECK(str(weir_text_from_duration(kArena, -1500)) == "-1ms500us");
  CHECK(str(weir_text_from_duration(kArena, 0)) == "0s");
  CHECK(str(weir_text_from_duration(kArena, INT64_MIN)).starts_with("-106751991d"));
}

TEST_CASE("from text") {
  CHECK(read<int64_t>(weir_text_to_int64, "-9223372036854775808").value == INT64_MIN);
  CHECK(read<int64_t>(weir_text_to_int64, "+07").value == 7);
  for (const char* bad : {"", "-", "1.0", "1e3", " 1", "1 ", "9223372036854775808", "0x1"}) {
    CHECK(read<int64_t>(weir_text_to_int64, bad).reason == kReasonBadCast);
  }
  CHECK(read<uint64_t>(weir_text_to_uint64, "18446744073709551615").value == UINT64_MAX);
  CHECK(read<uint64_t>(weir_text_to_uint64, "-1").reason == kReasonBadCast);
  CHECK(read<double>(weir_text_to_float64, "1.5e3").value == 1500);
  CHECK(read<double>(weir_text_to_float64, "1.5x").reason == kReasonBadCast);
  CHECK(read<double>(weir_text_to_float64, "1e999").reason == kReasonBadCast);
  CHECK(read<bool>(weir_text_to_bool, "true").value);
  CHECK(read<bool>(weir_text_to_bool, "True").reason == kReasonBadCast);
  auto decimal = read<weir_i128, int32_t, int32_t>(weir_text_to_decimal, "-12.300", 10, 2);
  CHECK(decimal.reason == 0);
  CHECK(decimal.value == -1230);
  CHECK(read<weir_i128, int32_t, int32_t>(weir_text_to_decimal, "12.345", 10, 2).reason ==
        kReasonBadCast);
  CHECK(read<weir_i128, int32_t, int32_t>(weir_text_to_decimal, "123456789.00", 10, 2).reason ==
        kReasonBadCast);
  CHECK(read<weir_i128, int32_t, int32_t>(weir_text_to_decimal, "1.", 10, 2).reason ==
        kReasonBadCast);
  CHECK(read<int64_t, int32_t>(weir_text_to_timestamp, "2025-01-01T00:00:00+01:00", 0).value ==
        1735686000000);
  CHECK(read<int64_t, int32_t>(weir_text_to_timestamp, "2025-02-29T00:00:00Z", 0).reason ==
        kReasonBadTime);
  CHECK(read<int64_t, int32_t>(weir_text_to_timestamp, "2025-01-01T00:00:00.0001Z", 0).reason ==
        kReasonBadCast);
  CHECK(read<int32_t>(weir_text_to_date, "1969-12-31").value == -1);
  CHECK(read<int32_t>(weir_text_to_date, "1969-13-31").reason == kReasonBadTime);
  CHECK(read<int64_t>(weir_text_to_duration, "1h30m").value == 5400 * kMicrosPerSecond);
  CHECK(read<int64_t>(weir_text_to_duration, "-250ms").value == -250000);
  CHECK(read<int64_t>(weir_text_to_duration, "1").reason == kReasonBadTime);
  CHECK(read<int64_t>(weir_text_to_duration, "h").reason == kReasonBadTime);
  auto uuid = read<weir_i128>(weir_text_to_uuid, "123e4567-e89b-12d3-A456-426614174000");
  CHECK(str(weir_text_from_uuid(kArena, uuid.value)) == "123e4567-e89b-12d3-a456-426614174000");
  CHECK(read<weir_i128>(weir_text_to_uuid, "123e4567e89b12d3a456426614174000").reason ==
        kReasonBadCast);
}
