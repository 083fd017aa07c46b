// What can stand at a place of a program.
#pragma once

#include <string>
#include <vector>

#include "tools/lsp/analysis.h"

namespace weir::lsp {

struct Proposal {
  enum class Kind : uint8_t { Keyword, Field, Function, Stream, Type, Option, Value } kind;
  std::string label;
  std::string detail;  // a type, a signature
  std::string text;    // Markdown; may be empty
};
// `text` is what the editor has, `offset` where the cursor stands: behind the part of a word that
// is there already, which the editor matches with.
std::vector<Proposal> complete(const std::string& path, const std::string& text, uint32_t offset,
                               const compiler::ReadFile& read);

// The words of the language, by where they stand: for proposals, for the grammar of editors.
const std::vector<std::string_view>& expression_words();
const std::vector<std::string_view>& operator_words();

}  // namespace weir::lsp
