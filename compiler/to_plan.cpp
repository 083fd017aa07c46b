// The hand-over: graph → runtime/contract/plan.proto. The only place that writes plan messages.
#include "compiler/to_plan.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "compiler/constant.h"
#include "compiler/layout.h"

namespace weir::compiler {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const std::string& name) : graph_(graph) {
    plan_.set_version(1);
    plan_.set_name(name);
    plan_.set_compiler("weir 0.1.0");
  }

  contract::Plan run() {
    types();
    params();
    number();
    for (const Node& node : graph_.nodes) {
      if (auto* source = std::get_if<SourceNode>(&node.is)) add_source(node, *source);
      if (auto* keyed = std::get_if<KeyedNode>(&node.is)) add_keyed(node, *keyed);
      if (auto* sink = std::get_if<SinkNode>(&node.is)) add_sink(node, *sink);
    }
    for (const Stage& stage : graph_.stages) add_stage(stage);
    return std::move(plan_);
  }

 private:
  void write_type(Type type, contract::Type* into) {
    into->set_kind(contract::Type::Kind(int(type.kind)));
    into->set_optional(type.optional);
    into->set_precision(type.precision);
    into->set_scale(type.scale);
    into->set_unit(contract::Type::Unit(int(type.unit)));
    if (type.is(TypeKind::List) || type.is(TypeKind::Map))
      write_type(graph_.types.element(type), into->mutable_element());
    else
      into->set_ref(type.ref);
  }

  // All of them, so that references hold.
  void types() {
    for (const RecordType& record : graph_.types.records) {
      auto* into = plan_.add_records();
      into->set_name(record.name);
      for (const Field& field : record.fields) {
        auto* written = into->add_fields();
        written->set_name(field.name);
        written->set_wire_name(field.wire_name);
        write_type(field.type, written->mutable_type());
      }
    }
    for (const EnumType& enumeration : graph_.types.enums) {
      auto* into = plan_.add_enums();
      into->set_name(enumeration.name);
      for (const auto& item : enumeration.cases) {
        into->add_cases(item.name);
        into->add_wire_names(item.wire_name);
      }
    }
  }

  void params() {
    std::vector<Type> types;
    for (const Param& param : graph_.params) types.push_back(param.type);
    Layout layout = layout_of(graph_.types, types);
    for (size_t i = 0; i < graph_.params.size(); ++i) {
      const Param& param = graph_.params[i];
      auto* into = plan_.add_params();
      into->set_name(param.name);
      write_type(param.type, into->mutable_type());
      into->set_has_default(param.initial.has_value());
      if (param.initial)
        into->set_default_value(plan_text(graph_.types, param.type, *param.initial));
      into->set_offset(layout.slots[i].offset);
      into->set_presence(layout.slots[i].presence);
      into->set_secret(param.secret);
    }
    plan_.set_params_bytes(layout.size);
  }

  void number() {
    uint32_t keyed = 0, sinks = 0;
    for (const Node& node : graph_.nodes) {
      if (std::holds_alternative<KeyedNode>(node.is)) keyed_number_[node.id] = keyed++;
      if (std::holds_alternative<SinkNode>(node.is)) sink_number_[node.id] = sinks++;
    }
    for (const std::string& stream : stream_names(graph_)) plan_.add_streams(stream);
  }

  void add_options(const std::vector<OptionValue>& options,
                   google::protobuf::RepeatedPtrField<contract::Option>* into) {
    for (const OptionValue& option : options) {
      auto* written = into->Add();
      written->set_name(option.name);
      write_type(option.type, written->mutable_type());
      if (option.param >= 0) {
        written->set_param(option.param + 1);
        written->set_secret(graph_.params[size_t(option.param)].secret);
      } else {
        written->set_value(plan_text(graph_.types, option.type, option.constant));
      }
    }
  }

  void add_source(const Node& node, const SourceNode& source) {
    auto* into = plan_.add_sources();
    into->set_id(node.id);
    into->set_name(node.stream);
    into->set_connector(source.connector);
    into->set_address(source.address);
    add_options(source.options, into->mutable_options());
    into->set_format(source.format);
    into->set_record(source.record);
    into->set_has_event_time(source.event_time.has_value());
    into->set_has_watermark(source.watermark_us.has_value());
    into->set_watermark_us(source.watermark_us.value_or(0));
    into->set_idle_us(source.idle_us);
    into->set_on_error(contract::Source::OnError(int(source.on_error)));
    into->set_dead_letter(source.dead_letter);
    for (const Stage& stage : graph_.stages) {
      if (stage.input == node.id) into->set_stage(stage.id);
    }
  }

  void add_keyed(const Node& node, const KeyedNode& keyed) {
    auto* into = plan_.add_keyed();
    into->set_id(node.id);
    into->set_identity(keyed.id);
    into->set_signature(state_signature(graph_.types, keyed));
    if (keyed.window) {
      auto* window = into->mutable_window();
      window->set_size_us(keyed.window->size_us);
      window->set_slide_us(keyed.window->slide_us);
      window->set_offset_us(keyed.window->offset_us);
      window->set_grace_us(keyed.window->grace_us);
      window->set_pane_us(keyed.window->pane_us());
    }
    for (const KeyColumn& key : keyed.keys) {
      auto* column = into->add_keys();
      column->set_name(key.name);
      column->set_wire_name(key.name);
      write_type(key.value.type, column->mutable_type());
    }
    Layout layout = state_layout(graph_.types, keyed);
    for (size_t i = 0; i < keyed.state.size(); ++i) {
      auto* field = into->add_state();
      field->set_name(keyed.state[i].name);
      write_type(keyed.state[i].type, field->mutable_type());
      field->set_offset(layout.slots[i].offset);
      field->set_presence(layout.slots[i].presence);
      if (keyed.state[i].grows) field->mutable_type()->set_precision(1);  // state_value.h
    }
    into->set_group_bytes(layout.size);
    into->set_group_initial(group_initial(graph_.types, keyed));
    for (const Stage& stage : graph_.stages) {
      if (stage.input == node.id) {
        auto* emission = into->add_emissions();
        emission->set_mode(contract::Emission::Mode(int(stage.emit)));
        emission->set_every_us(stage.every_us);
        emission->set_stage(stage.id);
      }
      if (updates(stage.steps, node.id)) into->add_inputs(stage.id);
    }
    into->set_stream(node.stream);
    if (keyed.rows) add_rows(keyed, into->mutable_rows());
  }

  static void add_rows(const KeyedNode& keyed, contract::Rows* into) {
    const KeptRows& rows = *keyed.rows;
    into->set_kind(contract::Rows::Kind(int(rows.kind)));
    into->set_within_us(rows.within_us);
    into->set_on_arrival(rows.on_arrival);
    for (size_t i = 0; i < rows.frames.size(); ++i) {
      auto* frame = into->add_frames();
      frame->set_kind(contract::Rows::Frame::Kind(int(rows.frames[i].kind)));
      frame->set_from_us(rows.frames[i].from_us);
      frame->set_to_us(rows.frames[i].to_us);
      frame->set_rows(rows.frames[i].rows);
      for (size_t use = 0; use < rows.frame_of.size(); ++use) {
        if (rows.frame_of[use] != i) continue;
        const AggregateUse& aggregate = keyed.aggregates[rows.fields + use];
        for (uint32_t field = aggregate.state_begin; field < aggregate.state_end; ++field)
          frame->add_state(field);
      }
    }
  }

  static bool updates(const std::vector<StageStep>& steps, NodeId keyed) {
    return std::any_of(steps.begin(), steps.end(), [&](const StageStep& step) {
      auto* update = std::get_if<StageStep::Update>(&step.is);
      return (update && (update->keyed == keyed || updates(update->late, keyed))) ||
             updates(step.next, keyed);
    });
  }

  void add_sink(const Node& node, const SinkNode& sink) {
    auto* into = plan_.add_sinks();
    into->set_id(node.id);
    into->set_name(sink.name);
    into->set_connector(sink.connector);
    into->set_address(sink.address);
    add_options(sink.options, into->mutable_options());
    into->set_format(sink.format);
    into->set_row(node.row);
    into->set_has_key(sink.key.has_value());
    into->set_deliver(sink.deliver);
    into->set_output(sink_number_[node.id]);
    into->set_emit(contract::Emission::Mode(int(sink.emit)));
  }

  void add_stage(const Stage& stage) {
    auto* into = plan_.add_stages();
    into->set_id(stage.id);
    into->set_input(stage.input);
    const Node& input = graph_.nodes[stage.input];
    into->set_reads_groups(std::holds_alternative<KeyedNode>(input.is));
    std::set<uint32_t> updates, emits;
    bool headers = false;
    auto* source = std::get_if<SourceNode>(&input.is);
    if (source && source->event_time) headers |= uses_headers(*source->event_time);
    visit(stage.steps, updates, emits, headers);
    for (uint32_t keyed : updates) into->add_updates(keyed);
    for (uint32_t sink : emits) into->add_emits(sink);
    into->set_uses_meta_headers(headers);
  }

  static bool uses_headers(const Expr& expr) {
    if (expr.op == Op::Meta && expr.index == uint32_t(MetaField::Headers)) return true;
    return std::any_of(expr.args.begin(), expr.args.end(), uses_headers);
  }

  void visit(const std::vector<StageStep>& steps, std::set<uint32_t>& updates,
             std::set<uint32_t>& emits, bool& headers) {
    for (const StageStep& step : steps) {
      if (auto* where = std::get_if<StageStep::Where>(&step.is))
        headers |= uses_headers(where->predicate);
      if (auto* flatten = std::get_if<StageStep::Flatten>(&step.is))
        headers |= uses_headers(flatten->container);
      if (auto* project = std::get_if<StageStep::Project>(&step.is)) {
        for (const Expr& value : project->values) headers |= uses_headers(value);
      }
      if (auto* update = std::get_if<StageStep::Update>(&step.is)) {
        updates.insert(keyed_number_[update->keyed]);
        each_input_expr(std::get<KeyedNode>(graph_.nodes[update->keyed].is),
                        [&](const Expr& expr) { headers |= uses_headers(expr); });
        visit(update->late, updates, emits, headers);
      }
      if (auto* emit = std::get_if<StageStep::Emit>(&step.is)) {
        emits.insert(sink_number_[emit->sink]);
        const auto& key = std::get<SinkNode>(graph_.nodes[emit->sink].is).key;
        if (key) headers |= uses_headers(*key);
      }
      visit(step.next, updates, emits, headers);
    }
  }

  const Graph& graph_;
  contract::Plan plan_;
  std::map<NodeId, uint32_t> keyed_number_, sink_number_;
};

template <class T>
void put(std::string& bytes, uint32_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace

std::vector<std::string> stream_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (std::find(names.begin(), names.end(), node.stream) == names.end())
      names.push_back(node.stream);
  }
  return names;
}

Layout state_layout(const Types& types, const KeyedNode& keyed) {
  std::vector<Type> fields;
  for (const StateField& field : keyed.state) fields.push_back(field.type);
  return layout_of(types, fields, kGroupHeaderBytes);
}

// Bits of `changed` and `error` are 0, then the fields. Texts start empty: pointers can't be in a
// plan.
std::string group_initial(const Types& types, const KeyedNode& keyed) {
  Layout layout = state_layout(types, keyed);
  std::string bytes(layout.size, '\0');
  for (size_t i = 0; i < keyed.state.size(); ++i) {
    const StateField& field = keyed.state[i];
    if (field.initial.is_null()) continue;
    uint32_t at = layout.slots[i].offset;
    if (layout.slots[i].presence >= 0) put(bytes, uint32_t(layout.slots[i].presence), uint8_t{1});
    if (auto* truth = std::get_if<bool>(&field.initial.value))
      put(bytes, at, uint8_t(*truth));
    else if (auto* real = std::get_if<double>(&field.initial.value)) {
      if (field.type.is(TypeKind::Float32))
        put(bytes, at, float(*real));
      else
        put(bytes, at, *real);
    } else if (auto* decimal = std::get_if<__int128>(&field.initial.value)) {
      if (field.type.is_wide_decimal())
        put(bytes, at, *decimal);
      else
        put(bytes, at, int64_t(*decimal));
    } else if (auto* whole = std::get_if<int64_t>(&field.initial.value)) {
      std::memcpy(bytes.data() + at, whole,
                  std::min<size_t>(size_of(types, field.type), sizeof *whole));  // little endian
    }
  }
  return bytes;
}

std::string state_signature(const Types& types, const KeyedNode& keyed) {
  std::string text = "keys(";
  for (size_t i = 0; i < keyed.keys.size(); ++i)
    text += (i ? ", " : "") + to_text(types, keyed.keys[i].value.type);
  text += ")";
  if (keyed.window) {
    text += " window(size " + std::to_string(keyed.window->size_us) + ", slide " +
            std::to_string(keyed.window->slide_us) + ", offset " +
            std::to_string(keyed.window->offset_us) + ")";
  }
  // Of `dedup` nothing is kept but keys and times: how far it looks back, and what is made of the
  // rows behind it, may change.
  if (keyed.rows && keyed.rows->kind == KeptRows::Kind::Dedup) return text + " dedup";
  if (keyed.rows && keyed.rows->scan) {
    text += " scan(";
    for (size_t i = keyed.rows->scan->state_begin; i < keyed.state.size(); ++i)
      text += keyed.state[i].name + ";";
    text += ")";
  } else if (keyed.rows) {
    text += " over(";
    for (size_t i = 0; i < keyed.rows->frames.size(); ++i) {
      const KeptRows::Frame& frame = keyed.rows->frames[i];
      text += i ? ", " : "";
      if (frame.kind == KeptRows::Frame::Kind::All) text += "all";
      if (frame.kind == KeptRows::Frame::Kind::Rows) text += std::to_string(frame.rows) + " rows";
      if (frame.kind == KeptRows::Frame::Kind::Time)
        text += std::to_string(frame.from_us) + " to " + std::to_string(frame.to_us);
    }
    text += ")";
  }
  text += " aggregates(";
  size_t first = keyed.rows ? keyed.rows->fields : 0;
  for (size_t i = first; i < keyed.aggregates.size(); ++i)
    text += (i > first ? ", " : "") + keyed.aggregates[i].function + keyed.aggregates[i].parameters;
  text += ") state(";
  for (size_t i = 0; i < keyed.state.size(); ++i)
    text += (i ? ", " : "") + to_text(types, keyed.state[i].type);
  return text + ")";
}

contract::Plan to_plan(const Graph& graph, const std::string& name) {
  return Planner(graph, name).run();
}

}  // namespace weir::compiler
