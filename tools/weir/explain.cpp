// `weir explain FILE`: what a program becomes.
#include <charconv>
#include <cstdio>

#include "codegen/codegen.h"
#include "compiler/explain.h"
#include "tools/weir/commands.h"
#include "tools/weir/explain_json.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

struct ExplainOptions {
  std::string file;
  bool plan = false, stages = false, ir = false, raw_ir = false, assembly = false, dot = false,
       delivery = false, state = false, edges = false, svg = false, json = false;
  std::vector<std::string> suppose;
  std::string after, cpu;
};

int show(codegen::Result<std::string> text) {
  if (!text) return fail(Exit::Bug, "code generation: " + text.error());
  std::fputs(text->c_str(), stdout);
  return 0;
}

// `--suppose keys=1000000,text=20`.
bool read_suppose(const std::vector<std::string>& all, compiler::Suppose& supposed) {
  for (const std::string& one : all) {
    size_t equals = one.find('=');
    double value = 0;
    const char* end = one.data() + one.size();
    if (equals == std::string::npos) return false;
    auto read = std::from_chars(one.data() + equals + 1, end, value);
    if (read.ec != std::errc() || read.ptr != end || !(value > 0) || value > 1e15) return false;
    if (!compiler::suppose(supposed, one.substr(0, equals), value)) return false;
  }
  return true;
}

// What was asked for, or all of it, as one JSON object.
int print_json(const ExplainOptions& options, const compiler::Graph& graph,
               const compiler::Suppose& supposed) {
  bool all =
      !options.plan && !options.stages && !options.edges && !options.state && !options.delivery;
  nlohmann::ordered_json json;
  if (all || options.plan) json["nodes"] = plan_json(graph);
  if (all || options.edges) {
    json["edges"] = edges_json(graph);
    json["sources"] = fields_json(graph);
  }
  if (all || options.stages) json["stages"] = stages_json(graph);
  if (all || options.state) json["state"] = state_json(graph, supposed);
  if (all || options.delivery) json["delivery"] = delivery_json(graph);
  std::printf("%s\n", json.dump(2).c_str());
  return 0;
}

int explain(const ExplainOptions& options) {
  compiler::Suppose supposed;
  if (!read_suppose(options.suppose, supposed)) {
    return fail(Exit::Usage,
                "`--suppose` wants numbers above zero, as keys=1000000,rows=20; there are keys, "
                "rows, values, text, key_text and shards");
  }
  std::unique_ptr<Loaded> loaded;
  Exit exit = Exit::Done;
  auto compiled = compile_file(options.file, {.print_after = options.after}, loaded, exit);
  if (!compiled) return int(exit);
  if (options.json) return print_json(options, compiled->graph, supposed);
  codegen::Options target;
  target.cpu = options.cpu;
  if (!options.after.empty()) std::fputs(compiled->printed.c_str(), stdout);
  if (options.plan) std::fputs(compiler::print_plan(compiled->graph).c_str(), stdout);
  if (options.stages) std::fputs(compiler::print_stages(compiled->graph).c_str(), stdout);
  if (options.dot) std::fputs(compiler::print_dot(compiled->graph).c_str(), stdout);
  if (options.svg) std::fputs(compiler::print_svg(compiled->graph).c_str(), stdout);
  if (options.edges) std::fputs(compiler::print_edges(compiled->graph).c_str(), stdout);
  if (options.delivery) std::fputs(compiler::print_delivery(compiled->graph).c_str(), stdout);
  if (options.state) std::fputs(compiler::print_state(compiled->graph, supposed).c_str(), stdout);
  if (options.raw_ir) return show(codegen::ir_text(*compiled, target, false));
  if (options.ir) return show(codegen::ir_text(*compiled, target, true));
  if (options.assembly) return show(codegen::asm_text(*compiled, target));
  bool nothing_asked = options.after.empty() && !options.plan && !options.stages && !options.dot &&
                       !options.delivery && !options.state && !options.svg && !options.edges;
  if (nothing_asked) {
    std::printf("%s\n%s", compiler::print_plan(compiled->graph).c_str(),
                compiler::print_stages(compiled->graph).c_str());
  }
  return 0;
}

}  // namespace

Command add_explain(CLI::App& app) {
  auto options = std::make_shared<ExplainOptions>();
  app.add_option("FILE", options->file, "the program")->required();
  app.add_flag("--plan", options->plan, "the graph behind the optimiser");
  app.add_flag("--stages", options->stages, "fused stages: what is decoded, filtered, updated");
  app.add_flag("--edges", options->edges,
               "rows between operators: types, traits, what is fused and why not, fields decoded");
  app.add_flag("--delivery", options->delivery,
               "how often each row is where it goes, whatever dies, and why");
  app.add_flag("--state", options->state,
               "what each stateful operator keeps, how large it becomes, what bounds it");
  app.add_option("--suppose", options->suppose,
                 "what --state can't know: keys=…,rows=…,values=…,text=…,key_text=…,shards=…")
      ->delimiter(',');
  app.add_flag("--ir", options->ir, "LLVM IR as it is compiled");
  app.add_flag("--raw-ir", options->raw_ir, "LLVM IR before LLVM's optimiser");
  app.add_flag("--asm", options->assembly, "machine code");
  app.add_flag("--dot", options->dot, "the graph for Graphviz");
  app.add_flag("--svg", options->svg, "the graph as a picture");
  app.add_flag("--json", options->json,
               "as JSON: everything, or what --plan --stages --edges --state --delivery ask for");
  app.add_option("--after", options->after, "the graph behind the pass of this name");
  app.add_option("--cpu", options->cpu, "x86-64-v2, -v3, -v4; default this machine");
  return [options] { return explain(*options); };
}

}  // namespace weir::tools
