#include "compiler/constant.h"
#include "compiler/passes.h"

namespace weir::compiler {

void simplify_constants(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (auto* source = std::get_if<SourceNode>(&node.is); source && source->event_time)
      simplify(*source->event_time);
    if (auto* rows = std::get_if<RowsNode>(&node.is)) {
      for (RowStep& step : rows->steps) {
        if (auto* where = std::get_if<WhereStep>(&step)) simplify(where->predicate);
        if (auto* flatten = std::get_if<FlattenStep>(&step)) simplify(flatten->container);
        if (auto* project = std::get_if<ProjectStep>(&step)) {
          for (Expr& value : project->values) simplify(value);
        }
      }
    }
    if (auto* keyed = std::get_if<KeyedNode>(&node.is)) {
      each_input_expr(*keyed, [](Expr& expr) { simplify(expr); });
      if (keyed->rows && keyed->rows->scan)
        each_scan_expr(*keyed->rows->scan, [](Expr& expr) { simplify(expr); });
    }
    if (auto* sink = std::get_if<SinkNode>(&node.is); sink && sink->key) simplify(*sink->key);
  }
}

}  // namespace weir::compiler
