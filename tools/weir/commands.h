// The subcommands: each takes its own CLI11 app, adds its options, and returns what runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace weir::tools {

// Called after parsing; returns the exit code.
using Command = std::function<int()>;

Command add_run(CLI::App& app);
Command add_build(CLI::App& app);
Command add_check(CLI::App& app);
Command add_test(CLI::App& app);
Command add_explain(CLI::App& app);
Command add_fmt(CLI::App& app);
Command add_new(CLI::App& app);
Command add_explain_error(CLI::App& app);
Command add_help(CLI::App& app);
Command add_lsp(CLI::App& app);

}  // namespace weir::tools
