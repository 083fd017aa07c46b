#include "dsl/literal.h"

#include <charconv>
#include <chrono>
#include <limits>

namespace weir::dsl {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
// Largest first: a duration names them in this order, each at most once.
constexpr Unit kDurationUnits[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                                   {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
constexpr Unit kSizeUnits[] = {{"B", 1},
                               {"KB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"TB", 1'000'000'000'000},
                               {"KiB", int64_t{1} << 10},
                               {"MiB", int64_t{1} << 20},
                               {"GiB", int64_t{1} << 30},
                               {"TiB", int64_t{1} << 40}};
// How else people write units, and what they mean by it (the count is multiplied).
struct Habit {
  std::string_view written;
  std::string_view meant;
  int64_t times;
};
constexpr Habit kHabits[] = {
    {"sec", "s", 1},     {"secs", "s", 1},    {"second", "s", 1},  {"seconds", "s", 1},
    {"S", "s", 1},       {"min", "m", 1},     {"mins", "m", 1},    {"minute", "m", 1},
    {"minutes", "m", 1}, {"hr", "h", 1},      {"hrs", "h", 1},     {"hour", "h", 1},
    {"hours", "h", 1},   {"H", "h", 1},       {"day", "d", 1},     {"days", "d", 1},
    {"D", "d", 1},       {"w", "d", 7},       {"week", "d", 7},    {"weeks", "d", 7},
    {"msec", "ms", 1},   {"millis", "ms", 1}, {"micros", "us", 1}, {"\xc2\xb5s", "us", 1},
    {"usec", "us", 1},   {"b", "B", 1},       {"k", "KB", 1},      {"K", "KB", 1},
    {"kb", "KB", 1},     {"kB", "KB", 1},     {"mb", "MB", 1},     {"Mb", "MB", 1},
    {"M", "MB", 1},      {"gb", "GB", 1},     {"Gb", "GB", 1},     {"G", "GB", 1},
    {"g", "GB", 1},      {"tb", "TB", 1},     {"T", "TB", 1},      {"kib", "KiB", 1},
    {"mib", "MiB", 1},   {"gib", "GiB", 1},   {"tib", "TiB", 1},   {"ki", "KiB", 1},
    {"Ki", "KiB", 1},    {"Mi", "MiB", 1},    {"Gi", "GiB", 1},    {"Ti", "TiB", 1},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string without_underscores(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c != '_') result.push_back(c);
  }
  return result;
}

// Length of a run of digits with single underscores between them; `tidy` is false if an underscore
// stands elsewhere.
size_t digits_length(std::string_view text, bool& tidy) {
  size_t i = 0;
  while (i < text.size() && (is_digit(text[i]) || text[i] == '_')) ++i;
  for (size_t k = 0; k < i; ++k) {
    if (text[k] == '_' && (k == 0 || k + 1 == i || text[k + 1] == '_')) tidy = false;
  }
  return i;
}

std::optional<int64_t> multiply(std::string_view digits, int64_t factor) {
  std::string plain = without_underscores(digits);
  int64_t count = 0, product = 0;
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), count);
  if (error != std::errc() || end != plain.data() + plain.size()) return std::nullopt;
  if (__builtin_mul_overflow(count, factor, &product)) return std::nullopt;
  return product;
}

template <size_t n>
const Unit* find_unit(const Unit (&units)[n], std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

LiteralProblem unknown_unit(std::string_view digits, std::string_view unit, bool alone) {
  LiteralProblem problem;
  problem.message =
      "`" + std::string(unit) +
      "` is no unit; durations have `d h m s ms us`, sizes `B KB MB GB TB KiB MiB GiB TiB`";
  if (!alone) return problem;
  for (const Habit& habit : kHabits) {
    if (habit.written != unit) continue;
    if (auto count = multiply(digits, habit.times)) {
      problem.replacement = std::to_string(*count) + std::string(habit.meant);
    }
    return problem;
  }
  if (unit == "f" || unit == "F" || unit == "L" || unit == "l" || unit == "u" || unit == "U") {
    problem.message = "numbers have no suffix; a cast says the type, as in `int32(1)`";
    problem.replacement = digits;
  }
  return problem;
}

// `text` is digits and letters in turn, digits first.
void read_units(std::string_view text, LiteralScan& scan) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  size_t last_rank = 0, at = 0;
  int64_t total = 0;
  scan.kind = TokenKind::Duration;
  while (at < text.size()) {
    bool tidy = true;
    size_t digits_end = at + digits_length(text.substr(at), tidy);
    size_t end = digits_end;
    while (end < text.size() && !is_digit(text[end])) ++end;
    std::string_view digits = text.substr(at, digits_end - at);
    std::string_view unit = text.substr(digits_end, end - digits_end);
    bool alone = at == 0 && end == text.size();
    if (!tidy || unit.empty()) {
      scan.problem = unit.empty() ? LiteralProblem{"a part of a duration has no unit", ""}
                                  : LiteralProblem{"`_` stands only between digits", ""};
      return;
    }
    if (const Unit* size = find_unit(kSizeUnits, unit); size && alone) {
      scan.kind = TokenKind::Size;
      auto bytes = multiply(digits, size->factor);
      if (bytes) scan.value = *bytes;
      if (!bytes) scan.problem = {"a size of more than 2⁶³ − 1 bytes", ""};
      return;
    }
    const Unit* found = find_unit(kDurationUnits, unit);
    if (!found) {
      scan.problem = unknown_unit(digits, unit, alone);
      return;
    }
    size_t rank = static_cast<size_t>(found - kDurationUnits) + 1;
    if (rank <= last_rank) {
      scan.problem = {"the parts of a duration go from large to small, each once, as in `1d12h30m`",
                      ""};
      return;
    }
    last_rank = rank;
    auto micros = multiply(digits, found->factor);
    if (!micros || *micros > kMax - total) {
      scan.problem = {"a duration of more than 292,000 years", ""};
      return;
    }
    total += *micros;
    at = end;
  }
  scan.value = total;
}

// `1.5h` and `0x1f`: what is meant can be said.
LiteralProblem fraction_problem(std::string_view number, std::string_view unit) {
  if (const Unit* found = find_unit(kDurationUnits, unit)) {
    std::string plain = without_underscores(number);
    double count = 0;
    std::from_chars(plain.data(), plain.data() + plain.size(), count);
    double micros = count * static_cast<double>(found->factor);
    std::string replacement;
    if (micros < 1e15) replacement = duration_text(static_cast<int64_t>(micros + 0.5));
    return {"the parts of a duration are whole numbers", std::move(replacement)};
  }
  if (find_unit(kSizeUnits, unit)) return {"a size is a whole number of its unit", ""};
  return unknown_unit(number, unit, true);
}

bool read_fixed(std::string_view text, size_t at, size_t digits, int& value) {
  if (text.size() < at + digits) return false;
  value = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  return true;
}

LiteralScan instant_problem(LiteralScan scan, std::string message, std::string replacement = "") {
  scan.problem = {std::move(message), std::move(replacement)};
  return scan;
}

}  // namespace

std::string duration_text(int64_t micros) {
  if (micros == 0) return "0s";
  std::string text = micros < 0 ? "-" : "";
  uint64_t rest = micros < 0 ? 0 - uint64_t(micros) : uint64_t(micros);
  for (const Unit& unit : kDurationUnits) {
    const auto factor = uint64_t(unit.factor);
    if (rest >= factor) text += std::to_string(rest / factor) + std::string(unit.name);
    rest %= factor;
  }
  return text;
}

LiteralScan scan_number(std::string_view rest) {
  LiteralScan scan;
  bool tidy = true, fraction = false, exponent = false;
  size_t at = digits_length(rest, tidy);
  if (at + 1 < rest.size() && rest[at] == '.' && is_digit(rest[at + 1])) {
    fraction = true;
    at += 1 + digits_length(rest.substr(at + 1), tidy);
  }
  if (at < rest.size() && (rest[at] == 'e' || rest[at] == 'E')) {
    size_t sign = at + 1 < rest.size() && (rest[at + 1] == '+' || rest[at + 1] == '-') ? 1 : 0;
    if (at + 1 + sign < rest.size() && is_digit(rest[at + 1 + sign])) {
      exponent = true;
      at += 1 + sign + digits_length(rest.substr(at + 1 + sign), tidy);
    }
  }
  size_t number_end = at;
  while (at < rest.size() && is_word(rest[at])) ++at;
  scan.length = static_cast<uint32_t>(at);
  std::string_view number = rest.substr(0, number_end);
  std::string_view suffix = rest.substr(number_end, at - number_end);
  if (suffix.empty()) {
    if (!tidy) scan.problem = {"`_` stands only between digits", without_underscores(number)};
    return scan;
  }
  if (number == "0" && (suffix[0] == 'x' || suffix[0] == 'X')) {
    uint64_t value = 0;
    std::string hex = without_underscores(suffix.substr(1));
    auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    bool whole = error == std::errc() && end == hex.data() + hex.size() && !hex.empty();
    scan.problem = {"numbers are written in decimal", whole ? std::to_string(value) : ""};
  } else if (fraction || exponent) {
    scan.problem = fraction_problem(number, suffix);
    if (find_unit(kDurationUnits, suffix)) scan.kind = TokenKind::Duration;
  } else {
    read_units(rest.substr(0, at), scan);
  }
  return scan;
}

LiteralScan scan_instant(std::string_view rest) {
  LiteralScan scan;
  scan.kind = TokenKind::Date;
  int year, month, day, hour, minute, second;
  size_t run = 1;
  while (run < rest.size() &&
         (is_word(rest[run]) || rest[run] == '-' || rest[run] == ':' || rest[run] == '+' ||
          (rest[run] == '.' && run + 1 < rest.size() && is_digit(rest[run + 1])))) {
    ++run;
  }
  rest = rest.substr(0, run);
  scan.length = static_cast<uint32_t>(run);
  if (!read_fixed(rest, 1, 4, year) || run < 11 || rest[5] != '-' ||
      !read_fixed(rest, 6, 2, month) || rest[8] != '-' || !read_fixed(rest, 9, 2, day)) {
    return instant_problem(scan,
                           "a date is written `@2025-01-31`, an instant `@2025-01-31T08:00:00Z`");
  }
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return instant_problem(scan,
                           "`" + std::string(rest.substr(1, 10)) + "` is not in the calendar");
  }
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (run == 11 || (rest[11] != 'T' && rest[11] != 't')) {
    // `@2025-01-01-x` is a date and an operator.
    if (run > 11 && is_word(rest[11])) {
      return instant_problem(scan, "a date is written `@2025-01-31`");
    }
    scan.length = 11;
    scan.value = days;
    return scan;
  }
  scan.kind = TokenKind::Instant;
  if (!read_fixed(rest, 12, 2, hour) || rest.size() < 17 || rest[14] != ':' ||
      !read_fixed(rest, 15, 2, minute)) {
    return instant_problem(scan, "an instant is written `@2025-01-31T08:00:00Z`");
  }
  if (rest.size() <= 17 || rest[17] != ':') {
    std::string zone(rest.substr(17));
    return instant_problem(scan, "an instant has seconds and an offset: `Z`, or `+02:00`",
                           std::string(rest.substr(0, 17)) + ":00" + (zone.empty() ? "Z" : zone));
  }
  if (!read_fixed(rest, 18, 2, second)) {
    return instant_problem(scan, "an instant is written `@2025-01-31T08:00:00Z`");
  }
  if (hour > 23 || minute > 59 || second > 59) {
    return instant_problem(
        scan, second == 60 ? "time since the epoch has no leap seconds"
                           : "`" + std::string(rest.substr(12, 8)) + "` is no time of day");
  }
  size_t at = 20;
  if (at < rest.size() && rest[at] == '.') {
    size_t digits = 0;
    int64_t nanos = 0;
    for (++at; at < rest.size() && is_digit(rest[at]); ++at, ++digits) {
      if (digits < 9) nanos = nanos * 10 + (rest[at] - '0');
    }
    if (digits > 9)
      return instant_problem(scan, "an instant has at most nine digits after the second");
    for (; digits < 9; ++digits) nanos *= 10;
    scan.nanos = static_cast<int32_t>(nanos);
  }
  int64_t offset = 0;
  if (at < rest.size() && (rest[at] == 'Z' || rest[at] == 'z')) {
    ++at;
  } else if (at < rest.size() && (rest[at] == '+' || rest[at] == '-')) {
    int hours, minutes;
    if (!read_fixed(rest, at + 1, 2, hours) || rest.size() < at + 6 || rest[at + 3] != ':' ||
        !read_fixed(rest, at + 4, 2, minutes) || hours > 23 || minutes > 59) {
      return instant_problem(scan, "an offset is written `Z`, `+02:00` or `-05:30`");
    }
    offset = (hours * 60 + minutes) * 60 * (rest[at] == '-' ? -1 : 1);
    at += 6;
  } else {
    return instant_problem(scan, "an instant has an offset: `Z`, or `+02:00`",
                           at == rest.size() ? std::string(rest) + "Z" : "");
  }
  if (at < rest.size() && is_word(rest[at])) {
    return instant_problem(scan, "something follows the offset of an instant",
                           std::string(rest.substr(0, at)));
  }
  // What is left of the run, as in `@2025-01-01T00:00:00Z-x`, is the next token.
  scan.length = static_cast<uint32_t>(at);
  scan.value = days * 86'400 + hour * 3'600 + minute * 60 + second - offset;
  return scan;
}

}  // namespace weir::dsl
