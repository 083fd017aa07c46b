// weir-sim: see tests/simulation/README.md.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/simulation/shrink.h"
#include "tests/simulation/simulate.h"

using namespace weir::simulation;

namespace {

constexpr const char* kUsage =
    R"(weir-sim SEED [--tell]           one schedule, made from a seed; --tell: every call
weir-sim --schedule TEXT [--tell]
weir-sim --seconds N [--from SEED]   one seed after the other; stops at the first that fails, and shrinks it
weir-sim --count N [--from SEED]
weir-sim --cases FILE            schedules that failed once: all have to pass, twice the same way
weir-sim --caught FILE           `mutation: schedule`: each has to be caught without its safeguard, and pass with it
weir-sim --catch NAME|all [--count N]  looks for a schedule that catches a mutation

  --mutation NAME     without this safeguard
)";

struct Arguments {
  uint64_t seed = 1;
  bool one = false, tells = false;
  std::string schedule, cases, caught, to_catch;
  double seconds = 0;
  uint64_t count = 0;
  Mutation mutation = Mutation::none;
};

Mutation mutation_of(const std::string& name) {
  for (size_t i = 0; i < mutations().size(); ++i) {
    if (name == mutations()[i].name) return Mutation(i);
  }
  std::fprintf(stderr, "weir-sim: there is no mutation `%s`\n", name.c_str());
  std::exit(2);
}

bool read_arguments(int count, char** texts, Arguments* to) {
  for (int i = 1; i < count; ++i) {
    std::string name = texts[i];
    if (name == "--tell") {
      to->tells = true;
      continue;
    }
    if (name[0] != '-') {
      to->one = true;
      to->seed = std::strtoull(name.c_str(), nullptr, 10);
      continue;
    }
    if (++i == count) return false;
    std::string value = texts[i];
    if (name == "--schedule") {
      to->schedule = value;
    } else if (name == "--cases") {
      to->cases = value;
    } else if (name == "--caught") {
      to->caught = value;
    } else if (name == "--catch") {
      to->to_catch = value;
    } else if (name == "--seconds") {
      to->seconds = std::strtod(value.c_str(), nullptr);
    } else if (name == "--count") {
      to->count = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--from") {
      to->seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--mutation") {
      to->mutation = mutation_of(value);
    } else {
      return false;
    }
  }
  return true;
}

void print(const Schedule& schedule, const Outcome& outcome) {
  std::printf("%s\n  trace %016llx: %llu calls, %llu processes, %llu epochs, %llu faults: %s\n",
              write_schedule(schedule).c_str(), (unsigned long long)outcome.trace,
              (unsigned long long)outcome.calls, (unsigned long long)outcome.processes,
              (unsigned long long)outcome.epochs, (unsigned long long)outcome.faults,
              outcome.violation.empty() ? "all is well" : outcome.violation.c_str());
}

int run_one(const Schedule& schedule, const Arguments& arguments) {
  Outcome outcome = simulate(schedule, arguments.mutation, nullptr, arguments.tells);
  print(schedule, outcome);
  return outcome.violation.empty() ? 0 : 1;
}

void print_coverage(const Coverage& coverage) {
  std::printf("\n%-14s", "");
  for (const char* name : fault_names()) std::printf(" %7.7s", name);
  std::printf("\n");
  size_t pairs = 0, reached = 0;
  for (size_t p = 0; p < points().size(); ++p) {
    std::printf("%-14s", points()[p].name);
    for (size_t f = 0; f < fault_names().size(); ++f) {
      if (!applies(FaultKind(f), Point(p))) {
        std::printf(" %7s", "");
        continue;
      }
      ++pairs;
      reached += coverage[p][f] > 0;
      std::printf(" %7llu", (unsigned long long)coverage[p][f]);
    }
    std::printf("\n");
  }
  std::printf("%zu of %zu pairs of a point and a fault have happened\n", reached, pairs);
}

int run_many(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  auto spent = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  Coverage coverage{};
  uint64_t schedules = 0, faults = 0, epochs = 0, processes = 0, calls = 0;
  for (uint64_t seed = arguments.seed;; ++seed) {
    if (arguments.count > 0 ? schedules == arguments.count : spent() > arguments.seconds) break;
    Schedule schedule = make_schedule(seed);
    Outcome outcome = simulate(schedule, arguments.mutation, &coverage);
    ++schedules;
    faults += outcome.faults;
    epochs += outcome.epochs;
    processes += outcome.processes;
    calls += outcome.calls;
    if (outcome.violation.empty()) continue;
    print(schedule, outcome);
    Schedule small = shrink(schedule, arguments.mutation);
    std::printf("shrunk to:\n");
    print(small, simulate(small, arguments.mutation, nullptr));
    return 1;
  }
  double seconds = spent(), cpu = double(std::clock()) / CLOCKS_PER_SEC;
  print_coverage(coverage);
  std::printf(
      "%llu schedules in %.1f s, %.0f for each second of CPU; of each: %.1f processes, %.1f "
      "epochs, "
      "%.1f faults, %.0f calls\n",
      (unsigned long long)schedules, seconds, double(schedules) / cpu,
      double(processes) / double(schedules), double(epochs) / double(schedules),
      double(faults) / double(schedules), double(calls) / double(schedules));
  return 0;
}

// The lines of a list: comments begin with #.
std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  if (!in) {
    std::fprintf(stderr, "weir-sim: `%s` can't be read\n", file.c_str());
    std::exit(2);
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

Schedule schedule_of(const std::string& text) {
  Schedule schedule;
  std::string problem;
  if (!read_schedule(text, &schedule, &problem)) {
    std::fprintf(stderr, "weir-sim: %s\n", problem.c_str());
    std::exit(2);
  }
  return schedule;
}

int run_cases(const std::string& file) {
  size_t passed = 0, failed = 0;
  for (const std::string& line : lines_of(file)) {
    Schedule schedule = schedule_of(line);
    Outcome outcome = simulate(schedule, Mutation::none, nullptr);
    bool same = simulate(schedule, Mutation::none, nullptr).trace == outcome.trace;
    ++(outcome.violation.empty() && same ? passed : failed);
    if (!outcome.violation.empty()) print(schedule, outcome);
    if (!same) std::printf("%s\n  does not replay\n", line.c_str());
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

int run_caught(const std::string& file) {
  size_t caught = 0;
  std::vector<bool> has(mutations().size());
  int result = 0;
  for (const std::string& line : lines_of(file)) {
    size_t colon = line.find(": ");
    Mutation mutation = mutation_of(line.substr(0, colon));
    Schedule schedule = schedule_of(line.substr(colon + 2));
    Outcome without = simulate(schedule, mutation, nullptr);
    Outcome with = simulate(schedule, Mutation::none, nullptr);
    has[size_t(mutation)] = true;
    if (without.violation.empty()) {
      std::printf("not caught: %s\n", line.c_str());
      result = 1;
    } else if (!with.violation.empty()) {
      print(schedule, with);
      result = 1;
    } else {
      ++caught;
      std::printf("%-20s %s\n", mutations()[size_t(mutation)].name, without.violation.c_str());
    }
  }
  for (size_t i = 0; i < has.size(); ++i) {
    if (has[i]) continue;
    std::printf("no schedule catches %s\n", mutations()[i].name);
    result = 1;
  }
  std::printf("%zu of %zu mutations caught\n", caught, mutations().size());
  return result;
}

int run_catch(const Arguments& arguments) {
  int result = 0;
  for (size_t i = 0; i < mutations().size(); ++i) {
    if (arguments.to_catch != "all" && arguments.to_catch != mutations()[i].name) continue;
    bool caught = false;
    uint64_t count = arguments.count > 0 ? arguments.count : 20'000;
    for (uint64_t seed = arguments.seed; seed < arguments.seed + count && !caught; ++seed) {
      Schedule schedule = make_schedule(seed);
      if (simulate(schedule, Mutation(i), nullptr).violation.empty()) continue;
      caught = true;
      Schedule small = shrink(schedule, Mutation(i));
      std::printf("%s: %s\n", mutations()[i].name, write_schedule(small).c_str());
      std::fprintf(stderr, "  (seed %llu: %s)\n", (unsigned long long)seed,
                   simulate(small, Mutation(i), nullptr).violation.c_str());
    }
    if (caught) continue;
    std::fprintf(stderr, "%s: not caught by %llu seeds\n", mutations()[i].name,
                 (unsigned long long)count);
    result = 1;
  }
  return result;
}

}  // namespace

int main(int count, char** texts) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Arguments arguments;
  if (count < 2 || !read_arguments(count, texts, &arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (!arguments.cases.empty()) return run_cases(arguments.cases);
  if (!arguments.caught.empty()) return run_caught(arguments.caught);
  if (!arguments.to_catch.empty()) return run_catch(arguments);
  if (!arguments.schedule.empty()) return run_one(schedule_of(arguments.schedule), arguments);
  if (arguments.one) return run_one(make_schedule(arguments.seed), arguments);
  return run_many(arguments);
}
