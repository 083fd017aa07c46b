#include "runtime/failpoint.h"

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace weir::runtime {

Result<Failpoints> Failpoints::parse(const std::string& text) {
  Failpoints made;
  std::istringstream all(text);
  for (std::string one; std::getline(all, one, ',');) {
    std::istringstream parts(one);
    std::string step, what, nth;
    std::getline(parts, step, ':');
    std::getline(parts, what, ':');
    std::getline(parts, nth, ':');
    Point point{step, What::Kill, std::strtoull(nth.c_str(), nullptr, 10)};
    if (what == "stop") point.what = What::Stop;
    if (what == "error") point.what = What::Error;
    if (what == "delay") point.what = What::Delay;
    if (what == "hang") point.what = What::Hang;
    bool known = what == "kill" || point.what != What::Kill;
    if (step.size() != 2 || std::string_view("CSR").find(step[0]) == std::string_view::npos ||
        !known || point.left == 0) {
      return Status::error(Exit::Usage,
                           "WEIR_FAILPOINT has `" + one +
                               "` where C0 … C9, S0 … S5 or R0 … R2, then :kill, :stop, :error, "
                               ":delay or :hang, then :<nth> is wanted");
    }
    made.points_.push_back(point);
  }
  return made;
}

Status Failpoints::reach(const char* step) {
  for (Point& point : points_) {
    if (point.step != step || point.left == 0 || --point.left > 0) continue;
    switch (point.what) {
      case What::Kill:
        (void)raise(SIGKILL);
        break;
      case What::Stop:
        (void)raise(SIGSTOP);
        break;
      case What::Error:
        return Status::error(Exit::Unavailable, std::string("failpoint ") + step);
      case What::Delay:
        std::this_thread::sleep_for(std::chrono::seconds(1));
        break;
      case What::Hang:
        std::this_thread::sleep_for(std::chrono::minutes(1));
        break;
    }
  }
  return {};
}

}  // namespace weir::runtime
