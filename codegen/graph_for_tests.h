// Graphs by hand, for this room's tests: small builders, a format whose records are C structs, a
// stage to call.
#pragma once

#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/stage.h"
#include "compiler/layout.h"
#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/pane_tables.h"

namespace weir::codegen::test {

using compiler::Expr;
using compiler::Op;
using compiler::Type;
using compiler::TypeKind;

inline Type of(TypeKind kind) { return compiler::type_of(kind); }
Expr node(Op op, Type type, std::vector<Expr> args = {}, uint32_t index = 0);
Expr field(uint32_t index, Type type);
Expr integer(int64_t value, Type type = of(TypeKind::Int64));
Expr text(std::string value);
Expr wide(__int128 value, Type type);
Expr real(double value);

// Records of the test format: 8 bytes of bad bits (all ones: malformed), 8 unused, then the fields
// by Layout.
Formats test_formats();

struct Program {
  compiler::Compiled compiled;
  compiler::RecordId record(std::string name, std::vector<std::pair<std::string, Type>> fields);
  compiler::NodeId source(compiler::RecordId record, std::optional<Expr> event_time = {},
                          std::optional<int64_t> watermark_us = {});
  compiler::NodeId keyed(compiler::KeyedNode node, compiler::RecordId row);
  compiler::NodeId sink(compiler::RecordId row, std::optional<Expr> key = {});
  void stage(compiler::NodeId input, std::vector<compiler::StageStep> steps);
  // count() and sum(x) as the compiler expands them, at the end of node.state.
  static void count(compiler::KeyedNode& node, std::optional<Expr> filter = {});
  static void sum(compiler::KeyedNode& node, Expr argument, std::optional<Expr> present = {});
};

// A pipeline with everything that its stages need around them.
struct Run {
  explicit Run(Program& program);
  ~Run();
  Run(const Run&) = delete;
  // A record of `record`; `values` are written by `fill` at Layout slots.
  struct Row {
    std::vector<char> bytes;
  };
  template <typename Fill>
  void row(Fill fill) {
    auto& memory = *memory_.emplace_back(std::make_unique<std::vector<char>>(16 + layout.size));
    fill(memory.data() + 16, reinterpret_cast<uint64_t&>(*memory.data()));
    WeirRecord record{};
    record.value = memory.data();
    record.value_size = uint32_t(memory.size());
    record.offset = int64_t(records.size());
    records.push_back(record);
  }
  int32_t call(size_t stage = 0);
  // Of output 0, as the test encoder writes them: "a|b|c".
  std::vector<std::string> rows();
  std::vector<std::string> errors() const;  // "row reason stream detail"
  // All groups of keyed operator 0: key bytes and pane.
  char* group(std::string_view key, int64_t pane = 0);

  Program& program;
  Formats formats = test_formats();
  std::optional<JitPipeline> jit;
  compiler::Layout layout;
  std::vector<WeirRecord> records;
  std::vector<WeirFired> fired;
  WeirBatch batch{};
  WeirStage stage{};
  std::vector<std::unique_ptr<stdlib::PaneTables>> tables;
  std::vector<std::string> initials;
  std::string failure;

 private:
  std::vector<std::unique_ptr<std::vector<char>>> memory_;
  std::vector<WeirPanes*> panes_;
  std::vector<WeirOutput> outputs_;
  std::vector<WeirOutput*> output_pointers_;
  std::vector<WeirRowError> row_errors_;
  WeirErrors errors_{};
  stdlib::ArenaBlocks arena_{4096};
  WeirArena stage_arena_{};
  std::vector<char> learned_;
};

}  // namespace weir::codegen::test
