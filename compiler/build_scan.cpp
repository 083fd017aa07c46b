// `scan`: state of a key that the rows of the key change, one after the other.
//
// Its rows are kept as those of `over` are, until it is their turn. The body becomes a straight
// list (KeptRows::Scan): an assignment makes a new local for its state field, so that what stands
// below it sees it and what stands above does not; inside `when` it is an `if` that keeps the
// value.
#include <algorithm>

#include "compiler/aggregates.h"
#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

constexpr size_t kEmitsMax = 64;  // what follows is written out behind each of them

// One `emit` as written.
struct EmitItem {
  std::string name;
  Expr value;
  dsl::Span span;
};
struct Emitted {
  std::optional<Expr> condition;
  std::vector<EmitItem> items;
  dsl::Span span;
};

}  // namespace

class Builder::ScanBody {
 public:
  ScanBody(Builder& builder, KeyedNode& node, const StreamEnd& in)
      : builder_(builder),
        checker_(builder.checker_),
        diagnostics_(builder.diagnostics_),
        graph_(builder.graph_),
        node_(node),
        scan_(*node.rows->scan),
        in_(in) {}

  // Nothing: something is wrong, and reported.
  std::optional<std::vector<Field>> check(const dsl::ScanOp& op, dsl::Span span) {
    Scope scope = builder_.scope_of(in_);
    scope.has_meta = false;
    scope.no_meta = "`meta` belongs to a record, and it is gone where `scan` takes its row";
    for (const KeyColumn& key : node_.keys) {
      const Scope::Visible* field = scope.find(key.name);
      if (!field || path_of(field->value) != path_of(key.value))
        scope.names.push_back({key.name, key.value, -1});
    }
    if (!state(op, scope)) return std::nullopt;
    statements(op.body, scope, std::nullopt);
    for (uint32_t i = 0; i < now_.size(); ++i) {
      if (now_[i].index != first_local_ + i)
        scan_.assigns.push_back({scan_.state_begin + i, now_[i]});
    }
    if (wrong_) return std::nullopt;
    if (emitted_.empty()) {
      diagnostics_.report(Code::empty_operator, span, "a `scan` without `emit` hands nothing on")
          .with_fix_text("emit { … }");
      return std::nullopt;
    }
    return fields();
  }

 private:
  bool state(const dsl::ScanOp& op, Scope& scope) {
    std::vector<StateField> fields =
        read_state(op.state, builder_.declarations_, graph_, diagnostics_);
    bool good = true;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (scope.find(fields[i].name)) {
        diagnostics_
            .report(Code::declared_twice, op.state[i].name.span,
                    "the row has a field `" + fields[i].name + "` already")
            .with_fix_text("another name for the state");
        good = false;
      }
      good &= !fields[i].type.is(TypeKind::Error);
    }
    if (!good) return false;
    first_local_ = builder_.declarations_.next_local;
    state_at_ = scope.names.size();
    for (StateField& field : fields) {
      uint32_t index = uint32_t(node_.state.size());
      Expr local = checker_.new_local(field.type, {});
      scan_.binds.push_back({local.index, state_of(index, field.type)});
      scope.names.push_back({field.name, local, -1});
      now_.push_back(std::move(local));
      node_.state.push_back(std::move(field));
    }
    return true;
  }

  // `condition`: the local that says whether these statements are reached.
  void statements(const dsl::Body& body, Scope& scope, const std::optional<Expr>& condition) {
    for (const dsl::Statement& statement : body.statements) {
      switch (statement.kind) {
        case dsl::Statement::Kind::Assign:
          assign(statement, scope, condition);
          break;
        case dsl::Statement::Kind::Let:
          let(statement, scope, condition);
          break;
        case dsl::Statement::Kind::Emit:
          emit(statement, scope, condition);
          break;
        case dsl::Statement::Kind::When:
          when(statement, scope, condition);
          break;
        case dsl::Statement::Kind::Set:
        case dsl::Statement::Kind::Clear:
        case dsl::Statement::Kind::On:
          not_supported(diagnostics_, statement.span, "timers in `scan`");
          wrong_ = true;
          break;
      }
    }
  }

  void assign(const dsl::Statement& statement, Scope& scope, const std::optional<Expr>& condition) {
    size_t field = 0;
    while (field < now_.size() && scope.names[state_at_ + field].name != statement.name.text)
      ++field;
    if (field == now_.size()) {
      std::vector<std::string_view> candidates;
      for (size_t i = 0; i < now_.size(); ++i)
        candidates.push_back(scope.names[state_at_ + i].name);
      unknown_state(diagnostics_, statement.name, candidates);
      wrong_ = true;
      return;
    }
    if (!statement.value) return fail();
    const Type type = now_[field].type;
    Expr value = checker_.check_as(*statement.value, scope, type, "`" + statement.name.text + "`");
    if (value.type.is(TypeKind::Error)) return fail();
    bool present = value.op == Op::Wrap;
    if (condition) value = make(Op::If, type, {*condition, std::move(value), now_[field]}, {});
    now_[field] = bind(std::move(value));
    scope.names[state_at_ + field].value = now_[field];
    if (present) scope.facts.insert(path_of(now_[field]));
  }

  void let(const dsl::Statement& statement, Scope& scope, const std::optional<Expr>& condition) {
    for (size_t i = 0; i < now_.size(); ++i) {
      if (scope.names[state_at_ + i].name != statement.name.text) continue;
      diagnostics_
          .report(Code::declared_twice, statement.name.span,
                  "`" + statement.name.text + "` is a field of the state")
          .with_fix_text(statement.name.text + " = …");
      return fail();
    }
    if (!statement.value) return fail();
    Expr value = checker_.check(*statement.value, scope);
    if (value.type.is(TypeKind::Error)) return fail();
    if (value.type.is(TypeKind::Null)) {
      diagnostics_.report(Code::type_mismatch, value.span,
                          "nothing says what type this `null` has");
      return fail();
    }
    bool required = !value.type.optional;
    if (condition) {
      // It is there where its name is: behind the condition.
      value = wrapped(std::move(value));
      const Type type = value.type;
      value = make(Op::If, type, {*condition, std::move(value), constant_expr(type, {}, {})}, {});
    }
    Expr local = bind(std::move(value));
    if (condition && required) local = unwrapped(std::move(local));
    scope.names.push_back({statement.name.text, std::move(local), -1});
  }

  void when(const dsl::Statement& statement, Scope& scope, const std::optional<Expr>& condition) {
    if (!statement.value || !statement.body) return fail();
    Expr predicate = checker_.check_condition(*statement.value, scope, "`when`", true);
    if (predicate.type.is(TypeKind::Error)) return fail();
    Scope inner = scope;
    facts_of(predicate, true, inner.facts);
    const Type boolean = type_of(TypeKind::Bool);
    if (predicate.type.optional)
      predicate = make(Op::Coalesce, boolean, {std::move(predicate), bool_constant(false, {})}, {});
    if (condition) predicate = make(Op::And, boolean, {*condition, std::move(predicate)}, {});
    statements(*statement.body, inner, bind(std::move(predicate)));
    for (size_t i = 0; i < now_.size(); ++i) scope.names[state_at_ + i].value = now_[i];
  }

  void emit(const dsl::Statement& statement, Scope& scope, const std::optional<Expr>& condition) {
    if (!statement.value) return fail();
    if (emitted_.size() == kEmitsMax) {
      diagnostics_.report(Code::too_deep, statement.span,
                          "more than " + std::to_string(kEmitsMax) + " `emit` in one `scan`");
      return fail();
    }
    Emitted made{condition, {}, statement.span};
    auto add = [&](const std::string& name, Expr value, dsl::Span span) {
      for (const EmitItem& other : made.items) {
        if (other.name != name) continue;
        diagnostics_.report(Code::declared_twice, span, "there are two fields `" + name + "`")
            .with_note(other.span, "the first one");
        return fail();
      }
      if (value.type.is(TypeKind::Error)) return fail();
      made.items.push_back({name, std::move(value), span});
    };
    if (auto* literal = std::get_if<dsl::RecordLiteral>(&statement.value->node)) {
      for (const dsl::BlockItem& item : literal->block->items) {
        if (item.spread) {
          spread(item, scope, add);
          continue;
        }
        std::string name = builder_.item_name(item);
        if (name.empty() || !item.value)
          fail();
        else
          add(name, checker_.check(*item.value, scope), item.span);
      }
    } else {
      Expr whole = checker_.check(*statement.value, scope);
      if (whole.type.is(TypeKind::Error)) return fail();
      if (!whole.type.is(TypeKind::Record) || whole.type.optional) {
        diagnostics_
            .report(Code::type_mismatch, statement.value->span,
                    "`emit` wants a record, and this is " + to_text(graph_.types, whole.type))
            .with_fix_text("{ value = … }");
        return fail();
      }
      const std::vector<Field> fields = graph_.types.records[whole.type.ref].fields;
      for (uint32_t i = 0; i < fields.size(); ++i) {
        Expr member = make(Op::Member, fields[i].type, {whole}, statement.value->span);
        member.index = i;
        add(fields[i].name, std::move(member), statement.value->span);
      }
    }
    if (made.items.empty() && !wrong_) {
      diagnostics_.report(Code::empty_operator, statement.span, "`emit` without a field");
      return fail();
    }
    emitted_.push_back(std::move(made));
  }

  template <class Add>
  void spread(const dsl::BlockItem& item, const Scope& scope, const Add& add) {
    if (item.value) {
      not_supported(diagnostics_, item.span, "`..` of a record in `emit`");
      return fail();
    }
    const std::vector<Field>& fields = graph_.types.records[in_.row].fields;
    for (const dsl::Name& name : item.except) {
      bool there = std::any_of(fields.begin(), fields.end(),
                               [&](const Field& field) { return field.name == name.text; });
      if (there) continue;
      diagnostics_.report(Code::unknown_field, name.span,
                          "there is no field `" + name.text + "` to leave out");
      fail();
    }
    for (uint32_t i = 0; i < fields.size(); ++i) {
      bool out = std::any_of(item.except.begin(), item.except.end(),
                             [&](const dsl::Name& name) { return name.text == fields[i].name; });
      if (out) continue;
      Expr value = field_expr(i, fields[i].type, item.span);
      if (scope.facts.count(path_of(value))) value = unwrapped(std::move(value));
      add(fields[i].name, std::move(value), item.span);
    }
  }

  // All emits make rows of one type: the fields of the first one, each wide enough for all.
  std::optional<std::vector<Field>> fields() {
    std::vector<Field> fields;
    scan_.emits.resize(emitted_.size());
    for (size_t i = 0; i < emitted_.size(); ++i) scan_.emits[i].condition = emitted_[i].condition;
    for (const EmitItem& item : emitted_[0].items) {
      std::vector<Expr> values;
      std::optional<Type> type;
      bool optional = false;
      for (const Emitted& emit : emitted_) {
        auto at = std::find_if(emit.items.begin(), emit.items.end(),
                               [&](const EmitItem& other) { return other.name == item.name; });
        if (at == emit.items.end() || emit.items.size() != emitted_[0].items.size()) {
          differs(emit);
          return std::nullopt;
        }
        values.push_back(at->value);
        values.back().span = at->span;
        optional |= at->value.type.is(TypeKind::Null);
        if (at->value.type.is(TypeKind::Null)) continue;
        std::optional<Type> both = type ? common_type(*type, at->value.type) : at->value.type;
        if (!both) {
          diagnostics_
              .report(Code::type_mismatch, at->span,
                      "`" + item.name + "` is " + to_text(graph_.types, at->value.type) +
                          " here, and " + to_text(graph_.types, *type) + " in an `emit` above")
              .with_note(item.span, "the first one");
          return std::nullopt;
        }
        type = both;
      }
      if (!type) {
        diagnostics_.report(Code::type_mismatch, item.span,
                            "nothing says what type this `null` has");
        return std::nullopt;
      }
      if (optional) type = type->nullable();
      for (size_t i = 0; i < values.size(); ++i) {
        Expr value = checker_.convert(std::move(values[i]), *type, "`" + item.name + "`");
        if (value.type.is(TypeKind::Error)) return std::nullopt;
        scan_.emits[i].values.push_back(std::move(value));
      }
      Field field;
      field.name = field.wire_name = item.name;
      field.type = *type;
      field.span = item.span;
      fields.push_back(std::move(field));
    }
    return fields;
  }

  void differs(const Emitted& emit) {
    std::string names;
    for (const EmitItem& item : emitted_[0].items)
      names += (names.empty() ? "`" : ", `") + item.name + "`";
    diagnostics_
        .report(Code::type_mismatch, emit.span,
                "all `emit` of a `scan` make the same fields, and the first one has " + names)
        .with_note(emitted_[0].span, "the first one");
  }

  Expr bind(Expr value) {
    Expr local = checker_.new_local(value.type, value.span);
    scan_.binds.push_back({local.index, std::move(value)});
    return local;
  }
  void fail() { wrong_ = true; }

  Builder& builder_;
  Checker& checker_;
  dsl::Diagnostics& diagnostics_;
  Graph& graph_;
  KeyedNode& node_;
  KeptRows::Scan& scan_;
  const StreamEnd& in_;
  size_t state_at_ = 0;       // where the state's names stand in each scope
  uint32_t first_local_ = 0;  // what state fields are at first
  std::vector<Expr> now_;     // what they are at this place
  std::vector<Emitted> emitted_;
  bool wrong_ = false;
};

StreamEnd Builder::scan(const dsl::ScanOp& op, StreamEnd in, Context& context,
                        const dsl::Operator& whole) {
  std::optional<KeyedNode> node = kept_rows("scan", op.by, in, context, whole);
  if (!node) return failed();
  node->rows->kind = KeptRows::Kind::Scan;
  node->rows->on_arrival = op.on_arrival;
  node->rows->scan = KeptRows::Scan{};
  node->rows->scan->state_begin = uint32_t(node->state.size());
  std::optional<std::vector<Field>> fields = ScanBody(*this, *node, in).check(op, whole.word.span);
  if (!expire_after(op.expire, *node) || !fields) return failed();
  warn_if_unbounded(*node, whole.word.span);
  StreamEnd behind = in;
  behind.facts.clear();
  StreamEnd out =
      add_kept_rows(std::move(*node), std::move(*fields), behind, context, whole, std::nullopt);
  if (op.late) late(*op.late, out.node, in);
  return out;
}

}  // namespace weir::compiler
