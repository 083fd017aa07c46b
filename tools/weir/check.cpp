// `weir check FILE…`: diagnostics only.
#include "compiler/compile.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

Command add_check(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  app.add_option("FILE", *files, "programs")->required();
  app.add_flag("--json", *json, "one JSON object per diagnostic, on stdout");
  return [files, json] {
    Exit worst = Exit::Done;
    for (const std::string& path : *files) {
      auto loaded = load(path);
      if (!loaded.ok()) {
        worst = Exit(fail(loaded.status()));
        continue;
      }
      Loaded& program = **loaded;
      if (!program.diagnostics.has_errors()) {
        compiler::compile(program.program, program.sources, {}, program.diagnostics);
      }
      Exit exit = report(program, *json);
      if (exit != Exit::Done && worst != Exit::BadData) worst = exit;
    }
    return int(worst);
  };
}

}  // namespace weir::tools
