// What must hold of a graph between passes. A sentence here is a bug of the compiler, found before
// code is generated.
#include "compiler/checker.h"
#include "compiler/passes.h"

namespace weir::compiler {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  std::string run() {
    for (const Node& node : graph_.nodes) {
      if (node.id != NodeId(&node - graph_.nodes.data())) return "a node's id is not its place";
      for (NodeId input : node.inputs) {
        if (input >= graph_.nodes.size() || input >= node.id)
          return "an input that comes after its node";
      }
      if (node.row >= graph_.types.records.size()) return "a row of no type";
      check_node(node);
      if (!wrong_.empty()) return wrong_ + " (in `" + node.stream + "`)";
    }
    for (const Stage& stage : graph_.stages) {
      check_steps(stage.steps, first_row(graph_, stage));
      if (!wrong_.empty()) return wrong_ + " (in stage " + std::to_string(stage.id) + ")";
    }
    return "";
  }

 private:
  void check_node(const Node& node) {
    if (auto* source = std::get_if<SourceNode>(&node.is)) {
      if (source->event_time) check(*source->event_time, node.row, true);
    } else if (auto* rows = std::get_if<RowsNode>(&node.is)) {
      RecordId row = node.inputs.empty() ? 0 : input_row(node);
      for (const RowStep& step : rows->steps) {
        if (auto* where = std::get_if<WhereStep>(&step)) {
          check(where->predicate, row, true);
        } else if (auto* flatten = std::get_if<FlattenStep>(&step)) {
          check(flatten->container, row, true);
        } else if (auto* project = std::get_if<ProjectStep>(&step)) {
          check_values(project->values, project->row, row);
          row = project->row;
        }
      }
      if (row != node.row) fail("a row that is not the last projection's");
    } else if (auto* keyed = std::get_if<KeyedNode>(&node.is)) {
      each_input_expr(*keyed, [&](const Expr& expr) { check(expr, input_row(node), true); });
      for (const AggregateUse& use : keyed->aggregates) {
        if (use.arguments.size() != use.argument_present.size())
          fail("arguments and their presence differ");
        for (const auto* assigns : {&use.step, &use.merge}) {
          for (const StateAssign& assign : *assigns) {
            if (assign.field < use.state_begin || assign.field >= use.state_end)
              fail("an aggregate that writes another's state");
            else if (keyed->state[assign.field].type != assign.value.type)
              fail("a state field of another type");
            check(assign.value, node.row, false);
          }
        }
        check(use.finish, node.row, false);
      }
      size_t fields = keyed->aggregates.size();
      if (!keyed->rows) fields += (keyed->window ? 2 : 0) + keyed->keys.size();
      if (keyed->rows && keyed->rows->scan) fields = check_scan(node, *keyed);
      if (graph_.types.records[node.row].fields.size() != fields)
        fail("a keyed row of another size");
    } else if (auto* sink = std::get_if<SinkNode>(&node.is)) {
      if (sink->key) check(*sink->key, node.row, true);
    }
  }

  // Returns how many fields its row should have.
  size_t check_scan(const Node& node, const KeyedNode& keyed) {
    const KeptRows::Scan& scan = *keyed.rows->scan;
    RecordId row = input_row(node);
    each_scan_expr(scan, [&](const Expr& expr) { check(expr, row, true); });
    for (const StateAssign& assign : scan.assigns) {
      if (assign.field < scan.state_begin || assign.field >= keyed.state.size())
        fail("a scan that sets what is not its state");
      else if (assign.value.op != Op::Local || keyed.state[assign.field].type != assign.value.type)
        fail("a state field of another type");
    }
    for (const KeptRows::Emit& emit : scan.emits) {
      if (emit.condition && emit.condition->type != type_of(TypeKind::Bool))
        fail("a condition that is none");
      check_values(emit.values, node.row, row);
    }
    return graph_.types.records[node.row].fields.size();
  }

  // The row that goes into a node: late rows are those that went into the keyed node.
  RecordId input_row(const Node& node) const {
    const Node& input = graph_.nodes[node.inputs[0]];
    auto* keyed = std::get_if<KeyedNode>(&input.is);
    return keyed && keyed->late == node.id ? graph_.nodes[input.inputs[0]].row : input.row;
  }

  void check_steps(const std::vector<StageStep>& steps, RecordId row) {
    for (const StageStep& step : steps) {
      RecordId behind = row;
      if (auto* where = std::get_if<StageStep::Where>(&step.is)) check(where->predicate, row, true);
      if (auto* flatten = std::get_if<StageStep::Flatten>(&step.is))
        check(flatten->container, row, true);
      if (auto* project = std::get_if<StageStep::Project>(&step.is)) {
        check_values(project->values, project->row, row);
        behind = project->row;
      }
      if (auto* scan = std::get_if<StageStep::Scan>(&step.is))
        behind = graph_.nodes[scan->keyed].row;
      if (auto* emit = std::get_if<StageStep::Emit>(&step.is);
          emit && !same_shape(graph_.nodes[emit->sink].row, row))
        fail("a sink that is given another row");
      if (auto* update = std::get_if<StageStep::Update>(&step.is)) check_steps(update->late, row);
      check_steps(step.next, behind);
    }
  }

  bool same_shape(RecordId a, RecordId b) const {
    return a == b || graph_.types.records[a].fields.size() == graph_.types.records[b].fields.size();
  }

  void check_values(const std::vector<Expr>& values, RecordId made, RecordId from) {
    const auto& fields = graph_.types.records[made].fields;
    if (values.size() != fields.size()) return fail("a projection of another size than its row");
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].type != fields[i].type)
        fail("`" + fields[i].name + "` is projected with another type than it has");
      check(values[i], from, true);
    }
  }

  void check(const Expr& expr, RecordId row, bool over_fields) {
    each_expr(expr, [&](const Expr& e) { check_one(e, row, over_fields); });
  }

  void check_one(const Expr& e, RecordId row, bool over_fields) {
    if (e.type.is(TypeKind::Error) || e.type.is(TypeKind::Null))
      return fail("an expression without a type");
    auto arity = [&](size_t count) {
      if (e.args.size() != count)
        fail("an operator with " + std::to_string(e.args.size()) + " operands");
      return e.args.size() == count;
    };
    switch (e.op) {
      case Op::Field: {
        const auto& fields = graph_.types.records[row].fields;
        if (!over_fields)
          fail("a field inside an aggregate's body");
        else if (e.index >= fields.size())
          fail("a field that the row does not have");
        else if (fields[e.index].type != e.type)
          fail("`" + fields[e.index].name + "` has another type than it is read with");
        break;
      }
      case Op::Add:
      case Op::Subtract:
      case Op::Multiply:
      case Op::Divide:
      case Op::Modulo:
        if (arity(2) && (e.args[0].type.optional || e.args[1].type.optional))
          fail("arithmetic with null");
        break;
      case Op::Equal:
      case Op::NotEqual:
        if (arity(2) && e.args[0].type != e.args[1].type) fail("`==` of two types");
        break;
      case Op::Less:
      case Op::LessEqual:
      case Op::Greater:
      case Op::GreaterEqual:
        if (arity(2) && (e.args[0].type != e.args[1].type || e.args[0].type.optional))
          fail("an order of two types, or with null");
        break;
      case Op::If:
        if (arity(3) && (e.args[1].type != e.type || e.args[2].type != e.type))
          fail("an `if` of two types");
        break;
      case Op::Let:
        if (arity(2) && e.args[1].type != e.type) fail("a `let` of another type");
        break;
      case Op::Wrap:
        if (arity(1) && e.args[0].type.nullable() != e.type)
          fail("a wrapped value of another type");
        break;
      case Op::Unwrap:
        if (arity(1) && (!e.args[0].type.optional || e.args[0].type.required() != e.type))
          fail("an unwrapped value of another type");
        break;
      case Op::Cast:
        if (arity(1) && e.args[0].type.optional != e.type.optional)
          fail("a cast that changes presence");
        break;
      case Op::Coalesce:
        if (arity(2) && (e.args[1].type != e.type || e.args[0].type != e.type.nullable()))
          fail("a `??` of two types");
        break;
      default:
        break;
    }
  }

  void fail(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  const Graph& graph_;
  std::string wrong_;
};

}  // namespace

std::string verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace weir::compiler
