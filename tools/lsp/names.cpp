#include "tools/lsp/names.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/aggregates.h"
#include "compiler/function_text.h"
#include "compiler/standard_library.h"

namespace weir::lsp {

namespace {

using dsl::Span;
using dsl::Token;
using dsl::TokenKind;

using Place = std::pair<dsl::FileId, uint32_t>;
Place place(Span span) { return {span.file, span.begin}; }

// Without backticks.
std::string_view name_text(const Analysis& analysis, Span span) {
  std::string_view text = analysis.sources().text(span);
  if (text.size() > 1 && text.front() == '`') return text.substr(1, text.size() - 2);
  return text;
}

// The name in what declares something: `x` of `x = e` and `x: T`, the last one of a path.
Span name_in(const Analysis& analysis, Span declared) {
  const std::vector<Token>& tokens = analysis.tokens(declared.file);
  Span last = declared;
  bool first = true;
  auto from = std::partition_point(tokens.begin(), tokens.end(), [&](const Token& token) {
    return token.span.begin < declared.begin;
  });
  for (size_t i = size_t(from - tokens.begin());
       i + 1 < tokens.size() && tokens[i].span.begin < declared.end; ++i) {
    bool name = tokens[i].kind == TokenKind::Name;
    TokenKind next = tokens[i + 1].kind;
    if (name && first && (next == TokenKind::Equal || next == TokenKind::Colon))
      return tokens[i].span;
    if (name) last = tokens[i].span;
    first = false;
  }
  return last;
}

// Records and enums are found by their name: it stands where a type may, or in front of a case.
const dsl::Declaration* type_at(const Analysis& analysis, const std::vector<Token>& tokens,
                                size_t at) {
  TokenKind before = at > 0 ? tokens[at - 1].kind : TokenKind::EndOfFile;
  TokenKind next = at + 1 < tokens.size() ? tokens[at + 1].kind : TokenKind::EndOfFile;
  bool type = before == TokenKind::Colon || before == TokenKind::Less ||
              before == TokenKind::Arrow || before == TokenKind::Comma || next == TokenKind::Dot ||
              next == TokenKind::LeftParen;
  bool item = next == TokenKind::Equal && before != TokenKind::Colon;  // of a block
  if (!type || item || next == TokenKind::Colon) return nullptr;
  std::string_view text = name_text(analysis, tokens[at].span);
  for (const dsl::Declaration& declaration : analysis.program().declarations) {
    if (declaration.name.text != text) continue;
    if (std::holds_alternative<dsl::RecordDecl>(declaration.node) ||
        std::holds_alternative<dsl::EnumDecl>(declaration.node))
      return &declaration;
  }
  return nullptr;
}

// From the use of a name to what it names, one step.
std::map<Place, Span> steps(const Analysis& analysis) {
  std::map<Place, Span> all;
  std::map<std::pair<Place, uint32_t>, Span> names;  // by what declares them
  for (const auto& use : analysis.meanings().uses) {
    auto [at, fresh] = names.try_emplace({place(use.declared), use.declared.end});
    if (fresh) at->second = name_in(analysis, use.declared);
    if (place(at->second) != place(use.use)) all[place(use.use)] = at->second;
  }
  for (dsl::FileId file = 0; file < analysis.sources().size(); ++file) {
    const std::vector<Token>& tokens = analysis.tokens(file);
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].kind != TokenKind::Name || all.contains(place(tokens[i].span))) continue;
      const dsl::Declaration* type = type_at(analysis, tokens, i);
      if (type && place(type->name.span) != place(tokens[i].span))
        all[place(tokens[i].span)] = type->name.span;
    }
  }
  return all;
}

Span root(const std::map<Place, Span>& steps, Span from) {
  // A field that is handed on is declared where it was made first.
  for (size_t i = 0; i <= steps.size(); ++i) {
    auto step = steps.find(place(from));
    if (step == steps.end()) break;
    from = step->second;
  }
  return from;
}

// A field of a record with this name in this place.
const dsl::RecordField* record_field(const Analysis& analysis, Span name) {
  for (const dsl::Declaration& declaration : analysis.program().declarations) {
    auto* record = std::get_if<dsl::RecordDecl>(&declaration.node);
    if (!record) continue;
    for (const dsl::RecordField& field : record->fields) {
      if (place(field.name.span) == place(name)) return &field;
    }
  }
  return nullptr;
}

std::string code_block(const std::string& text) { return "```weir\n" + text + "\n```"; }
std::string with_doc(std::string head, const std::string& doc) {
  return doc.empty() ? head : std::move(head) + "\n\n" + doc;
}

// A declaration without what stands in its braces, on few lines.
std::string declaration_text(const Analysis& analysis, const dsl::Declaration& declaration) {
  constexpr size_t kLinesMax = 12;
  std::string_view text = analysis.sources().text(declaration.span);
  std::string shown;
  size_t lines = 0;
  for (size_t at = 0; at < text.size() && lines < kLinesMax; ++lines) {
    size_t end = std::min(text.find('\n', at), text.size());
    shown += (lines ? "\n" : "") + std::string(text.substr(at, end - at));
    at = end + 1;
    if (at < text.size() && lines + 1 == kLinesMax) shown += "\n…";
  }
  return shown;
}

std::string library_text(const Analysis& analysis, size_t token) {
  const auto& tokens = analysis.tokens();
  if (token + 1 >= tokens.size() || tokens[token + 1].kind != TokenKind::LeftParen) return "";
  std::string name(name_text(analysis, tokens[token].span)), shown, text;
  for (const compiler::FunctionPage& page : compiler::function_pages()) {
    if (page.name != name) continue;
    bool bare = compiler::is_bare_module(page.module);
    for (const std::string& signature : page.signatures)
      shown += (shown.empty() ? "" : "\n") + (bare ? "" : page.module + ".") + signature;
    text += "\n\n" + page.text;
    for (const std::string& example : page.examples) text += "\n\n    " + example;
  }
  if (!shown.empty()) return code_block(shown) + text;
  if (compiler::find_aggregate(name)) return "the aggregate `" + name + "`";
  return "";
}

std::string type_text(const Analysis& analysis, Span span) {
  for (const auto& typed : analysis.meanings().typed) {
    if (typed.span.file == span.file && typed.span.begin == span.begin &&
        typed.span.end == span.end)
      return typed.type;
  }
  return "";
}

bool is_plain_name(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_reserved(const std::string& name) {
  dsl::Sources sources;
  dsl::Diagnostics unheard;
  dsl::TokenList list = dsl::lex(sources, sources.add("", name), unheard);
  return dsl::is_reserved_word(list.tokens[0].kind);
}

}  // namespace

std::optional<Span> declaration_place(const Analysis& analysis, size_t token) {
  Span name = analysis.tokens()[token].span;
  auto known = steps(analysis);
  Span found = root(known, name);
  if (place(found) != place(name)) return found;
  if (analysis.declaration_of(name) || record_field(analysis, name)) return name;
  for (const auto& [use, declared] : known) {
    if (place(declared) == place(name)) return name;
  }
  return std::nullopt;
}

std::vector<Span> places_of(const Analysis& analysis, Span declared) {
  auto known = steps(analysis);
  std::map<Place, Span> found{{place(declared), declared}};
  for (dsl::FileId file = 0; file < analysis.sources().size(); ++file) {
    for (const Token& token : analysis.tokens(file)) {
      if (token.kind == TokenKind::Name && place(root(known, token.span)) == place(declared))
        found[place(token.span)] = token.span;
    }
  }
  std::vector<Span> places;
  for (const auto& [at, span] : found) places.push_back(span);
  return places;
}

std::string hover_text(const Analysis& analysis, uint32_t offset) {
  auto token = analysis.name_at(offset);
  if (token) {
    Span name = analysis.tokens()[*token].span;
    std::string text(name_text(analysis, name)), type = type_text(analysis, name);
    std::optional<Span> declared = declaration_place(analysis, *token);
    if (declared) {
      if (const dsl::Declaration* found = analysis.declaration_of(*declared))
        return with_doc(code_block(declaration_text(analysis, *found)), found->doc);
      if (const dsl::RecordField* field = record_field(analysis, *declared)) {
        if (type.empty()) type = analysis.sources().text(field->type.span);
        return with_doc(code_block(text + ": " + type), field->doc);
      }
    }
    if (std::string library = library_text(analysis, *token); !library.empty()) return library;
    if (!type.empty()) return code_block(text + ": " + type);
  }
  // The smallest expression around the place.
  const compiler::Meanings::Typed* best = nullptr;
  for (const auto& typed : analysis.meanings().typed) {
    if (typed.span.file != 0 || offset < typed.span.begin || offset >= typed.span.end) continue;
    if (!best || typed.span.end - typed.span.begin < best->span.end - best->span.begin)
      best = &typed;
  }
  return best && !best->type.empty() ? code_block(best->type) : "";
}

Renamed renamed(const Analysis& analysis, size_t token, const std::string& name,
                const compiler::ReadFile& read) {
  Renamed result;
  if (analysis.diagnostics().has_errors()) {
    result.why_not = "the program has errors: what a name means is not known everywhere";
    return result;
  }
  std::optional<Span> declared = declaration_place(analysis, token);
  if (!declared) {
    result.why_not = "this is not a name of the program";
    return result;
  }
  if (name.empty() || name.find_first_of("`\n\r\t") != std::string::npos) {
    result.why_not = "this can't be a name";
    return result;
  }
  std::string written = is_plain_name(name) && !is_reserved(name) ? name : "`" + name + "`";
  for (Span span : places_of(analysis, *declared)) {
    if (span.file != 0) {
      result.why_not = "this stands in another file too, which others may import";
      return result;
    }
    result.edits.push_back({span, written});
  }
  const dsl::RecordField* field = record_field(analysis, *declared);
  if (field && !field->wire_name) {
    uint32_t end = field->type.span.end;
    auto at = std::find_if(result.edits.begin(), result.edits.end(),
                           [&](const Renamed::Edit& edit) { return edit.span.begin >= end; });
    result.edits.insert(at, {{end, end, 0}, " as \"" + field->name.text + "\""});
  }
  std::string text(analysis.file().text());
  for (auto at = result.edits.rbegin(); at != result.edits.rend(); ++at)
    text.replace(at->span.begin, at->span.end - at->span.begin, at->text);
  // Each name still has to mean what it meant: the same uses lead to the same declarations.
  Analysis after(analysis.file().path(), text, read);
  auto moved = [&](Place at) {
    int64_t shift = 0;
    for (const Renamed::Edit& edit : result.edits) {
      if (at.first == 0 && edit.span.begin < at.second)
        shift += int64_t(edit.text.size()) - int64_t(edit.span.end - edit.span.begin);
    }
    return Place{at.first, uint32_t(int64_t(at.second) + shift)};
  };
  std::set<std::pair<Place, Place>> meant, means;
  for (const auto& [use, to] : steps(analysis)) meant.insert({moved(use), moved(place(to))});
  for (const auto& [use, to] : steps(after)) means.insert({use, place(to)});
  if (after.diagnostics().has_errors())
    result.why_not =
        "`" + name + "` would not do here: " + after.diagnostics().sorted().front().message;
  else if (meant != means)
    result.why_not = "another name would mean something else if this were called `" + name + "`";
  return result;
}

}  // namespace weir::lsp
