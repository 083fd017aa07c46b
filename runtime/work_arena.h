// Where lanes and merges run: a bounded number of threads, the calling one among them. Nothing
// blocks in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace weir::runtime {

class WorkArena {
 public:
  // 0: all cores.
  explicit WorkArena(uint32_t threads);
  ~WorkArena();
  uint32_t threads() const { return threads_; }
  // Calls work(0) … work(count − 1), in any order, and returns when all are done.
  void run(uint32_t count, const std::function<void(uint32_t)>& work);

 private:
  struct Arena;
  using Task = void (*)(const std::function<void(uint32_t)>* work, uint32_t i);
  void run_in_arena(uint32_t count, Task task, const std::function<void(uint32_t)>* work);

  uint32_t threads_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace weir::runtime
