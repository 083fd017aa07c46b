// Sources: connector, record, event time and watermark, what becomes of bad rows.
#include "compiler/builder.h"
#include "compiler/constant.h"
#include "dsl/fix.h"

namespace weir::compiler {

using dsl::Code;

namespace {

constexpr std::string_view kSourceOptions[] = {"format",   "event_time", "watermark", "idle",
                                               "on_error", "null_value", "validation"};

const dsl::Call* call_of(const dsl::Option& option, std::string_view name) {
  auto* call = option.value ? std::get_if<dsl::Call>(&option.value->node) : nullptr;
  auto* callee = call ? std::get_if<dsl::NameRef>(&call->callee->node) : nullptr;
  return callee && callee->name == name ? call : nullptr;
}

}  // namespace

// The first instant of a record, which is most often its event time; "" if it has none.
std::string Builder::time_field(RecordId record) const {
  for (const Field& field : graph_.types.records[record].fields) {
    if (field.type.is(TypeKind::Timestamp) && !field.type.optional) return field.name;
  }
  return "";
}

StreamEnd Builder::source(const dsl::Declaration& declaration) {
  const auto& declared = std::get<dsl::SourceDecl>(declaration.node);
  const dsl::Connector& connector = declared.connector;
  const ConnectorInfo* info = check_connector(connector, Role::Source, diagnostics_);
  auto record = declarations_.records.find(declared.record.text);
  if (record == declarations_.records.end()) {
    std::vector<std::string_view> candidates;
    for (const auto& [name, id] : declarations_.records) candidates.push_back(name);
    auto& diagnostic = diagnostics_.report(Code::unknown_type, declared.record.span,
                                           "there is no record `" + declared.record.text + "`");
    if (std::string near = nearest(declared.record.text, candidates); !near.empty()) {
      diagnostic.with_note("did you mean `" + near + "`?").with_fix(declared.record.span, near);
    }
    return failed();
  }
  if (!info) return failed();

  SourceNode node;
  node.connector = std::string(info->name);
  node.address = check_address(connector, *info, checker_, diagnostics_);
  node.format = "json";
  node.record = record->second;
  node.used.assign(graph_.types.records[node.record].fields.size(), true);

  StreamEnd end;
  end.row = node.record;
  end.source = &declaration;
  end.has_meta = node.connector == "kafka";
  end.positions = true;
  end.replayable = info->replayable;
  end.key_part.assign(node.used.size(), StreamEnd::kNotKey);
  end.no_event_time = "`" + declaration.name.text + "` has no `event_time`";

  std::map<std::string, dsl::Span> seen;
  dsl::Span watermark_span = connector.name.span;
  for (const dsl::Option& option : connector.options) {
    const std::string name = option_name(
        option, *info, {std::begin(kSourceOptions), std::end(kSourceOptions)}, diagnostics_);
    auto [at, fresh] = seen.try_emplace(name, option.name.span);
    if (!fresh) {
      diagnostics_
          .report(Code::declared_twice, option.name.span, "option `" + name + "` is given twice")
          .with_note(at->second, "given here first");
      continue;
    }
    if (!option.value || name.empty()) continue;
    auto one_of = [&](std::initializer_list<std::string_view> words) -> std::string {
      return choice_of(name, *option.value, words, diagnostics_);
    };
    if (name == "format") {
      std::string word = option_word(option);
      for (std::string_view later : {"avro", "protobuf", "csv", "raw", "debezium"}) {
        if (word == later)
          not_supported(diagnostics_, option.value->span, "the format `" + word + "`"),
              word = "json";
      }
      if (word != "json") one_of({"json"});
      if (!option.nested.empty())
        diagnostics_.report(Code::unknown_option, option.nested[0].name.span,
                            "the format `json` has no options here");
    } else if (name == "event_time") {
      Scope scope =
          scope_of({.node = 0, .row = node.record, .has_meta = end.has_meta, .key_part = {}});
      Expr time = checker_.check(*option.value, scope);
      if (time.type.is(TypeKind::Error)) continue;
      if (!time.type.is(TypeKind::Timestamp) || time.type.optional) {
        if (time.type.optional && time.type.is(TypeKind::Timestamp))
          checker_.required(std::move(time), "`event_time`");
        else
          diagnostics_
              .report(
                  Code::type_mismatch, option.value->span,
                  "`event_time` wants a timestamp, and this is " + to_text(graph_.types, time.type))
              .with_label(to_text(graph_.types, time.type));
        continue;
      }
      node.event_time = std::move(time);
    } else if (name == "watermark" || name == "idle") {
      auto micros = checker_.duration(*option.value, "`" + name + "`");
      if (!micros) continue;
      if (*micros < 0 || *micros > kSpanMax) {
        diagnostics_.report(Code::bad_option, option.value->span,
                            "`" + name + "` is a duration from 0 to 1000 years");
        continue;
      }
      if (name == "watermark")
        node.watermark_us = *micros, watermark_span = option.name.span;
      else
        node.idle_us = *micros;
    } else if (name == "on_error") {
      if (const dsl::Call* call = call_of(option, "dead_letter")) {
        node.on_error = OnError::DeadLetter;
        if (call->arguments.size() == 1) {
          auto topic = checker_.constant(*call->arguments[0].value, type_of(TypeKind::String),
                                         "the topic of `dead_letter`");
          if (topic) node.dead_letter = std::get<std::string>(topic->value);
        }
        if (node.dead_letter.empty()) {
          diagnostics_
              .report(Code::bad_option, option.value->span,
                      "`dead_letter` wants the topic that bad rows go to")
              .with_fix_text("on_error = dead_letter(\"" + node.address + ".dlq\")");
        }
        continue;
      }
      std::string word = option_word(option);
      if (word == "dead_letter") {
        diagnostics_
            .report(Code::bad_option, option.value->span,
                    "`dead_letter` wants the topic that bad rows go to")
            .with_fix(option.value->span, "dead_letter(\"" + node.address + ".dlq\")");
        continue;
      }
      word = one_of({"fail", "skip", "dead_letter"});
      if (word == "skip") node.on_error = OnError::Skip;
    } else if (name == "null_value") {
      node.null_value_skipped = one_of({"error", "skip"}) == "skip";
    } else if (name == "validation") {
      std::string word = one_of({"projected", "structural", "strict"});
      if (word == "projected") node.validation = Validation::Projected;
      if (word == "strict") node.validation = Validation::Strict;
    } else {
      check_option(name, option, *info, declarations_, graph_, checker_, diagnostics_,
                   node.options);
    }
  }
  if (node.watermark_us && !node.event_time && !seen.count("event_time")) {
    auto& diagnostic = diagnostics_.report(
        Code::missing_option, watermark_span,
        "`watermark` says how far events are out of order, and nothing says which time they have");
    std::string field = time_field(node.record);
    if (field.empty())
      diagnostic.with_fix_text("event_time = …");
    else
      diagnostic.with_fix(dsl::add_item(declarations_.sources->file(connector.braces.file),
                                        connector.braces, "event_time = " + field));
    seen.try_emplace("event_time", watermark_span);  // said once
  }
  end.has_event_time = node.event_time.has_value() || seen.count("event_time");
  end.has_watermark = node.watermark_us.has_value() || seen.count("watermark");
  RecordId row = node.record;
  end.node = add_node(std::move(node), {}, row, declaration.name.text, declaration.name.span).id;
  return end;
}

}  // namespace weir::compiler
