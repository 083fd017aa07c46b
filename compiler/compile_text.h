// For tests of this room: a program's text, compiled, with what was said about it.
#pragma once

#include <memory>
#include <string>

#include "compiler/compile.h"
#include "dsl/parser.h"
#include "dsl/render.h"

namespace weir::compiler {

struct CompiledText {
  explicit CompiledText(std::string text, Options options = {}) {
    dsl::FileId file = sources.add("test.weir", std::move(text));
    program = dsl::parse(sources, file, diagnostics);
    if (!diagnostics.has_errors()) compiled = compile(program, sources, options, diagnostics);
  }
  std::string rendered() const { return dsl::render(diagnostics, sources); }
  // "W0201 W0103": of errors and warnings, by place.
  // Without unused names: tests share declarations of which each uses a few.
  std::string codes() const {
    std::string all;
    for (const auto& diagnostic : diagnostics.sorted()) {
      if (diagnostic.code == dsl::Code::unused_declaration) continue;
      all += (all.empty() ? "" : " ") + dsl::code_text(diagnostic.code);
    }
    return all;
  }

  dsl::Sources sources;
  dsl::Diagnostics diagnostics;
  dsl::Program program;
  std::optional<Compiled> compiled;
};

}  // namespace weir::compiler
