#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "tests/simulation/process.h"

namespace weir::simulation {

World::World(const Schedule& schedule, Mutation mutation, Coverage* coverage)
    : log({.clock_ms = [this] { return now_us / kMillisecond; }}),
      chance(schedule.seed ^ 0x5eed),
      mutation(mutation),
      faults_(schedule.faults),
      faults_left_(schedule.faults.size()),
      coverage_(coverage) {}

FaultKind World::reach(Point point, const Process& process) {
  ++calls_;
  uint64_t nth = ++reached_[size_t(point)];
  trace(uint64_t(point) << 8 | process.number());
  if (tells) {
    tell(process.name() + " " + info(point).name + " #" + std::to_string(nth));
  }
  for (Fault& fault : faults_) {
    if (fault.point != point || fault.nth != nth) continue;
    fault.nth = 0;
    --faults_left_;
    ++happened_[size_t(fault.kind)];
    if (coverage_) ++(*coverage_)[size_t(point)][size_t(fault.kind)];
    if (tells) tell("    " + std::string(fault_names()[size_t(fault.kind)]));
    return fault.kind;
  }
  return FaultKind::none;
}

void World::later(int64_t delay_us, std::function<void()> what) {
  events_.push_back({now_us + delay_us, events_made_++, std::move(what)});
  next_event_us_ = std::min(next_event_us_, events_.back().due_us);
}

void World::run_due() {
  while (next_event_us_ <= now_us) {
    auto first =
        std::min_element(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
          return std::tie(a.due_us, a.number) < std::tie(b.due_us, b.number);
        });
    std::function<void()> what = std::move(first->what);
    trace(first->number);
    events_.erase(first);
    next_event_us_ = INT64_MAX;
    for (const Event& event : events_) next_event_us_ = std::min(next_event_us_, event.due_us);
    what();
  }
}

bool World::others_wait(const Process& self) const {
  if (next_event_us_ <= now_us) return true;
  for (const Process* process : *processes_) {
    if (process->next_turn_us(process == &self) <= now_us) return true;
  }
  return false;
}

bool World::turn() {
  run_due();
  int64_t earliest = INT64_MAX;
  std::array<Process*, 16> ready;
  size_t count = 0;
  for (Process* process : *processes_) {
    int64_t at = process->next_turn_us(false);
    earliest = std::min(earliest, at);
    if (at <= now_us && count < ready.size()) ready[count++] = process;
  }
  if (count == 0) {
    earliest = std::min(earliest, next_event_us_);
    if (earliest == INT64_MAX) return false;
    now_us = std::max(now_us, earliest);
    return true;
  }
  ready[count == 1 ? 0 : chance.below(count)]->run();
  return true;
}

void World::violate(const std::string& what) {
  if (tells) tell("VIOLATION " + what);
  if (violation_.empty()) violation_ = what;
}

void World::tell(const std::string& line) const {
  std::fprintf(stderr, "%10.4f  %s\n", double(now_us % (1'000'000 * kSecond)) / kSecond,
               line.c_str());
}

}  // namespace weir::simulation
