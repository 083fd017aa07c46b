// Keyed operators whose result is rows: dedup, over.
//
// Both keep the rows of a key (KeptRows, graph.h) and hand rows on, as they are or with aggregates
// over the rows in front of them. The node's row is that of its input, and behind it the
// aggregates; where an item of `over` is more than an aggregate, or is called like a field, a
// projection follows.
#include <algorithm>

#include "compiler/aggregates/host.h"
#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

// The value of a field, kept for one row: a step sets it, nothing is ever merged into it.
AggregateUse row_value(const Field& field, uint32_t index, KeyedNode& node) {
  AggregateUse use;
  use.name = field.name;
  use.function = "row";
  Expr value = field_expr(index, field.type, field.span);
  std::optional<Expr> present = split_presence(value);
  Expr kept = argument_of(0, value.type);
  if (present) kept = wrapped(std::move(kept));
  use.arguments.push_back(std::move(value));
  use.argument_present.push_back(std::move(present));
  use.state_begin = uint32_t(node.state.size());
  node.state.push_back({"row." + field.name, field.type, Constant{}});
  use.state_end = use.state_begin + 1;
  use.step.push_back({use.state_begin, std::move(kept)});
  use.finish = state_of(use.state_begin, field.type);
  return use;
}

}  // namespace

// What both begin with: identity, keys, the values of the row. Nothing if something is wrong.
std::optional<KeyedNode> Builder::kept_rows(const char* kind, const std::vector<dsl::KeyItem>& by,
                                            const StreamEnd& in, Context& context,
                                            const dsl::Operator& whole) {
  if (in.changelog == Changelog::Running) {
    diagnostics_
        .report(Code::wrong_input_kind, whole.word.span,
                std::string("`") + kind +
                    "` wants rows that don't change any more, and those of a " +
                    "running `group` always can")
        .with_fix_text("window … instead of group …");
    return std::nullopt;
  }
  bool timed = in.has_event_time && in.has_watermark;
  if (!timed)
    need_watermark(in, whole.word.span, std::string("`") + kind + "`",
                   "needs to know how far time has come");
  KeyedNode node;
  node.id =
      context.stream + context.path + "." + kind + "." + std::to_string(context.kinds[kind]++);
  if (!keys_of(by, in, node, false) || !timed) return std::nullopt;
  node.rows.emplace();
  const std::vector<Field>& fields = graph_.types.records[in.row].fields;
  node.rows->fields = uint32_t(fields.size());
  for (uint32_t i = 0; i < fields.size(); ++i)
    node.aggregates.push_back(row_value(fields[i], i, node));
  return node;
}

StreamEnd Builder::add_kept_rows(KeyedNode node, std::vector<Field> fields, const StreamEnd& in,
                                 Context& context, const dsl::Operator& whole,
                                 const std::optional<dsl::Name>& late_name) {
  StreamEnd out = in;
  for (Field& field : fields) field.initial.reset();
  out.row = new_row(std::move(fields));
  out.has_meta = out.positions = false;
  out.chained = in.chained || in.changelog != Changelog::None;
  out.changelog = Changelog::None;
  out.keys.clear();
  out.key_part.assign(graph_.types.records[out.row].fields.size(), StreamEnd::kNotKey);
  out.node = add_node(std::move(node), {in.node}, out.row, context.stream, whole.span).id;
  if (late_name) late(*late_name, out.node, in);
  return out;
}

StreamEnd Builder::dedup(const dsl::DedupOp& op, StreamEnd in, Context& context,
                         const dsl::Operator& whole) {
  std::optional<KeyedNode> node = kept_rows("dedup", op.by, in, context, whole);
  std::optional<int64_t> within;
  if (op.within) within = checker_.duration(*op.within, "`within`");
  if (within && (*within <= 0 || *within > kSpanMax)) {
    diagnostics_.report(Code::bad_window, op.within->span,
                        "`within` is a duration above zero, and at most 1000 years");
    return failed();
  }
  if (!node || !within) return failed();
  node->rows->kind = KeptRows::Kind::Dedup;
  node->rows->within_us = *within;
  return add_kept_rows(std::move(*node), graph_.types.records[in.row].fields, in, context, whole,
                       op.late);
}

StreamEnd Builder::over(const dsl::OverOp& op, StreamEnd in, Context& context,
                        const dsl::Operator& whole) {
  std::optional<KeyedNode> node = kept_rows("over", op.by, in, context, whole);
  if (!node) return failed();
  node->rows->kind = KeptRows::Kind::Over;
  node->rows->on_arrival = op.on_arrival;

  const std::vector<Field> base = graph_.types.records[in.row].fields;
  Scope input = scope_of(in);
  BlockHost host(checker_, declarations_, graph_, diagnostics_,
                 {input, in.positions, node->state, node->aggregates, 0, &*node->rows});
  Scope scope = input;
  scope.aggregates = &host;
  scope.has_meta = false;
  scope.no_meta = "`meta` belongs to a record, and it is gone where `over` hands its row on";
  // An item may replace a field of the row: none is taken.
  std::optional<std::vector<BlockValue>> checked =
      block_values(op.block, scope, {}, Code::empty_operator,
                   "`over` hands on all fields of the row: `..` adds nothing");
  if (!checked) return failed();
  std::vector<BlockValue>& items = *checked;
  if (items.empty()) {
    diagnostics_
        .report(Code::empty_operator, whole.span, "`over` without an aggregate does nothing")
        .with_fix_text("{ n = count(within 10m) }");
    return failed();
  }
  if (!expire_after(op.expire, *node)) return failed();
  warn_if_unbounded(*node, whole.word.span);

  // The node's own row: aggregates have the names of their items, where these are nothing else.
  uint32_t first = node->rows->fields;
  std::vector<Field> fields = base;
  bool plain = items.size() == node->aggregates.size() - first;
  for (size_t i = 0; i < items.size(); ++i) {
    plain &= items[i].value.op == Op::Field && items[i].value.index == first + i &&
             std::none_of(base.begin(), base.end(),
                          [&](const Field& field) { return field.name == items[i].name; });
  }
  // For messages, where an aggregate is one of several things.
  for (const BlockValue& item : items) {
    if (item.value.op != Op::Field || item.value.index < first) continue;
    AggregateUse& use = node->aggregates[item.value.index];
    bool taken = std::any_of(base.begin(), base.end(),
                             [&](const Field& field) { return field.name == item.name; });
    if (use.name.front() == '_' && !taken) use.name = item.name;
  }
  for (size_t i = first; i < node->aggregates.size(); ++i) {
    if (plain) node->aggregates[i].name = items[i - first].name;
    Field field;
    field.name = field.wire_name = node->aggregates[i].name;
    field.type = node->aggregates[i].finish.type;
    field.span = plain ? items[i - first].span : whole.span;
    fields.push_back(std::move(field));
  }
  StreamEnd out = add_kept_rows(std::move(*node), std::move(fields), in, context, whole, op.late);
  if (plain) return out;

  // As `extend`: a field of that name is replaced where it stands.
  std::vector<Field> shown = base;
  std::vector<Expr> values;
  for (uint32_t i = 0; i < shown.size(); ++i) {
    shown[i].initial.reset();
    values.push_back(field_expr(i, shown[i].type, shown[i].span));
  }
  for (BlockValue& item : items) {
    size_t at = 0;
    while (at < shown.size() && shown[at].name != item.name) ++at;
    if (at == shown.size()) {
      shown.emplace_back();
      values.emplace_back();
    }
    shown[at].name = shown[at].wire_name = item.name;
    shown[at].type = item.value.type;
    shown[at].span = item.span;
    values[at] = std::move(item.value);
  }
  project(out, context, std::move(shown), std::move(values), whole.span);
  return out;
}

bool Builder::expire_after(const dsl::ExprPtr& expire, KeyedNode& node) {
  if (!expire) return true;
  std::optional<int64_t> after = checker_.duration(*expire, "`expire after`");
  if (!after) return false;
  if (*after <= 0 || *after > kSpanMax) {
    diagnostics_.report(Code::bad_window, expire->span,
                        "`expire after` is a duration above zero, and at most 1000 years");
    return false;
  }
  node.rows->within_us = *after;
  node.state.push_back({".used", timestamp_type(TimeUnit::Micro), Constant{}});
  return true;
}

// Frames in time go with the watermark; all others, and scans, keep something of each key for ever.
void Builder::warn_if_unbounded(const KeyedNode& node, dsl::Span span) {
  bool kept = node.rows->scan || std::any_of(node.rows->frames.begin(), node.rows->frames.end(),
                                             [](const KeptRows::Frame& frame) {
                                               return frame.kind != KeptRows::Frame::Kind::Time;
                                             });
  std::string growing;
  for (const KeyColumn& key : node.keys) {
    if (!is_bounded_key(key.value.type))
      growing += (growing.empty() ? "`" : ", `") + key.name + "`";
  }
  if (!kept || growing.empty() || node.rows->within_us > 0) return;
  diagnostics_
      .report(Code::state_unbounded, span,
              "this state grows: something is kept of each " + growing + " for ever")
      .with_fix_text(node.rows->scan
                         ? "expire after 1d, behind the statements"
                         : "within …, a duration, in each aggregate; or expire after 1d, "
                           "behind them");
}

}  // namespace weir::compiler
