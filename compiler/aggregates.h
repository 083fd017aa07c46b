// Aggregates: what each keeps per group, how a row changes it, how two are merged, what comes out.
//
// An aggregate is one file in compiler/aggregates/ and one line in `aggregates.def`. It is written
// with the expressions of expr.h, so code generation knows no aggregate by name. Merging must not
// care for order: partial states of several lanes are merged as they come.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/declarations.h"
#include "compiler/graph.h"

namespace weir::compiler {

class Checker;

struct AggregateRequest {
  Types& types;                 // the graph's: an aggregate may need a new one
  std::vector<Type> arguments;  // required types
  bool may_be_empty = false;    // an argument may be null, or a `where` may leave no row
  bool positions =
      false;  // rows come from a source: partition and offset order rows of one event time
  dsl::Span span;
  bool event_time = false;            // rows have one
  bool by = false;                    // the last argument is that of `by`; it may be null
  std::optional<double> approx = {};  // of `approx`
  Constant constant = {};             // the argument that is a constant
  mutable uint32_t refused = 0;       // with a refusal: the argument that it is about, or …
  static constexpr uint32_t kConstant = ~0u, kApprox = ~0u - 1;
};

// What an aggregate needs, and which clauses it takes beside `where`.
enum : uint8_t {
  kNeedsEventTime = 1,
  kTakesBy = 2,
  kTakesApprox = 4,
  kCountFirst = 8,     // the first argument is a constant number of values
  kFractionLast = 16,  // the last one is a constant fraction
};

struct Aggregate {
  const char* name;
  size_t arguments_min, arguments_max;
  uint8_t takes;
  // Nothing and `refusal` ("wants a number") if the argument's type can't be aggregated so.
  std::optional<AggregateBody> (*expand)(const AggregateRequest& request, std::string& refusal);
};

const std::vector<Aggregate>& all_aggregates();
const Aggregate* find_aggregate(std::string_view name);

// Builders.
Expr state_of(uint32_t field, Type type);
Expr other_of(uint32_t field, Type type);
Expr argument_of(uint32_t index, Type type);
// `result` (of some required type) where the state is not empty, null otherwise; `result` itself if
// it can't be empty.
Expr unless_empty(const AggregateRequest& request, Expr is_empty, Expr result);

// Of an `aggregate fn`, once its state is known. Nothing if its bodies are wrong, and reported.
std::optional<AggregateBody> expand_declared(const AggregateFunction& declared, Checker& checker,
                                             dsl::Diagnostics& diagnostics);

#define AGGREGATE(name, arguments_min, arguments_max, takes) \
  std::optional<AggregateBody> expand_##name(const AggregateRequest& request, std::string& refusal);
#include "compiler/aggregates/aggregates.def"
#undef AGGREGATE

}  // namespace weir::compiler
