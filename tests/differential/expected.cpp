#include "tests/differential/expected.h"

#include <algorithm>

#include "compiler/builder.h"
#include "dsl/parser.h"
#include "dsl/render.h"
#include "tests/differential/interpreter.h"

namespace weir::differential {

using compiler::Node;

std::unique_ptr<Model> Model::of(const std::string& text, std::string* why) {
  std::unique_ptr<Model> model(new Model());
  dsl::FileId file = model->sources_.add("random.weir", text);
  dsl::Diagnostics& diagnostics = model->diagnostics_;
  model->program_ = dsl::parse(model->sources_, file, diagnostics);
  if (!diagnostics.has_errors()) {
    auto declarations =
        compiler::declare(model->program_, model->sources_, model->graph_, diagnostics);
    compiler::Builder(declarations, model->graph_, diagnostics).build_program();
  }
  if (!diagnostics.has_errors()) return model;
  if (why) *why = dsl::render(diagnostics, model->sources_, {});
  return nullptr;
}

const compiler::RecordType& Model::schema() const {
  auto source = std::find_if(graph_.nodes.begin(), graph_.nodes.end(), [](const Node& node) {
    return std::holds_alternative<compiler::SourceNode>(node.is);
  });
  return graph_.types.records[source->row];
}

size_t Model::values() const {
  size_t count = 0;
  for (const Node& node : graph_.nodes) {
    if (std::holds_alternative<compiler::SinkNode>(node.is))
      count += graph_.types.records[node.row].fields.size();
  }
  return count;
}

namespace {

// One record on its way to one sink.
class Way {
 public:
  Way(const compiler::Graph& graph, Interpreter& interpreter, const Node& sink)
      : graph_(graph), interpreter_(interpreter), sink_(sink) {
    for (const Node* node = &sink; !node->inputs.empty(); node = &graph.nodes[node->inputs[0]])
      nodes_.insert(nodes_.begin(), node);
  }

  void go(const Record& record, int64_t offset, Results& results) {
    std::vector<std::unique_ptr<Row>> rows;
    rows.push_back(std::make_unique<Row>(Row{&record.fields, nullptr, nullptr}));
    auto fails = [&](const Node& node, Reason reason) {
      results.errors.try_emplace({node.stream, offset}, reason_name(reason));
    };
    for (const Node* node : nodes_) {
      auto* steps = std::get_if<compiler::RowsNode>(&node->is);
      for (size_t i = 0; steps && i < steps->steps.size(); ++i) {
        if (auto* where = std::get_if<compiler::WhereStep>(&steps->steps[i])) {
          Value truth = interpreter_.eval(*rows.back(), where->predicate);
          if (truth.failed()) return fails(*node, truth.error);
          if (truth.null || !truth.number) return;
        } else if (auto* project = std::get_if<compiler::ProjectStep>(&steps->steps[i])) {
          rows.push_back(std::make_unique<Row>(Row{nullptr, rows.back().get(), &project->values}));
        }
      }
    }
    const compiler::RecordType& type = graph_.types.records[sink_.row];
    Value row;
    for (uint32_t i = 0; i < type.fields.size(); ++i) {
      row.items.push_back(interpreter_.field(*rows.back(), i, type.fields[i].type));
      if (row.items.back().failed()) return fails(sink_, row.items.back().error);
    }
    compiler::Type record_type = compiler::type_of(compiler::TypeKind::Record);
    record_type.ref = sink_.row;
    Value json = json_of(graph_.types, row, record_type);
    if (json.failed()) return fails(sink_, json.error);
    results.rows[std::get<compiler::SinkNode>(sink_.is).name].push_back(json.text);
  }

 private:
  const compiler::Graph& graph_;
  Interpreter& interpreter_;
  const Node& sink_;
  std::vector<const Node*> nodes_;
};

}  // namespace

Results Model::results(const std::vector<Record>& records, std::string* unknown) const {
  Results results;
  Interpreter interpreter(graph_.types);
  for (const Node& node : graph_.nodes) {
    if (!std::holds_alternative<compiler::SinkNode>(node.is)) continue;
    Way way(graph_, interpreter, node);
    for (size_t i = 0; i < records.size(); ++i) way.go(records[i], int64_t(i), results);
  }
  *unknown = interpreter.unknown();
  return results;
}

}  // namespace weir::differential
