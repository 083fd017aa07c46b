// `weir explain`: what a person asks a compiled graph. The facts are structs, for JSON and for
// tests; `print_…` makes the text of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/graph.h"

namespace weir::compiler {

// How often the rows of a stream are where they go, whatever process dies when. The levels are what
// the runtime's commit gives (runtime/README.md, "The epoch"); tests/tools/delivery_test.py kills
// it at each step and counts.
struct Delivery {
  std::string what;   // "sink counts", "dead letters of rides"
  std::string place;  // "kafka(\"topic\")"
  bool exactly_once = false;
  std::vector<std::string> reasons;
  std::string dev;  // what `--dev` makes of it; "" if nothing
};
// Of each sink, then of each source's dead letters.
std::vector<Delivery> deliveries(const Graph& graph);
std::string print_delivery(const Graph& graph);

// What goes from a node to the next.
struct EdgeInfo {
  NodeId from = 0, to = 0;
  bool late = false;  // the rows that came too late for `from`
  RecordId row = 0;
  std::vector<std::string> traits;  // "final rows", "event time `ts`, watermark 10m behind it" …
  bool fused = true;                // one loop of machine code goes from `from` to `to`
  std::string why_not;
};
std::vector<EdgeInfo> edges(const Graph& graph);
// What of a source's record is read, and what only found the end of.
struct DecodedFields {
  NodeId source = 0;
  std::string format, validation;
  std::vector<std::string> decoded, skipped;  // "ts: timestamp(ms)"
};
std::vector<DecodedFields> decoded_fields(const Graph& graph);
std::string print_edges(const Graph& graph);
// "rides", "counts rows", "counts.window.0", "sink counts".
std::string node_name(const Graph& graph, const Node& node);

// The graph as a picture that needs no other program: layers from top to bottom, boxes that don't
// overlap, lines that cross no box.
std::string print_svg(const Graph& graph);

// What the size of state depends on and the program does not say.
struct Suppose {
  double keys = 10'000;  // different keys in a pane; of rows that are kept: at a time
  double rows = 10;      // of a key that are kept at a time
  double values = 10;    // of a key in a pane, for aggregates that keep values
  double text = 16;      // bytes of a text in state
  double key_text = 12;  // bytes of a text in a key
  double shards = 16;
};
// Sets one of them by its name; false if there is none.
bool suppose(Suppose& all, std::string_view name, double value);

// One part of the bytes of an operator: what it is, and how many it is said to need.
struct StatePart {
  std::string formula;  // "22 panes × 16 shards × 96 B × slots(keys ÷ 16)"
  double bytes = 0;
};
// A stateful operator in memory. tests/state/size_test.py holds `bytes` against what the runtime
// measures, within 1.5 times.
struct StateOperator {
  std::string id, what;  // "counts.window.0", "window tumble(1m) by k { … }"
  std::vector<std::pair<std::string, std::string>> keys;   // name, type
  std::vector<std::pair<std::string, std::string>> keeps;  // name, what is kept
  std::vector<StatePart> parts;
  bool bounded = true;
  std::vector<std::string> bounds;  // by what; of an unbounded one: what grows
  double bytes() const;
};
std::vector<StateOperator> state_operators(const Graph& graph, const Suppose& supposed);
std::string print_state(const Graph& graph, const Suppose& supposed);

// How many values a key of this type can have, where they are few.
std::optional<uint64_t> values_of(const Types& types, Type type);

}  // namespace weir::compiler
