#include "runtime/work_arena.h"

namespace weir::runtime {

namespace {

// TBB orders the tasks behind what came before `run` and in front of what comes after. So do these
// two, where ThreadSanitizer can see it: it does not look into TBB. They stand still, since a task
// may not touch anything of ours before it has read the first.
std::atomic<uint64_t> started{0};
std::atomic<uint64_t> finished{0};

void run_task(const std::function<void(uint32_t)>* work, uint32_t i) {
  (void)started.load(std::memory_order_acquire);
  (*work)(i);
  finished.fetch_add(1, std::memory_order_release);
}

}  // namespace

void WorkArena::run(uint32_t count, const std::function<void(uint32_t)>& work) {
  if (threads_ == 1 || count <= 1) {
    for (uint32_t i = 0; i < count; ++i) work(i);
    return;
  }
  started.fetch_add(1, std::memory_order_release);
  run_in_arena(count, run_task, &work);
  (void)finished.load(std::memory_order_acquire);
}

}  // namespace weir::runtime
