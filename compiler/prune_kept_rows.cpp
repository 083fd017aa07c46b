// Rows that a keyed node keeps (KeptRows): what nobody reads behind the node is not kept.
#include "compiler/checker.h"
#include "compiler/passes.h"

namespace weir::compiler {
namespace {

void renumber(Expr& expr, uint32_t removed) {
  each_expr(expr, [&](Expr& e) {
    if ((e.op == Op::State || e.op == Op::Other) && e.index > removed) --e.index;
  });
}

void remove_state(KeyedNode& node, uint32_t removed) {
  node.state.erase(node.state.begin() + removed);
  for (AggregateUse& use : node.aggregates) {
    if (use.state_begin > removed) --use.state_begin;
    if (use.state_end > removed) --use.state_end;
    for (auto* assigns : {&use.step, &use.merge}) {
      for (StateAssign& assign : *assigns) {
        if (assign.field > removed) --assign.field;
        renumber(assign.value, removed);
      }
    }
    renumber(use.finish, removed);
  }
  if (!node.rows->scan) return;
  KeptRows::Scan& scan = *node.rows->scan;
  --scan.state_begin;
  for (KeptRows::Bind& bind : scan.binds) renumber(bind.value, removed);
  for (StateAssign& assign : scan.assigns) --assign.field;
}

}  // namespace

void prune_kept_rows(KeyedNode& node, const std::vector<bool>& used) {
  for (uint32_t i = 0; i < node.rows->fields; ++i) {
    AggregateUse& use = node.aggregates[i];
    if (used[i] || use.state_begin == use.state_end) continue;
    uint32_t removed = use.state_begin;
    use.arguments.clear();
    use.argument_present.clear();
    use.step.clear();
    Expr unread;
    unread.type = use.finish.type;
    unread.span = use.finish.span;
    use.finish = std::move(unread);
    remove_state(node, removed);
  }
}

void check_kept_rows(const Graph& graph, dsl::Diagnostics& diagnostics) {
  for (const Node& node : graph.nodes) {
    auto* keyed = std::get_if<KeyedNode>(&node.is);
    if (!keyed || !keyed->rows) continue;
    for (uint32_t i = 0; i < keyed->rows->fields; ++i) {
      const AggregateUse& use = keyed->aggregates[i];
      Type type = use.finish.type;
      bool nested = type.is(TypeKind::List) || type.is(TypeKind::Map) || type.is(TypeKind::Record);
      if (!nested || use.state_begin == use.state_end) continue;
      not_supported(diagnostics, node.span,
                    "keeping rows with `" + use.name + "`, which is " + to_text(graph.types, type))
          .with_fix_text("select { … } in front of it, with the fields that are needed behind it");
    }
  }
}

}  // namespace weir::compiler
