// What a program imports: the declarations of other files become its own.
//
// A path is relative to the file that names it. A file that is reached twice is read once; one that
// is reached from itself is an error that shows the way. Sinks and tests stay with their file: they
// run where it is the program.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace weir::compiler {

// The text of the file at `path`, or nothing and `why`, a sentence that names it.
using ReadFile =
    std::function<std::optional<std::string>(const std::string& path, std::string* why)>;

// Adds the declarations of all imported files in front of the program's own. Errors are reported.
void add_imports(dsl::Program& program, dsl::Sources& sources, const ReadFile& read,
                 dsl::Diagnostics& diagnostics);

}  // namespace weir::compiler
