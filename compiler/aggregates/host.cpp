#include "compiler/aggregates/host.h"

#include <algorithm>

#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

void shift_state(Expr& expr, uint32_t by) {
  if (expr.op == Op::State || expr.op == Op::Other) expr.index += by;
  for (Expr& arg : expr.args) shift_state(arg, by);
}

bool reads_event_time(const Expr& expr) {
  return expr.op == Op::EventTime ||
         std::any_of(expr.args.begin(), expr.args.end(),
                     [](const Expr& arg) { return reads_event_time(arg); });
}
bool reads_event_time(const AggregateBody& body) {
  return std::any_of(body.step.begin(), body.step.end(),
                     [](const StateAssign& assign) { return reads_event_time(assign.value); });
}

const char* arguments_text(const Aggregate& aggregate) {
  if (aggregate.takes & kCountFirst) return "a number and a value";
  if (aggregate.takes & kFractionLast) return "a value and a fraction";
  if (aggregate.arguments_max == 2) return "two values";
  return aggregate.arguments_min ? "one value" : "one value or none";
}

}  // namespace

Expr BlockHost::aggregate(const dsl::Call& call, std::string_view name, dsl::Span span) {
  auto declared = declarations_.aggregates.find(name);
  const Aggregate* aggregate =
      declared == declarations_.aggregates.end() ? find_aggregate(name) : nullptr;
  const uint8_t takes = aggregate ? aggregate->takes : 0;
  for (auto [given, word, taken] :
       {std::tuple{call.by.get(), "by", takes & kTakesBy},
        std::tuple{call.approx.get(), "approx", takes & kTakesApprox}}) {
    if (!given || taken) continue;
    diagnostics_.report(Code::wrong_arguments, given->span,
                        "`" + std::string(name) + "` takes no `" + word + "`");
    return failed(span);
  }
  if (call.within && !into_.rows) {
    diagnostics_.report(Code::wrong_arguments, span,
                        "`within` inside an aggregate belongs to `over`");
    return failed(span);
  }
  bool timed = takes & kNeedsEventTime ||
               (!aggregate && declared->second.body && reads_event_time(*declared->second.body));
  if (timed && !into_.input.has_event_time) {
    auto& diagnostic =
        diagnostics_.report(Code::watermark_missing, span,
                            "`" + std::string(name) + "` needs to know the event time of rows");
    if (!into_.input.no_event_time.empty()) diagnostic.with_note(into_.input.no_event_time);
    diagnostic.with_fix_text("event_time = …, in the source's options");
    return failed(span);
  }
  // The same text is the same aggregate.
  std::string text(declarations_.sources->text(span));
  for (size_t i = 0; i < texts_.size(); ++i) {
    if (texts_[i] == text) return result(uint32_t(before_ + i), span);
  }
  std::optional<KeptRows::Frame> over;
  if (into_.rows && !(over = frame(call.within))) return failed(span);

  Scope scope = into_.input;
  AggregateUse use;
  use.function = std::string(name);
  AggregateRequest request{graph_.types, {}, over && over->to_us > 0, into_.positions, span};
  request.event_time = into_.input.has_event_time;
  if (call.where) {
    Expr filter = checker_.check_condition(*call.where, scope, "`where`", true);
    if (filter.type.is(TypeKind::Error)) return failed(span);
    facts_of(filter, true, scope.facts);
    use.filter = std::move(filter);
    request.may_be_empty = true;
  }
  std::optional<AggregateBody> body;
  if (aggregate) {
    if (!arguments(call, *aggregate, scope, use, request)) return failed(span);
    body = expand(call, *aggregate, use, request);
  } else {
    if (!arguments(call, declared->second, scope, use, span)) return failed(span);
    body = declared->second.body;
  }
  if (!body) return failed(span);
  // Frames put groups together again and again, and memory that grows belongs to one group.
  bool grows = std::any_of(body->state.begin(), body->state.end(),
                           [](const StateField& field) { return field.grows; });
  if (over && grows) {
    not_supported(diagnostics_, span, "`" + use.function + "` in `over`");
    return failed(span);
  }
  if (over) {
    std::vector<KeptRows::Frame>& frames = into_.rows->frames;
    auto same = std::find(frames.begin(), frames.end(), *over);
    into_.rows->frame_of.push_back(uint32_t(same - frames.begin()));
    if (same == frames.end()) frames.push_back(*over);
  }
  return add(std::move(use), std::move(*body), std::move(text), span);
}

void BlockHost::add_argument(Expr argument, AggregateUse& use, AggregateRequest& request) {
  std::optional<Expr> present = split_presence(argument);
  request.may_be_empty |= present.has_value();
  request.arguments.push_back(argument.type);
  use.arguments.push_back(std::move(argument));
  use.argument_present.push_back(std::move(present));
}

bool BlockHost::arguments(const dsl::Call& call, const Aggregate& aggregate, Scope& scope,
                          AggregateUse& use, AggregateRequest& request) {
  std::string shown = "`" + use.function + "`";
  if (call.arguments.size() < aggregate.arguments_min ||
      call.arguments.size() > aggregate.arguments_max) {
    diagnostics_.report(Code::wrong_arguments, request.span,
                        shown + " takes " + std::string(arguments_text(aggregate)) +
                            ", and this has " + std::to_string(call.arguments.size()));
    return false;
  }
  const dsl::Argument* constant = aggregate.takes & kCountFirst     ? &call.arguments.front()
                                  : aggregate.takes & kFractionLast ? &call.arguments.back()
                                                                    : nullptr;
  for (const dsl::Argument& given : call.arguments) {
    if (&given == constant) {
      bool count = aggregate.takes & kCountFirst;
      auto value =
          checker_.constant(*given.value, type_of(count ? TypeKind::Int64 : TypeKind::Float64),
                            (count ? "the number of values of " : "the fraction of ") + shown);
      if (!value) return false;
      request.constant = std::move(*value);
      continue;
    }
    Expr argument = checker_.check(*given.value, scope);
    if (argument.type.is(TypeKind::Error)) return false;
    if (argument.type.is(TypeKind::Null)) {
      diagnostics_.report(Code::type_mismatch, argument.span, shown + " of nothing but null");
      return false;
    }
    add_argument(std::move(argument), use, request);
  }
  if (call.by) {
    Expr by = checker_.check(*call.by, scope);
    if (by.type.is(TypeKind::Error)) return false;
    request.by = true;
    request.arguments.push_back(by.type);
    use.arguments.push_back(std::move(by));
    use.argument_present.emplace_back();
  }
  if (call.approx) {
    auto error =
        checker_.constant(*call.approx, type_of(TypeKind::Float64), "the error of " + shown);
    if (!error) return false;
    request.approx = std::get<double>(error->value);
  }
  return true;
}

std::optional<AggregateBody> BlockHost::expand(const dsl::Call& call, const Aggregate& aggregate,
                                               const AggregateUse& use,
                                               const AggregateRequest& request) {
  std::string refusal;
  auto body = aggregate.expand(request, refusal);
  if (!body && request.refused >= AggregateRequest::kApprox) {
    const dsl::Expr* about = request.refused == AggregateRequest::kApprox ? call.approx.get()
                             : aggregate.takes & kCountFirst ? call.arguments.front().value.get()
                                                             : call.arguments.back().value.get();
    diagnostics_.report(Code::wrong_arguments, about->span, "`" + use.function + "` " + refusal);
  } else if (!body) {
    std::string type = to_text(graph_.types, request.arguments[request.refused]);
    if (refusal.ends_with(" yet")) {
      not_supported(diagnostics_, use.arguments[request.refused].span,
                    "`" + use.function + "` of " + type);
      return body;
    }
    diagnostics_
        .report(Code::type_mismatch, use.arguments[request.refused].span,
                "`" + use.function + "` " + refusal + ", and this is " + type)
        .with_label(type);
  }
  return body;
}

// A parameter that may not be null skips rows in which its argument is; one that may be takes it.
bool BlockHost::arguments(const dsl::Call& call, const AggregateFunction& declared, Scope& scope,
                          AggregateUse& use, dsl::Span span) {
  std::string shown = "`" + use.function + "`";
  if (call.arguments.size() != declared.types.size()) {
    diagnostics_
        .report(Code::wrong_arguments, span,
                shown + " takes " + std::to_string(declared.types.size()) +
                    (declared.types.size() == 1 ? " value" : " values") + ", and this has " +
                    std::to_string(call.arguments.size()))
        .with_note(declared.span, "declared here");
    return false;
  }
  for (size_t i = 0; i < declared.types.size(); ++i) {
    const Type want = declared.types[i];
    const dsl::Argument& given = call.arguments[i];
    if (given.name) {
      diagnostics_.report(Code::wrong_arguments, given.name->span,
                          "arguments of functions have no names");
      return false;
    }
    Expr argument = checker_.check(*given.value, scope, want);
    std::optional<Expr> present;
    if (!want.optional && !argument.type.is(TypeKind::Error)) present = split_presence(argument);
    argument =
        checker_.convert(std::move(argument), want, "`" + declared.parameters[i] + "` of " + shown);
    if (argument.type.is(TypeKind::Error)) return false;
    use.arguments.push_back(std::move(argument));
    use.argument_present.push_back(std::move(present));
  }
  return true;
}

Expr BlockHost::add(AggregateUse use, AggregateBody body, std::string text, dsl::Span span) {
  std::string number = std::to_string(into_.aggregates.size());
  use.state_begin = uint32_t(into_.state.size());
  for (StateField& field : body.state) {
    field.name = use.function + number + "." + field.name;
    into_.state.push_back(std::move(field));
  }
  use.state_end = uint32_t(into_.state.size());
  for (auto* assigns : {&body.step, &body.merge}) {
    for (StateAssign& assign : *assigns) {
      assign.field += use.state_begin;
      shift_state(assign.value, use.state_begin);
    }
  }
  shift_state(body.finish, use.state_begin);
  use.step = std::move(body.step);
  use.merge = std::move(body.merge);
  use.finish = std::move(body.finish);
  use.parameters = std::move(body.parameters);
  use.unbounded = body.unbounded;
  use.name = "_" + number;
  into_.aggregates.push_back(std::move(use));
  texts_.push_back(std::move(text));
  return result(uint32_t(into_.aggregates.size() - 1), span);
}

Expr BlockHost::result(uint32_t index, dsl::Span span) const {
  return field_expr(into_.first_field + index, into_.aggregates[index].finish.type, span);
}

}  // namespace weir::compiler
