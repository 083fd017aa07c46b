// Where streams meet and part: union, split.
#include <algorithm>

#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

StreamEnd Builder::union_(const dsl::UnionOp& op, StreamEnd in, Context& context, dsl::Span span) {
  std::vector<StreamEnd> ends = {in};
  for (const auto& input : op.inputs) {
    Context inner;
    inner.stream = context.stream;
    inner.kinds = context.kinds;
    StreamEnd end = pipeline(*input, inner);
    context.kinds = inner.kinds;
    if (!end.ok()) return failed();
    if (!same_row(in.row, end.row)) {
      Type left = type_of(TypeKind::Record), right = left;
      left.ref = in.row;
      right.ref = end.row;
      diagnostics_.report(Code::no_common_type, input->span, "the rows of a `union` have one type")
          .with_label(to_text(graph_.types, right))
          .with_note("the rows before it: " + to_text(graph_.types, left))
          .with_fix_text("select the same fields, in the same order, on both sides");
      return failed();
    }
    ends.push_back(std::move(end));
  }
  std::vector<NodeId> inputs;
  StreamEnd out = in;
  out.facts.clear();
  for (const std::string& fact : in.facts) {
    if (std::all_of(ends.begin(), ends.end(),
                    [&](const StreamEnd& end) { return end.facts.count(fact); }))
      out.facts.insert(fact);
  }
  for (const StreamEnd& end : ends) {
    if (end.changelog != Changelog::None) {
      not_supported(diagnostics_, span, "`union` of a windowed or grouped result");
      return failed();
    }
    inputs.push_back(end.node);
    out.has_event_time &= end.has_event_time;
    if (!end.has_event_time) out.no_event_time = end.no_event_time;
    out.has_watermark &= end.has_watermark;
    out.has_meta &= end.has_meta;
    out.positions &= end.positions;
    out.replayable &= end.replayable;
    if (end.source != out.source) out.source = nullptr;
    for (size_t i = 0; i < out.key_part.size(); ++i) out.key_part[i] = StreamEnd::kNotKey;
  }
  out.node = add_node(UnionNode{}, std::move(inputs), in.row, context.stream, span).id;
  return out;
}

// What is split and the conditions, once for all arms; in the name of the first one.
const Builder::Split& Builder::split(const dsl::Declaration& declaration) {
  auto [at, fresh] = splits_.try_emplace(&declaration);
  const auto& declared = std::get<dsl::SplitDecl>(declaration.node);
  if (!fresh || !declared.pipeline || declared.arms.empty()) return at->second;
  Split split;
  Context context;
  context.stream = declared.arms[0].name.text;
  split.in = pipeline(*declared.pipeline, context);
  if (!split.in.ok()) return at->second;
  StreamEnd rest = split.in;
  for (const dsl::SplitArm& arm : declared.arms) {
    if (!arm.predicate) break;
    Scope scope = scope_of(rest);
    Expr predicate = checker_.check_condition(*arm.predicate, scope, "`when`", true);
    if (predicate.type.is(TypeKind::Error)) return at->second = {};
    if (!predicate.type.optional) facts_of(predicate, false, rest.facts);
    split.predicates.push_back(std::move(predicate));
  }
  return at->second = std::move(split);
}

StreamEnd Builder::split_arm(const dsl::Declaration& declaration, const std::string& name) {
  const Split& made = split(declaration);
  StreamEnd in = made.in;
  if (!in.ok()) return failed();
  Context context;
  context.stream = name;
  const auto& arms = std::get<dsl::SplitDecl>(declaration.node).arms;
  for (size_t i = 0; i < made.predicates.size(); ++i) {
    Expr predicate = made.predicates[i];
    const dsl::Span span = predicate.span;
    const bool own = arms[i].name.text == name;
    if (own) {
      facts_of(predicate, true, in.facts);
    } else {
      // A null is not true: the row goes on to the next arm.
      if (predicate.type.optional)
        predicate = make(Op::Coalesce, type_of(TypeKind::Bool),
                         {std::move(predicate), bool_constant(false, span)}, span);
      else
        facts_of(predicate, false, in.facts);
      predicate = make(Op::Not, type_of(TypeKind::Bool), {std::move(predicate)}, span);
    }
    rows(in, context, span).push_back(WhereStep{std::move(predicate)});
    if (own) return in;
  }
  return in;  // else
}

}  // namespace weir::compiler
