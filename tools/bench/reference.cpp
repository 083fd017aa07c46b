#include "tools/bench/reference.h"

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

namespace weir::bench {

Result reference_result(Query query, Window window, const Events& events) {
  std::map<std::pair<int64_t, std::string>, Group> windows;
  auto add = [&](int64_t ts_ms, const std::string& key, int64_t cents) {
    for (int64_t start = ts_ms - ts_ms % window.slide_ms; start + window.size_ms > ts_ms;
         start -= window.slide_ms) {
      Group& group = windows[{start * 1000, key}];
      group.count++;
      group.cents += cents;
    }
  };
  for (uint64_t i = 0; i < events.count(); i++) {
    auto event = nlohmann::json::parse(events[i]);
    if (query == Query::Ads) {
      if (event["event_type"] == "view") add(event["event_time"], event["ad_id"], 0);
      continue;
    }
    // Amounts here are small and have two digits: a double is near enough to its cents.
    int64_t cents =
        event["amount"].is_null() ? 0 : std::llround(event["amount"].get<double>() * 100);
    if (query == Query::Users) {
      add(event["ts"], event["user_id"], cents);
    } else if (event["event_type"] != "heartbeat") {
      add(event["ts"], event["event_type"], cents);
    }
  }
  Result rows;
  for (const auto& [start, group] : windows)
    rows.push_back({start.first, start.second, group.count, group.cents});
  return rows;
}

}  // namespace weir::bench
