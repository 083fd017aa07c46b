// How rows come into a stage's loop. A new way in is one more of these, in a file of its own.
#pragma once

#include <memory>

#include "codegen/early.h"
#include "codegen/emit.h"
#include "codegen/expr.h"
#include "codegen/formats/format.h"
#include "codegen/row.h"

namespace weir::codegen {

class Cursor : public Leaves {
 public:
  // Before the loop.
  virtual void prologue(Emit& emit, llvm::Value* batch) = 0;
  // One row: reads it, with its event time. What is wrong with the row itself is a failure here.
  // `skip`: where rows go that are none.
  virtual void row(Emit& emit, Expressions& expressions, llvm::Value* index,
                   llvm::BasicBlock* skip) = 0;
  // Event time of the row, microseconds; null if the input has none.
  llvm::Value* time = nullptr;
  // Of a scan's rows: the state of the row's key (WeirFired::state).
  llvm::Value* kept = nullptr;
  // Conditions of the steps that were tested while the row was read; null where nothing was. i1:
  // the row failed one, and has nothing but its event time.
  llvm::Value* dropped = nullptr;
  // Is `condition` known to be true of a row that was not dropped? i1, or null: nobody asked.
  virtual llvm::Value* passed(const compiler::Expr&) const { return nullptr; }
};

// WeirBatch::records, decoded as the source says.
std::unique_ptr<Cursor> records_cursor(const compiler::Graph& graph,
                                       const compiler::SourceNode& source,
                                       std::vector<UsedPath> used, EarlyConditions early,
                                       std::unique_ptr<Decoder> decoder);
// WeirBatch::fired, groups of a keyed operator.
std::unique_ptr<Cursor> fired_cursor(const compiler::Graph& graph,
                                     const compiler::KeyedNode& keyed);

}  // namespace weir::codegen
