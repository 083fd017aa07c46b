// Which fields somebody reads, from the ends of each stage back to its input.
//
// Rows keep their shape: a projected value that nobody reads becomes a constant without a value
// (monostate of a required type), which code generation never evaluates. What is read of a source's
// record is SourceNode::used: the decoder delimits the rest and does not look at it.
#include <algorithm>

#include "compiler/passes.h"

namespace weir::compiler {
namespace {

using Used = std::vector<bool>;

void note(const Expr& expr, Used& used) {
  each_expr(expr, [&](const Expr& e) {
    if (e.op == Op::Field && e.index < used.size()) used[e.index] = true;
  });
}

class Pruner {
 public:
  explicit Pruner(Graph& graph) : graph_(graph) {}

  static void keep_if(bool read, Expr& value, Used& used) {
    if (read) {
      note(value, used);
    } else if (value.op != Op::Constant) {
      Expr unread;
      unread.type = value.type;
      unread.span = value.span;
      value = std::move(unread);
    }
  }

  // What the steps read of their rows, which are of record `row`.
  Used prune(std::vector<StageStep>& steps, RecordId row) {
    Used used(graph_.types.records[row].fields.size(), false);
    for (StageStep& step : steps) {
      auto merge = [&](const Used& more) {
        for (size_t i = 0; i < used.size() && i < more.size(); ++i) used[i] = used[i] || more[i];
      };
      if (auto* where = std::get_if<StageStep::Where>(&step.is)) {
        merge(prune(step.next, row));
        note(where->predicate, used);
      } else if (auto* flatten = std::get_if<StageStep::Flatten>(&step.is)) {
        merge(prune(step.next, row));
        note(flatten->container, used);
      } else if (auto* project = std::get_if<StageStep::Project>(&step.is)) {
        Used read = prune(step.next, project->row);
        for (size_t i = 0; i < project->values.size(); ++i) {
          keep_if(read[i], project->values[i], used);
        }
      } else if (auto* scan = std::get_if<StageStep::Scan>(&step.is)) {
        Node& node = graph_.nodes[scan->keyed];
        Used read = prune(step.next, node.row);
        KeptRows::Scan& body = *std::get<KeyedNode>(node.is).rows->scan;
        for (const KeptRows::Bind& bind : body.binds) note(bind.value, used);
        for (KeptRows::Emit& emit : body.emits) {
          for (size_t i = 0; i < emit.values.size(); ++i) keep_if(read[i], emit.values[i], used);
        }
      } else if (auto* update = std::get_if<StageStep::Update>(&step.is)) {
        merge(prune(update->late, row));
        each_input_expr(std::get<KeyedNode>(graph_.nodes[update->keyed].is),
                        [&](const Expr& expr) { note(expr, used); });
      } else if (auto* emit = std::get_if<StageStep::Emit>(&step.is)) {
        used.assign(used.size(), true);
        const auto& sink = std::get<SinkNode>(graph_.nodes[emit->sink].is);
        if (sink.key) note(*sink.key, used);
      }
    }
    return used;
  }

 private:
  Graph& graph_;
};

}  // namespace

void prune_fields(Graph& graph) {
  // What is behind comes first: it says what a node in front of it has to keep.
  std::vector<Stage*> stages;
  for (Stage& stage : graph.stages) stages.push_back(&stage);
  std::sort(stages.begin(), stages.end(), [](const Stage* a, const Stage* b) {
    return std::pair(a->input, a->id) > std::pair(b->input, b->id);
  });
  for (Stage* at : stages) {
    Stage& stage = *at;
    Node& input = graph.nodes[stage.input];
    Used used = Pruner(graph).prune(stage.steps, first_row(graph, stage));
    // Such a node has one stage: its rows never change, so they leave in one way.
    auto* keyed = std::get_if<KeyedNode>(&input.is);
    if (keyed && keyed->rows) prune_kept_rows(*keyed, used);
    auto* source = std::get_if<SourceNode>(&input.is);
    if (!source) continue;
    if (source->event_time) note(*source->event_time, used);
    if (source->validation == Validation::Strict) used.assign(used.size(), true);
    source->used = std::move(used);
  }
}

}  // namespace weir::compiler
