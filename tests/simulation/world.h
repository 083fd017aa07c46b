// What all processes of a simulation share: the broker, time, chance, what happens later, and the
// faults of the schedule. It also decides whose turn it is.
//
// Time is a number: it moves when everybody waits, and a little with each call.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "runtime/memory_log.h"
#include "tests/simulation/random.h"
#include "tests/simulation/schedule.h"

namespace weir::simulation {

class Process;

inline constexpr int64_t kMillisecond = 1'000, kSecond = 1'000'000;

// How often each fault has happened at each point.
using Coverage = std::array<std::array<uint64_t, size_t(FaultKind::none)>, 64>;

class World {
 public:
  World(const Schedule& schedule, Mutation mutation, Coverage* coverage);

  runtime::MemoryLog log;
  Random chance;
  int64_t now_us = 1'000'000 * kSecond;  // any beginning
  const Mutation mutation;

  // The fault that the schedule has for this call, if it has one. Counts and traces the call.
  FaultKind reach(Point point, const Process& process);
  uint64_t faults_left() const { return faults_left_; }
  bool has_happened(FaultKind kind) const { return happened_[size_t(kind)] > 0; }

  void later(int64_t delay_us, std::function<void()> what);
  // Runs what is due and gives somebody a turn; false: there is nobody and nothing any more.
  bool turn();
  // Whether anybody but `self` could have a turn now: then it is worth stopping for.
  bool others_wait(const Process& self) const;
  void set_processes(const std::vector<Process*>* processes) { processes_ = processes; }

  uint64_t calls() const { return calls_; }
  uint64_t trace() const { return trace_; }
  void trace(uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001b3 ^ trace_ >> 29; }
  // Something must not have happened. The first one counts.
  void violate(const std::string& what);
  const std::string& violation() const { return violation_; }
  bool tells = false;  // every call to stderr
  void tell(const std::string& line) const;

  // Of each transactional id: the last epoch, and the transaction that is going on. A late request
  // for the end of one must never end another.
  struct Transaction {
    uint64_t number = 0;
    bool open = false;           // something has been written in it
    runtime::Positions offsets;  // of the group, in it
  };
  std::map<std::string, int64_t> producer_epochs;
  std::map<std::string, Transaction> transactions;
  runtime::Positions offsets_moved;  // where somebody else put the group, and nobody has since
  bool had_late_init = false;        // it fences whoever has the id by then
  uint64_t appended = 0;             // chunks of input: who waits for records looks here

 private:
  struct Event {
    int64_t due_us;
    uint64_t number;
    std::function<void()> what;
  };
  void run_due();

  std::vector<Fault> faults_;
  uint64_t faults_left_;
  Coverage* coverage_;
  std::array<uint64_t, 64> reached_{};
  std::array<uint64_t, size_t(FaultKind::none) + 1> happened_{};
  std::vector<Event> events_;
  int64_t next_event_us_ = INT64_MAX;
  uint64_t events_made_ = 0;
  const std::vector<Process*>* processes_ = nullptr;
  uint64_t calls_ = 0, trace_ = 0xcbf29ce484222325;
  std::string violation_;
};

}  // namespace weir::simulation
