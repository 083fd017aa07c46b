// For tests: a pipeline whose stages are C++ functions, so that the runtime is tested without the
// compiler.
//
// Records are texts "key seconds amount"; a record "bad" can't be read. Grouped, a key has a count
// and a sum: the emission writes "key [start,end) count sum", in seconds. Ungrouped, each record
// goes on as it is. With `rows` the operator keeps rows: the emission writes "key @time count sum",
// of a row and its frames.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/memory_log.h"
#include "runtime/pipeline.h"
#include "runtime/program.h"

namespace weir::runtime {

struct FakeEmission {
  contract::Emission::Mode mode = contract::Emission::APPEND;
  int64_t every_us = 0;
  bool to_log = false;  // topic "out"; else the collect sink "out"
};

struct FakePipeline {
  // Seconds. size 0: running groups.
  int64_t size = 0, slide = 0, offset = 0, grace = 0, delay = 0, idle = 0;
  bool grouped = true;
  std::optional<contract::Rows> rows;  // of the operator; state 0 is the count, 1 the sum
  std::vector<FakeEmission> emissions = {{}};
  // A second operator behind the first's append emission: counts results per window of this size,
  // under one key.
  int64_t second_size = 0;
  contract::Source::OnError on_error = contract::Source::DEAD_LETTER;
  std::string signature = "v1";
  std::string start = "earliest";
  std::string connector = "kafka";  // of the source
  std::string name = "fake";

  // Valid until the next call: the stages read this object.
  const WeirPipelineImage* image();
  std::string plan_bytes;
  std::vector<WeirStageImage> stages;
  std::vector<WeirKeyedImage> keyed;
  WeirPipelineImage made{};
};

// Topics "in", "out" and "dead".
MemoryLog& make_topics(MemoryLog& log, int32_t partitions = 1);

// Appends "key seconds amount" records to topic "in".
void append_rows(MemoryLog& log, const std::vector<std::string>& rows, int32_t partition = 0);

// The values in topic "out", as they came.
std::vector<std::string> out_rows(MemoryLog& log);
std::vector<std::string> sorted(std::vector<std::string> rows);

// What a run handed to the collect sink, in order.
struct FakeRun {
  Status status;
  RunSummary summary;
  std::vector<std::string> rows;
  std::vector<std::string> aside;
};
RunOptions fake_options();
// Stops at the end of what is there, without firing: what a stop does.
RunOptions until_now(const std::string& state_dir);
FakeRun run_fake(FakePipeline& pipeline, Log& log, RunOptions options = fake_options());

}  // namespace weir::runtime
