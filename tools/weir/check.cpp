// `weir check FILE…`: diagnostics only; `--fix` applies what they propose.
#include <cstdio>
#include <fstream>

#include "compiler/compile.h"
#include "dsl/fix.h"
#include "dsl/line_diff.h"
#include "dsl/render.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;
using runtime::Result;

namespace {

// A fix shows what was hidden behind the mistake, so a program is checked again after each round.
constexpr int kFixRoundsMax = 20;

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false, sarif = false, fix = false, diff = false;
};

Result<std::unique_ptr<Loaded>> check(const std::string& path, std::optional<std::string> text) {
  auto loaded = text ? load_text(path, std::move(*text)) : load(path);
  if (!loaded.ok()) return loaded;
  Loaded& program = **loaded;
  if (!program.diagnostics.has_errors())
    compiler::compile(program.program, program.sources, {}, program.diagnostics);
  return loaded;
}

// Applies fixes until none is left, and writes the file (or prints what it would write); the result
// is what remains to be said.
Result<std::unique_ptr<Loaded>> fixed(const std::string& path, bool diff) {
  auto loaded = check(path, std::nullopt);
  if (!loaded.ok()) return loaded;
  std::string before((*loaded)->sources.file((*loaded)->file).text()), text = before;
  size_t applied = 0;
  for (int round = 0; round < kFixRoundsMax; ++round) {
    Loaded& program = **loaded;
    dsl::Fixed next = dsl::apply_fixes(program.sources, program.file, program.diagnostics);
    if (next.applied == 0 || next.text == text) break;
    applied += next.applied;
    text = next.text;
    loaded = check(path, text);
    if (!loaded.ok()) return loaded;
  }
  if (diff) {
    std::fputs(dsl::unified_diff(before, text, path, path).c_str(), stdout);
    return loaded;
  }
  if (text == before) return loaded;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return runtime::Status::error(Exit::Disk, "`" + path + "` can't be written");
  std::fprintf(stderr, "%s: %zu %s applied\n", path.c_str(), applied,
               applied == 1 ? "fix" : "fixes");
  return loaded;
}

Exit run(const CheckOptions& options) {
  Exit worst = Exit::Done;
  dsl::SarifLog log;
  for (const std::string& path : options.files) {
    auto loaded = options.fix ? fixed(path, options.diff) : check(path, std::nullopt);
    if (!loaded.ok()) {
      worst = Exit(fail(loaded.status()));
      continue;
    }
    Loaded& program = **loaded;
    if (options.sarif) log.add(program.diagnostics, program.sources);
    Exit exit = options.sarif ? exit_of(program) : report(program, options.json);
    if (exit != Exit::Done && worst != Exit::BadData) worst = exit;
  }
  if (options.sarif) std::fputs(log.take(WEIR_VERSION).c_str(), stdout);
  return worst;
}

}  // namespace

Command add_check(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  app.add_option("FILE", options->files, "programs")->required();
  auto* json = app.add_flag("--json", options->json, "one JSON object per diagnostic, on stdout");
  app.add_flag("--sarif", options->sarif, "one SARIF document for all, on stdout")->excludes(json);
  auto* fix = app.add_flag("--fix", options->fix,
                           "apply the fixes that the diagnostics show, then say what is left");
  app.add_flag("--diff", options->diff, "with --fix: print the changes instead of writing them")
      ->needs(fix)
      ->excludes(json);
  return [options] { return int(run(*options)); };
}

}  // namespace weir::tools
