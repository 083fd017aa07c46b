// The passes between the checked graph and the plan, in their order. Each is one file and one
// function.
#pragma once

#include <string>

#include "compiler/graph.h"
#include "dsl/diagnostic.h"

namespace weir::compiler {

// Removes nodes that reach no sink (in a test: no expected stream), and renumbers the rest.
void drop_unused(Graph& graph, bool test);
// Computes what has no row in it.
void simplify_constants(Graph& graph);
// Stages: for every source one; for every keyed operator one for each way in which its groups
// leave. False if the stages become larger than kStageStepsMax. No node is added or removed below
// this line.
bool fuse_stages(Graph& graph);
// `where` before the projections that stand in front of it.
void push_predicates(Graph& graph);
// Projected values that nobody reads become constants without a value; SourceNode::used is what
// remains.
void prune_fields(Graph& graph);
// Of a node that keeps rows: nothing of the fields that are not `used` behind it. A step of
// `prune_fields`.
void prune_kept_rows(KeyedNode& node, const std::vector<bool>& used);
// Reports rows that can't be kept: what is used of them has types that state does not take. After
// all passes.
void check_kept_rows(const Graph& graph, dsl::Diagnostics& diagnostics);
// What must hold of every graph; a sentence about the first thing that does not, or "".
std::string verify(const Graph& graph);

inline constexpr size_t kStageStepsMax = 20'000;

// Calls `visit` for the expression and all inside it, outer ones first.
template <class Visit>
void each_expr(Expr& expr, const Visit& visit) {
  visit(expr);
  for (Expr& arg : expr.args) each_expr(arg, visit);
}
template <class Visit>
void each_expr(const Expr& expr, const Visit& visit) {
  visit(expr);
  for (const Expr& arg : expr.args) each_expr(arg, visit);
}

// The expressions of a keyed node over its input rows: keys, filters, arguments (steps see them
// through Argument).
template <class Keyed, class Visit>
void each_input_expr(Keyed& keyed, const Visit& visit) {
  for (auto& key : keyed.keys) visit(key.value);
  for (auto& use : keyed.aggregates) {
    if (use.filter) visit(*use.filter);
    for (auto& argument : use.arguments) visit(argument);
    for (auto& present : use.argument_present) {
      if (present) visit(*present);
    }
  }
}

// The expressions of a scan over the rows that are kept.
template <class Scan, class Visit>
void each_scan_expr(Scan& scan, const Visit& visit) {
  for (auto& bind : scan.binds) visit(bind.value);
  for (auto& emit : scan.emits) {
    if (emit.condition) visit(*emit.condition);
    for (auto& value : emit.values) visit(value);
  }
}

}  // namespace weir::compiler
