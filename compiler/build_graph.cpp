// Streams: from names to nodes.
#include <algorithm>
#include <utility>

#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

RecordId Builder::new_row(std::vector<Field> fields) {
  graph_.types.records.push_back({"", std::move(fields), {}});
  return RecordId(graph_.types.records.size() - 1);
}

Node& Builder::add_node(std::variant<SourceNode, RowsNode, KeyedNode, UnionNode, SinkNode> is,
                        std::vector<NodeId> inputs, RecordId row, const std::string& stream,
                        dsl::Span span) {
  Node node;
  node.id = NodeId(graph_.nodes.size());
  if (node.id == kNodesMax)
    diagnostics_.report(Code::too_deep, span,
                        "a program with more than " + std::to_string(kNodesMax) + " operators");
  node.is = std::move(is);
  int depth = 0;
  for (NodeId input : inputs) depth = std::max(depth, depth_[input] + 1);
  depth_[node.id] = depth;
  node.inputs = std::move(inputs);
  node.row = row;
  node.stream = stream;
  node.span = span;
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back();
}

void Builder::build_program() {
  for (const auto& [name, value] : declarations_.values) {
    if (value.kind != ValueKind::Param && value.kind != ValueKind::Secret)
      build_declared(name, value);
  }
  bool any = false;
  for (const auto& declaration : declarations_.program->declarations) {
    if (auto* declared = std::get_if<dsl::SinkDecl>(&declaration.node)) {
      any = true;
      sink(declaration, *declared);
    }
    any |= std::holds_alternative<dsl::TestDecl>(declaration.node);
  }
  // A file of types, functions, parameters and pipes alone is there to be imported.
  bool library = true;
  for (const auto& declaration : declarations_.program->declarations) {
    if (declaration.span.file != declarations_.program->file) continue;
    library &= !std::holds_alternative<dsl::StreamDecl>(declaration.node) &&
               !std::holds_alternative<dsl::SourceDecl>(declaration.node) &&
               !std::holds_alternative<dsl::SplitDecl>(declaration.node);
  }
  if (!any && !library && !diagnostics_.has_errors()) {
    dsl::Span span{0, 0, declarations_.program->file};
    auto& diagnostic =
        diagnostics_.report(Code::nothing_to_run, span, "this program has no sink and no test");
    std::string last;
    for (const auto& declaration : declarations_.program->declarations) {
      bool stream = std::holds_alternative<dsl::StreamDecl>(declaration.node) ||
                    std::holds_alternative<dsl::SourceDecl>(declaration.node);
      if (stream) last = declaration.name.text;
    }
    auto end = uint32_t(declarations_.sources->file(span.file).text().size());
    if (last.empty())
      diagnostic.with_fix_text("sink name -> stdout()");
    else
      diagnostic.with_fix({end, end, span.file}, "\nsink " + last + " -> stdout()\n");
  }
}

void Builder::warn_unused() {
  std::vector<bool> live(graph_.nodes.size(), false);
  auto use = [&](const std::string& name) {
    if (auto at = built_.find(name); at != built_.end() && at->second.ok())
      live[at->second.node] = true;
  };
  for (const auto& declaration : declarations_.program->declarations) {
    auto* test = std::get_if<dsl::TestDecl>(&declaration.node);
    if (!test) continue;
    for (const auto& step : test->steps) {
      if (!step.target) continue;
      use(step.target->head.text);
      for (const auto& argument : step.target->head_arguments) {
        if (auto* of = std::get_if<dsl::NameRef>(&argument.value->node)) use(of->name);
      }
    }
  }
  for (size_t i = graph_.nodes.size(); i-- > 0;) {
    if (std::holds_alternative<SinkNode>(graph_.nodes[i].is)) live[i] = true;
    if (!live[i]) continue;
    for (NodeId input : graph_.nodes[i].inputs) live[input] = true;
  }
  for (const auto& [name, value] : declarations_.values) {
    if (value.span.file != declarations_.program->file) continue;  // imported
    bool used = true;
    const char* word = "stream";
    if (value.kind == ValueKind::Param || value.kind == ValueKind::Secret) {
      used = declarations_.params_used.count(value.param);
      word = value.kind == ValueKind::Param ? "parameter" : "secret";
    } else if (auto at = built_.find(name); at != built_.end() && at->second.ok()) {
      used = live[at->second.node];
      if (value.kind == ValueKind::Source) word = "source";
    }
    if (!used)
      diagnostics_.report(Code::unused_declaration, value.span,
                          std::string(word) + " `" + name + "` reaches no sink and no test");
  }
}

void Builder::build_declared(const std::string& name, const ValueName& value) {
  if (built_.count(name)) return;
  if (building_.size() >= kDepthMax) {
    diagnostics_.report(
        Code::too_deep, value.span,
        "streams that are built of streams deeper than " + std::to_string(kDepthMax));
    built_[name] = failed();
    return;
  }
  building_.insert(name);
  const PipeFrame* frame = std::exchange(checker_.frame, nullptr);
  StreamEnd end;
  switch (value.kind) {
    case ValueKind::Source:
      end = source(*value.declaration);
      break;
    case ValueKind::Stream: {
      const auto& declared = std::get<dsl::StreamDecl>(value.declaration->node);
      Context context;
      context.stream = name;
      if (declared.pipeline) end = pipeline(*declared.pipeline, context);
      break;
    }
    case ValueKind::Table:
      not_supported(diagnostics_, value.span, "`table`");
      break;
    case ValueKind::Split:
      end = split_arm(*value.declaration, name);
      break;
    case ValueKind::Late: {
      // Made by the pipeline that declares it.
      if (auto* stream = std::get_if<dsl::StreamDecl>(&value.declaration->node);
          stream && !building_.count(value.declaration->name.text)) {
        auto owner = declarations_.values.find(value.declaration->name.text);
        if (owner != declarations_.values.end()) build_declared(owner->first, owner->second);
      } else if (stream) {
        diagnostics_.report(Code::declaration_cycle, value.span,
                            "late rows `" + name + "` go into the window that they come from");
      } else if (auto* sink_declared = std::get_if<dsl::SinkDecl>(&value.declaration->node)) {
        sink(*value.declaration, *sink_declared);
      }
      if (auto at = built_.find(name); at != built_.end()) end = at->second;
      break;
    }
    default:
      break;
  }
  checker_.frame = frame;
  building_.erase(name);
  built_.emplace(name, std::move(end));
}

StreamEnd Builder::named(const std::string& name, dsl::Span span) {
  auto value = declarations_.values.find(name);
  if (value != declarations_.values.end()) declarations_.note(span, value->second.span);
  if (value == declarations_.values.end()) {
    if (declarations_.asked_for(name)) {
      for (const auto& [other, info] : declarations_.values) {
        if (info.kind != ValueKind::Param && info.kind != ValueKind::Secret)
          declarations_.meanings->offers.push_back({other, "stream"});
      }
    }
    std::vector<std::string_view> candidates;
    for (const auto& [other, info] : declarations_.values) {
      if (info.kind != ValueKind::Param && info.kind != ValueKind::Secret)
        candidates.push_back(other);
    }
    auto& diagnostic =
        diagnostics_.report(Code::unknown_name, span, "there is no stream `" + name + "`");
    if (std::string near = nearest(name, candidates); !near.empty()) {
      diagnostic.with_note("did you mean `" + near + "`?").with_fix(span, near);
    }
    return failed();
  }
  if (value->second.kind == ValueKind::Param || value->second.kind == ValueKind::Secret) {
    diagnostics_
        .report(Code::wrong_kind_of_name, span,
                "`" + name + "` is a parameter, and a stream is wanted here")
        .with_note(value->second.span, "declared here");
    return failed();
  }
  if (building_.count(name) && !built_.count(name)) {
    diagnostics_.report(Code::declaration_cycle, span, "stream `" + name + "` is built of itself")
        .with_note(value->second.span, "declared here");
    return failed();
  }
  build_declared(name, value->second);
  return built_[name];
}

StreamEnd Builder::stream(const dsl::Name& name) { return named(name.text, name.span); }

StreamEnd Builder::stream_or_sink(const dsl::Name& name) {
  auto sink = sink_inputs_.find(name.text);
  if (sink != sink_inputs_.end() && !declarations_.values.count(name.text)) {
    declarations_.note(name.span, sinks_[name.text]);
    return sink->second;
  }
  return stream(name);
}

StreamEnd Builder::head(const dsl::Pipeline& pipeline, Context& context) {
  if (pipeline.nested) {
    if (++context.depth > kDepthMax) return failed();
    return this->pipeline(*pipeline.nested, context);
  }
  if (pipeline.head_is_call) {
    not_supported(diagnostics_, pipeline.head.span, "`" + pipeline.head.text + "(…)` as a stream");
    return failed();
  }
  if (pipeline.head.text.empty()) return failed();
  // The frame of a builder's checker is a pipe in use.
  if (auto* call = static_cast<const PipeCall*>(checker_.frame)) {
    if (auto at = call->streams.find(pipeline.head.text); at != call->streams.end())
      return at->second;
  }
  return named(pipeline.head.text, pipeline.head.span);
}

StreamEnd Builder::pipeline(const dsl::Pipeline& pipeline, Context& context) {
  StreamEnd end = head(pipeline, context);
  for (const auto& op : pipeline.operators) {
    if (!end.ok()) return end;
    end = apply(op, std::move(end), context);
  }
  return end;
}

StreamEnd Builder::refuse(const dsl::Operator& op, const std::string& what) {
  not_supported(diagnostics_, op.word.span.empty() ? op.span : op.word.span, "`" + what + "`");
  return failed();
}

StreamEnd Builder::apply(const dsl::Operator& op, StreamEnd in, Context& context) {
  if (depth_[in.node] > kDepthMax) {
    diagnostics_.report(Code::too_deep, op.span,
                        "more than " + std::to_string(kDepthMax) + " operators in a row");
    return failed();
  }
  struct Visit {
    Builder& b;
    const dsl::Operator& op;
    StreamEnd& in;
    Context& context;
    StreamEnd operator()(const dsl::WhereOp& node) {
      return b.where(node, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::SelectOp& node) {
      return b.shape(node.block, false, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::ExtendOp& node) {
      return b.shape(node.block, true, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::DropOp& node) {
      return b.drop(node, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::UnionOp& node) {
      return b.union_(node, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::WindowOp& node) {
      return b.window(node, std::move(in), context, op);
    }
    StreamEnd operator()(const dsl::GroupOp& node) {
      return b.group(node, std::move(in), context, op);
    }
    StreamEnd operator()(const dsl::FlattenOp& node) {
      return b.flatten(node, std::move(in), context, op.span);
    }
    StreamEnd operator()(const dsl::OverOp& node) {
      return b.over(node, std::move(in), context, op);
    }
    StreamEnd operator()(const dsl::JoinOp&) { return b.refuse(op, "join"); }
    StreamEnd operator()(const dsl::DedupOp& node) {
      return b.dedup(node, std::move(in), context, op);
    }
    StreamEnd operator()(const dsl::ScanOp& node) {
      return b.scan(node, std::move(in), context, op);
    }
    StreamEnd operator()(const dsl::DetectOp&) { return b.refuse(op, "detect"); }
    StreamEnd operator()(const dsl::TopOp&) { return b.refuse(op, "top"); }
    StreamEnd operator()(const dsl::ToTableOp&) { return b.refuse(op, "to table"); }
    StreamEnd operator()(const dsl::ChangesOp&) { return b.refuse(op, "changes"); }
    StreamEnd operator()(const dsl::PipeCallOp& call) {
      std::vector<std::string_view> words = {"where", "select", "extend", "drop", "flatten",
                                             "union", "window", "group",  "over", "join",
                                             "dedup", "scan",   "detect", "top",  "changes"};
      auto& pipes = b.declarations_.pipes;
      if (auto pipe = pipes.find(call.name.text); pipe != pipes.end()) {
        b.declarations_.note(call.name.span, pipe->second->name.span);
        return b.pipe(call, *pipe->second, std::move(in), context, op.span);
      }
      for (const auto& [name, pipe] : pipes) words.push_back(name);
      std::string near = nearest(call.name.text, words);
      auto& diagnostic = b.diagnostics_.report(Code::unknown_name, call.name.span,
                                               "there is no operator `" + call.name.text + "`");
      if (!near.empty())
        diagnostic.with_note("did you mean `" + near + "`?").with_fix(call.name.span, near);
      return b.failed();
    }
  };
  return std::visit(Visit{*this, op, in, context}, op.node);
}

bool Builder::same_row(RecordId a, RecordId b) const {
  if (a == b) return true;
  const auto& left = graph_.types.records[a].fields;
  const auto& right = graph_.types.records[b].fields;
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Field& x, const Field& y) {
                      return x.name == y.name && x.type == y.type && x.wire_name == y.wire_name;
                    });
}

}  // namespace weir::compiler
