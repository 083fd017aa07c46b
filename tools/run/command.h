// The flags of `weir run`, which pipeline binaries have, too, and what happens around a run:
// signals, the embedded log of --dev, messages, the exit code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/pipeline.h"

namespace CLI {
class App;
}

namespace weir::tools {

struct RunCommand {
  runtime::RunOptions options;
  bool dev = false;                  // read from JSON lines through the embedded log
  std::string data_folder = "data";  // --dev: <source>.jsonl lies here
  bool quiet = false;

  // As typed; `run_command` reads them.
  std::vector<std::string> set;
  std::string until, memory = "1GiB", commit_interval = "100ms", snapshot_every = "10m";
};

void add_run_flags(CLI::App& app, RunCommand& command);

// Runs to the end; prints messages to stderr; returns the exit code. SIGTERM and SIGINT end the
// epoch, commit, and give 0; a second one ends the process at once (143, 130).
int run_command(const WeirPipelineImage& image, RunCommand& command);

// Bytes: "64MB", "1GiB", "4096"; −1 if it is not a size.
int64_t parse_size(const std::string& text);

}  // namespace weir::tools
