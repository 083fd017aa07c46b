// What a query gives, in one form for everybody who computes it, so that results can be compared as
// one number; and what a run cost.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

struct ResultRow {
  int64_t window_start_us;
  std::string key;
  uint64_t count;
  int64_t cents;  // the decimal sum, without its point; queries without a sum: 0
};
using Result = std::vector<ResultRow>;

// tumble(size) if the slide is the size.
struct Window {
  int64_t size_ms, slide_ms;
};
// Groups by start of a pane in ms and key, the way to a result for those who work in panes.
struct Group {
  uint64_t count = 0;
  int64_t cents = 0;
};
using Panes = std::map<std::pair<int64_t, std::string>, Group>;
// Panes are as wide as the greatest width that divides size and slide.
Result windows_of(Window window, const Panes& panes);

// Of all rows, whatever their order: FNV-1a of the lines `window_start_us|key|count|cents`, sorted
// by bytes.
uint64_t checksum(const Result& result);

// Wall clock and CPU time of the whole process, all its threads, from construction to `stop`.
class Cost {
 public:
  Cost();
  void stop();
  double seconds() const { return seconds_; }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  double seconds_, cpu_seconds_;  // until `stop`: of the start
};

// One line of JSON on standard output. `name` is the program's, or what it ran.
struct Measured {
  std::string name;
  uint64_t events = 0;
  uint64_t bytes = 0;
  uint64_t rows = 0;
  uint64_t checksum = 0;
};
void report(const Measured& measured, const Cost& cost);

}  // namespace weir::bench
