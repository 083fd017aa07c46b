#include "compiler/imports.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include "dsl/parser.h"

namespace weir::compiler {
namespace {

using dsl::Code;

constexpr size_t kFilesMax = 1000;

class Importer {
 public:
  Importer(dsl::Sources& sources, const ReadFile& read, dsl::Diagnostics& diagnostics)
      : sources_(sources), read_(read), diagnostics_(diagnostics) {}

  void follow(const dsl::Program& program, const std::string& path) {
    way_.push_back(path);
    known_.insert(path);
    for (const dsl::Declaration& declaration : program.declarations) {
      auto* import = std::get_if<dsl::ImportDecl>(&declaration.node);
      if (import && !import->schema && !import->path.text.empty()) add(*import);
    }
    way_.pop_back();
  }

  std::vector<dsl::Declaration> found;

 private:
  void add(const dsl::ImportDecl& import) {
    std::filesystem::path from = std::filesystem::path(way_.back()).parent_path();
    std::string path = (from / import.path.text).lexically_normal().string();
    if (auto begin = std::find(way_.begin(), way_.end(), path); begin != way_.end()) {
      std::string circle;
      for (; begin != way_.end(); ++begin) circle += *begin + " → ";
      diagnostics_
          .report(Code::declaration_cycle, import.path.span,
                  "this file is imported by what it imports")
          .with_note(circle + path);
      return;
    }
    if (!known_.insert(path).second) return;
    std::string why;
    std::optional<std::string> text;
    if (known_.size() > kFilesMax)
      why = "`" + path + "` is one file too many: " + std::to_string(kFilesMax) + " can be read";
    else
      text = read_(path, &why);
    if (!text) {
      diagnostics_
          .report(Code::bad_import, import.path.span,
                  "`" + import.path.text + "` can't be imported")
          .with_note(why)
          .with_note("a path is relative to the file that imports it");
      return;
    }
    dsl::FileId file = sources_.add(path, std::move(*text));
    dsl::Program program = dsl::parse(sources_, file, diagnostics_);
    follow(program, path);
    for (dsl::Declaration& declaration : program.declarations) {
      if (!std::holds_alternative<dsl::SinkDecl>(declaration.node) &&
          !std::holds_alternative<dsl::TestDecl>(declaration.node))
        found.push_back(std::move(declaration));
    }
  }

  dsl::Sources& sources_;
  const ReadFile& read_;
  dsl::Diagnostics& diagnostics_;
  std::vector<std::string> way_;  // from the program to the file in work
  std::set<std::string> known_;
};

}  // namespace

void add_imports(dsl::Program& program, dsl::Sources& sources, const ReadFile& read,
                 dsl::Diagnostics& diagnostics) {
  Importer importer(sources, read, diagnostics);
  importer.follow(program,
                  std::filesystem::path(sources.file(program.file).path()).lexically_normal());
  program.declarations.insert(program.declarations.begin(),
                              std::make_move_iterator(importer.found.begin()),
                              std::make_move_iterator(importer.found.end()));
}

}  // namespace weir::compiler
