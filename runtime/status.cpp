#include "runtime/status.h"

#include <cstdio>
#include <cstdlib>

namespace weir::runtime {

// Nothing can be handed upwards from a state that should not exist: text to file descriptor 2, then
// the core.
void check_failed(const char* file, int line, const char* condition, const char* why) {
  dprintf(2, "weir: bug at %s:%d: `%s` did not hold: %s\n", file, line, condition, why);
  std::abort();
}

}  // namespace weir::runtime
