// Types expressions: dsl::Expr in, compiler::Expr out, with every cast and every null step written
// down.
//
// A `Scope` says what names mean where an expression stands. What is wrong is reported, and the
// result then has type Error, which agrees with everything: one mistake, one message. Used by one
// thread for one compilation.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/declarations.h"
#include "compiler/expr.h"
#include "dsl/ast.h"

namespace weir::compiler {

// Who takes the aggregate calls of a window's or group's block: makes the aggregate and gives its
// result as a field of the keyed row.
class AggregateHost {
 public:
  virtual ~AggregateHost() = default;
  virtual Expr aggregate(const dsl::Call& call, std::string_view name, dsl::Span span) = 0;
};

struct Scope {
  struct Visible {
    std::string name;
    Expr value;
    int item = -1;  // number of the item of this block that it is, −1: a field, a local
    dsl::Span declared = {};
  };
  std::vector<Visible> names;   // the last one of a name counts
  std::set<std::string> facts;  // paths (path_of) that are known not to be null here
  std::set<int> items_used;     // numbers of the items that were looked up
  bool has_event_time = false;
  std::string no_event_time;  // why not, to be said
  bool has_meta = false;
  std::string no_meta = "`meta` is there from a Kafka source to the first keyed operator";
  std::optional<RecordId> row;  // `row`: its fields are the first of `names`
  AggregateHost* aggregates = nullptr;
  std::optional<dsl::Fix> group_instead;  // of an aggregate where there are no groups
  const Scope* rows_of_group = nullptr;   // in a block of aggregates: what a row of the group has

  const Visible* find(std::string_view name) const;
};

// The parameters of a pipe whose body is being checked: found before the fields of rows, so that a
// pipe means the same whatever row it is used on.
struct PipeFrame {
  struct Function {
    const dsl::Lambda* lambda = nullptr;
    const PipeFrame* scope = nullptr;  // what the lambda's text may name
    Type result;                       // Error: any
  };
  const dsl::Declaration* pipe = nullptr;
  const PipeFrame* outer = nullptr;  // of the pipe in whose body this one is used
  std::vector<Scope::Visible> values;
  std::map<std::string, Function> functions;
};

// "f3.0" of field 0 of the record in field 3; "" if the expression is not a path. `Unwrap`s don't
// count.
std::string path_of(const Expr& expr);
// Adds the paths that are not null where `condition` is `truth`.
void facts_of(const Expr& condition, bool truth, std::set<std::string>& facts);
// The number of nodes, counted no further than `limit`.
size_t size_of(const Expr& expr, size_t limit);

// The type that values of both can be brought to without loss, or nothing. Optional if one of them
// is.
std::optional<Type> common_type(Type a, Type b);
// Whether a value of `from` may stand where `to` is wanted, by an implicit cast. Both required.
bool widens(Type from, Type to);
bool can_compare(const Types& types, Type type);  // == and !=
bool can_order(Type type);                        // < and the others, min, max
bool can_be_key(Type type);

Expr make(Op op, Type type, std::vector<Expr> args, dsl::Span span);
// One expression of several, joined in pairs. Requires: at least one.
Expr joined(std::vector<Expr> parts, const std::function<Expr(Expr, Expr)>& join);
Expr cast_to(Expr expr, Type type);
Expr wrapped(Expr expr);  // T → T?; what is optional stays
Expr unwrapped(Expr expr);
// Unwraps an optional value: whether it is there (bool). Nothing: it always is.
std::optional<Expr> split_presence(Expr& value);
Expr field_expr(uint32_t index, Type type, dsl::Span span);
Expr bool_constant(bool value, dsl::Span span);

// The longest duration that an operator or an option takes, in microseconds: a thousand years.
inline constexpr int64_t kSpanMax = int64_t{1000} * 365 * 86400 * 1'000'000;

class Checker {
 public:
  Checker(const Declarations& declarations, Graph& graph, dsl::Diagnostics& diagnostics)
      : declarations_(declarations), graph_(graph), diagnostics_(diagnostics) {}

  // `hint`: what is wanted, as far as literals care. The result may have another type.
  Expr check(const dsl::Expr& expr, Scope& scope, Type hint = {});
  // A value of exactly type `want` (Error: of any type). `what` names the place: "parameter `p`".
  Expr check_as(const dsl::Expr& expr, Scope& scope, Type want, const std::string& what);
  // A condition of `where`, `if` …: bool, or bool? if `null_is_false`.
  Expr check_condition(const dsl::Expr& expr, Scope& scope, const std::string& what,
                       bool null_is_false);
  // A value that is known when the program is compiled.
  std::optional<Constant> constant(const dsl::Expr& expr, Type want, const std::string& what);
  // Brings `expr` to `want`, or reports.
  Expr convert(Expr expr, Type want, const std::string& what);
  // Reports if `expr` may be null; the result is required.
  Expr required(Expr expr, const std::string& what);
  // A value that has no other name: of a lambda's parameter, of an element.
  Expr new_local(Type type, dsl::Span span);
  // The constant duration of an operator or option, in microseconds.
  std::optional<int64_t> duration(const dsl::Expr& expr, const std::string& what);
  bool is_param(const std::string& name) const;
  const PipeFrame* frame = nullptr;  // while the body of a pipe is built

 private:
  Expr check_node(const dsl::Expr& expr, Scope& scope, Type hint);
  Expr error(dsl::Span span) { return make(Op::Constant, Type{}, {}, span); }
  dsl::Diagnostic& report(dsl::Code code, dsl::Span span, std::string message);
  std::string text(Type type) const { return to_text(graph_.types, type); }
  std::string source_text(dsl::Span span) const;
  std::string meant_literal(const Expr& expr, Type want) const;
  dsl::Span place(dsl::Span span) const { return inlined_at_.value_or(span); }
  // Of the program's own text only.
  void note(dsl::Span use, dsl::Span declared) const {
    if (!inlined_at_) declarations_.note(use, declared);
  }
  void offer(std::string_view name, const Scope& scope) const;

  // check_literal.cpp
  Expr number(const dsl::NumberLiteral& literal, dsl::Span span, Type hint, bool negative);
  Expr instant(const dsl::InstantLiteral& literal, dsl::Span span, Type hint);
  Expr interpolation(const dsl::Interpolation& text, dsl::Span span, Scope& scope);
  Expr list(const dsl::ListLiteral& list, dsl::Span span, Scope& scope, Type hint);
  Expr map(const dsl::MapLiteral& map, dsl::Span span, Scope& scope, Type hint);
  Expr record(const dsl::RecordLiteral& literal, dsl::Span span, Scope& scope, Type hint);
  // check_name.cpp
  Expr name(const dsl::NameRef& ref, dsl::Span span, Scope& scope, Type hint);
  Expr member(const dsl::Member& member, dsl::Span span, Scope& scope);
  Expr meta(const dsl::Name& field, dsl::Span span, Scope& scope);
  Expr enum_case(EnumId id, const dsl::Name& name, dsl::Span span);
  Expr known_present(Expr expr, const Scope& scope) const;
  void unknown(const std::string& name, dsl::Span span, const Scope& scope);
  // check_operator.cpp
  Expr unary(const dsl::Unary& unary, dsl::Span span, Scope& scope, Type hint);
  Expr binary(const dsl::Binary& binary, dsl::Span span, Scope& scope, Type hint);
  void operands(const dsl::Expr& left, const dsl::Expr& right, Scope& scope, Type hint, bool scales,
                Expr& l, Expr& r);
  Expr arithmetic(Op op, Expr left, Expr right, const dsl::Binary& binary, dsl::Span span);
  Expr numeric(Op op, Expr left, Expr right, const dsl::Binary& binary, dsl::Span span);
  Expr temporal(Op op, Expr left, Expr right, dsl::Span span, bool& handled);
  Expr comparison(Op op, Expr left, Expr right, dsl::Span span);
  Expr coalesce(const dsl::Binary& binary, dsl::Span span, Scope& scope, Type hint);
  Expr in(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated);
  Expr like(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated);
  Expr matches(const dsl::Binary& binary, dsl::Span span, Scope& scope, bool negated);
  Expr between(const dsl::Between& between, dsl::Span span, Scope& scope);
  Expr is_null(const dsl::IsNull& test, dsl::Span span, Scope& scope);
  Expr no_common(const Expr& left, const Expr& right, dsl::Span span, const char* word);
  // check_choice.cpp
  Expr if_(const dsl::If& choice, dsl::Span span, Scope& scope, Type hint);
  Expr match(const dsl::Match& match, dsl::Span span, Scope& scope, Type hint);
  Expr pattern(const dsl::Pattern& pattern, const Expr& value, Scope& scope);
  bool unify(std::vector<Expr*> values, dsl::Span span, const char* word);
  // check_call.cpp
  Expr call(const dsl::Call& call, dsl::Span span, Scope& scope, Type hint);
  Expr call_named(const std::string& name, const std::string& module, const dsl::Expr* receiver,
                  const dsl::Call& call, dsl::Span span, Scope& scope, Type hint);
  Expr explicit_cast(Expr value, Type to, dsl::Span span);
  std::optional<Type> cast_target(const dsl::Expr& callee);
  Expr builtin(const std::string& name, const std::vector<const dsl::Expr*>& arguments,
               dsl::Span span, Scope& scope, Type hint, bool& handled);
  Expr pipe_function(const PipeFrame::Function& function, const dsl::Call& call, dsl::Span span,
                     Scope& scope);
  Expr safe_call(const dsl::Member& member, const dsl::Call& call, dsl::Span span, Scope& scope,
                 Type hint);
  Expr list_method(const std::string& name, const dsl::Expr& list,
                   const std::vector<const dsl::Expr*>& arguments, dsl::Span span, Scope& scope);
  // check_function.cpp
  struct Bound;  // a function with the types that a call gives it
  Expr function(const std::vector<const Function*>& overloads, const std::string& name,
                const std::vector<const dsl::Expr*>& arguments, dsl::Span span, Scope& scope);
  std::optional<Bound> bind(const Function& function, const std::vector<Expr>& values);
  bool match_type(const dsl::TypeRef& ref, const Function& function, const Expr* value, Type actual,
                  Bound& bound);
  Type type_in(const dsl::TypeRef& ref, const Bound& bound);
  std::optional<int> fit(const Expr& value, Type parameter);
  Expr as_argument(Expr value, Type want, const std::string& what);
  Expr inlined(const Function& function, std::vector<Expr> arguments, Type result, dsl::Span span);
  Expr index(const dsl::Index& index, dsl::Span span, Scope& scope);
  // A value that is used several times: itself if it is a path or a constant, else a Let around the
  // result.
  Expr with_value(Expr value, const std::function<Expr(const Expr& value)>& body);

  static constexpr uint64_t kNodesMax = 2'000'000;  // of all expressions: inlining can't run away
  static constexpr size_t kInliningMax = 64;
  static constexpr size_t kMatchArmsMax = 1000;  // they become a tree of that depth

  const Declarations& declarations_;
  Graph& graph_;
  dsl::Diagnostics& diagnostics_;
  std::optional<dsl::Span> inlined_at_;  // the call whose function's body is being checked
  std::vector<const Function*> inlining_;
};

}  // namespace weir::compiler
