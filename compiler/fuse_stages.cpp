// Stage fusion: from every source, and from every keyed operator, follow the rows until they reach
// state or a sink.
//
// A union has no code: its consumers follow each of its inputs. A keyed operator has one stage for
// each (emit mode, every) that its sinks ask for; another keyed operator behind it takes the final
// rows, those of `append`.
#include <map>
#include <tuple>

#include "compiler/passes.h"

namespace weir::compiler {
namespace {

struct Emission {
  EmitMode mode;
  int64_t every_us;
  bool operator<(const Emission& other) const {
    return std::tie(mode, every_us) < std::tie(other.mode, other.every_us);
  }
};

class Fuser {
 public:
  explicit Fuser(Graph& graph) : graph_(graph), consumers_(graph.nodes.size()) {
    for (const Node& node : graph.nodes) {
      for (NodeId input : node.inputs) {
        auto* keyed = std::get_if<KeyedNode>(&graph.nodes[input].is);
        if (!keyed || keyed->late != node.id) consumers_[input].push_back(node.id);
      }
    }
  }

  bool run() {
    for (const Node& node : graph_.nodes) {
      if (std::holds_alternative<SourceNode>(node.is))
        add_stage(node.id, EmitMode::Append, 0, nullptr);
    }
    for (const Node& node : graph_.nodes) {
      if (!std::holds_alternative<KeyedNode>(node.is)) continue;
      std::map<Emission, bool> emissions;
      find_emissions(node.id, emissions);
      for (const auto& [emission, there] : emissions)
        add_stage(node.id, emission.mode, emission.every_us, &emission);
    }
    return steps_ <= kStageStepsMax;
  }

 private:
  void find_emissions(NodeId from, std::map<Emission, bool>& into) {
    for (NodeId id : consumers_[from]) {
      const Node& node = graph_.nodes[id];
      if (auto* sink = std::get_if<SinkNode>(&node.is))
        into[{sink->emit, sink->emit == EmitMode::Append ? 0 : sink->every_us}] = true;
      else if (std::holds_alternative<KeyedNode>(node.is))
        into[{EmitMode::Append, 0}] = true;
      else if (++steps_ <= kStageStepsMax)
        find_emissions(id, into);
    }
  }

  void add_stage(NodeId input, EmitMode mode, int64_t every_us, const Emission* emission) {
    Stage stage;
    stage.id = StageId(graph_.stages.size());
    stage.input = input;
    stage.emit = mode;
    stage.every_us = every_us;
    stage.steps = follow(input, emission);
    auto* keyed = std::get_if<KeyedNode>(&graph_.nodes[input].is);
    if (keyed && keyed->rows && keyed->rows->scan) {
      StageStep scan{StageStep::Scan{input}, graph_.nodes[input].stream, std::move(stage.steps)};
      stage.steps.clear();
      stage.steps.push_back(std::move(scan));
    }
    graph_.stages.push_back(std::move(stage));
  }

  // What becomes of the rows of `from`; in a fired stage only what asked for this emission.
  std::vector<StageStep> follow(NodeId from, const Emission* emission) {
    std::vector<StageStep> steps;
    for (NodeId id : consumers_[from]) {
      if (++steps_ > kStageStepsMax) return steps;
      const Node& node = graph_.nodes[id];
      if (auto* sink = std::get_if<SinkNode>(&node.is)) {
        bool asked =
            !emission || (sink->emit == emission->mode &&
                          (sink->emit == EmitMode::Append || sink->every_us == emission->every_us));
        if (asked) steps.push_back({StageStep::Emit{id}, node.stream, {}});
      } else if (auto* keyed = std::get_if<KeyedNode>(&node.is)) {
        if (emission && emission->mode != EmitMode::Append) continue;
        StageStep update{StageStep::Update{id, {}}, node.stream, {}};
        if (keyed->late != kNoNode)
          std::get<StageStep::Update>(update.is).late = follow_rows(keyed->late, nullptr);
        steps.push_back(std::move(update));
      } else {
        for (StageStep& step : follow_rows(id, emission)) steps.push_back(std::move(step));
      }
    }
    return steps;
  }

  // The steps of a Rows node as a chain, and behind the last what follows. Nothing if nothing
  // follows.
  std::vector<StageStep> follow_rows(NodeId id, const Emission* emission) {
    std::vector<StageStep> behind = follow(id, emission);
    const Node& node = graph_.nodes[id];
    auto* rows = std::get_if<RowsNode>(&node.is);
    if (behind.empty() || !rows) return behind;
    for (size_t i = rows->steps.size(); i-- > 0;) {
      ++steps_;
      StageStep step;
      step.stream = node.stream;
      if (auto* where = std::get_if<WhereStep>(&rows->steps[i]))
        step.is = StageStep::Where{where->predicate};
      else if (auto* project = std::get_if<ProjectStep>(&rows->steps[i]))
        step.is = StageStep::Project{project->row, project->values};
      else if (auto* flatten = std::get_if<FlattenStep>(&rows->steps[i]))
        step.is = StageStep::Flatten{flatten->container, flatten->locals};
      step.next = std::move(behind);
      behind.clear();
      behind.push_back(std::move(step));
    }
    return behind;
  }

  Graph& graph_;
  std::vector<std::vector<NodeId>> consumers_;
  size_t steps_ = 0;
};

}  // namespace

bool fuse_stages(Graph& graph) { return Fuser(graph).run(); }

RecordId first_row(const Graph& graph, const Stage& stage) {
  const Node& input = graph.nodes[stage.input];
  auto* keyed = std::get_if<KeyedNode>(&input.is);
  bool scan = keyed && keyed->rows && keyed->rows->scan;
  return scan ? graph.nodes[input.inputs[0]].row : input.row;
}

}  // namespace weir::compiler
