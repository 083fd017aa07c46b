#include "tools/bench/result.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <numeric>

namespace weir::bench {
namespace {

double now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

}  // namespace

Result windows_of(Window window, const Panes& panes) {
  const int64_t pane_ms = std::gcd(window.size_ms, window.slide_ms);
  Panes windows;
  for (const auto& [pane, group] : panes) {
    // Every window that begins at or before the pane and ends behind it.
    for (int64_t start = pane.first / window.slide_ms * window.slide_ms;
         start + window.size_ms >= pane.first + pane_ms; start -= window.slide_ms) {
      Group& whole = windows[{start, pane.second}];
      whole.count += group.count;
      whole.cents += group.cents;
    }
  }
  Result rows;
  for (const auto& [start, group] : windows) {
    rows.push_back({start.first * 1000, start.second, group.count, group.cents});
  }
  return rows;
}

uint64_t checksum(const Result& result) {
  std::vector<std::string> lines;
  for (const ResultRow& row : result) {
    lines.push_back(std::to_string(row.window_start_us) + '|' + row.key + '|' +
                    std::to_string(row.count) + '|' + std::to_string(row.cents) + '\n');
  }
  std::sort(lines.begin(), lines.end());
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string& line : lines) {
    for (char c : line) hash = (hash ^ uint8_t(c)) * 0x100000001b3;
  }
  return hash;
}

Cost::Cost() : seconds_(now(CLOCK_MONOTONIC)), cpu_seconds_(now(CLOCK_PROCESS_CPUTIME_ID)) {}

void Cost::stop() {
  seconds_ = now(CLOCK_MONOTONIC) - seconds_;
  cpu_seconds_ = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds_;
}

void report(const Measured& measured, const Cost& cost) {
  double events = double(measured.events);
  std::printf(
      "{\"name\":\"%s\",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64
      ",\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"ns_per_event\":%.2f,\"cpu_ns_per_event\":%.2f"
      ",\"rate\":%.0f,\"rows\":%" PRIu64 ",\"checksum\":\"%016" PRIx64 "\"}\n",
      measured.name.c_str(), measured.events, measured.bytes, cost.seconds(), cost.cpu_seconds(),
      cost.seconds() / events * 1e9, cost.cpu_seconds() / events * 1e9, events / cost.seconds(),
      measured.rows, measured.checksum);
  std::fflush(stdout);
}

}  // namespace weir::bench
