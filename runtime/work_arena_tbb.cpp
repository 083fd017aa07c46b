// The part of WorkArena that TBB is in. It is built without ThreadSanitizer: what TBB's headers
// leave on our stacks is ordered by TBB's library, which the sanitizer can't see. Our own work is
// still watched: work_arena.cpp orders it.
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <thread>

#include "runtime/work_arena.h"

namespace weir::runtime {

struct WorkArena::Arena {
  explicit Arena(uint32_t threads) : arena(int(threads)) {}
  tbb::task_arena arena;
};

WorkArena::WorkArena(uint32_t threads)
    : threads_(threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency())) {
  if (threads_ > 1) arena_ = std::make_unique<Arena>(threads_);
}
WorkArena::~WorkArena() = default;

void WorkArena::run_in_arena(uint32_t count, Task task, const std::function<void(uint32_t)>* work) {
  arena_->arena.execute([&] {
    tbb::parallel_for(
        0u, count, [task, work](uint32_t i) { task(work, i); }, tbb::simple_partitioner());
  });
}

}  // namespace weir::runtime
