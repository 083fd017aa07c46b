#include "compiler/passes.h"

namespace weir::compiler {

void drop_unused(Graph& graph, bool test) {
  std::vector<bool> live(graph.nodes.size(), false);
  // Inputs have smaller numbers, so one way back is enough. Late rows hang on their keyed node as
  // an input.
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (auto* sink = std::get_if<SinkNode>(&node.is))
      live[i] = !test || sink->connector == "collect";
    if (!live[i]) continue;
    for (NodeId input : node.inputs) live[input] = true;
  }
  std::vector<NodeId> number(graph.nodes.size(), kNoNode);
  std::vector<Node> kept;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!live[i]) continue;
    number[i] = NodeId(kept.size());
    kept.push_back(std::move(graph.nodes[i]));
  }
  for (Node& node : kept) {
    node.id = number[node.id];
    for (NodeId& input : node.inputs) input = number[input];
    if (auto* keyed = std::get_if<KeyedNode>(&node.is); keyed && keyed->late != kNoNode)
      keyed->late = number[keyed->late];
  }
  graph.nodes = std::move(kept);
}

}  // namespace weir::compiler
