// `weir explain`: the graph as a tree of text, the stages, and DOT.
#include <cstring>

#include "compiler/compile.h"
#include "compiler/print_expr.h"
#include "dsl/literal.h"

namespace weir::compiler {
namespace {

const char* mode_text(EmitMode mode) {
  return mode == EmitMode::Append ? "append" : mode == EmitMode::Update ? "update" : "complete";
}

class GraphPrinter {
 public:
  explicit GraphPrinter(const Graph& graph) : graph_(graph), consumers_(graph.nodes.size()) {
    for (const Node& node : graph.nodes) {
      for (NodeId input : node.inputs) consumers_[input].push_back(node.id);
    }
  }

  std::string plan() {
    for (const Node& node : graph_.nodes) {
      if (std::holds_alternative<SourceNode>(node.is)) plan_node(node.id, "", "");
    }
    return std::move(out_);
  }

  std::vector<std::string> lines(const Node& node) {
    std::vector<std::string> lines;
    if (auto* source = std::get_if<SourceNode>(&node.is))
      lines.push_back(source_line(node, *source));
    if (auto* rows = std::get_if<RowsNode>(&node.is)) {
      RecordId row = input_row(node);
      std::string text;
      for (const RowStep& step : rows->steps)
        lines.push_back(node.stream + "  " + step_text(step, row));
      if (rows->steps.empty()) lines.push_back(node.stream + "  late rows");
    }
    if (auto* keyed = std::get_if<KeyedNode>(&node.is))
      lines.push_back(node.stream + "  " + keyed_text(node, *keyed));
    if (std::holds_alternative<UnionNode>(node.is)) lines.push_back(node.stream + "  union");
    if (auto* sink = std::get_if<SinkNode>(&node.is)) lines.push_back(sink_text(node, *sink));
    return lines;
  }

  std::string source_line(const Node& node, const SourceNode& source) {
    std::string text = node.stream + " = " + source.connector +
                       (source.address.empty() ? "" : "(\"" + source.address + "\")");
    if (source.event_time)
      text += "  event_time " + print_expr(graph_, *source.event_time, node.row);
    if (source.watermark_us) text += "  watermark " + dsl::duration_text(*source.watermark_us);
    std::string used;
    size_t count = 0;
    const auto& fields = graph_.types.records[node.row].fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (source.used[i]) used += (count++ ? ", " : "") + fields[i].name;
    }
    text += "  reads " + (count == fields.size() ? "all fields"
                          : count                ? used + " (" + std::to_string(count) + " of " +
                                        std::to_string(fields.size()) + " fields)"
                                  : "no field");
    return text;
  }

  std::string step_text(const RowStep& step, RecordId& row) {
    if (auto* where = std::get_if<WhereStep>(&step))
      return "where " + print_expr(graph_, where->predicate, row);
    if (auto* flatten = std::get_if<FlattenStep>(&step))
      return flatten_text(flatten->container, flatten->locals, row);
    const auto& project = std::get<ProjectStep>(step);
    std::string text = project_text(project.row, project.values, row);
    row = project.row;
    return text;
  }

  std::string flatten_text(const Expr& container, const std::vector<uint32_t>& locals,
                           RecordId row) {
    std::string text = "flatten " + print_expr(graph_, container, row) + " as ";
    for (size_t i = 0; i < locals.size(); ++i)
      text += (i ? ", x" : "x") + std::to_string(locals[i]);
    return text;
  }

  std::string project_text(RecordId made, const std::vector<Expr>& values, RecordId row) {
    std::string text = "select { ";
    const auto& fields = graph_.types.records[made].fields;
    bool first = true;
    for (size_t i = 0; i < values.size(); ++i) {
      bool unread =
          values[i].op == Op::Constant && values[i].constant.is_null() && !values[i].type.optional;
      if (unread) continue;
      std::string value = print_expr(graph_, values[i], row);
      text +=
          (first ? "" : ", ") + (value == fields[i].name ? value : fields[i].name + " = " + value);
      first = false;
    }
    return text + (first ? "}" : " }");
  }

  std::string keyed_text(const Node& node, const KeyedNode& keyed) {
    RecordId row = graph_.nodes[node.inputs[0]].row;
    std::string text;
    if (keyed.window) {
      const WindowSpec& w = *keyed.window;
      text = w.size_us == w.slide_us ? "window tumble(" + dsl::duration_text(w.size_us) + ")"
                                     : "window hop(" + dsl::duration_text(w.size_us) + ", every " +
                                           dsl::duration_text(w.slide_us) + ")";
      if (w.offset_us) text += " offset " + dsl::duration_text(w.offset_us);
      if (w.grace_us) text += " grace " + dsl::duration_text(w.grace_us);
    } else if (keyed.rows) {
      text = keyed.rows->scan                            ? "scan"
             : keyed.rows->kind == KeptRows::Kind::Dedup ? "dedup"
                                                         : "over";
    } else {
      text = "group";
    }
    for (size_t i = 0; i < keyed.keys.size(); ++i) {
      std::string value = print_expr(graph_, keyed.keys[i].value, row);
      text += (i ? ", " : " by ") +
              (value == keyed.keys[i].name ? value : keyed.keys[i].name + " = " + value);
    }
    if (keyed.rows && keyed.rows->kind == KeptRows::Kind::Dedup)
      return text + " within " + dsl::duration_text(keyed.rows->within_us);
    if (keyed.rows && keyed.rows->on_arrival) text += " on arrival";
    if (keyed.rows && keyed.rows->scan) return text + scan_text(node, keyed, row);
    text += " { ";
    size_t first = keyed.rows ? keyed.rows->fields : 0;
    for (size_t i = first; i < keyed.aggregates.size(); ++i) {
      const AggregateUse& use = keyed.aggregates[i];
      text += (i > first ? ", " : "") + use.name + " = " + use.function + "(";
      if (!use.arguments.empty()) text += print_expr(graph_, use.arguments[0], row);
      if (use.filter)
        text +=
            (use.arguments.empty() ? "where " : " where ") + print_expr(graph_, *use.filter, row);
      if (keyed.rows) {
        std::string frame = frame_text(keyed.rows->frames[keyed.rows->frame_of[i - first]]);
        text += (frame.empty() || text.back() == '(' ? "" : " ") + frame;
      }
      text += ")";
    }
    text += keyed.aggregates.size() == first ? "}" : " }";
    return text + expire_text(keyed);
  }

  // What it keeps of a key, and what its rows become.
  std::string scan_text(const Node& node, const KeyedNode& keyed, RecordId row) {
    const KeptRows::Scan& scan = *keyed.rows->scan;
    std::string text = " state {";
    size_t end = keyed.state.size() - (keyed.rows->within_us > 0 ? 1 : 0);
    for (size_t i = scan.state_begin; i < end; ++i)
      text += (i > scan.state_begin ? ", " : " ") + keyed.state[i].name + ": " +
              to_text(graph_.types, keyed.state[i].type);
    text += " } {";
    for (const KeptRows::Bind& bind : scan.binds)
      text += " x" + std::to_string(bind.local) + " = " + print_expr(graph_, bind.value, row) + ",";
    for (const StateAssign& assign : scan.assigns)
      text += " " + keyed.state[assign.field].name + " = " + print_expr(graph_, assign.value, row) +
              ",";
    for (const KeptRows::Emit& emit : scan.emits) {
      if (emit.condition) text += " when " + print_expr(graph_, *emit.condition, row);
      text += " emit" + project_text(node.row, emit.values, row).substr(strlen("select")) + ",";
    }
    text.back() = ' ';
    return text + "}" + expire_text(keyed);
  }

  static std::string expire_text(const KeyedNode& keyed) {
    if (!keyed.rows || keyed.rows->within_us == 0) return "";
    return " expire after " + dsl::duration_text(keyed.rows->within_us);
  }

  static std::string frame_text(const KeptRows::Frame& frame) {
    if (frame.kind == KeptRows::Frame::Kind::All) return "";
    if (frame.kind == KeptRows::Frame::Kind::Rows)
      return "within " + std::to_string(frame.rows) + " rows";
    if (frame.to_us == 0) return "within " + dsl::duration_text(frame.from_us);
    return "within (-" + dsl::duration_text(frame.from_us) + ", -" +
           dsl::duration_text(frame.to_us) + ")";
  }

  std::string sink_text(const Node& node, const SinkNode& sink) {
    std::string text = "sink " + sink.name + " -> " + sink.connector +
                       (sink.address.empty() ? "" : "(\"" + sink.address + "\")");
    if (sink.key) text += "  key " + print_expr(graph_, *sink.key, node.row);
    text += std::string("  emit ") + mode_text(sink.emit);
    if (sink.every_us) text += " every " + dsl::duration_text(sink.every_us);
    if (!sink.deliver.empty()) text += "  " + sink.deliver;
    return text;
  }

  RecordId input_row(const Node& node) {
    const Node& input = graph_.nodes[node.inputs[0]];
    auto* keyed = std::get_if<KeyedNode>(&input.is);
    return keyed && keyed->late == node.id ? graph_.nodes[input.inputs[0]].row : input.row;
  }

 private:
  void plan_node(NodeId id, const std::string& first, const std::string& rest) {
    auto text = lines(graph_.nodes[id]);
    for (size_t i = 0; i < text.size(); ++i) out_ += (i ? rest : first) + text[i] + "\n";
    const auto& next = consumers_[id];
    for (size_t i = 0; i < next.size(); ++i) {
      bool last = i + 1 == next.size();
      // A union is shown below its first input; the others point to it.
      const Node& node = graph_.nodes[next[i]];
      if (node.inputs.size() > 1 && node.inputs[0] != id) {
        out_ += rest + (last ? "└ " : "├ ") + "into union of `" + node.stream + "`\n";
        continue;
      }
      plan_node(next[i], rest + (last ? "└ " : "├ "), rest + (last ? "  " : "│ "));
    }
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> consumers_;
  std::string out_;
};

class StagePrinter {
 public:
  explicit StagePrinter(const Graph& graph) : graph_(graph), nodes_(graph) {}

  std::string print() {
    for (const Stage& stage : graph_.stages) {
      const Node& input = graph_.nodes[stage.input];
      out_ += "stage " + std::to_string(stage.id) + "\n";
      if (auto* source = std::get_if<SourceNode>(&input.is)) {
        out_ += "  decode " + source->format + " of " + nodes_.source_line(input, *source) + "\n";
      } else {
        const auto& keyed = std::get<KeyedNode>(input.is);
        out_ += (keyed.rows ? "  rows of " : "  fired groups of ") + keyed.id + "  " +
                mode_text(stage.emit) +
                (stage.every_us ? " every " + dsl::duration_text(stage.every_us) : "") + "\n";
      }
      steps(stage.steps, first_row(graph_, stage), "  ");
    }
    return std::move(out_);
  }

 private:
  void steps(const std::vector<StageStep>& list, RecordId row, const std::string& indent) {
    for (const StageStep& step : list) {
      // A single chain stays at its depth; branches go in.
      std::string inner = list.size() > 1 ? indent + "  " : indent;
      RecordId behind = row;
      if (auto* where = std::get_if<StageStep::Where>(&step.is)) {
        out_ += indent + "where " + print_expr(graph_, where->predicate, row) + "\n";
      } else if (auto* project = std::get_if<StageStep::Project>(&step.is)) {
        out_ += indent + nodes_.project_text(project->row, project->values, row) + "\n";
        behind = project->row;
      } else if (auto* flatten = std::get_if<StageStep::Flatten>(&step.is)) {
        out_ += indent + nodes_.flatten_text(flatten->container, flatten->locals, row) + "\n";
      } else if (auto* update = std::get_if<StageStep::Update>(&step.is)) {
        const Node& node = graph_.nodes[update->keyed];
        const auto& keyed = std::get<KeyedNode>(node.is);
        out_ += indent + (keyed.rows ? "keep " : "update ") + keyed.id + ": " +
                nodes_.keyed_text(node, keyed) +
                (keyed.window ? "  panes of " + dsl::duration_text(keyed.window->pane_us()) : "") +
                "\n";
        if (!update->late.empty()) {
          out_ += indent + "late:\n";
          steps(update->late, row, indent + "  ");
        }
      } else if (auto* scan = std::get_if<StageStep::Scan>(&step.is)) {
        const Node& node = graph_.nodes[scan->keyed];
        out_ += indent + nodes_.keyed_text(node, std::get<KeyedNode>(node.is)) + "\n";
        behind = node.row;
      } else if (auto* emit = std::get_if<StageStep::Emit>(&step.is)) {
        const Node& node = graph_.nodes[emit->sink];
        out_ += indent + "emit " + nodes_.sink_text(node, std::get<SinkNode>(node.is)) + "\n";
      }
      steps(step.next, behind, inner);
    }
  }

  const Graph& graph_;
  GraphPrinter nodes_;
  std::string out_;
};

std::string dot_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\l";
    else
      quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::string print_plan(const Graph& graph) { return GraphPrinter(graph).plan(); }

std::string print_stages(const Graph& graph) { return StagePrinter(graph).print(); }

std::string operator_text(const Graph& graph, const Node& node) {
  return GraphPrinter(graph).keyed_text(node, std::get<KeyedNode>(node.is));
}

std::vector<std::string> node_lines(const Graph& graph, const Node& node) {
  return GraphPrinter(graph).lines(node);
}

std::string print_dot(const Graph& graph) {
  GraphPrinter printer(graph);
  std::string out = "digraph weir {\n  rankdir = LR\n  node [shape = box, fontname = monospace]\n";
  for (const Node& node : graph.nodes) {
    std::string label;
    for (const std::string& line : printer.lines(node)) label += line + "\n";
    out += "  n" + std::to_string(node.id) + " [label = " + dot_quoted(label) + "]\n";
    for (NodeId input : node.inputs) {
      auto* keyed = std::get_if<KeyedNode>(&graph.nodes[input].is);
      bool late = keyed && keyed->late == node.id;
      out += "  n" + std::to_string(input) + " -> n" + std::to_string(node.id) +
             (late ? " [label = late]" : "") + "\n";
    }
  }
  return out + "}\n";
}

}  // namespace weir::compiler
