// A process that runs the pipeline: the runtime's own code from the opening of the store to the
// exit status, on two fibers (control, commit) in place of threads. Every call that leaves it (log,
// store, clock, a step of a commit) comes through `at`, where somebody else may get a turn and
// where faults happen.
//
// To be killed is an exception: `Killed` unwinds its fibers, and nothing that a dead process calls
// has an effect.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/machine.h"
#include "runtime/pipeline.h"
#include "runtime/program.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/world.h"

namespace weir::simulation {

struct Killed {};

class Process final : public runtime::Machine {
 public:
  struct Start {
    uint32_t number = 0;  // of all processes of the schedule
    std::string instance;
    runtime::Until until = runtime::Until::Forever;
    uint32_t epoch_rows = 20;
  };
  Process(World& world, const runtime::Program& program, Disk& disk, const Start& start);
  // Kills it if it is alive.
  ~Process() override;

  // --- for the world
  // When it can go on; `others`: what else of it than the fiber that runs now.
  int64_t next_turn_us(bool others) const;
  void run();
  bool ended() const { return control_.done(); }
  bool killed() const { return dead_; }
  // Requires: ended, not killed.
  const runtime::Status& status() const { return *status_; }
  bool is_paused() const { return paused_until_us_ > world_.now_us; }
  void ask_to_stop() { stop_ = true; }
  bool is_asked_to_stop() const { return stop_; }
  uint32_t number() const { return start_.number; }
  const Start& start() const { return start_; }
  std::string name() const;
  Disk& disk() { return disk_; }
  // What the one who looks after processes has to know of the last fault.
  std::function<void(Process&)> on_pause;
  bool fenced_by_fault = false;  // its transaction was timed out
  bool wants_offsets_moved = false;

  // --- for its log and its store
  // In front of a call. Faults that only the call itself can play are returned.
  FaultKind at(Point point);
  // Behind a call that had an effect.
  void after(FaultKind fault);
  [[noreturn]] void die();
  void wait(int64_t us);
  // Until there are new records, or the time is over.
  void wait_for_input(uint64_t seen, int64_t us);
  World& world() { return world_; }
  Random& chance() { return world_.chance; }
  bool mutated(Mutation mutation) const { return world_.mutation == mutation; }
  std::string group() const { return program_.name; }
  // Mutation disk_first: what the store runs behind its write.
  std::function<runtime::Status()> deferred;
  runtime::Status run_deferred();
  // Mutation producer_reused: the epoch that a producer of this process has got.
  std::optional<int64_t> producer_epoch;

  // --- runtime::Machine
  Time now() override { return Time(std::chrono::microseconds(world_.now_us)); }
  int64_t wall_ms() override { return world_.now_us / kMillisecond; }
  void sleep(std::chrono::milliseconds time) override { wait(time.count() * kMillisecond); }
  std::unique_ptr<runtime::Worker> worker() override;
  runtime::Status reach(const char* step) override;

 private:
  class JobWorker;
  struct Turn {
    Fiber* fiber = nullptr;  // null: nobody there
    int64_t at_us = 0;
    uint64_t input_seen = UINT64_MAX;  // goes on earlier when there are other records
  };
  void body();
  void pass(int64_t us);
  void yield_quietly(int64_t us);
  void play(FaultKind fault);
  int64_t ready_us(const Turn& turn) const;

  World& world_;
  const runtime::Program& program_;
  Disk& disk_;
  Start start_;
  std::atomic<bool> stop_ = false;
  bool dead_ = false;
  int64_t paused_until_us_ = 0;
  std::optional<runtime::Status> status_;
  Turn turns_[2];  // control, commit
  int running_ = -1;
  Fiber control_;
};

}  // namespace weir::simulation
