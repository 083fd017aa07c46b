// `weir fmt FILE…`: the one canonical form, in place; `--check` only says which files differ,
// `--diff` how.
#include <cstdio>
#include <fstream>

#include "dsl/format.h"
#include "dsl/line_diff.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

struct FormatOptions {
  std::vector<std::string> files;
  bool check = false, diff = false, to_stdout = false;
};

Exit format_one(const std::string& path, const FormatOptions& options) {
  auto loaded = load(path, true);
  if (!loaded.ok()) return Exit(fail(loaded.status()));
  Loaded& program = **loaded;
  if (program.diagnostics.has_errors()) return report(program);
  auto formatted = dsl::format(program.sources, program.file, program.diagnostics);
  if (!formatted) return report(program);
  if (options.to_stdout) {
    std::fputs(formatted->c_str(), stdout);
    return Exit::Done;
  }
  std::string_view before = program.sources.file(program.file).text();
  if (*formatted == before) return Exit::Done;
  if (options.diff)
    std::fputs(dsl::unified_diff(before, *formatted, path, path).c_str(), stdout);
  else if (options.check)
    std::printf("%s\n", path.c_str());
  if (options.check) return Exit::Failed;
  if (options.diff) return Exit::Done;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << *formatted;
  out.close();
  if (!out) return Exit(fail(Exit::Disk, "`" + path + "` can't be written"));
  return Exit::Done;
}

}  // namespace

Command add_fmt(CLI::App& app) {
  auto options = std::make_shared<FormatOptions>();
  app.add_option("FILE", options->files, "programs")->required();
  app.add_flag("--check", options->check,
               "print the files that are not in canonical form; exit 1 if there are any");
  app.add_flag("--diff", options->diff, "print what would change instead of writing it");
  app.add_flag("--stdout", options->to_stdout, "print the result instead of writing it");
  return [options] {
    Exit worst = Exit::Done;
    for (const std::string& path : options->files) {
      Exit exit = format_one(path, *options);
      if (exit != Exit::Done && worst != Exit::BadData) worst = exit;
    }
    return int(worst);
  };
}

}  // namespace weir::tools
