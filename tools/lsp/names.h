// Where a name is declared, where it is used, what it is, and how it is called otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/lsp/analysis.h"

namespace weir::lsp {

// The place of the name that declares what the name at `token` means; nothing if nobody knows.
std::optional<dsl::Span> declaration_place(const Analysis& analysis, size_t token);
// All places of that name, its declaration among them, in their order.
std::vector<dsl::Span> places_of(const Analysis& analysis, dsl::Span declared);
// Markdown about what stands at a place; "" for nothing.
std::string hover_text(const Analysis& analysis, uint32_t offset);
// Edits of the editor's own file, or why not. A program must mean as much under the new name as it
// did before: what would clash, or change what another name means, is refused. A field of a record
// keeps its name outside.
struct Renamed {
  struct Edit {
    dsl::Span span;
    std::string text;
  };
  std::vector<Edit> edits;  // in their order
  std::string why_not;
};
Renamed renamed(const Analysis& analysis, size_t token, const std::string& name,
                const compiler::ReadFile& read);

}  // namespace weir::lsp
