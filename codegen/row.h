// Rows while code is written for them: nothing is a row in memory. A projected field is its
// expression, evaluated where it is first used (so that an error counts only when a use is reached)
// and remembered for the code behind it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "codegen/emit.h"
#include "codegen/formats/format.h"
#include "compiler/graph.h"

namespace weir::codegen {

// Where the fields of a step's row come from: `values` over the parent's row, or, without parent,
// from the stage's input.
struct RowShape {
  const RowShape* parent = nullptr;
  const std::vector<compiler::Expr>* values = nullptr;
};

// The input fields from outside to inside that `expr` reads, if it is nothing but a path through
// records.
std::optional<std::vector<uint32_t>> path_of(const RowShape& row, const compiler::Expr& expr);

// What the rest of a stage reads of its input's fields, by following the steps down to their uses.
std::vector<UsedPath> used_paths(const compiler::Graph& graph, const compiler::Stage& stage);

// What the leaves of expressions mean at some place. Each place answers those that its expressions
// may have.
class Leaves {
 public:
  virtual ~Leaves() = default;
  virtual Value path(const std::vector<uint32_t>& fields,
                     bool presence_only);  // of the stage's input
  virtual Value event_time();
  virtual Value meta(compiler::MetaField field);
  virtual Value key_field(uint32_t index);
  virtual Value window_bound(bool end);
  virtual Value state(uint32_t index);
  virtual Value other(uint32_t index);
  virtual Value argument(uint32_t index);
};

// Values that were computed on every way to the current place. `rewind` forgets those from inside a
// branch.
class Memo {
 public:
  using Key = std::pair<const void*, uint64_t>;
  const Value* find(Key key) const;
  void add(Key key, const Value& value);
  size_t mark() const { return trail_.size(); }
  void rewind(size_t mark);

 private:
  std::map<Key, Value> values_;
  std::vector<Key> trail_;
};

}  // namespace weir::codegen
