#include "runtime/progress.h"

#include <fmt/format.h>

#include <ctime>

namespace weir::runtime {

namespace {

std::string instant(int64_t us) {
  if (us == INT64_MIN) return "none yet";
  if (us == INT64_MAX) return "end of input";
  time_t seconds = time_t(us / 1'000'000 - (us % 1'000'000 < 0));
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string amount(double n) {
  if (n >= 1e6) return fmt::format("{:.2f} M", n / 1e6);
  if (n >= 1e4) return fmt::format("{:.1f} k", n / 1e3);
  return fmt::format("{:.0f}", n);
}

// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration(double seconds) {
  auto s = int64_t(seconds + 0.5);
  if (s >= 3600) return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
  if (s >= 60) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} s", s);
}

}  // namespace

Progress::Progress(Say say, int64_t every_ms, bool json)
    : say_(std::move(say)),
      every_(every_ms),
      json_(json),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_) {}

bool Progress::due() const {
  return say_ && every_.count() > 0 && std::chrono::steady_clock::now() - last_ >= every_;
}

std::string Progress::line(const ProgressState& s, double seconds, double rate) {
  std::string out;
  if (s.size > 0) {
    double share = std::min(1.0, double(s.done) / double(s.size));
    out += fmt::format("{:3.0f} %", share * 100);
    if (share > 0 && share < 1)
      out += fmt::format("  {} left", duration(seconds / share - seconds));
    out += "  ";
  }
  out += fmt::format("{} rows/s  {} in  {} out", amount(rate), amount(double(s.rows_in)),
                     amount(double(s.rows_out)));
  if (s.rows_late > 0) out += fmt::format("  {} late", s.rows_late);
  if (s.rows_dead > 0) out += fmt::format("  {} put aside", s.rows_dead);
  if (s.lag >= 0) out += fmt::format("  lag {}", amount(double(s.lag)));
  return out + "  watermark " + instant(s.watermark_us);
}

std::string Progress::json_line(const ProgressState& s, double seconds, double rate) {
  std::string out = fmt::format(
      R"({{"type":"progress","seconds":{:.1f},"rows_per_second":{:.0f},"rows_in":{},"rows_out":{},"rows_late":{},"rows_dead":{})",
      seconds, rate, s.rows_in, s.rows_out, s.rows_late, s.rows_dead);
  if (s.lag >= 0) out += fmt::format(R"(,"lag":{})", s.lag);
  if (s.size > 0) out += fmt::format(R"(,"done":{},"size":{})", s.done, s.size);
  if (s.watermark_us != INT64_MIN && s.watermark_us != INT64_MAX)
    out += fmt::format(R"(,"watermark":"{}")", instant(s.watermark_us));
  return out + "}";
}

void Progress::print(const ProgressState& state, bool last) {
  auto now = std::chrono::steady_clock::now();
  double seconds = std::chrono::duration<double>(now - begin_).count();
  double span = std::chrono::duration<double>(now - last_).count();
  double rate = last ? double(state.rows_in) / std::max(seconds, 1e-9)
                     : double(state.rows_in - rows_last_) / std::max(span, 1e-9);
  last_ = now;
  rows_last_ = state.rows_in;
  say_(json_ ? json_line(state, seconds, rate) : line(state, seconds, rate), !last);
}

void Progress::show(const ProgressState& state) { print(state, false); }

void Progress::finish(const ProgressState& state) {
  if (say_ && every_.count() > 0) print(state, true);
}

}  // namespace weir::runtime
