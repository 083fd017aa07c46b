#include "codegen/row.h"

#include <algorithm>
#include <set>

#include <llvm/Support/ErrorHandling.h>

namespace weir::codegen {

using compiler::Expr;
using compiler::Op;
using compiler::StageStep;
using compiler::TypeKind;

std::optional<std::vector<uint32_t>> path_of(const RowShape& row, const Expr& expr) {
  switch (expr.op) {
    case Op::Field:
      if (!row.parent) return std::vector{expr.index};
      return path_of(*row.parent, (*row.values)[expr.index]);
    case Op::Unwrap:
      return path_of(row, expr.args[0]);
    case Op::Member: {
      auto path = path_of(row, expr.args[0]);
      if (path) path->push_back(expr.index);
      return path;
    }
    default:
      return std::nullopt;
  }
}

namespace {

class Uses {
 public:
  Uses(const compiler::Graph& graph, compiler::RecordId record) : graph_(graph), record_(record) {}

  void expr(const RowShape& row, const Expr& e) {
    if (e.op == Op::IsNull && e.args[0].type.is(TypeKind::Record)) {
      if (auto path = path_of(row, e.args[0])) {
        add(*path, true);
        return;
      }
    }
    if (auto path = path_of(row, e)) {
      add(*path, false);
      return;
    }
    if (e.op == Op::Field) {
      if (visited_.insert({&row, e.index}).second) expr(*row.parent, (*row.values)[e.index]);
      return;
    }
    for (const Expr& argument : e.args) expr(row, argument);
  }

  void all_fields(const RowShape& row, compiler::RecordId record) {
    for (uint32_t i = 0; i < graph_.types.records[record].fields.size(); i++) {
      Expr field;
      field.op = Op::Field;
      field.index = i;
      field.type = graph_.types.records[record].fields[i].type;
      expr(row, field);
    }
  }

  void steps(const RowShape& row, const std::vector<StageStep>& list, compiler::RecordId record) {
    for (const StageStep& step : list) {
      if (auto* where = std::get_if<StageStep::Where>(&step.is)) {
        expr(row, where->predicate);
        steps(row, step.next, record);
      } else if (auto* flatten = std::get_if<StageStep::Flatten>(&step.is)) {
        expr(row, flatten->container);
        steps(row, step.next, record);
      } else if (auto* project = std::get_if<StageStep::Project>(&step.is)) {
        shapes_.push_back(std::make_unique<RowShape>(RowShape{&row, &project->values}));
        steps(*shapes_.back(), step.next, project->row);
      } else if (auto* update = std::get_if<StageStep::Update>(&step.is)) {
        const auto& keyed = std::get<compiler::KeyedNode>(graph_.nodes[update->keyed].is);
        for (auto& key : keyed.keys) expr(row, key.value);
        for (auto& aggregate : keyed.aggregates) {
          if (aggregate.filter) expr(row, *aggregate.filter);
          for (auto& argument : aggregate.arguments) expr(row, argument);
          for (auto& present : aggregate.argument_present) {
            if (present) expr(row, *present);
          }
        }
        steps(row, update->late, record);
        steps(row, step.next, record);
      } else if (auto* emit = std::get_if<StageStep::Emit>(&step.is)) {
        const auto& sink = std::get<compiler::SinkNode>(graph_.nodes[emit->sink].is);
        all_fields(row, record);
        if (sink.key) expr(row, *sink.key);
        steps(row, step.next, record);
      }
    }
  }

  std::vector<UsedPath> result() {
    while (split_a_record()) {
    }
    std::vector<UsedPath> used;
    for (auto& [path, presence_only] : paths_) used.push_back({path, type_of(path), presence_only});
    return used;
  }

 private:
  // A record that is wanted whole and in parts, too, is read in parts: of a bad one only those fail
  // who want it. False: there is none.
  bool split_a_record() {
    for (auto at = paths_.begin(); at != paths_.end(); ++at) {
      const std::vector<uint32_t> path = at->first;
      auto inner = std::next(at);
      bool parted = inner != paths_.end() && inner->first.size() > path.size() &&
                    std::equal(path.begin(), path.end(), inner->first.begin());
      if (at->second || !parted) continue;
      compiler::Type type = type_of(path);
      if (type.optional)
        at->second = true;
      else
        paths_.erase(at);
      for (uint32_t i = 0; i < graph_.types.record(type).fields.size(); i++) {
        std::vector<uint32_t> part = path;
        part.push_back(i);
        add(part, false);
      }
      return true;
    }
    return false;
  }

  compiler::Type type_of(const std::vector<uint32_t>& path) const {
    compiler::Type type = compiler::type_of(TypeKind::Record);
    type.ref = record_;
    for (uint32_t field : path) type = graph_.types.record(type).fields[field].type;
    return type;
  }

  void add(const std::vector<uint32_t>& path, bool presence_only) {
    auto [place, is_new] = paths_.try_emplace(path, presence_only);
    if (!is_new) place->second &= presence_only;
  }

  const compiler::Graph& graph_;
  compiler::RecordId record_;
  std::map<std::vector<uint32_t>, bool> paths_;
  std::set<std::pair<const RowShape*, uint32_t>> visited_;
  std::vector<std::unique_ptr<RowShape>> shapes_;
};

}  // namespace

std::vector<UsedPath> used_paths(const compiler::Graph& graph, const compiler::Stage& stage) {
  const compiler::Node& input = graph.nodes[stage.input];
  Uses uses(graph, input.row);
  RowShape row;
  if (auto* source = std::get_if<compiler::SourceNode>(&input.is)) {
    if (source->event_time) uses.expr(row, *source->event_time);
    if (source->validation == compiler::Validation::Strict) uses.all_fields(row, input.row);
  }
  uses.steps(row, stage.steps, input.row);
  return uses.result();
}

static Value not_here(const char* what) {
  llvm::report_fatal_error(llvm::Twine(what) + " has no meaning at this place of the graph");
}
Value Leaves::path(const std::vector<uint32_t>&, bool) { return not_here("a field"); }
Value Leaves::event_time() { return not_here("the event time"); }
Value Leaves::meta(compiler::MetaField) { return not_here("meta"); }
Value Leaves::key_field(uint32_t) { return not_here("a key field"); }
Value Leaves::window_bound(bool) { return not_here("a window's bound"); }
Value Leaves::state(uint32_t) { return not_here("state"); }
Value Leaves::other(uint32_t) { return not_here("the other state"); }
Value Leaves::argument(uint32_t) { return not_here("an argument"); }

const Value* Memo::find(Key key) const {
  auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

void Memo::add(Key key, const Value& value) {
  if (values_.emplace(key, value).second) trail_.push_back(key);
}

void Memo::rewind(size_t mark) {
  while (trail_.size() > mark) {
    values_.erase(trail_.back());
    trail_.pop_back();
  }
}

}  // namespace weir::codegen
