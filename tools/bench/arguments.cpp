#include "tools/bench/arguments.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace weir::bench {

bool read_workload(int count, char** arguments, int from, Workload& workload) {
  for (int i = from; i < count; i += 2) {
    if (i + 1 == count) return false;
    std::string option = arguments[i];
    const char* value = arguments[i + 1];
    if (option == "--query") {
      workload.query = query_of(value);
    } else if (option == "--order") {
      workload.order = order_of(value);
    } else if (option == "--events") {
      workload.events = std::strtoull(value, nullptr, 10);
    } else if (option == "--threads") {
      workload.threads = std::atoi(value);
    } else if (option == "--window") {
      long long size = 0, slide = 0;
      if (std::sscanf(value, "%lld/%lld", &size, &slide) != 2) return false;
      workload.window = {size, slide};
    } else {
      return false;
    }
  }
  if (workload.window.size_ms == 0) workload.window = window_of(workload.query);
  return workload.events > 0 && workload.threads > 0 && workload.window.size_ms > 0 &&
         workload.window.slide_ms > 0;
}

}  // namespace weir::bench
