// `weir explain`: what a person asks a compiled graph. The facts are structs, for JSON and for
// tests; `print_…` makes the text of them.
#pragma once

#include <string>
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

}  // namespace weir::compiler
