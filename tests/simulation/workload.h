// The input of a schedule, and the plain model: what its outputs have to be, computed without
// epochs, processes or faults.
#pragma once

#include <string>
#include <vector>

#include "runtime/fake_pipeline.h"
#include "runtime/memory_log.h"
#include "tests/simulation/random.h"
#include "tests/simulation/schedule.h"

namespace weir::simulation {

struct Row {
  int32_t partition = 0;
  std::string text;  // "key seconds amount"; one that can't be read is a dead letter
  bool good = true;
  std::string key;
  int64_t seconds = 0, amount = 0;
};

class Workload {
 public:
  explicit Workload(const Schedule& schedule);
  runtime::FakePipeline& pipeline() { return pipeline_; }

  // Makes the topics.
  void prepare(runtime::MemoryLog& log) const;
  // The rows [from, to), in a transaction of their own, and beside it one that is aborted.
  void append(runtime::MemoryLog& log, size_t from, size_t to, Random& chance) const;
  size_t size() const { return rows_.size(); }

  // What is wrong with what has come out of the pipeline when all of the input has been through it;
  // empty: nothing.
  std::string check(const runtime::MemoryLog& log) const;

 private:
  std::vector<std::string> expected_rows() const;

  const PipelineKind kind_;
  const uint32_t partitions_;
  runtime::FakePipeline pipeline_;
  std::vector<Row> rows_;
};

}  // namespace weir::simulation
