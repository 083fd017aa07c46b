// What a run asks of the machine that it runs on: time, and somebody who works beside it. There are
// this machine, and the simulated one of tests/simulation, where time is a number and everything
// happens on one thread.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/status.h"

namespace weir::runtime {

// Works beside the control thread, on one job at a time.
class Worker {
 public:
  // Waits for the job that is going on.
  virtual ~Worker() = default;
  // Requires: the job before it is done.
  virtual void start(std::function<void()> job) = 0;
  // True: the job is done, and what it did is seen. Waits up to `timeout_ms`.
  virtual bool wait(int timeout_ms) = 0;
};

class Machine {
 public:
  using Time = std::chrono::steady_clock::time_point;
  virtual ~Machine() = default;
  virtual Time now() = 0;
  virtual int64_t wall_ms() = 0;  // since 1970
  virtual void sleep(std::chrono::milliseconds time) = 0;
  virtual std::unique_ptr<Worker> worker() = 0;
  // Called in front of each step of a commit, C0 … C9: simulation has its faults there.
  virtual Status reach(const char* step) { return {}; }
};

Machine& this_machine();

}  // namespace weir::runtime
