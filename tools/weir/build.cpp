// `weir build FILE -o BIN`: an executable that needs neither compiler nor LLVM nor the program's
// text.
#include <filesystem>

#include "codegen/codegen.h"
#include "tools/weir/commands.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

// What weir ships for linking lies in `lib` beside the command.
std::string library_folder() {
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "lib").string();
}

int build(const std::string& path, const std::string& output, const std::string& name) {
  std::unique_ptr<Loaded> loaded;
  Exit exit = Exit::Done;
  auto compiled = compile_file(path, {.name = name}, loaded, exit);
  if (!compiled) return int(exit);
  codegen::BuildOptions options;
  options.output = output.empty() ? std::filesystem::path(path).stem().string() : output;
  options.library = library_folder();
  if (std::filesystem::is_directory(options.output)) {
    return fail(Exit::Usage, "`" + options.output + "` is a directory; `-o` names the executable");
  }
  if (auto why = codegen::build_binary(*compiled, options))
    return fail(Exit::Configuration, "build: " + *why);
  return 0;
}

}  // namespace

Command add_build(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  auto output = std::make_shared<std::string>();
  auto name = std::make_shared<std::string>();
  app.add_option("FILE", *path, "the program")->required();
  app.add_option("-o,--output", *output, "the executable; default the file's stem");
  app.add_option("--name", *name, "of the pipeline; default the file's stem");
  return [path, output, name] { return build(*path, *output, *name); };
}

}  // namespace weir::tools
