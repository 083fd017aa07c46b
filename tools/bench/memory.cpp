// bench_memory VARIANT --query rides|ads|users --order fixed|other|random --events N
//
// What does not involve Weir, on events in memory. Makes the events, prints a line, and then runs once for each line on
// standard input and prints what it measured (result.h), so that tools/bench/run can alternate between programs:
//
//     by_hand        the query on simdjson On-Demand, record by record
//     by_hand_lines  the same with iterate_many over JSON lines
//     read           reads a word of each cache line: no program that looks at the events can be faster
//     reference      the plain computation that results are checked against
//
//     bench_memory write --query … --order … --events N    writes the events to standard output as JSON lines
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tools/bench/by_hand.h"
#include "tools/bench/events.h"
#include "tools/bench/reference.h"
#include "tools/bench/result.h"

namespace {

using namespace weir::bench;

[[noreturn]] void usage() {
  std::fprintf(stderr,
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
void run(const std::string& variant, Query query, Order order, const Events& events) {
  Measured measured{variant, events.count(), events.text().size()};
  Result result;
  Cost cost;
  if (variant == "read") {
    measured.checksum = read_events(events);
    cost.stop();
  } else if (variant == "reference") {
    result = reference_result(query, events);
    cost.stop();
  } else {
    auto by_hand = make_by_hand(query, order);
    uint64_t bad = variant == "by_hand_lines" ? by_hand->add_lines(events) : by_hand->add(events);
    cost.stop();
    if (bad != 0) {
      std::fprintf(stderr, "bench_memory: %s could not read %llu events\n", variant.c_str(), (unsigned long long)bad);
      std::exit(1);
    }
    result = by_hand->result();
  }
  measured.rows = result.size();
  if (variant != "read") measured.checksum = checksum(result);
  report(measured, cost);
}

void write(Query query, Order order, uint64_t count) {
  EventSource source(query, order);
  std::string text;
  for (uint64_t i = 0; i < count; i++) {
    source.next(text);
    text += '\n';
    if (text.size() < (1 << 20) && i + 1 < count) continue;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      std::perror("bench_memory: writing events");
      std::exit(1);
    }
    text.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) usage();
  std::string variant = argv[1];
  Query query = Query::Rides;
  Order order = Order::Fixed;
  uint64_t count = 2'000'000;
  for (int i = 2; i < argc; i += 2) {
    std::string option = argv[i];
    if (i + 1 == argc) usage();
    if (option == "--query") {
      query = query_of(argv[i + 1]);
    } else if (option == "--order") {
      order = order_of(argv[i + 1]);
    } else if (option == "--events") {
      count = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      usage();
    }
  }
  if (variant == "write") {
    write(query, order, count);
    return 0;
  }
  if (variant != "by_hand" && variant != "by_hand_lines" && variant != "read" && variant != "reference") usage();

  Events events(query, order, count);
  std::printf("{\"ready\":true,\"bytes\":%zu}\n", events.text().size());
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) run(variant, query, order, events);
}
