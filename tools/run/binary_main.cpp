// `main` of pipeline binaries (`weir build`): the flags of `weir run`, without a program to
// compile.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "runtime/contract/plan.pb.h"
#include "tools/run/command.h"
#include "tools/run/usage.h"

extern "C" const WeirBinary weir_binary;

int main(int argc, char** argv) {
  using weir::runtime::choose_image;
  using weir::runtime::Exit;
  using weir::tools::add_run_flags;
  using weir::tools::explain_usage;
  using weir::tools::run_command;
  using weir::tools::RunCommand;
  const WeirPipelineImage* image = choose_image(weir_binary);
  if (!image) {
    fmt::print(stderr, "weir: this binary was made for other processors than this one\n");
    return int(Exit::NotSupported);
  }
  weir::contract::Plan plan;
  if (!plan.ParseFromArray(image->plan, int(image->plan_size))) {
    fmt::print(stderr, "weir: this binary is damaged: its plan can't be read\n");
    return int(Exit::Bug);
  }
  CLI::App app{"The pipeline `" + plan.name() + "`, compiled by " + plan.compiler() + ".",
               plan.name()};
  app.set_version_flag("--version",
                       plan.name() + ", compiled by " + plan.compiler() + " for " + image->cpu);
  RunCommand command;
  add_run_flags(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "{}: {}\n", plan.name(), explain_usage(app, error, argc, argv));
    return int(Exit::Usage);
  }
  return run_command(*image, command);
}
