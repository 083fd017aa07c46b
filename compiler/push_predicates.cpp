// Conditions move towards the source, so that a row that fails one is given up before anything is
// made of it.
//
// A projection uses nothing by itself: an error belongs to its value and counts where that is used.
// So a `where` behind a projection may stand in front of it, over the projected values, and neither
// results nor dead letters change. The order of `where`s among each other, which says whose error
// is the row's, stays.
#include "compiler/checker.h"
#include "compiler/passes.h"

namespace weir::compiler {
namespace {

constexpr size_t kPredicateSizeMax =
    200;  // a larger one stays where it is: its values would be computed twice

// Fields become the values that the projection gives them.
void substitute(Expr& expr, const std::vector<Expr>& values) {
  if (expr.op == Op::Field) {
    dsl::Span span = expr.span;
    expr = values[expr.index];
    expr.span = span;
    return;
  }
  for (Expr& arg : expr.args) substitute(arg, values);
}

void push(std::vector<StageStep>& steps);

// Moves the wheres at the beginning of what follows `project` in front of it. With several ways to
// go on there is nothing that all rows must pass.
void push_through(StageStep& project) {
  push(project.next);
  while (project.next.size() == 1) {
    auto* where = std::get_if<StageStep::Where>(&project.next[0].is);
    if (!where) return;
    Expr predicate = where->predicate;
    substitute(predicate, std::get<StageStep::Project>(project.is).values);
    if (size_of(predicate, kPredicateSizeMax + 1) > kPredicateSizeMax) return;
    StageStep moved{StageStep::Where{std::move(predicate)}, project.next[0].stream, {}};
    StageStep behind{std::move(project.is), project.stream, std::move(project.next[0].next)};
    push_through(behind);
    moved.next.push_back(std::move(behind));
    project = std::move(moved);
    return;
  }
}

void push(std::vector<StageStep>& steps) {
  for (StageStep& step : steps) {
    if (std::holds_alternative<StageStep::Project>(step.is))
      push_through(step);
    else
      push(step.next);
    if (auto* update = std::get_if<StageStep::Update>(&step.is)) push(update->late);
  }
}

}  // namespace

void push_predicates(Graph& graph) {
  for (Stage& stage : graph.stages) push(stage.steps);
}

}  // namespace weir::compiler
