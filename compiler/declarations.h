// What the names of a program mean: the tables that later steps look names up in.
//
// Types, functions, values (parameters, secrets, sources, streams) and sinks are four name spaces.
// Made once by `declare`, from the user's program; functions of the standard library are added from
// its embedded texts.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph.h"
#include "compiler/meanings.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace weir::compiler {

// One overload of a function. Of the user: kernel is empty and `body` is inlined. `extern`:
// `kernel` is called.
//
// A generic one (`fn first<T>(xs: list<T>) -> T?`) has no types before it is called: its signature
// is matched with the arguments. So is one of the standard library that takes a `decimal` without
// digits: that is one type for all such parameters and the result.
struct Function {
  std::string name;
  std::string module;  // "text"; empty: the user's
  std::string kernel;
  std::vector<std::string> parameters;
  std::vector<Type> types;  // of the parameters; Error where they are still open
  Type result;
  bool generic = false;
  const dsl::Signature* signature = nullptr;
  const dsl::Expr* body = nullptr;
  dsl::Span span;  // of the user's declaration
  bool standard() const { return !module.empty(); }
};

// An `aggregate fn`.
struct AggregateFunction {
  const dsl::AggregateDecl* declared = nullptr;
  std::vector<std::string> parameters;
  std::vector<Type> types;  // of the parameters
  Type result;
  std::vector<StateField> state;
  std::optional<AggregateBody> body;  // nothing: it is wrong, and that is reported
  dsl::Span span;
};

enum class ValueKind : uint8_t { Param, Secret, Source, Table, Stream, Late, Split };
struct ValueName {
  ValueKind kind;
  const dsl::Declaration* declaration = nullptr;
  dsl::Span span;
  uint32_t param = 0;  // Param, Secret: index in Graph::params
};

struct Declarations {
  const dsl::Program* program = nullptr;
  const dsl::Sources* sources = nullptr;
  std::map<std::string, RecordId, std::less<>> records;
  std::map<std::string, EnumId, std::less<>> enums;
  std::map<std::string, std::vector<Function>, std::less<>> functions;  // by bare name
  // Those of the standard library that the program has functions of the same name for.
  std::map<std::string, std::vector<Function>, std::less<>> hidden_functions;
  std::map<std::string, AggregateFunction, std::less<>> aggregates;  // the program's own
  std::map<std::string, const dsl::Declaration*, std::less<>> pipes;
  std::map<std::string, ValueName, std::less<>> values;
  std::set<std::string, std::less<>> modules;  // of the standard library
  mutable std::set<uint32_t> params_used;      // by an expression or an option
  mutable uint32_t next_local =
      0;  // numbers of Let and lambda locals, one for each in a compilation
  mutable uint64_t nodes_checked = 0;
  Meanings* meanings = nullptr;  // null: nobody asks

  bool asked_for(std::string_view name) const { return meanings && meanings->marker == name; }
  // Notes that `use` names what `declared` declares.
  void note(dsl::Span use, dsl::Span declared) const {
    if (meanings && !declared.empty()) meanings->uses.push_back({use, declared});
  }
};

// Fills tables and `graph`'s types and parameters. Records, enums and signatures are resolved;
// bodies are not looked at.
Declarations declare(const dsl::Program& program, const dsl::Sources& sources, Graph& graph,
                     dsl::Diagnostics& diagnostics);

// The type that the text means, or Error (reported).
Type resolve_type(const dsl::TypeRef& ref, const Declarations& declarations, Graph& graph,
                  dsl::Diagnostics& diagnostics);

// The fields of a `state { … }`. One whose type is Error is wrong, and reported.
std::vector<StateField> read_state(const std::vector<dsl::StateField>& declared,
                                   const Declarations& declarations, Graph& graph,
                                   dsl::Diagnostics& diagnostics);

// Says that a `state` has no field of that name.
void unknown_state(dsl::Diagnostics& diagnostics, const dsl::Name& name,
                   const std::vector<std::string_view>& fields);

// `rides`, or "" if nothing is near. Then " (did you mean `rides`?)" can be said.
std::string nearest(std::string_view name, const std::vector<std::string_view>& candidates);

// "not supported yet: …": what the language has and this version can't run.
dsl::Diagnostic& not_supported(dsl::Diagnostics& diagnostics, dsl::Span span,
                               const std::string& what);

}  // namespace weir::compiler
