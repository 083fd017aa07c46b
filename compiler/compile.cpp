// The compiler in front of code generation, from top to bottom.
#include "compiler/compile.h"

#include <algorithm>

#include "compiler/builder.h"
#include "compiler/check_tests.h"
#include "compiler/passes.h"
#include "compiler/print_expr.h"
#include "compiler/to_plan.h"

namespace weir::compiler {
namespace {

// The file's stem, unless the command gives a name.
std::string pipeline_name(const dsl::Program& program, const dsl::Sources& sources,
                          const Options& options) {
  if (!options.name.empty()) return options.name;
  std::string path = sources.file(program.file).path();
  if (size_t slash = path.find_last_of('/'); slash != std::string::npos)
    path = path.substr(slash + 1);
  if (size_t dot = path.find('.'); dot != std::string::npos && dot > 0) path = path.substr(0, dot);
  return path.empty() ? "pipeline" : path;
}

// One sink for each stream that the test expects rows of.
void replace_sinks(const dsl::Program& program, int test, Builder& builder) {
  int number = 0;
  for (const auto& declaration : program.declarations) {
    auto* declared = std::get_if<dsl::TestDecl>(&declaration.node);
    if (!declared || number++ != test) continue;
    using Collects = Builder::Collects;
    std::map<std::string, std::pair<dsl::Name, Collects>> expected;
    for (const auto& step : declared->steps) {
      if (step.kind != dsl::TestStep::Kind::Expect || !step.target || step.target->head_is_call)
        continue;
      auto [at, fresh] =
          expected.try_emplace(step.target->head.text, step.target->head, Collects::Rows);
      // Of the changes the last for each key are the final rows.
      at->second.second = std::max(at->second.second,
                                   step.mode == dsl::TestStep::Mode::Final     ? Collects::Final
                                   : step.mode == dsl::TestStep::Mode::Changes ? Collects::Changes
                                                                               : Collects::Rows);
    }
    for (const auto& [name, sink] : expected) builder.build_collect_sink(sink.first, sink.second);
    // `errors(n)` alone: the program's own sinks say what is used.
    if (expected.empty()) builder.collect_all_sinks();
  }
}

struct Pass {
  const char* name;
  bool (*run)(Graph& graph, bool test);
};

const Pass kPasses[] = {
    {"drop_unused",
     [](Graph& graph, bool test) {
       drop_unused(graph, test);
       return true;
     }},
    {"simplify_constants",
     [](Graph& graph, bool) {
       simplify_constants(graph);
       return true;
     }},
    // No node is added or removed below this line: the rest works on stages.
    {"fuse_stages", [](Graph& graph, bool) { return fuse_stages(graph); }},
    {"push_predicates",
     [](Graph& graph, bool) {
       push_predicates(graph);
       return true;
     }},  // so that decoding can stop early
    {"prune_fields",
     [](Graph& graph, bool) {
       prune_fields(graph);
       return true;
     }},  // decode only what is read
};

}  // namespace

std::optional<Compiled> compile(const dsl::Program& program, const dsl::Sources& sources,
                                const Options& options, dsl::Diagnostics& diagnostics) {
  Compiled compiled;
  Graph& graph = compiled.graph;
  const dsl::Span whole{0, 0, program.file};

  Declarations declarations = declare(program, sources, graph, diagnostics);
  declarations.meanings = options.meanings;
  Builder builder(declarations, graph, diagnostics);
  builder.build_program();  // names become edges, expressions are typed
  compiled.tests = check_tests(declarations, graph, builder, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  builder.warn_unused();
  if (options.test >= 0) replace_sinks(program, options.test, builder);

  for (const Pass& pass : kPasses) {
    if (!pass.run(graph, options.test >= 0)) {
      diagnostics.report(
          dsl::Code::too_deep, whole,
          "streams are used so often, one by another, that their code would not end");
      return std::nullopt;
    }
    if (std::string wrong = verify(graph); !wrong.empty()) {
      not_supported(diagnostics, whole,
                    std::string("this program: after ") + pass.name + ", " + wrong);
      return std::nullopt;
    }
    if (options.print_after == pass.name)
      compiled.printed = graph.stages.empty() ? print_plan(graph) : print_stages(graph);
  }
  check_kept_rows(graph, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  compiled.plan = to_plan(graph, pipeline_name(program, sources, options));
  return compiled;
}

std::vector<TestCase> tests_of(const dsl::Program& program, const dsl::Sources& sources,
                               dsl::Diagnostics& diagnostics) {
  Graph graph;
  dsl::Diagnostics elsewhere;  // what is wrong outside tests is said by `compile`
  Declarations declarations = declare(program, sources, graph, elsewhere);
  Builder builder(declarations, graph, elsewhere);
  builder.build_program();
  return check_tests(declarations, graph, builder, diagnostics);
}

}  // namespace weir::compiler
