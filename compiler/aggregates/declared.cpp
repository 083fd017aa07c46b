// `aggregate fn`: its bodies, checked and written as what code is generated from.
//
// While a body is checked, parameters, state fields and `other` are locals; an assignment makes a
// new local for the field, so that statements see what the ones above them have done. What a field
// is at the end is written out as the Lets that it needs, no others: an error counts where its
// value is used.
#include <map>

#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

class Bodies {
 public:
  Bodies(const AggregateFunction& declared, Checker& checker, dsl::Diagnostics& diagnostics)
      : declared_(declared), checker_(checker), diagnostics_(diagnostics) {}

  std::optional<AggregateBody> expand() {
    AggregateBody body;
    body.state = declared_.state;
    for (const StateField& field : body.state) {
      if (field.type.is(TypeKind::Error)) return std::nullopt;
    }
    body.step = statements(declared_.declared->step, false);
    body.merge = statements(declared_.declared->merge, true);
    Scope scope = begin();
    body.finish =
        checker_.check_as(*declared_.declared->finish, scope, declared_.result, "`finish`");
    replace(body.finish);
    if (body.finish.type.is(TypeKind::Error) || wrong_) return std::nullopt;
    return body;
  }

 private:
  struct Binding {
    uint32_t local;
    Expr value;
  };

  // A scope with the state, each field as a local of its own.
  Scope begin() {
    leaves_.clear();
    bindings_.clear();
    Scope scope;
    scope.no_event_time = "a group has none of its own";
    for (uint32_t i = 0; i < declared_.state.size(); ++i) {
      Expr local = checker_.new_local(declared_.state[i].type, declared_.span);
      leaves_[local.index] = state_of(i, declared_.state[i].type);
      scope.names.push_back({declared_.state[i].name, std::move(local), -1});
    }
    return scope;
  }

  std::vector<StateAssign> statements(const dsl::Body& body, bool merge) {
    Scope scope = begin();
    std::vector<Expr> now;
    for (const auto& visible : scope.names) now.push_back(visible.value);
    const std::vector<Expr> before = now;
    if (merge) {
      for (uint32_t i = 0; i < declared_.state.size(); ++i) {
        Expr local = checker_.new_local(declared_.state[i].type, declared_.span);
        leaves_[local.index] = other_of(i, declared_.state[i].type);
        scope.names.push_back({"other." + declared_.state[i].name, std::move(local), -1});
      }
    } else {
      scope.has_event_time = true;  // where it is used that is looked at again
      for (uint32_t i = 0; i < declared_.types.size(); ++i) {
        Expr local = checker_.new_local(declared_.types[i], declared_.span);
        leaves_[local.index] = argument_of(i, declared_.types[i]);
        scope.names.push_back({declared_.parameters[i], std::move(local), -1});
      }
    }
    for (const dsl::Statement& statement : body.statements) {
      if (!statement.value) {
        wrong_ = true;  // the parser has said so
        continue;
      }
      if (statement.kind == dsl::Statement::Kind::Assign) {
        assign(statement, scope, now);
      } else if (statement.kind == dsl::Statement::Kind::Let) {
        Expr value = checker_.check(*statement.value, scope);
        if (value.type.is(TypeKind::Null)) {
          diagnostics_.report(Code::type_mismatch, value.span,
                              "nothing says what type this `null` has");
          wrong_ = true;
          continue;
        }
        scope.names.push_back({statement.name.text, bind(std::move(value)), -1});
      } else {
        diagnostics_
            .report(Code::wrong_kind_of_name, statement.span,
                    "this statement belongs to `scan`; an `aggregate fn` has `x = e` and `let`")
            .with_fix_text("x = if … then … else x");
        wrong_ = true;
      }
    }
    std::vector<StateAssign> assigns;
    for (uint32_t i = 0; i < now.size(); ++i) {
      if (now[i].index != before[i].index) assigns.push_back({i, written_out(now[i])});
    }
    return assigns;
  }

  void assign(const dsl::Statement& statement, Scope& scope, std::vector<Expr>& now) {
    size_t field = 0;
    while (field < declared_.state.size() && declared_.state[field].name != statement.name.text)
      ++field;
    if (field == declared_.state.size()) {
      std::vector<std::string_view> candidates;
      for (const StateField& each : declared_.state) candidates.push_back(each.name);
      unknown_state(diagnostics_, statement.name, candidates);
      wrong_ = true;
      return;
    }
    Expr value = checker_.check_as(*statement.value, scope, declared_.state[field].type,
                                   "`" + statement.name.text + "`");
    now[field] = bind(std::move(value));
    scope.names.push_back({statement.name.text, now[field], -1});
  }

  Expr bind(Expr value) {
    wrong_ |= value.type.is(TypeKind::Error);
    Expr local = checker_.new_local(value.type, value.span);
    bindings_.push_back({local.index, std::move(value)});
    return local;
  }

  static bool uses(const Expr& expr, uint32_t local) {
    if (expr.op == Op::Local && expr.index == local) return true;
    for (const Expr& arg : expr.args) {
      if (uses(arg, local)) return true;
    }
    return false;
  }

  Expr written_out(Expr result) {
    for (size_t i = bindings_.size(); i-- > 0;) {
      const Binding& binding = bindings_[i];
      if (!uses(result, binding.local)) continue;
      if (result.op == Op::Local) {
        result = binding.value;
        continue;
      }
      Type type = result.type;
      dsl::Span span = result.span;
      result = make(Op::Let, type, {binding.value, std::move(result)}, span);
      result.index = binding.local;
    }
    replace(result);
    return result;
  }

  void replace(Expr& expr) const {
    if (expr.op == Op::Local) {
      if (auto leaf = leaves_.find(expr.index); leaf != leaves_.end()) {
        dsl::Span span = expr.span;
        expr = leaf->second;
        expr.span = span;
      }
      return;
    }
    for (Expr& arg : expr.args) replace(arg);
  }

  const AggregateFunction& declared_;
  Checker& checker_;
  dsl::Diagnostics& diagnostics_;
  std::map<uint32_t, Expr> leaves_;  // by local: a state field, an argument, one of `other`
  std::vector<Binding> bindings_;
  bool wrong_ = false;
};

}  // namespace

std::optional<AggregateBody> expand_declared(const AggregateFunction& declared, Checker& checker,
                                             dsl::Diagnostics& diagnostics) {
  if (!declared.declared->finish) return std::nullopt;
  return Bodies(declared, checker, diagnostics).expand();
}

}  // namespace weir::compiler
