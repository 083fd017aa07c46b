#include "dsl/parser.h"

#include <algorithm>
#include <utility>

#include "dsl/parser_state.h"

namespace weir::dsl {

Program parse(const Sources& sources, FileId file, Diagnostics& diagnostics) {
  TokenList list = lex(sources, file, diagnostics);
  return Parser(sources, file, list, diagnostics).parse_program();
}

Program Parser::parse_program() {
  Program program;
  program.file = file_;
  if (list_.tokens[0].comments_end > 0 && list_.comments[0].doc) {
    // The first block of doc comments is the file's if a blank line parts it from the declaration.
    uint32_t end = list_.tokens[0].comments_end;
    size_t count = 0;
    auto gap_lines = [&](uint32_t from, uint32_t to) {
      std::string_view gap = sources_.text({from, to, file_});
      return std::count(gap.begin(), gap.end(), '\n');
    };
    while (count < end && list_.comments[count].doc &&
           (count == 0 ||
            gap_lines(list_.comments[count - 1].span.end, list_.comments[count].span.begin) == 1)) {
      ++count;
    }
    uint32_t next = count < end ? list_.comments[count].span.begin : list_.tokens[0].span.begin;
    if (gap_lines(list_.comments[count - 1].span.end, next) > 1) {
      for (size_t i = 0; i < count; ++i) {
        std::string_view line = sources_.text(list_.comments[i].span).substr(3);
        if (i > 0) program.doc += '\n';
        program.doc += line.substr(line.starts_with(' ') ? 1 : 0);
      }
    }
  }
  while (!at_end()) {
    size_t start = at_;
    list_.tokens[at_].starts_item = true;
    Declaration declaration = parse_declaration();
    bool failed = failed_;
    if (failed_) recover_declaration(start);
    if (!failed || !declaration.name.text.empty())
      program.declarations.push_back(std::move(declaration));
  }
  return program;
}

// ---------------------------------------------------------------- the cursor

const Token& Parser::peek(size_t ahead) const {
  return list_.tokens[std::min(at_ + ahead, list_.tokens.size() - 1)];
}

bool Parser::is(const Token& token, std::string_view word) const {
  return token.kind == TokenKind::Name && !token.quoted && sources_.text(token.span) == word;
}

Token& Parser::take() {
  Token& token = list_.tokens[at_];
  if (!at_end()) ++at_;
  return token;
}

bool Parser::accept(TokenKind kind) {
  if (!at(kind)) return false;
  take();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  take();
  return true;
}

bool Parser::accept_clause(std::string_view word) { return at_clause(word) && accept_word(word); }

bool Parser::expect(TokenKind kind, std::string_view after) {
  if (accept(kind)) return true;
  fail_expected(describe(kind) + (after.empty() ? "" : " " + std::string(after)));
  return false;
}

bool Parser::expect_word(std::string_view word, std::string_view after) {
  if (accept_word(word)) return true;
  fail_expected("`" + std::string(word) + "`" + (after.empty() ? "" : " " + std::string(after)));
  return false;
}

Name Parser::name_of(const Token& token) const {
  if (token.value > 0) return {list_.texts[static_cast<size_t>(token.value - 1)], token.span};
  return {std::string(text_of(token)), token.span};
}

Name Parser::expect_name(std::string_view what) {
  if (at(TokenKind::Name)) return name_of(take());
  if (!failed_ && is_reserved_word(current().kind)) {
    std::string word(text_of(current()));
    say(Code::reserved_word, current().span,
        "`" + word + "` is a reserved word, where " + std::string(what) + " was expected")
        .with_fix(current().span, "`" + word + "`");
    return {word, take().span};
  }
  fail_expected(what);
  return {"", current().span};
}

Name Parser::expect_text(std::string_view what) {
  if (at(TokenKind::Text)) {
    const Token& token = take();
    return {list_.texts[static_cast<size_t>(token.value)], token.span};
  }
  if (at(TokenKind::TextBegin)) {
    fail(Code::unexpected_token, current().span,
         "expected " + std::string(what) + ", found a text with `{…}`")
        .with_note("a brace itself is written `\\{`");
  } else {
    auto& diagnostic = fail_expected(what);
    if (current().kind == TokenKind::Name) {
      diagnostic.with_fix(current().span, "\"" + name_of(current()).text + "\"");
    }
  }
  return {"", current().span};
}

std::string Parser::found() const {
  const Token& token = current();
  switch (token.kind) {
    case TokenKind::Text:
    case TokenKind::TextBegin:
    case TokenKind::TextMiddle:
    case TokenKind::TextEnd:
    case TokenKind::EndOfFile:
      return describe(token.kind);
    case TokenKind::Name:
      if (token.quoted) return std::string(text_of(token));
      [[fallthrough]];
    default:
      return "`" + std::string(text_of(token)) + "`";
  }
}

Span Parser::from(size_t first) const {
  Span begin = list_.tokens[first].span;
  if (at_ <= first) return {begin.begin, begin.begin, file_};
  return begin.to(list_.tokens[at_ - 1].span);
}

Span Parser::after_previous() const { return {previous().span.end, previous().span.end, file_}; }

// The `///` lines that end on the line above the token.
std::string Parser::doc_before(size_t token) const {
  size_t begin = token == 0 ? 0 : list_.tokens[token - 1].comments_end;
  size_t end = list_.tokens[token].comments_end;
  uint32_t below = list_.tokens[token].span.begin;
  size_t first = end;
  while (first > begin && list_.comments[first - 1].doc && list_.comments[first - 1].own_line) {
    std::string_view gap = sources_.text({list_.comments[first - 1].span.end, below, file_});
    if (std::count(gap.begin(), gap.end(), '\n') != 1) break;
    below = list_.comments[--first].span.begin;
  }
  std::string doc;
  for (size_t i = first; i < end; ++i) {
    std::string_view line = sources_.text(list_.comments[i].span).substr(3);
    if (i > first) doc += '\n';
    doc += line.substr(line.starts_with(' ') ? 1 : 0);
  }
  return doc;
}

// ---------------------------------------------------------------- errors

Diagnostic& Parser::say(Code code, Span span, std::string message) {
  if (failed_ || given_up_) return unsaid_ = Diagnostic{};
  return diagnostics_.report(code, span, std::move(message));
}

Diagnostic& Parser::fail(Code code, Span span, std::string message) {
  // What stands before a text's missing end has been reported with it.
  bool silent = failed_ || given_up_ || current().made_up;
  failed_ = true;
  if (silent) return unsaid_ = Diagnostic{};
  return diagnostics_.report(code, span, std::move(message));
}

Diagnostic& Parser::fail_expected(std::string_view what) {
  Span span = current().span;
  if (at_end() && at_ > 0) span = after_previous();
  return fail(Code::unexpected_token, span, "expected " + std::string(what) + ", found " + found());
}

// The rest of the file is not read: its tree would be too deep for everything that walks it.
void Parser::give_up() {
  if (given_up_) return;
  fail(Code::too_deep, current().span,
       "this is nested deeper, or a longer chain, than the compiler reads")
      .with_note("up to " + std::to_string(kNestingMax) + " levels, and " +
                 std::to_string(kChainMax) +
                 " operators in a row; name a part of it with `fn` or `extend`");
  failed_ = true;
  given_up_ = true;
  at_ = list_.tokens.size() - 1;
}

bool Parser::at_margin_declaration() const {
  return current().at_margin && looks_like_declaration(sources_, list_, at_);
}

// Skips to the end of an item in braces whose brackets are `depth` deep: to after the comma, to the
// first token of the next line, or to the closing brace.
void Parser::recover_item(size_t item_start, uint32_t depth) {
  if (given_up_) return;
  failed_ = false;
  bool moved = at_ > item_start;
  while (!at_end() && !at_margin_declaration()) {
    const Token& token = current();
    if (token.depth < depth) return;  // The closing brace, or what follows it.
    if (token.depth == depth) {
      if (token.kind == TokenKind::Comma) {
        take();
        return;
      }
      bool closing = token.kind == TokenKind::RightParen || token.kind == TokenKind::RightBracket ||
                     token.kind == TokenKind::RightBrace;
      if (token.newline_before && moved && !closing) return;
    }
    take();
    moved = true;
  }
}

void Parser::recover_declaration(size_t start) {
  if (given_up_) return;
  failed_ = false;
  if (at_ == start) take();
  while (!at_end()) {
    bool line_start = current().depth == 0 && current().newline_before;
    if ((line_start || current().at_margin) && looks_like_declaration(sources_, list_, at_)) return;
    take();
  }
}

// The bracket that closes `open` after the token before the cursor: on a line of its own, indented
// two less than that token's line, if its brackets hold lines.
std::string Parser::closing(const Token& open) const {
  std::string sign = open.kind == TokenKind::LeftParen     ? ")"
                     : open.kind == TokenKind::LeftBracket ? "]"
                                                           : "}";
  const SourceFile& file = sources_.file(file_);
  uint32_t line = file.line_column(previous().span.end).line;
  if (line == file.line_column(open.span.begin).line)
    return open.kind == TokenKind::LeftBrace ? " " + sign : sign;
  if (open.kind == TokenKind::LeftParen) return sign;
  std::string_view text = file.line(line);
  size_t indent = std::min(text.find_first_not_of(' '), text.size());
  return "\n" + std::string(indent < 2 ? 0 : indent - 2, ' ') + sign;
}

void Parser::unclosed(const Token& open) {
  // One missing bracket leaves all those around it open: it is said once.
  failed_ = failed_ || unclosed_at_ == at_;
  unclosed_at_ = at_;
  auto& diagnostic =
      fail(Code::unterminated_text, open.span, "this " + describe(open.kind) + " is not closed");
  if (open.kind == TokenKind::LeftParen || open.kind == TokenKind::LeftBrace ||
      open.kind == TokenKind::LeftBracket)
    diagnostic.with_fix(after_previous(), closing(open));
  diagnostic.with_note(current().span, at_end() ? "the file ends here"
                                       : at_margin_declaration()
                                           ? "the next declaration begins here"
                                           : "something else goes on here");
}

// After an item in braces: a comma, a new line, or the brace.
bool Parser::item_ends(std::string_view what) {
  if (accept(TokenKind::Comma) || at(TokenKind::RightBrace) || current().newline_before)
    return true;
  if (at_end() || current().made_up) return true;  // The loop reports it.
  auto& diagnostic =
      say(Code::unexpected_token, current().span,
          "expected `,` or a new line after " + std::string(what) + ", found " + found());
  if (begins_expr(current())) diagnostic.with_fix(after_previous(), ",");
  return false;
}

}  // namespace weir::dsl
