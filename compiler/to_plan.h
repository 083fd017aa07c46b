// The hand-over to the runtime, and what code generation must agree with it about.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph.h"
#include "compiler/layout.h"
#include "compiler/passes.h"
#include "runtime/contract/plan.pb.h"

namespace weir::compiler {

// Requires: stages are fused.
contract::Plan to_plan(const Graph& graph, const std::string& name);

// Streams, in the order of Plan.streams: WeirRowError::stream is an index in it.
std::vector<std::string> stream_names(const Graph& graph);

// The accumulator of a group: behind its WeirGroupHeader the state fields.
inline constexpr uint32_t kGroupHeaderBytes = 8;
Layout state_layout(const Types& types, const KeyedNode& keyed);
std::string group_initial(const Types& types, const KeyedNode& keyed);
// Text that is the same if, and only if, stored state can be read again: types of keys and state,
// aggregates, window.
std::string state_signature(const Types& types, const KeyedNode& keyed);

}  // namespace weir::compiler
