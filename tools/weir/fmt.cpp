// `weir fmt FILE…`: the one canonical form, in place; `--check` only says which files differ.
#include <cstdio>
#include <fstream>

#include "dsl/format.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

Exit format_one(const std::string& path, bool check, bool to_stdout) {
  auto loaded = load(path, true);
  if (!loaded.ok()) return Exit(fail(loaded.status()));
  Loaded& program = **loaded;
  if (program.diagnostics.has_errors()) return report(program);
  auto formatted = dsl::format(program.sources, program.file, program.diagnostics);
  if (!formatted) return report(program);
  if (to_stdout) {
    std::fputs(formatted->c_str(), stdout);
    return Exit::Done;
  }
  if (*formatted == program.sources.file(program.file).text()) return Exit::Done;
  if (check) {
    std::printf("%s\n", path.c_str());
    return Exit::Failed;
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << *formatted;
  out.close();
  if (!out) return Exit(fail(Exit::Disk, "`" + path + "` can't be written"));
  return Exit::Done;
}

}  // namespace

Command add_fmt(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto check = std::make_shared<bool>(false);
  auto to_stdout = std::make_shared<bool>(false);
  app.add_option("FILE", *files, "programs")->required();
  app.add_flag("--check", *check,
               "print the files that are not in canonical form; exit 1 if there are any");
  app.add_flag("--stdout", *to_stdout, "print the result instead of writing it");
  return [files, check, to_stdout] {
    Exit worst = Exit::Done;
    for (const std::string& path : *files) {
      Exit exit = format_one(path, *check, *to_stdout);
      if (exit != Exit::Done && worst != Exit::BadData) worst = exit;
    }
    return int(worst);
  };
}

}  // namespace weir::tools
