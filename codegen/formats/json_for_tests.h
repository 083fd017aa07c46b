// A stage from JSON to JSON, to call with texts: for the tests and the fuzzer of this format.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "codegen/graph_for_tests.h"
#include "stdlib/engine/json_order.h"

namespace weir::codegen::test {

class JsonStage {
 public:
  // The row of `record`'s fields, or of `values` over them (of type `row`), is written as it is.
  struct Schema {
    Program program;
    compiler::RecordId record = 0;
    compiler::RecordId row = 0;
    std::vector<Expr> values;  // empty: the record itself
    compiler::Validation validation = compiler::Validation::Structural;
    std::optional<Expr> event_time;
    std::vector<Expr> wheres;  // in front of all that
  };
  // A record of many kinds, with an object that is read by its parts.
  static std::unique_ptr<Schema> many_kinds(
      compiler::Validation validation = compiler::Validation::Structural);

  explicit JsonStage(std::unique_ptr<Schema> schema);
  JsonStage(const JsonStage&) = delete;
  JsonStage& operator=(const JsonStage&) = delete;
  ~JsonStage();

  // What comes out for one record: "{…}", or "no row", or "7004 amount: wrong_type at byte 12". The
  // record lies right before a page that can't be read.
  std::string run(std::string_view record);
  // Forgets the orders of keys.
  void forget() { std::fill(learned_.begin(), learned_.end(), char(0)); }
  // The order of keys of the record itself.
  WeirJsonOrder& order() { return *reinterpret_cast<WeirJsonOrder*>(learned_.data()); }
  uint64_t slow() const { return stage_.counters.json_slow; }
  std::string failure;  // why it was not compiled

 private:
  std::unique_ptr<Schema> schema_;
  std::unique_ptr<JitPipeline> jit_;
  stdlib::ArenaBlocks blocks_{1 << 16};
  WeirArena arena_{};
  WeirOutput output_{};
  WeirOutput* outputs_[1];
  WeirRowError row_errors_[4];
  WeirErrors errors_{};
  std::vector<char> learned_;
  WeirStage stage_{};
  char* pages_ = nullptr;  // the last one is closed
};

}  // namespace weir::codegen::test
