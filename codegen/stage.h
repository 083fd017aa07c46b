// A stage → one function: prologue, row loop, epilogue; a keyed operator → its merge function.
//
//     int32_t stage_<id>(WeirStage*, WeirBatch*)          void merge_<node>(char* into, const char*
//     from, WeirArena*)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "codegen/cursors/cursor.h"
#include "codegen/emit.h"
#include "codegen/expr.h"
#include "codegen/formats/format.h"
#include "codegen/row.h"
#include "compiler/graph.h"
#include "runtime/contract/plan.pb.h"

namespace weir::codegen {

// Where decoders and encoders come from: `formats.def`; tests bring their own.
struct Formats {
  std::function<std::unique_ptr<Decoder>(std::string_view format, const DecoderRequest&)> decoder =
      make_decoder;
  std::function<std::unique_ptr<Encoder>(std::string_view format, const compiler::Types&,
                                         const compiler::SinkNode&)>
      encoder = make_encoder;
};

struct Pipeline {
  const compiler::Graph& graph;
  const contract::Plan&
      plan;  // only for the numbers that it gives to keyed operators, outputs and streams
  const Formats& formats;
};

// Both return what can't be compiled yet; empty: done.
std::string emit_stage(const Pipeline& pipeline, const compiler::Stage& stage, llvm::Module& module,
                       Kernels& kernels);
std::string emit_merge(const Pipeline& pipeline, compiler::NodeId keyed, llvm::Module& module,
                       Kernels& kernels);

// ---- what the steps' emitters (nodes/) work with

// The pane of the row before, in the loop's registers: rows of one pane come together.
struct PaneCache {
  llvm::Value* panes = nullptr;    // WeirPanes*
  llvm::Value* table = nullptr;    // local: WeirTable*; null if the pane's windows are all late
  llvm::Value* begin = nullptr;    // local: the pane is [begin, begin + pane)
  llvm::Value* late_at = nullptr;  // local: watermark at which its last window is late
  llvm::Value* outside =
      nullptr;  // local: in no window at all (slides wider than windows), else null
};

struct StageEmitter {
  const Pipeline& pipeline;
  const compiler::Stage& stage;
  Emit& emit;
  Expressions& expressions;
  Cursor& cursor;
  llvm::Value* batch = nullptr;
  llvm::Value* row_index = nullptr;  // i32, of the row in work
  llvm::Value* watermark = nullptr;  // local: W as it was before this row
  llvm::Value* rows_late = nullptr;  // locals: counters
  llvm::Value* rows_out = nullptr;
  std::map<compiler::NodeId, PaneCache> panes;
  std::map<compiler::NodeId, llvm::Value*> outputs;  // WeirOutput*
  std::map<compiler::NodeId, std::unique_ptr<Encoder>> encoders;
  std::string stream;  // where a failing row is put aside at the moment

  // Hands `row` to each of `steps`. A failure in one of them does not concern the others.
  void run(const RowShape& row, const std::vector<compiler::StageStep>& steps);
  // Puts the row aside: `failure` in stream `name`.
  void put_aside(const Failure& failure, const std::string& name);
};

void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Where& where,
               const compiler::StageStep& step);
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Project& project,
               const compiler::StageStep& step);
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Flatten& flatten,
               const compiler::StageStep& step);
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update,
               const compiler::StageStep& step);
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Scan& scan,
               const compiler::StageStep& step);
void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Emit& emit,
               const compiler::StageStep& step);

// An update of an operator that keeps rows (keep.cpp).
void emit_keep(StageEmitter& to, const RowShape& row, const compiler::StageStep::Update& update);

// Frame memory for what steps keep between rows, before the loop.
void prepare_update(StageEmitter& to, compiler::NodeId keyed);
void prepare_emit(StageEmitter& to, compiler::NodeId sink);

compiler::Layout state_layout(const compiler::Types& types, const compiler::KeyedNode& keyed);

}  // namespace weir::codegen
