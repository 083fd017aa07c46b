// The `weir` command: chooses the subcommand and does nothing else.
#include <cstdio>
#include <string>
#include <vector>

#include "runtime/status.h"
#include "tools/run/usage.h"
#include "tools/weir/commands.h"

namespace {

using weir::tools::Command;
using weir::tools::explain_usage;

struct Entry {
  const char* name;
  const char* description;
  Command (*add)(CLI::App&);
};

constexpr Entry kCommands[] = {
    {"run", "compile a program and run it", weir::tools::add_run},
    {"build", "make an executable of a program", weir::tools::add_build},
    {"check", "say what is wrong with programs", weir::tools::add_check},
    {"test", "run the `test` blocks of programs", weir::tools::add_test},
    {"explain", "show what a program becomes: plan, stages, state, delivery, IR, picture",
     weir::tools::add_explain},
    {"fmt", "bring programs into the one canonical form", weir::tools::add_fmt},
    {"new", "make a folder with a program that runs", weir::tools::add_new},
    {"help", "the functions of the language, with examples", weir::tools::add_help},
    {"lsp", "the language server for editors, on standard input and output", weir::tools::add_lsp},
    {"explain-error", "what a code like W0201 means", weir::tools::add_explain_error},
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Weir: event pipelines, compiled.", "weir"};
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);

  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const Entry& entry : kCommands) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.description);
    commands.emplace_back(sub, entry.add(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "weir: %s\n", explain_usage(app, error, argc, argv).c_str());
    return int(weir::runtime::Exit::Usage);
  }
  for (auto& [sub, command] : commands) {
    if (sub->parsed()) return command();
  }
  return int(weir::runtime::Exit::Usage);
}
