// Makes aggregates of the calls in a block and hands out fields of the keyed row: whatever operator
// keeps state by aggregates has one while its block is checked.
#pragma once

#include <string>
#include <vector>

#include "compiler/aggregates.h"
#include "compiler/checker.h"

namespace weir::compiler {

class BlockHost : public AggregateHost {
 public:
  // What the calls are about, and where what they keep goes. All outlive the host.
  struct Into {
    const Scope& input;  // of a row
    bool positions;      // rows are records of a source
    std::vector<StateField>& state;
    std::vector<AggregateUse>& aggregates;
    uint32_t first_field;      // of the keyed row: that of the first aggregate
    KeptRows* rows = nullptr;  // of `over`: takes the frames
  };
  BlockHost(Checker& checker, const Declarations& declarations, Graph& graph,
            dsl::Diagnostics& diagnostics, const Into& into)
      : checker_(checker),
        declarations_(declarations),
        graph_(graph),
        diagnostics_(diagnostics),
        into_(into),
        before_(into.aggregates.size()) {}

  Expr aggregate(const dsl::Call& call, std::string_view name, dsl::Span span) override;

 private:
  std::optional<KeptRows::Frame> frame(const std::optional<dsl::Bound>& bound);
  bool arguments(const dsl::Call& call, const Aggregate& aggregate, Scope& scope, AggregateUse& use,
                 AggregateRequest& request);
  bool arguments(const dsl::Call& call, const AggregateFunction& declared, Scope& scope,
                 AggregateUse& use, dsl::Span span);
  std::optional<AggregateBody> expand(const dsl::Call& call, const Aggregate& aggregate,
                                      const AggregateUse& use, const AggregateRequest& request);
  // A row in which the argument is null is not counted.
  void add_argument(Expr argument, AggregateUse& use, AggregateRequest& request);
  Expr add(AggregateUse use, AggregateBody body, std::string text, dsl::Span span);
  Expr result(uint32_t index, dsl::Span span) const;
  Expr failed(dsl::Span span) const { return make(Op::Constant, Type{}, {}, span); }

  Checker& checker_;
  const Declarations& declarations_;
  Graph& graph_;
  dsl::Diagnostics& diagnostics_;
  Into into_;
  size_t before_;  // aggregates that are not of the block: the values of rows that are kept
  std::vector<std::string> texts_;
};

}  // namespace weir::compiler
