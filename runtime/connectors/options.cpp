#include "runtime/connectors/options.h"

#include <charconv>
#include <cstdio>

#include "stdlib/engine/civil.h"

namespace weir::runtime {
namespace {

template <class T>
bool read_whole(const std::string& text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void ConnectorOptions::wrong(const std::string& name, const std::string& wanted) {
  if (!status_.ok()) return;
  status_ =
      Status::error(Exit::Configuration, owner_ + ": option `" + name + "` is `" + given_.at(name) +
                                             "` where " + wanted + " is wanted");
}

std::string ConnectorOptions::text(const std::string& name, const std::string& otherwise) {
  auto found = given_.find(name);
  return found == given_.end() ? otherwise : found->second;
}

int64_t ConnectorOptions::integer(const std::string& name, int64_t otherwise, int64_t min,
                                  int64_t max) {
  auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  int64_t value = 0;
  if (!read_whole(found->second, value) || value < min || value > max) {
    wrong(name, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return otherwise;
  }
  return value;
}

double ConnectorOptions::number(const std::string& name, double otherwise, double min, double max) {
  auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  double value = 0;
  if (!read_whole(found->second, value) || !(value >= min && value <= max)) {
    char range[64];
    snprintf(range, sizeof range, "a number from %g to %g", min, max);
    wrong(name, range);
    return otherwise;
  }
  return value;
}

bool ConnectorOptions::flag(const std::string& name, bool otherwise) {
  auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  if (found->second == "true") return true;
  if (found->second != "false") wrong(name, "`true` or `false`");
  return false;
}

int64_t ConnectorOptions::instant_us(const std::string& name, int64_t otherwise) {
  auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  int64_t us = 0;
  if (read_whole(found->second, us)) return us;
  int year = 0, used = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  int fields = sscanf(found->second.c_str(), "%4d-%2u-%2uT%2u:%2u:%lf%n", &year, &month, &day,
                      &hour, &minute, &second, &used);
  bool is_utc = fields == 6 && found->second.substr(static_cast<size_t>(used)) == "Z";
  if (!is_utc || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second >= 61) {
    wrong(name, "an instant like 2025-01-01T00:00:00Z");
    return otherwise;
  }
  int64_t minutes = weir_days_from_date(year, month, day) * 1440 + hour * 60 + minute;
  return minutes * 60'000'000 + static_cast<int64_t>(second * 1e6 + 0.5);
}

}  // namespace weir::runtime
