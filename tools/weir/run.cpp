// `weir run FILE`: compiles in this process and runs.
#include <filesystem>

#include "tools/run/command.h"
#include "tools/weir/commands.h"
#include "tools/weir/image.h"
#include "tools/weir/program.h"

namespace weir::tools {

using runtime::Exit;

namespace {

int run(const std::string& path, RunCommand& command) {
  std::unique_ptr<Loaded> loaded;
  Exit exit = Exit::Done;
  auto compiled = compile_file(path, {.name = command.options.name}, loaded, exit);
  if (!compiled) return int(exit);
  auto image = load_just_in_time(*compiled);
  if (!image.ok()) return fail(image.status());
  command.data_folder = (std::filesystem::path(path).parent_path() / "data").string();
  return run_command((*image)->image(), command);
}

}  // namespace

Command add_run(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  auto command = std::make_shared<RunCommand>();
  app.add_option("FILE", *path, "the program")->required();
  add_run_flags(app, *command);
  return [path, command] { return run(*path, *command); };
}

}  // namespace weir::tools
