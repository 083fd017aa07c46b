// `weir lsp`: the language server, on standard input and output.
#include <unistd.h>

#include <csignal>
#include <memory>

#include "tools/lsp/server.h"
#include "tools/weir/commands.h"

namespace weir::tools {

Command add_lsp(CLI::App& app) {
  // Editors pass it to every server.
  auto stdio = std::make_shared<bool>(true);
  app.add_flag("--stdio", *stdio, "on standard input and output; there is no other way");
  return [stdio] {
    signal(SIGPIPE, SIG_IGN);
    return lsp::serve(STDIN_FILENO, STDOUT_FILENO);
  };
}

}  // namespace weir::tools
