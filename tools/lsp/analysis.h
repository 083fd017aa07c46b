// A program as an editor has it: its text, what the compiler says of it, and what its names mean.
//
// Made anew for each version of the text; nothing changes afterwards. Places of the protocol count
// lines from 0 and columns in UTF-16 units.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/imports.h"
#include "compiler/meanings.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"
#include "dsl/lexer.h"

namespace weir::lsp {

using nlohmann::json;

class Analysis {
 public:
  // `read`: files that are imported. `marker`: a name to collect offers for.
  Analysis(std::string path, std::string text, const compiler::ReadFile& read,
           std::string marker = "");

  const dsl::Sources& sources() const { return sources_; }
  const dsl::Program& program() const { return program_; }
  const dsl::Diagnostics& diagnostics() const { return diagnostics_; }
  const compiler::Meanings& meanings() const { return meanings_; }
  const dsl::SourceFile& file() const { return sources_.file(0); }
  const std::vector<dsl::Token>& tokens(dsl::FileId file = 0) const { return lists_[file].tokens; }

  uint32_t offset(const json& position) const;
  json position(dsl::FileId file, uint32_t offset) const;
  json range(dsl::Span span) const;
  // The name at a place or directly in front of it; an index in `tokens`.
  std::optional<size_t> name_at(uint32_t offset) const;
  // The declaration at the top of the program that has this name in this place.
  const dsl::Declaration* declaration_of(dsl::Span name) const;

 private:
  dsl::Sources sources_;
  dsl::Diagnostics diagnostics_, unheard_;
  dsl::Program program_;
  std::vector<dsl::TokenList> lists_;  // of each file
  compiler::Meanings meanings_;
};

}  // namespace weir::lsp
