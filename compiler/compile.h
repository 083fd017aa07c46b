// Syntax tree → graph with stages and plan: the whole compiler in front of code generation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph.h"
#include "compiler/meanings.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"
#include "runtime/contract/plan.pb.h"

namespace weir::compiler {

// A test's step, with its rows already checked against the schema and written as JSON text.
struct TestStep {
  enum class Kind : uint8_t { Given, Advance, Expect } kind;
  std::string stream;             // Given: source name; Expect: source, stream or sink name
  std::vector<std::string> rows;  // one JSON object each, with the fields that were written; Given:
                                  // empty for `null`, a record without a value
  std::string file;               // instead of rows: JSON lines, relative to the program's file
  int64_t advance_us = 0;
  enum class Mode : uint8_t { Appeared, Final, Changes } mode = Mode::Appeared;
  enum class Change : uint8_t { Insert, Update };
  std::vector<Change> changes;       // Changes: what each row is
  RecordId row = 0;                  // the type of the rows
  dsl::Span rows_span;               // from `[` to `]`; empty with a file
  std::vector<dsl::Span> row_spans;  // of each row's record
  enum class What : uint8_t { Rows, Late, Errors } what = What::Rows;
  dsl::Span span;
};
struct TestCase {
  std::string title;
  std::vector<TestStep> steps;
  dsl::Span span;
};

struct Options {
  std::string name;  // of the pipeline; default the file's stem
  // Replace sinks by one "collect" sink per expected stream of this test (index in `tests`),
  // sources by the in-memory log; −1: the program as written.
  int test = -1;
  std::string print_after;       // name of a pass: its graph goes to `printed`
  Meanings* meanings = nullptr;  // filled in if there is one
};

struct Compiled {
  Graph graph;
  contract::Plan plan;
  std::vector<TestCase> tests;
  std::string printed;
};

// Nothing if there are errors; warnings alone don't stop it.
std::optional<Compiled> compile(const dsl::Program& program, const dsl::Sources& sources,
                                const Options& options, dsl::Diagnostics& diagnostics);

// The tests of a program (titles and steps), without compiling its pipeline.
std::vector<TestCase> tests_of(const dsl::Program& program, const dsl::Sources& sources,
                               dsl::Diagnostics& diagnostics);

// `weir explain`: the graph, the stages with what is decoded and fused and why not, DOT.
std::string print_plan(const Graph& graph);
std::string print_stages(const Graph& graph);
std::string print_dot(const Graph& graph);
// What a node does, a line for each step.
std::vector<std::string> node_lines(const Graph& graph, const Node& node);
// A keyed node as it was written: "window tumble(1m) by k { n = count() }".
std::string operator_text(const Graph& graph, const Node& node);

}  // namespace weir::compiler
