// Keyed operators: windows and groups, their keys, the aggregates of their blocks.
//
// A block's items are expressions over the keyed row `window_start, window_end, keys…,
// aggregates…`. An item that is nothing but an aggregate is a field of that row; where one is more
// (`sum(x) / count()`), a projection follows the node.
#include <algorithm>
#include <numeric>

#include "compiler/aggregates/host.h"
#include "compiler/builder.h"
#include "compiler/constant.h"
#include "dsl/fix.h"

namespace weir::compiler {

using dsl::Code;

int64_t WindowSpec::pane_us() const { return std::gcd(size_us, slide_us); }

namespace {

constexpr int64_t kPanesPerWindowMax = 100'000;

}  // namespace

bool Builder::is_bounded_key(Type type) {
  return type.is(TypeKind::Bool) || type.is(TypeKind::Enum);
}

void Builder::need_watermark(const StreamEnd& in, dsl::Span span, const std::string& who,
                             const std::string& why) {
  std::string missing = in.has_event_time  ? "`watermark`"
                        : in.has_watermark ? "`event_time`"
                                           : "`event_time` and no `watermark`";
  std::string whose = in.source ? "source `" + in.source->name.text + "`" : "the rows here";
  auto& diagnostic = diagnostics_.report(Code::watermark_missing, span,
                                         who + " " + why + ", and " + whose + " has no " + missing);
  if (in.source) {
    const auto& declared = std::get<dsl::SourceDecl>(in.source->node);
    diagnostic.with_note(in.source->name.span, "declared here");
    auto record = declarations_.records.find(declared.record.text);
    std::string field = record == declarations_.records.end() ? "" : time_field(record->second);
    std::string fix;
    if (!in.has_event_time) fix += "event_time = " + (field.empty() ? "…" : field);
    if (!in.has_watermark) fix += std::string(fix.empty() ? "" : ", ") + "watermark = 10s";
    if (!in.has_event_time && field.empty())
      diagnostic.with_fix_text(fix + "   (in the braces of `" + in.source->name.text + "`)");
    else
      diagnostic.with_fix(dsl::add_item(declarations_.sources->file(in.source->name.span.file),
                                        declared.connector.braces, fix));
  }
}

std::optional<WindowSpec> Builder::window_spec(const dsl::WindowOp& op, const StreamEnd& in,
                                               dsl::Span span) {
  WindowSpec spec;
  bool bad = false;
  auto read = [&](const dsl::ExprPtr& expr, const char* what, int64_t low, int64_t& into) {
    if (!expr) return;
    auto micros = checker_.duration(*expr, what);
    if (!micros) {
      bad = true;
      return;
    }
    if (*micros < low || *micros > kSpanMax) {
      diagnostics_.report(
          Code::bad_window, expr->span,
          std::string(what) + (low > 0 ? " is a duration above zero, and at most 1000 years"
                                       : " is at most 1000 years, and not below " +
                                             std::string(low < 0 ? "minus that" : "zero")));
      bad = true;
      return;
    }
    into = *micros;
  };
  read(op.size, "the size of a window", 1, spec.size_us);
  if (op.shape == dsl::WindowOp::Shape::Hop)
    read(op.slide, "the step of a window", 1, spec.slide_us);
  else
    spec.slide_us = spec.size_us;
  read(op.offset, "`offset`", -kSpanMax, spec.offset_us);
  read(op.grace, "`grace`", 0, spec.grace_us);
  if (bad || spec.size_us <= 0 || spec.slide_us <= 0) return std::nullopt;
  if (spec.size_us / spec.pane_us() > kPanesPerWindowMax) {
    diagnostics_
        .report(Code::bad_window, span,
                "a window of " + std::to_string(spec.size_us / spec.pane_us()) +
                    " slices: size and step have so small a common divisor")
        .with_note("at most " + std::to_string(kPanesPerWindowMax) + " slices")
        .with_fix_text("a step that divides the size");
    return std::nullopt;
  }
  spec.offset_us = ((spec.offset_us % spec.slide_us) + spec.slide_us) % spec.slide_us;
  return spec;
}

StreamEnd Builder::window(const dsl::WindowOp& op, StreamEnd in, Context& context,
                          const dsl::Operator& whole) {
  if (op.shape == dsl::WindowOp::Shape::Session) return refuse(whole, "window session");
  if (op.processing_time) return refuse(whole, "using processing_time");
  if (op.late && checker_.frame) {
    not_supported(diagnostics_, op.late->span, "`late ->` in a pipe");
    return failed();
  }
  if (!op.block) {
    not_supported(diagnostics_, whole.word.span, "a window without a block")
        .with_fix_text("window … by … { n = count() }");
    return failed();
  }
  if (in.changelog == Changelog::Running) {
    not_supported(diagnostics_, whole.word.span, "a window over the changes of a running `group`")
        .with_note("a result that was counted changes later, and would have to be taken back")
        .with_fix_text("a `window` in place of the first `group`: its final rows can be counted");
    return failed();
  }
  auto spec = window_spec(op, in, whole.span);
  bool timed = in.has_event_time && in.has_watermark;
  if (!timed) need_watermark(in, whole.word.span, "a window");
  if (!spec) return failed();
  StreamEnd input = in;
  StreamEnd out = keyed("window", spec, op.by, *op.block, std::move(in), context, whole.span);
  if (out.ok() && op.late) {
    // The node before the projections that may follow it.
    NodeId node = out.node;
    while (!std::holds_alternative<KeyedNode>(graph_.nodes[node].is))
      node = graph_.nodes[node].inputs[0];
    late(*op.late, node, input);
  }
  if (!timed) return failed();
  return out;
}

StreamEnd Builder::group(const dsl::GroupOp& op, StreamEnd in, Context& context,
                         const dsl::Operator& whole) {
  if (op.expire) {
    not_supported(diagnostics_, op.expire->span, "`expire after` of a `group`");
    return failed();
  }
  if (in.changelog == Changelog::Running) {
    not_supported(diagnostics_, whole.word.span, "a `group` over the changes of a running `group`")
        .with_note("a result that was counted changes later, and would have to be taken back")
        .with_fix_text("a `window` in place of the first `group`: its final rows can be counted");
    return failed();
  }
  StreamEnd out = keyed("group", std::nullopt, op.by, op.block, std::move(in), context, whole.span);
  if (!out.ok()) return out;
  NodeId node = out.node;
  while (!std::holds_alternative<KeyedNode>(graph_.nodes[node].is))
    node = graph_.nodes[node].inputs[0];
  std::string growing;
  for (const KeyColumn& key : std::get<KeyedNode>(graph_.nodes[node].is).keys) {
    if (!is_bounded_key(key.value.type))
      growing += (growing.empty() ? "`" : ", `") + key.name + "`";
  }
  for (const AggregateUse& use : std::get<KeyedNode>(graph_.nodes[node].is).aggregates) {
    if (!use.unbounded) continue;
    diagnostics_
        .report(Code::state_unbounded, whole.word.span,
                "this state grows: `" + use.name + " = " + use.function +
                    "(…)` keeps values of all rows, for ever")
        .with_fix_text("window tumble(…) …, whose groups go with their window");
  }
  if (!growing.empty()) {
    diagnostics_
        .report(Code::state_unbounded, whole.word.span,
                "this state grows: one group for each " + growing + ", kept for ever")
        .with_fix_text("window tumble(…) by …, whose groups go with their window");
  }
  return out;
}

bool Builder::keys_of(const std::vector<dsl::KeyItem>& by, const StreamEnd& in, KeyedNode& node,
                      bool windowed) {
  Scope scope = scope_of(in);
  bool good = true;
  for (const dsl::KeyItem& item : by) {
    if (!item.value) {
      good = false;
      continue;
    }
    std::string name = item.name ? item.name->text : last_name(*item.value);
    dsl::Span span = item.name ? item.name->span : item.value->span;
    if (name.empty()) {
      std::string shown(declarations_.sources->text(item.value->span));
      if (shown.size() > 60) shown = "…";
      diagnostics_.report(Code::bad_key, span, "this key needs a name")
          .with_fix({item.value->span.begin, item.value->span.begin, item.value->span.file},
                    "name = ");
      good = false;
      continue;
    }
    Expr value = checker_.check(*item.value, scope);
    if (value.type.is(TypeKind::Error)) {
      good = false;
      continue;
    }
    if (!can_be_key(value.type)) {
      diagnostics_
          .report(Code::bad_key, span,
                  "rows can't be grouped by a value of type " + to_text(graph_.types, value.type))
          .with_label(to_text(graph_.types, value.type));
      good = false;
      continue;
    }
    bool taken = windowed && (name == "window_start" || name == "window_end");
    for (const KeyColumn& other : node.keys) taken |= other.name == name;
    if (taken) {
      diagnostics_
          .report(Code::declared_twice, span, "there are two fields `" + name + "` in the result")
          .with_fix_text("other_name = " + name);
      good = false;
      continue;
    }
    node.keys.push_back({name, std::move(value)});
  }
  return good;
}

// The items of a block with aggregates; `scope` gets their names. None may be called as one of
// `taken` is. Nothing: some are wrong, and all have been looked at.
std::optional<std::vector<Builder::BlockValue>> Builder::block_values(
    const dsl::Block& block, Scope& scope, const std::vector<Field>& taken, Code spread_code,
    const char* spread_text) {
  std::vector<BlockValue> items;
  bool good = true;
  auto refuse = [&](Code code, dsl::Span span, const std::string& text) {
    diagnostics_.report(code, span, text);
    good = false;
  };
  for (const dsl::BlockItem& item : block.items) {
    if (item.spread) {
      refuse(spread_code, item.span, spread_text);
      continue;
    }
    std::string name = item_name(item);
    if (name.empty() || !item.value) {
      good = false;
      continue;
    }
    scope.items_used.clear();
    Expr value = checker_.check(*item.value, scope);
    auto is_called_so = [&](const auto& other) { return other.name == name; };
    if (value.type.is(TypeKind::Error)) {
      good = false;
    } else if (value.type.is(TypeKind::Null)) {
      refuse(Code::type_mismatch, item.value->span, "nothing says what type this `null` has");
    } else if (size_of(value, 100'000) >= 100'000) {
      refuse(Code::too_deep, item.span,
             "this value is too large, with the items above written out in it");
    } else if (std::any_of(taken.begin(), taken.end(), is_called_so) ||
               std::any_of(items.begin(), items.end(), is_called_so)) {
      refuse(Code::declared_twice, item.span, "there are two fields `" + name + "` in the result");
    } else {
      scope.names.push_back({name, value, int(items.size()), item.span});
      items.push_back({name, std::move(value), item.span});
    }
  }
  if (!good) return std::nullopt;
  return items;
}

StreamEnd Builder::keyed(const char* kind, std::optional<WindowSpec> window,
                         const std::vector<dsl::KeyItem>& by, const dsl::Block& block, StreamEnd in,
                         Context& context, dsl::Span span) {
  KeyedNode node;
  node.id =
      context.stream + context.path + "." + kind + "." + std::to_string(context.kinds[kind]++);
  node.window = window;
  bool good = keys_of(by, in, node, window.has_value());

  // The keyed row: bounds, keys, then aggregates.
  std::vector<Field> base;
  auto add = [&](const std::string& name, Type type, dsl::Span at) {
    Field field;
    field.name = field.wire_name = name;
    field.type = type;
    field.span = at;
    base.push_back(std::move(field));
  };
  if (window) {
    add("window_start", timestamp_type(TimeUnit::Micro), span);
    add("window_end", timestamp_type(TimeUnit::Micro), span);
  }
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const KeyColumn& key = node.keys[i];
    bool named = node.keys.size() == by.size() && by[i].name;
    add(key.name, key.value.type, named ? by[i].name->span : key.value.span);
  }

  Scope input = scope_of(in);
  BlockHost host(checker_, declarations_, graph_, diagnostics_,
                 {input, in.positions, node.state, node.aggregates, uint32_t(base.size())});
  Scope scope;
  for (uint32_t i = 0; i < base.size(); ++i)
    scope.names.push_back({base[i].name, field_expr(i, base[i].type, span), -1, base[i].span});
  scope.aggregates = &host;
  scope.rows_of_group = &input;
  scope.has_event_time = window.has_value();
  scope.no_event_time = "a running group has none of its own";
  scope.no_meta = "`meta` belongs to one record, and this is a group of them";

  std::optional<std::vector<BlockValue>> checked =
      block_values(block, scope, base, Code::field_outside_aggregate,
                   "`..` means fields of one row, and this is a group of them");
  good &= checked.has_value();
  if (node.keys.empty() && node.aggregates.empty() && good) {
    diagnostics_
        .report(Code::empty_operator, span, "no key and no aggregate: there is nothing to compute")
        .with_fix_text("{ n = count() }");
    good = false;
  }
  if (!good) return failed();
  std::vector<BlockValue>& items = *checked;

  // Is every item an aggregate of its own, in their order?
  bool plain = items.size() == node.aggregates.size();
  for (size_t i = 0; plain && i < items.size(); ++i) {
    plain = items[i].value.op == Op::Field && items[i].value.index == base.size() + i;
  }
  if (plain) {
    for (size_t i = 0; i < items.size(); ++i) node.aggregates[i].name = items[i].name;
  } else {
    for (const BlockValue& item : items) {
      if (item.value.op != Op::Field || item.value.index < base.size()) continue;
      AggregateUse& use = node.aggregates[item.value.index - base.size()];
      if (use.name.front() == '_') use.name = item.name;
    }
  }
  std::vector<Field> fields = base;
  for (const AggregateUse& use : node.aggregates) {
    Field field;
    field.name = field.wire_name = use.name;
    field.type = use.finish.type;
    field.span = span;
    fields.push_back(std::move(field));
  }

  StreamEnd out;
  out.row = new_row(fields);
  out.source = in.source;
  out.has_event_time = window.has_value();
  out.no_event_time = "the result of a running `group` has none";
  out.has_watermark = window.has_value() && in.has_watermark;
  out.replayable = in.replayable;
  out.changelog = window ? Changelog::Windowed : Changelog::Running;
  out.chained = in.chained || in.changelog != Changelog::None;
  out.key_part.assign(fields.size(), StreamEnd::kNotKey);
  for (size_t i = 0; i < base.size(); ++i) {
    size_t bounds = window ? 2 : 0;
    out.key_part[i] = i < bounds ? StreamEnd::kWindowBound : int(i - bounds);
  }
  for (const KeyColumn& key : node.keys) out.keys.push_back(key.name);
  Node& made = add_node(std::move(node), {in.node}, out.row, context.stream, span);
  made.kind = EdgeKind::Upsert;
  out.node = made.id;
  if (plain) return out;

  std::vector<Field> shown = base;
  std::vector<Expr> values;
  for (uint32_t i = 0; i < base.size(); ++i) values.push_back(field_expr(i, base[i].type, span));
  for (BlockValue& item : items) {
    Field field;
    field.name = field.wire_name = item.name;
    field.type = item.value.type;
    field.span = item.span;
    shown.push_back(std::move(field));
    values.push_back(std::move(item.value));
  }
  project(out, context, std::move(shown), std::move(values), span);
  return out;
}

void Builder::late(const dsl::Name& name, NodeId keyed, const StreamEnd& in) {
  StreamEnd end = in;
  end.has_watermark = false;  // they are behind it
  end.node = add_node(RowsNode{}, {keyed}, in.row, name.text, name.span).id;
  std::get<KeyedNode>(graph_.nodes[keyed].is).late = end.node;
  built_[name.text] = end;
}

}  // namespace weir::compiler
