// bench_weir jit|binary PROGRAM --query … --order … --events N [--window SIZE_MS/SLIDE_MS]
// [--threads N]
//
// Weir's side of bench_memory: compiles the program, gives its source stage the same events, a
// batch at a time, with the panes and the memory that lanes have, and prints the same lines. No
// Kafka, no commits, and nothing fires: that is measured through a broker. `binary` runs the object
// code of `weir build`. Each thread is a lane with its part of the events.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/program.h"
#include "runtime/stage_memory.h"
#include "stdlib/engine/panes.h"
#include "tools/bench/arguments.h"
#include "tools/bench/events.h"
#include "tools/bench/result.h"
#include "tools/weir/image.h"
#include "tools/weir/program.h"

namespace {

using namespace weir::bench;
using weir::runtime::Exit;
using weir::runtime::Program;
using weir::runtime::StageMemory;

constexpr uint32_t kRowsPerBatch = 4096;  // as RunOptions::rows_per_batch

// Reads events [from, to) of one partition.
class Lane {
 public:
  Lane(const Program& program, const Events& events, uint64_t from, uint64_t to)
      : source_(program.sources[0]),
        events_(events),
        from_(from),
        to_(to),
        memory_(program, *source_.stage, {.output_bytes = UINT64_MAX, .groups = UINT64_MAX}) {
    records_.resize(kRowsPerBatch);
  }

  void run() {
    WeirBatch batch{};
    batch.records = records_.data();
    batch.event_time_max = kNoEventTime;
    batch.watermark_others = INT64_MAX;
    batch.watermark_floor = INT64_MIN;
    batch.fire_at = kNeverFires;
    for (uint64_t at = from_; at < to_; at += batch.count) {
      batch.count = uint32_t(std::min<uint64_t>(kRowsPerBatch, to_ - at));
      batch.next = 0;
      for (uint32_t i = 0; i < batch.count; i++) {
        std::string_view event = events_[at + i];
        records_[i] = {};
        records_[i].value = event.data();
        records_[i].value_size = uint32_t(event.size());
        records_[i].offset = int64_t(at + i);
        records_[i].timestamp_ms = -1;
        records_[i].leader_epoch = -1;
      }
      while (batch.next < batch.count) source_.run(memory_.stage(), &batch);
      put_aside_ += memory_.errors().count;
      memory_.clear_scratch();
    }
  }

  uint64_t put_aside() { return put_aside_ + memory_.stage()->counters.rows_late; }
  StageMemory& memory() { return memory_; }

 private:
  const weir::runtime::SourceInfo& source_;
  const Events& events_;
  uint64_t from_, to_;
  StageMemory memory_;
  std::vector<WeirRecord> records_;
  uint64_t put_aside_ = 0;
};

// What is counted and what is added up in an accumulator of these programs: the first integer, the
// first decimal.
struct Places {
  int64_t count = -1, sum = -1;

  explicit Places(const weir::contract::Keyed& keyed) {
    for (const auto& field : keyed.state()) {
      if (count < 0 && field.type().kind() == weir::contract::Type::INT64) count = field.offset();
      if (sum < 0 && field.type().kind() == weir::contract::Type::DECIMAL) sum = field.offset();
    }
  }
};

void take_panes(StageMemory& memory, const weir::contract::Keyed& keyed, Panes& into) {
  Places places(keyed);
  memory.partial(0)->for_each([&](const WeirTable* table) {
    for (uint64_t i = 0; i <= table->mask; i++) {
      WeirSlot* slot = weir_table_slot(table, i);
      if (slot->tag == 0) continue;
      WeirBytes key = weir_slot_key(slot);
      const char* accumulator = weir_slot_accumulator(slot);
      Group& group = into[{table->pane / 1000, std::string(key.data, key.size)}];
      uint64_t count = 0;
      if (places.count >= 0) std::memcpy(&count, accumulator + places.count, 8);
      int64_t cents = 0;  // the low half of 128 bits: enough here
      if (places.sum >= 0) std::memcpy(&cents, accumulator + places.sum, 8);
      group.count += count;
      group.cents += cents;
    }
  });
}

void run(const std::string& name, const Program& program, const Workload& workload,
         const Events& events) {
  std::vector<std::unique_ptr<Lane>> lanes;
  uint64_t share = events.count() / uint64_t(workload.threads);
  for (int i = 0; i < workload.threads; i++) {
    uint64_t to = i + 1 == workload.threads ? events.count() : share * uint64_t(i + 1);
    lanes.push_back(std::make_unique<Lane>(program, events, share * uint64_t(i), to));
  }
  Cost cost;
  std::vector<std::thread> others;
  for (size_t i = 1; i < lanes.size(); i++) others.emplace_back([&lanes, i] { lanes[i]->run(); });
  lanes[0]->run();
  for (std::thread& thread : others) thread.join();
  cost.stop();

  Panes panes;
  for (auto& lane : lanes) {
    if (lane->put_aside() != 0) {
      std::fprintf(stderr, "bench_weir: %" PRIu64 " events were late or put aside\n",
                   lane->put_aside());
      std::exit(1);
    }
    take_panes(lane->memory(), *program.keyed[0].keyed, panes);
  }
  Result result = windows_of(workload.window, panes);
  report({name, events.count(), events.text().size(), result.size(), checksum(result)}, cost);
}

}  // namespace

int main(int argc, char** argv) {
  Workload workload;
  std::string variant = argc > 1 ? argv[1] : "";
  if ((variant != "jit" && variant != "binary") || argc < 3 ||
      !read_workload(argc, argv, 3, workload)) {
    std::fprintf(stderr,
                 "usage: bench_weir jit|binary PROGRAM --query Q --order O --events N [--window "
                 "S/S] [--threads N]\n");
    return 2;
  }
  std::unique_ptr<weir::tools::Loaded> loaded;
  Exit exit = Exit::Done;
  auto compiled = weir::tools::compile_file(argv[2], {}, loaded, exit);
  if (!compiled) return int(exit);
  auto image = variant == "jit" ? weir::tools::load_just_in_time(*compiled)
                                : weir::tools::load_ahead_of_time(*compiled);
  if (!image.ok()) return weir::tools::fail(image.status());
  weir::runtime::RunOptions options;
  options.brokers = "127.0.0.1:1";  // nobody connects
  auto program = weir::runtime::read_program((*image)->image(), options);
  if (!program.ok()) return weir::tools::fail(program.status());

  Events events(workload.query, workload.order, workload.events);
  std::printf("{\"ready\":true,\"bytes\":%zu}\n", events.text().size());
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) run(variant, **program, workload, events);
}
