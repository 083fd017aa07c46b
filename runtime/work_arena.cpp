#include "runtime/work_arena.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <thread>

namespace weir::runtime {

struct WorkArena::Arena {
  explicit Arena(uint32_t threads) : arena(int(threads)) {}
  tbb::task_arena arena;
};

WorkArena::WorkArena(uint32_t threads) : threads_(threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency())) {
  if (threads_ > 1) arena_ = std::make_unique<Arena>(threads_);
}
WorkArena::~WorkArena() = default;

void WorkArena::run(uint32_t count, const std::function<void(uint32_t)>& work) {
  if (threads_ == 1 || count <= 1) {
    for (uint32_t i = 0; i < count; ++i) work(i);
    return;
  }
  arena_->arena.execute([&] {
    tbb::parallel_for(0u, count, [&](uint32_t i) { work(i); }, tbb::simple_partitioner());
  });
}

}  // namespace weir::runtime
