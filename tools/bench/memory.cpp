// bench_memory VARIANT --query rides|ads|users --order fixed|other|random --events N [--window
// SIZE_MS/SLIDE_MS]
//
// What does not involve Weir, on events in memory. Makes the events, prints a line, and then runs
// once for each line on standard input and prints what it measured (result.h), so that
// tools/bench/run can alternate between programs:
//
//     by_hand        the query on simdjson On-Demand, record by record
//     by_hand_lines  the same with iterate_many over JSON lines
//     read           reads a word of each cache line: no program that looks at the events can be
//     faster reference      the plain computation that results are checked against
//
//     bench_memory write --query … --order … --events N    writes the events to standard output as
//     JSON lines
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tools/bench/arguments.h"
#include "tools/bench/by_hand.h"
#include "tools/bench/events.h"
#include "tools/bench/reference.h"
#include "tools/bench/result.h"

namespace {

using namespace weir::bench;

[[noreturn]] void usage() {
  std::fprintf(
      stderr,
      "usage: bench_memory by_hand|by_hand_lines|read|reference|write --query rides|ads|users "
      "--order fixed|other|random --events N\n");
  std::exit(2);
}

uint64_t read_all(std::string_view text) {
  uint64_t sum = 0;
  for (size_t at = 0; at + 8 <= text.size(); at += 64) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    sum += word;
  }
  return sum;
}

// By event, as the others go: the first byte of each and every cache line in it.
uint64_t read_events(const Events& events) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < events.count(); i++) sum += read_all(events[i]);
  return sum;
}

// What is measured ends with the last event: making rows of the groups is not part of it.
void run(const std::string& variant, const Workload& workload, const Events& events) {
  Measured measured{variant, events.count(), events.text().size()};
  Result result;
  Cost cost;
  if (variant == "read") {
    measured.checksum = read_events(events);
    cost.stop();
  } else if (variant == "reference") {
    result = reference_result(workload.query, workload.window, events);
    cost.stop();
  } else {
    auto by_hand = make_by_hand(workload.query, workload.order);
    uint64_t bad = variant == "by_hand_lines" ? by_hand->add_lines(events) : by_hand->add(events);
    cost.stop();
    if (bad != 0) {
      std::fprintf(stderr, "bench_memory: %s could not read %llu events\n", variant.c_str(),
                   (unsigned long long)bad);
      std::exit(1);
    }
    result = by_hand->result();
  }
  measured.rows = result.size();
  if (variant != "read") measured.checksum = checksum(result);
  report(measured, cost);
}

void write(const Workload& workload) {
  EventSource source(workload.query, workload.order);
  std::string text;
  for (uint64_t i = 0; i < workload.events; i++) {
    source.next(text);
    text += '\n';
    if (text.size() < (1 << 20) && i + 1 < workload.events) continue;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      std::perror("bench_memory: writing events");
      std::exit(1);
    }
    text.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  Workload workload;
  if (argc < 2 || !read_workload(argc, argv, 2, workload)) usage();
  std::string variant = argv[1];
  if (variant == "write") {
    write(workload);
    return 0;
  }
  if (variant != "by_hand" && variant != "by_hand_lines" && variant != "read" &&
      variant != "reference")
    usage();

  Events events(workload.query, workload.order, workload.events);
  std::printf("{\"ready\":true,\"bytes\":%zu}\n", events.text().size());
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) run(variant, workload, events);
}
