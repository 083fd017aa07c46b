// Text → tokens.
//
// The lexer never stops at an error: what it can't read it reports and replaces by something that
// the parser can go on with. Line ends are no tokens; a token knows whether one stands before it.
// A text with `{…}` is several tokens: `"a {` x `} b {` y `} c"`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/diagnostic.h"

namespace weir::dsl {

enum class TokenKind : uint8_t {
#define OTHER(kind, description)  kind,
#define WORD(kind, text)          kind,
#define SYMBOL(kind, text)        kind,
#define FOREIGN(kind, text, weir) kind,
#include "dsl/token.def"
#undef OTHER
#undef WORD
#undef SYMBOL
#undef FOREIGN
};

// "`and`", "`->`", "a number".
std::string describe(TokenKind kind);
bool is_reserved_word(TokenKind kind);
// What Weir writes for a symbol of another language; "" for Weir's own.
std::string_view weir_for(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  bool newline_before = false;
  bool at_margin = false;  // nothing stands before it on its line
  bool quoted = false;     // a name in backticks, a raw text
  bool made_up = false;    // closes a text that does not end; stands for no character
  // Set by the parser, read by the formatter.
  bool tight_before = false;  // no space before: `(` of a call, `?` of a type
  bool tight_after = false;   // no space after: `-` of `-a`
  bool starts_item = false;   // first of an item or a declaration
  Span span;
  uint32_t depth = 0;  // brackets open around it; a bracket itself counts as outside
  uint32_t comments_end =
      0;              // comments before this token end here; they begin where the last token's end
  int32_t nanos = 0;  // Instant
  int64_t value = 0;  // micros, bytes, seconds, days; for texts an index into `texts`
};

struct Comment {
  Span span;
  bool doc = false;       // `///`
  bool own_line = false;  // nothing but space stands before it on its line
};

struct TokenList {
  std::vector<Token> tokens;  // the last one is EndOfFile
  std::vector<Comment> comments;
  std::vector<std::string> texts;
};

TokenList lex(const Sources& sources, FileId file, Diagnostics& diagnostics);

// Whether the token at `at` is a word that begins declarations with what must follow it: `stream
// n`, `test "…"`.
bool looks_like_declaration(const Sources& sources, const TokenList& list, size_t at);
// The words that begin declarations.
const std::vector<std::string_view>& declaration_words();

}  // namespace weir::dsl
