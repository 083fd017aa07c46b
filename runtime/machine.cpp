#include "runtime/machine.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace weir::runtime {

namespace {

class ThreadWorker final : public Worker {
 public:
  ThreadWorker() : thread_([this] { run(); }) {}
  ~ThreadWorker() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void start(std::function<void()> job) override {
    {
      std::lock_guard lock(mutex_);
      WEIR_CHECK(!job_, "one job at a time");
      job_ = std::move(job);
    }
    changed_.notify_all();
  }

  bool wait(int timeout_ms) override {
    std::unique_lock lock(mutex_);
    if (timeout_ms > 0)
      changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return !job_; });
    return !job_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stop_ || job_; });
      if (!job_) return;
      lock.unlock();
      job_();
      lock.lock();
      job_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;  // none: nothing to do
  bool stop_ = false;
  std::thread thread_;
};

class ThisMachine final : public Machine {
 public:
  Time now() override { return std::chrono::steady_clock::now(); }
  int64_t wall_ms() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  void sleep(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
  std::unique_ptr<Worker> worker() override { return std::make_unique<ThreadWorker>(); }
};

}  // namespace

Machine& this_machine() {
  static ThisMachine machine;
  return machine;
}

}  // namespace weir::runtime
