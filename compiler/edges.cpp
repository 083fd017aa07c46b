// `weir explain --edges`: types and traits of the rows between nodes, where machine code is fused
// and why it isn't elsewhere, which fields of a record are decoded.
#include <algorithm>

#include "compiler/compile.h"
#include "compiler/explain.h"
#include "compiler/print_expr.h"
#include "dsl/literal.h"

namespace weir::compiler {
namespace {

std::string field_text(const Graph& graph, const Field& field) {
  return field.name + ": " + to_text(graph.types, field.type);
}

class EdgeFinder {
 public:
  explicit EdgeFinder(const Graph& graph) : graph_(graph), traits_(graph.nodes.size()) {}

  std::vector<EdgeInfo> run() {
    std::vector<EdgeInfo> all;
    for (const Node& node : graph_.nodes) {
      find_traits(node);
      for (NodeId input : node.inputs) all.push_back(edge(input, node.id));
    }
    std::sort(all.begin(), all.end(), [](const EdgeInfo& a, const EdgeInfo& b) {
      return std::pair(a.from, a.to) < std::pair(b.from, b.to);
    });
    return all;
  }

 private:
  // Of the rows that a node hands on.
  struct Traits {
    std::string time, order, key;
    const KeyedNode* keyed = nullptr;  // the last one in front
    NodeId keyed_node = kNoNode;
    bool operator==(const Traits&) const = default;
  };

  bool is_late(NodeId from, NodeId to) const {
    auto* keyed = std::get_if<KeyedNode>(&graph_.nodes[from].is);
    return keyed && keyed->late == to;
  }

  void find_traits(const Node& node) {
    Traits& traits = traits_[node.id];
    if (auto* source = std::get_if<SourceNode>(&node.is)) {
      if (source->event_time) {
        traits.time = "event time `" + print_expr(graph_, *source->event_time, node.row) + "`";
        if (source->watermark_us)
          traits.time +=
              ", watermark " + dsl::duration_text(*source->watermark_us) + " behind the greatest";
      }
      traits.order = "in the order of each partition";
      return;
    }
    if (auto* keyed = std::get_if<KeyedNode>(&node.is)) {
      behind_keyed(node, *keyed, traits);
      return;
    }
    // What all inputs have in common.
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      NodeId input = node.inputs[i];
      NodeId from = is_late(input, node.id) ? graph_.nodes[input].inputs[0] : input;
      const Traits& of = traits_[from];
      if (i == 0) {
        traits = of;
        continue;
      }
      if (traits.time != of.time) traits.time = of.time.empty() ? "" : "event time of each source";
      if (traits.order != of.order) traits.order.clear();
      if (traits.key != of.key) traits.key.clear();
      if (traits.keyed != of.keyed) traits.keyed = nullptr;
    }
  }

  void behind_keyed(const Node& node, const KeyedNode& keyed, Traits& traits) {
    const Traits& in = traits_[node.inputs[0]];
    traits.keyed = &keyed;
    traits.keyed_node = node.id;
    if (keyed.rows) {
      traits.time = in.time;
      traits.order = keyed.rows->waits() ? "in the order of event time" : "as they come";
      return;
    }
    if (keyed.window) traits.time = "event time: the window's end";
    traits.order = keyed.window ? "by window's end, shard, key" : "by shard and key";
    for (const KeyColumn& key : keyed.keys)
      traits.key += (traits.key.empty() ? "key `" : ", `") + key.name + "`";
    if (traits.key.empty()) traits.key = "one group";
  }

  // In which ways the results of a keyed node go over an edge to `to`.
  void find_emissions(NodeId to, std::vector<std::string>& modes) const {
    const Node& node = graph_.nodes[to];
    std::string mode;
    if (auto* sink = std::get_if<SinkNode>(&node.is)) {
      mode = sink->emit == EmitMode::Append
                 ? "final rows"
                 : std::string(sink->emit == EmitMode::Update ? "rows that changed"
                                                              : "all rows again") +
                       (sink->every_us ? " every " + dsl::duration_text(sink->every_us)
                                       : " at each commit");
    } else if (std::holds_alternative<KeyedNode>(node.is)) {
      mode = "final rows";
    } else {
      for (const Node& next : graph_.nodes) {
        if (std::find(next.inputs.begin(), next.inputs.end(), to) != next.inputs.end())
          find_emissions(next.id, modes);
      }
      return;
    }
    if (std::find(modes.begin(), modes.end(), mode) == modes.end()) modes.push_back(mode);
  }

  EdgeInfo edge(NodeId from, NodeId to) const {
    EdgeInfo info;
    info.from = from;
    info.to = to;
    info.late = is_late(from, to);
    const Node& node = graph_.nodes[from];
    info.row = info.late ? graph_.nodes[node.inputs[0]].row : node.row;
    const Traits& traits = traits_[info.late ? node.inputs[0] : from];
    if (traits.keyed && !traits.keyed->rows) {
      std::vector<std::string> modes;
      find_emissions(to, modes);
      std::string text;
      for (const std::string& mode : modes) text += (text.empty() ? "" : " and ") + mode;
      info.traits.push_back(text);
    } else {
      info.traits.push_back("rows that never change");
    }
    for (const std::string* trait : {&traits.key, &traits.time, &traits.order}) {
      if (!trait->empty()) info.traits.push_back(*trait);
    }
    if (auto* keyed = std::get_if<KeyedNode>(&node.is); keyed && !info.late) {
      info.fused = false;
      info.why_not = refusal(*keyed, info.traits[0]);
    }
    return info;
  }

  // Why the rows of a keyed node begin a stage of their own.
  static std::string refusal(const KeyedNode& keyed, const std::string& modes) {
    if (keyed.rows && keyed.rows->waits())
      return "rows wait until the watermark has passed them, those of all partitions together";
    if (keyed.rows) return "the rows of a key meet from all partitions, between two batches";
    if (keyed.window && modes == "final rows")
      return "a group leaves when the watermark has passed its window, not with a row";
    return "groups leave at a commit or by the clock, not with a row";
  }

  const Graph& graph_;
  std::vector<Traits> traits_;
};

std::string record_text(const Graph& graph, RecordId row) {
  std::string text = "{ ";
  const auto& fields = graph.types.records[row].fields;
  for (size_t i = 0; i < fields.size(); ++i) text += (i ? ", " : "") + field_text(graph, fields[i]);
  return text + (fields.empty() ? "}" : " }");
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "nothing" : text;
}

}  // namespace

std::string node_name(const Graph& graph, const Node& node) {
  if (auto* keyed = std::get_if<KeyedNode>(&node.is)) return keyed->id;
  if (auto* sink = std::get_if<SinkNode>(&node.is)) return "sink " + sink->name;
  if (std::holds_alternative<UnionNode>(node.is)) return node.stream + " union";
  if (std::holds_alternative<SourceNode>(node.is)) return node.stream;
  // A stream may have several.
  int number = 0, mine = 0;
  for (const Node& other : graph.nodes) {
    if (!std::holds_alternative<RowsNode>(other.is) || other.stream != node.stream) continue;
    if (other.id == node.id) mine = number;
    ++number;
  }
  return node.stream + " rows" + (number > 1 ? " " + std::to_string(mine) : "");
}

std::vector<EdgeInfo> edges(const Graph& graph) { return EdgeFinder(graph).run(); }

std::vector<DecodedFields> decoded_fields(const Graph& graph) {
  std::vector<DecodedFields> all;
  for (const Node& node : graph.nodes) {
    auto* source = std::get_if<SourceNode>(&node.is);
    if (!source) continue;
    DecodedFields fields;
    fields.source = node.id;
    fields.format = source->format;
    fields.validation = source->validation == Validation::Projected    ? "projected"
                        : source->validation == Validation::Structural ? "structural"
                                                                       : "strict";
    const auto& declared = graph.types.records[source->record].fields;
    for (size_t i = 0; i < declared.size(); ++i)
      (source->used[i] ? fields.decoded : fields.skipped).push_back(field_text(graph, declared[i]));
    all.push_back(std::move(fields));
  }
  return all;
}

std::string print_edges(const Graph& graph) {
  std::string text;
  for (const DecodedFields& fields : decoded_fields(graph)) {
    text += graph.nodes[fields.source].stream + "  " + fields.format + ", validation " +
            fields.validation + "\n  decoded  " + listed(fields.decoded) + "\n  skipped  " +
            listed(fields.skipped) + "\n";
  }
  for (const EdgeInfo& edge : edges(graph)) {
    text += node_name(graph, graph.nodes[edge.from]) + (edge.late ? " ─late→ " : " → ") +
            node_name(graph, graph.nodes[edge.to]) +
            (edge.fused ? "  fused" : "  not fused: " + edge.why_not) + "\n  " +
            record_text(graph, edge.row) + "\n";
    std::string traits;
    for (const std::string& trait : edge.traits) traits += (traits.empty() ? "" : " · ") + trait;
    text += "  " + traits + "\n";
  }
  return text;
}

}  // namespace weir::compiler
