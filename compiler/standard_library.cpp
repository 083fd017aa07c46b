#include "compiler/standard_library.h"

#include <string>

#include "dsl/parser.h"

namespace weir::compiler {

const std::vector<StandardModule>& standard_library() {
  static const std::vector<StandardModule>* modules = [] {
    auto* parsed = new std::vector<StandardModule>;
    static dsl::Sources sources;
    for (const EmbeddedText& text : standard_library_texts()) {
      dsl::Diagnostics diagnostics;  // its texts are checked by a test of this room
      dsl::FileId file =
          sources.add("stdlib/" + std::string(text.name) + ".weir", std::string(text.text));
      parsed->push_back({text.name, dsl::parse(sources, file, diagnostics)});
    }
    return parsed;
  }();
  return *modules;
}

bool is_bare_module(std::string_view module) {
  return module == "math" || module == "text" || module == "time" || module == "list";
}

}  // namespace weir::compiler
