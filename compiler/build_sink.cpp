// Sinks: connector, key, what leaves when, and which delivery the path gives.
#include <algorithm>

#include "compiler/builder.h"
#include "compiler/constant.h"
#include "dsl/fix.h"

namespace weir::compiler {

using dsl::Code;

namespace {

constexpr std::string_view kSinkOptions[] = {"format", "key", "emit", "deliver"};

const dsl::Option* find_option(const dsl::Connector& connector, std::string_view name) {
  for (const dsl::Option& option : connector.options) {
    if (option.name.text == name) return &option;
  }
  return nullptr;
}

}  // namespace

void Builder::emit_option(const dsl::Option& option, SinkNode& node) {
  std::string word = option_word(option);
  if (word == "append")
    node.emit = EmitMode::Append;
  else if (word == "update")
    node.emit = EmitMode::Update;
  else if (word == "complete")
    node.emit = EmitMode::Complete;
  else if (word == "retract" || word == "upsert")
    not_supported(diagnostics_, option.value->span, "`emit = " + word + "`");
  else {
    auto& diagnostic = diagnostics_.report(Code::bad_emit, option.value->span,
                                           "`emit` is `append`, `update` or `complete`");
    if (std::string near = nearest(word, {"append", "update", "complete"}); !near.empty())
      diagnostic.with_fix(option.value->span, near);
  }
  if (!option.every) return;
  auto every = checker_.duration(*option.every, "`every`");
  if (!every) return;
  if (*every <= 0)
    diagnostics_.report(Code::bad_emit, option.every->span, "`every` is a duration above zero");
  else
    node.every_us = *every;
}

void Builder::check_emit(const StreamEnd& in, const dsl::Connector& connector, dsl::Span span,
                         SinkNode& node) {
  const std::string stream = graph_.nodes[in.node].stream;
  if (in.changelog == Changelog::None) {
    if (node.emit == EmitMode::Complete) {
      diagnostics_
          .report(Code::bad_emit, span,
                  "`complete` writes a whole result again, and `" + stream + "` has no aggregate")
          .with_fix(span, "append");
    }
    node.emit = EmitMode::Append;  // rows that never change have no updates
    node.every_us = 0;
    return;
  }
  // A running group over final rows is right at any time: no row that went into it changes.
  if (in.chained && in.changelog == Changelog::Windowed && node.emit != EmitMode::Append) {
    not_supported(diagnostics_, span,
                  "`update` and `complete` of a result that is computed from windowed results")
        .with_fix_text("emit = append");
    return;
  }
  if (in.changelog == Changelog::Running && node.emit == EmitMode::Append) {
    bool written = find_option(connector, "emit") != nullptr;
    auto& diagnostic = diagnostics_.report(
        Code::bad_emit, span,
        std::string("`append`") + (written ? "" : " (the default)") +
            " writes rows that can't change any more, and those of a running `group` always can");
    if (written)
      diagnostic.with_fix(span, "update");
    else
      diagnostic.with_fix(dsl::add_item(declarations_.sources->file(connector.braces.file),
                                        connector.braces, "emit = update"));
    return;
  }
  if (in.changelog == Changelog::Windowed && node.emit == EmitMode::Complete) {
    diagnostics_
        .report(Code::state_unbounded, span,
                "this state grows: `complete` writes every window again, so none is forgotten")
        .with_fix(span, "update");
  }
  // A condition on results: a row that was written and then fails it would have to be taken back.
  if (node.emit != EmitMode::Update) return;
  for (NodeId id = in.node; !std::holds_alternative<KeyedNode>(graph_.nodes[id].is);) {
    const Node& at = graph_.nodes[id];
    if (auto* rows = std::get_if<RowsNode>(&at.is)) {
      for (const RowStep& step : rows->steps) {
        auto* where = std::get_if<WhereStep>(&step);
        if (!where) continue;
        not_supported(diagnostics_, where->predicate.span,
                      "`where` on a result with `emit = update`")
            .with_note("a row that was written and no longer passes would have to be removed")
            .with_fix_text("emit = append, or `where` before the window");
        return;
      }
    }
    if (at.inputs.empty()) return;
    id = at.inputs[0];
  }
}

// `key = user_id`, which the rows of the sink don't have.
void Builder::key_unknown(const std::string& name, dsl::Span span, const StreamEnd& in) {
  std::vector<std::string_view> fields;
  std::string shown;
  for (const Field& field : graph_.types.records[in.row].fields) {
    if (declarations_.asked_for(name))
      declarations_.meanings->offers.push_back({field.name, to_text(graph_.types, field.type)});
    fields.push_back(field.name);
    shown += (shown.empty() ? "`" : ", `") + field.name + "`";
  }
  std::string meant = nearest(name, fields);
  if (meant.empty() && !in.keys.empty()) meant = in.keys.front();
  auto& diagnostic = diagnostics_.report(
      Code::unknown_field, span,
      "the rows of `" + graph_.nodes[in.node].stream + "` have no field `" + name + "`");
  diagnostic.with_note("they have " + shown);
  if (!meant.empty()) diagnostic.with_fix(span, meant);
}

void Builder::check_sink_key(const StreamEnd& in, const dsl::Connector& connector, SinkNode& node) {
  if (node.emit == EmitMode::Append || in.changelog == Changelog::None || node.connector != "kafka")
    return;
  std::string candidate = in.keys.empty() ? "window_start" : in.keys.front();
  if (!node.key) {
    if (in.keys.empty() || find_option(connector, "key"))
      return;  // nothing to tell rows apart but their window
    std::string fix = in.keys.size() == 1 ? in.keys[0] : "";
    for (const std::string& key : in.keys) {
      if (in.keys.size() > 1) fix += (fix.empty() ? "{ " : ", ") + key;
    }
    if (in.keys.size() > 1) fix += " }";
    diagnostics_
        .report(Code::bad_sink_key, connector.name.span,
                "without a key, updates of one row can land in different partitions, out of order")
        .with_fix(dsl::add_item(declarations_.sources->file(connector.braces.file),
                                connector.braces, "key = " + fix));
    return;
  }
  auto is_part = [&](const Expr& value) {
    const Expr* field = &value;
    while (field->op == Op::Wrap || field->op == Op::Unwrap || field->op == Op::Cast)
      field = &field->args[0];
    if (field->op == Op::Constant) return true;
    return field->op == Op::Field && field->index < in.key_part.size() &&
           in.key_part[field->index] != StreamEnd::kNotKey;
  };
  std::vector<const Expr*> parts;
  if (node.key->op == Op::MakeRecord) {
    for (const Expr& part : node.key->args) parts.push_back(&part);
  } else {
    parts.push_back(&*node.key);
  }
  for (const Expr* part : parts) {
    if (is_part(*part)) continue;
    std::string shown(declarations_.sources->text(part->span));
    diagnostics_
        .report(Code::bad_sink_key, part->span,
                "`" + shown +
                    "` changes with a row's updates: the later ones could overtake the earlier in "
                    "another partition")
        .with_note("a part of the result's own key is fine: " +
                   (in.keys.empty() ? std::string("window_start") : "`" + in.keys.front() + "`"))
        .with_fix(part->span, candidate);
  }
}

// Rows that can't be taken back leave behind the commit, and what can't be read again is gone with
// the process that had read it: both are missing after a crash at the wrong moment, and never there
// twice.
void Builder::deliver_option(const dsl::Option* option, const StreamEnd& in,
                             const ConnectorInfo& info, SinkNode& node) {
  bool exactly = in.replayable && info.exactly_once;
  node.deliver = exactly ? "exactly_once" : "at_most_once";
  if (!option || !option->value) return;
  std::string word = choice_of("deliver", *option->value,
                               {"exactly_once", "at_least_once", "at_most_once"}, diagnostics_);
  if (exactly || word.empty() || word == "at_most_once") return;
  diagnostics_
      .report(
          Code::bad_delivery, option->value->span,
          !in.replayable
              ? "the rows of this path can't be read again after a crash: they come at most once"
              : "`" + std::string(info.name) + "` can't take rows back: they come at most once")
      .with_fix(option->value->span, "at_most_once");
}

void Builder::sink_options(const dsl::Connector& connector, const ConnectorInfo& info,
                           const StreamEnd& in, SinkNode& node) {
  std::map<std::string, dsl::Span> seen;
  for (const dsl::Option& option : connector.options) {
    const std::string name =
        option_name(option, info, {std::begin(kSinkOptions), std::end(kSinkOptions)}, diagnostics_);
    auto [at, fresh] = seen.try_emplace(name, option.name.span);
    if (!fresh) {
      diagnostics_
          .report(Code::declared_twice, option.name.span, "option `" + name + "` is given twice")
          .with_note(at->second, "given here first");
      continue;
    }
    if (!option.value || name.empty()) continue;
    if (name == "format") {
      std::string word = option_word(option);
      bool later = false;
      for (std::string_view other : {"avro", "protobuf", "csv", "raw", "debezium", "parquet"})
        later |= word == other;
      if (later)
        not_supported(diagnostics_, option.value->span, "the format `" + word + "`");
      else
        choice_of(name, *option.value, {"json"}, diagnostics_);
      if (!option.nested.empty())
        diagnostics_.report(Code::unknown_option, option.nested[0].name.span,
                            "the format `json` has no options here");
    } else if (name == "key") {
      if (info.name != "kafka") {
        diagnostics_.report(Code::unknown_option, option.name.span,
                            "a `" + std::string(info.name) + "` sink has no keys");
        continue;
      }
      Scope scope = scope_of(in);
      auto* field = std::get_if<dsl::NameRef>(&option.value->node);
      if (field && !scope.find(field->name) && !checker_.is_param(field->name)) {
        key_unknown(field->name, option.value->span, in);
        continue;
      }
      Expr key = checker_.check(*option.value, scope);
      if (key.type.is(TypeKind::Error)) continue;
      bool good = key.op == Op::MakeRecord;
      if (good) {
        for (const Expr& part : key.args) good &= can_be_key(part.type);
      } else {
        good = can_be_key(key.type);
      }
      if (!good) {
        diagnostics_
            .report(Code::bad_sink_key, option.value->span,
                    "a key can't be made of " + to_text(graph_.types, key.type))
            .with_fix_text("key = a field, or { a, b }");
        continue;
      }
      node.key = std::move(key);
    } else if (name == "emit") {
      emit_option(option, node);
    } else if (name == "deliver") {
      continue;
    } else {
      check_option(name, option, info, declarations_, graph_, checker_, diagnostics_, node.options);
    }
  }
}

void Builder::sink(const dsl::Declaration& declaration, const dsl::SinkDecl& sink) {
  if (!sink.pipeline) return;
  Context context;
  bool unnamed = declaration.name.text.empty();
  context.stream = unnamed ? sink.pipeline->head.text : declaration.name.text;
  dsl::Span name_span = unnamed ? sink.pipeline->head.span : declaration.name.span;
  if (auto at = sinks_.find(context.stream); at != sinks_.end()) {
    if (at->second.begin == name_span.begin) return;  // built already, for its late rows
    diagnostics_
        .report(Code::declared_twice, name_span, "there are two sinks `" + context.stream + "`")
        .with_note(at->second, "the first one")
        .with_fix_text("sink other_name = " + context.stream + " -> …");
    return;
  }
  sinks_[context.stream] = name_span;
  StreamEnd in = pipeline(*sink.pipeline, context);
  sink_inputs_[context.stream] = in;
  const ConnectorInfo* info = check_connector(sink.connector, Role::Sink, diagnostics_);
  if (!info || !in.ok()) return;
  SinkNode node;
  node.name = context.stream;
  node.connector = std::string(info->name);
  node.address = check_address(sink.connector, *info, checker_, diagnostics_);
  node.format = "json";
  sink_options(sink.connector, *info, in, node);
  const dsl::Option* emit = find_option(sink.connector, "emit");
  dsl::Span emit_span = emit && emit->value ? emit->value->span : sink.connector.name.span;
  check_emit(in, sink.connector, emit_span, node);
  check_sink_key(in, sink.connector, node);
  deliver_option(find_option(sink.connector, "deliver"), in, *info, node);
  add_node(std::move(node), {in.node}, in.row, context.stream, name_span);
}

bool StreamEnd::has_its_keys() const {
  if (changelog == Changelog::None) return true;
  auto has = [&](int part) { return std::count(key_part.begin(), key_part.end(), part) > 0; };
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!has(int(i))) return false;
  }
  return changelog == Changelog::Running || has(kWindowBound);
}

// Which row of a changelog a row is: its keys and the window's bounds.
Expr Builder::key_of(const StreamEnd& in) {
  RecordType key;
  std::vector<Expr> values;
  for (uint32_t i = 0; i < in.key_part.size(); ++i) {
    if (in.key_part[i] == StreamEnd::kNotKey) continue;
    const Field& field = graph_.types.records[in.row].fields[i];
    key.fields.push_back(field);
    Expr value = make(Op::Field, field.type, {}, field.span);
    value.index = i;
    values.push_back(std::move(value));
  }
  graph_.types.records.push_back(std::move(key));
  Type type = type_of(TypeKind::Record);
  type.ref = RecordId(graph_.types.records.size() - 1);
  return make(Op::MakeRecord, type, std::move(values), {});
}

void Builder::build_collect_sink(const dsl::Name& name, Collects what) {
  StreamEnd in = stream_or_sink(name);
  if (!in.ok()) return;
  SinkNode node;
  node.name = name.text;
  node.connector = "collect";
  node.format = "json";
  node.deliver = "exactly_once";
  // Windows close at the end of the input: their final rows are what `append` writes. A running
  // group never does: its rows as they are at the end are the last `complete`.
  if (in.changelog == Changelog::Running)
    node.emit = what == Collects::Final ? EmitMode::Complete : EmitMode::Update;
  if (what == Collects::Changes && in.changelog != Changelog::None) {
    node.emit = EmitMode::Update;
    node.key = key_of(in);
  }
  add_node(std::move(node), {in.node}, in.row, name.text, name.span);
}

void Builder::collect_all_sinks() {
  for (Node& node : graph_.nodes) {
    auto* sink = std::get_if<SinkNode>(&node.is);
    if (!sink) continue;
    sink->connector = "collect";
    sink->address.clear();
    sink->options.clear();
  }
}

}  // namespace weir::compiler
