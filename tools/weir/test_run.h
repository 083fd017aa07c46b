// One run of a test's steps through the compiled pipeline: the in-memory log, a machine whose clock
// moves by `advance` only, and, if that is wanted, a crash with a restart between epochs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "runtime/contract/stage_abi.h"
#include "runtime/status.h"

namespace weir::tools {

// One way to run a test: all give the same.
struct TestWay {
  uint32_t batch = 4096;
  int32_t partitions = 1;
  // Of each given row its partition, by the rows' place in the test; empty: in turn, by source.
  std::vector<int32_t> dealt;
  bool crashes = false;
  std::string text() const;
};

// What is given from one `advance` to the next.
struct GivenRow {
  std::string source, value;
};
struct TestPhase {
  std::vector<GivenRow> rows;
  int64_t advance_us = 0;  // behind them
};

// The steps of a test as phases, the last without an advance. Files are read: their place is
// relative to the program's.
runtime::Result<std::vector<TestPhase>> phases_of(const compiler::TestCase& test,
                                                  const std::string& program_path);

// What came out, by the name that an `expect` uses. Of rows with a key only the last of each key is
// kept in `last`; `last_epoch` has those of the last epoch that had any.
struct TestOutcome {
  struct Row {
    size_t advances;  // in front of it
    std::string key, value;
  };
  std::map<std::string, std::vector<Row>> rows;
  std::map<std::string, std::vector<std::string>> last_epoch, late, errors;
  std::map<std::string, std::map<std::string, std::string>> last;
  uint64_t rows_late = 0;
  bool crashed = false;  // it came to that
};

// Whether epochs may end where they like: no step expects what depends on it.
bool any_epochs(const compiler::Compiled& compiled, const compiler::TestCase& test);

runtime::Status run_test(const compiler::Compiled& compiled, const WeirPipelineImage& image,
                         const compiler::TestCase& test, const std::vector<TestPhase>& phases,
                         const TestWay& way, TestOutcome& outcome);

}  // namespace weir::tools
