#include "tools/weir/explain_json.h"

#include <cmath>
#include <sstream>

#include "compiler/compile.h"

namespace weir::tools {

using nlohmann::ordered_json;
using namespace compiler;

namespace {

const char* kind_of(const Node& node) {
  static constexpr const char* kKinds[] = {"source", "rows", "keyed", "union", "sink"};
  return kKinds[node.is.index()];
}

ordered_json row_json(const Graph& graph, RecordId row) {
  ordered_json fields = ordered_json::array();
  for (const Field& field : graph.types.records[row].fields)
    fields.push_back({{"name", field.name}, {"type", to_text(graph.types, field.type)}});
  return fields;
}

}  // namespace

ordered_json plan_json(const Graph& graph) {
  ordered_json nodes = ordered_json::array();
  for (const Node& node : graph.nodes) {
    nodes.push_back({{"id", node.id},
                     {"name", node_name(graph, node)},
                     {"kind", kind_of(node)},
                     {"stream", node.stream},
                     {"steps", node_lines(graph, node)},
                     {"inputs", node.inputs},
                     {"row", row_json(graph, node.row)}});
  }
  return nodes;
}

ordered_json stages_json(const Graph& graph) {
  ordered_json stages = ordered_json::array();
  std::istringstream text(print_stages(graph));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("stage ")) {
      const Stage& stage = graph.stages[stages.size()];
      stages.push_back({{"id", stage.id},
                        {"input", node_name(graph, graph.nodes[stage.input])},
                        {"steps", ordered_json::array()}});
    } else if (!stages.empty()) {
      stages.back()["steps"].push_back(line.substr(std::min<size_t>(line.size(), 2)));
    }
  }
  return stages;
}

ordered_json edges_json(const Graph& graph) {
  ordered_json all = ordered_json::array();
  for (const EdgeInfo& edge : edges(graph)) {
    ordered_json made{{"from", edge.from},     {"to", edge.to},
                      {"late", edge.late},     {"row", row_json(graph, edge.row)},
                      {"traits", edge.traits}, {"fused", edge.fused}};
    if (!edge.fused) made["why_not"] = edge.why_not;
    all.push_back(std::move(made));
  }
  return all;
}

ordered_json fields_json(const Graph& graph) {
  ordered_json all = ordered_json::array();
  for (const DecodedFields& fields : decoded_fields(graph)) {
    all.push_back({{"source", graph.nodes[fields.source].stream},
                   {"format", fields.format},
                   {"validation", fields.validation},
                   {"decoded", fields.decoded},
                   {"skipped", fields.skipped}});
  }
  return all;
}

ordered_json delivery_json(const Graph& graph) {
  ordered_json all = ordered_json::array();
  for (const Delivery& delivery : deliveries(graph)) {
    ordered_json made{{"what", delivery.what},
                      {"place", delivery.place},
                      {"level", delivery.exactly_once ? "exactly_once" : "at_most_once"},
                      {"reasons", delivery.reasons}};
    if (!delivery.dev.empty()) made["dev"] = delivery.dev;
    all.push_back(std::move(made));
  }
  return all;
}

ordered_json state_json(const Graph& graph, const Suppose& supposed) {
  ordered_json all = ordered_json::array();
  for (const StateOperator& each : state_operators(graph, supposed)) {
    ordered_json keys = ordered_json::array(), keeps = keys, parts = keys;
    for (const auto& [name, type] : each.keys) keys.push_back({{"name", name}, {"type", type}});
    for (const auto& [name, what] : each.keeps) keeps.push_back({{"name", name}, {"keeps", what}});
    for (const StatePart& part : each.parts)
      parts.push_back({{"formula", part.formula}, {"bytes", std::llround(part.bytes)}});
    all.push_back({{"id", each.id},
                   {"operator", each.what},
                   {"keys", keys},
                   {"keeps", keeps},
                   {"parts", parts},
                   {"bytes", std::llround(each.bytes())},
                   {"bounded", each.bounded},
                   {"bounds", each.bounds}});
  }
  return all;
}

}  // namespace weir::tools
