#include "tools/lsp/analysis.h"

#include <algorithm>

#include "compiler/compile.h"
#include "dsl/parser.h"

namespace weir::lsp {

namespace {

// Bytes of the character that begins with `first`, and its UTF-16 units.
uint32_t bytes_of(char first) {
  auto byte = uint8_t(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
uint32_t units_of(char first) { return uint8_t(first) >= 0xF0 ? 2 : 1; }

}  // namespace

Analysis::Analysis(std::string path, std::string text, const compiler::ReadFile& read,
                   std::string marker) {
  meanings_.marker = std::move(marker);
  dsl::FileId file = sources_.add(std::move(path), std::move(text));
  program_ = dsl::parse(sources_, file, diagnostics_);
  compiler::add_imports(program_, sources_, read, diagnostics_);
  for (size_t i = 0; i < sources_.size(); ++i)
    lists_.push_back(dsl::lex(sources_, dsl::FileId(i), unheard_));
  // Of a text that can't be read as a whole, what was read still has its meaning; what more would
  // be said of it is noise.
  dsl::Diagnostics& heard = diagnostics_.has_errors() ? unheard_ : diagnostics_;
  compiler::Options options;
  options.meanings = &meanings_;
  compiler::compile(program_, sources_, options, heard);
}

uint32_t Analysis::offset(const json& position) const {
  std::string_view text = file().text();
  uint32_t line = position.value("line", 0u), wanted = position.value("character", 0u);
  size_t at = 0;
  for (uint32_t i = 0; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return uint32_t(text.size());
    ++at;
  }
  for (uint32_t units = 0; at < text.size() && text[at] != '\n' && units < wanted;) {
    units += units_of(text[at]);
    at += bytes_of(text[at]);
  }
  return uint32_t(std::min(at, text.size()));
}

json Analysis::position(dsl::FileId id, uint32_t offset) const {
  const dsl::SourceFile& file = sources_.file(id);
  uint32_t line = file.line_column(offset).line;
  uint32_t at = uint32_t(file.line(line).data() - file.text().data()), units = 0;
  while (at < offset && at < file.text().size()) {
    units += units_of(file.text()[at]);
    at += bytes_of(file.text()[at]);
  }
  return {{"line", line - 1}, {"character", units}};
}

json Analysis::range(dsl::Span span) const {
  return {{"start", position(span.file, span.begin)}, {"end", position(span.file, span.end)}};
}

std::optional<size_t> Analysis::name_at(uint32_t offset) const {
  for (size_t i = 0; i < tokens().size(); ++i) {
    const dsl::Token& token = tokens()[i];
    if (token.span.begin > offset) break;
    if (token.kind == dsl::TokenKind::Name && offset <= token.span.end) return i;
  }
  return std::nullopt;
}

const dsl::Declaration* Analysis::declaration_of(dsl::Span name) const {
  for (const dsl::Declaration& declaration : program_.declarations) {
    const dsl::Span& span = declaration.name.span;
    if (span.file == name.file && span.begin == name.begin && !span.empty()) return &declaration;
  }
  return nullptr;
}

}  // namespace weir::lsp
