// A program of the command line: its text, read and compiled, with what was said about it on
// stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"
#include "runtime/status.h"

namespace weir::tools {

struct Loaded {
  std::string path;
  dsl::Sources sources;
  dsl::FileId file = 0;
  dsl::Program program;
  dsl::Diagnostics diagnostics;
};

// The text of a file; a status with Exit::Usage if it can't be read.
runtime::Result<std::string> read_text(const std::string& path);

// Reads and parses a file, and what it imports unless it is to be taken `alone`. Errors of the
// program are in `diagnostics`.
runtime::Result<std::unique_ptr<Loaded>> load(const std::string& path, bool alone = false);
// The same of a text that need not stand in the file yet.
runtime::Result<std::unique_ptr<Loaded>> load_text(const std::string& path, std::string text,
                                                   bool alone = false);

// How the command ends: Done without errors, NotSupported if all errors are of that kind, BadData
// otherwise.
runtime::Exit exit_of(const Loaded& loaded);
// Prints what was found so far (JSON lines on stdout if `json`, else on stderr), then `exit_of`.
runtime::Exit report(const Loaded& loaded, bool json = false);

// Loads, compiles and reports; nothing if there were errors, `exit` then says which.
std::optional<compiler::Compiled> compile_file(const std::string& path,
                                               const compiler::Options& options,
                                               std::unique_ptr<Loaded>& loaded,
                                               runtime::Exit& exit);

// A message of the command itself: "weir: …" on stderr.
int fail(const runtime::Status& status);
int fail(runtime::Exit exit, const std::string& message);

bool color_wanted();

}  // namespace weir::tools
