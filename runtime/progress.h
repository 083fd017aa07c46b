// What an operator is told while a pipeline runs: a passing line now and then, a lasting one at the
// end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace weir::runtime {

struct ProgressState {
  uint64_t rows_in = 0, rows_out = 0, rows_late = 0, rows_dead = 0;
  int64_t lag = -1;  // −1: not known
  int64_t watermark_us = INT64_MIN;
  int64_t done = 0, size = 0;  // of bounded input; size 0: not bounded or not known
};

class Progress {
 public:
  using Say = std::function<void(const std::string& line, bool passing)>;
  Progress(Say say, int64_t every_ms, bool json);
  // Shows something if it is time.
  bool due() const;
  void show(const ProgressState& state);
  // The last line stays.
  void finish(const ProgressState& state);
  // One line for both ways; `seconds` since the start, `rate` in rows a second.
  static std::string line(const ProgressState& state, double seconds, double rate);
  static std::string json_line(const ProgressState& state, double seconds, double rate);

 private:
  void print(const ProgressState& state, bool last);
  Say say_;
  std::chrono::milliseconds every_;
  bool json_;
  std::chrono::steady_clock::time_point begin_, last_;
  uint64_t rows_last_ = 0;
};

}  // namespace weir::runtime
