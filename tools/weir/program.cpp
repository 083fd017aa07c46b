#include "tools/weir/program.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/imports.h"
#include "dsl/parser.h"
#include "dsl/render.h"

namespace weir::tools {

using runtime::Exit;
using runtime::Result;
using runtime::Status;

bool color_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(no_color && *no_color) &&
         !(term && std::string_view(term) == "dumb");
}

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return Status::error(Exit::Usage, "`" + path + "` is a directory, a program is a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Status::error(Exit::Usage, "`" + path + "` can't be read: " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<std::unique_ptr<Loaded>> load(const std::string& path, bool alone) {
  auto text = read_text(path);
  if (!text.ok()) return text.take_status();
  return load_text(path, std::move(*text), alone);
}

Result<std::unique_ptr<Loaded>> load_text(const std::string& path, std::string text, bool alone) {
  auto loaded = std::make_unique<Loaded>();
  loaded->path = path;
  loaded->file = loaded->sources.add(path, std::move(text));
  loaded->program = dsl::parse(loaded->sources, loaded->file, loaded->diagnostics);
  if (alone) return loaded;
  auto read = [](const std::string& imported, std::string* why) -> std::optional<std::string> {
    auto found = read_text(imported);
    if (found.ok()) return std::move(*found);
    *why = found.status().message();
    return std::nullopt;
  };
  compiler::add_imports(loaded->program, loaded->sources, read, loaded->diagnostics);
  return loaded;
}

Exit report(const Loaded& loaded, bool json) {
  if (json) {
    std::fputs(dsl::render_json(loaded.diagnostics, loaded.sources).c_str(), stdout);
  } else {
    std::fputs(dsl::render(loaded.diagnostics, loaded.sources, {.color = color_wanted()}).c_str(),
               stderr);
  }
  return exit_of(loaded);
}

Exit exit_of(const Loaded& loaded) {
  if (!loaded.diagnostics.has_errors()) return Exit::Done;
  for (const dsl::Diagnostic& diagnostic : loaded.diagnostics.all()) {
    if (dsl::info(diagnostic.code).severity == dsl::Severity::Error &&
        diagnostic.code != dsl::Code::not_supported_yet) {
      return Exit::BadData;
    }
  }
  return Exit::NotSupported;
}

std::optional<compiler::Compiled> compile_file(const std::string& path,
                                               const compiler::Options& options,
                                               std::unique_ptr<Loaded>& loaded, Exit& exit) {
  auto result = load(path);
  if (!result.ok()) {
    exit = Exit(fail(result.status()));
    return std::nullopt;
  }
  loaded = std::move(*result);
  std::optional<compiler::Compiled> compiled;
  if (!loaded->diagnostics.has_errors()) {
    compiled = compiler::compile(loaded->program, loaded->sources, options, loaded->diagnostics);
  }
  exit = report(*loaded);
  if (exit != Exit::Done) return std::nullopt;
  // A file that is there to be imported is a good one, but not a pipeline.
  if (options.test < 0 && compiled->plan.sinks().empty() && compiled->tests.empty()) {
    exit = Exit(fail(Exit::BadData, "`" + path + "` has no sink and no test: nothing would run"));
    return std::nullopt;
  }
  return compiled;
}

int fail(const Status& status) { return fail(status.exit(), status.message()); }

int fail(Exit exit, const std::string& message) {
  std::fprintf(stderr, "weir: %s\n", message.c_str());
  return int(exit);
}

}  // namespace weir::tools
