// `weir explain --json`: the same facts for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "compiler/explain.h"

namespace weir::tools {

nlohmann::ordered_json plan_json(const compiler::Graph& graph);      // nodes, with their steps
nlohmann::ordered_json stages_json(const compiler::Graph& graph);    // of machine code
nlohmann::ordered_json edges_json(const compiler::Graph& graph);     // rows between nodes
nlohmann::ordered_json fields_json(const compiler::Graph& graph);    // decoded and skipped
nlohmann::ordered_json delivery_json(const compiler::Graph& graph);  // of sinks and dead letters
nlohmann::ordered_json state_json(const compiler::Graph& graph, const compiler::Suppose& supposed);

}  // namespace weir::tools
