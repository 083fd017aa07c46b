// The parser: recursive descent for the grammar of README.md, precedence climbing for operators.
//
// Inside the room only. The members are spread over files in the order of the grammar: parser.cpp
// (tokens, errors, lists), parse_declaration.cpp, parse_pipeline.cpp, parse_expression.cpp,
// parse_primary.cpp; parse_habits.cpp reads what other languages would write.
//
// Errors: what can be understood in spite of an error is reported by `say` and parsed on. For the
// rest `fail` reports and sets `failed_`; from then on nothing is at the cursor and nothing more is
// said, so that every function falls through to the item or declaration around it, which skips to
// its end
// (`recover_item`, `recover_declaration`) and goes on.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "dsl/ast.h"
#include "dsl/lexer.h"
#include "dsl/parser.h"

namespace weir::dsl {

// Whether operators begin with this word: `where`, `select`, …
bool is_operator_word(std::string_view word);

class Parser {
 public:
  Parser(const Sources& sources, FileId file, TokenList& list, Diagnostics& diagnostics)
      : sources_(sources), file_(file), list_(list), diagnostics_(diagnostics) {}

  Program parse_program();

 private:
  // How tightly infix operators bind, loosest first.
  enum class Binding : uint8_t { Or, And, Not, Compare, Coalesce, Add, Multiply };
  struct Infix;

  // Counts one level of nesting for as long as it lives.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kNestingMax) parser_.give_up();
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& parser_;
  };

  // ---- parser.cpp: the cursor
  const Token& current() const { return list_.tokens[at_]; }
  const Token& peek(size_t ahead = 1) const;
  const Token& previous() const { return list_.tokens[at_ > 0 ? at_ - 1 : 0]; }
  bool is(const Token& token, std::string_view word) const;
  bool at(TokenKind kind) const { return !failed_ && current().kind == kind; }
  bool at_word(std::string_view word) const { return !failed_ && is(current(), word); }
  bool at_end() const { return current().kind == TokenKind::EndOfFile; }
  // A clause of an item in braces stands on the line on which the item's text so far ends.
  bool same_line() const { return !current().newline_before || !in_braces_; }
  bool at_clause(std::string_view word) const { return at_word(word) && same_line(); }
  Token& take();
  bool accept(TokenKind kind);
  bool accept_word(std::string_view word);
  bool accept_clause(std::string_view word);
  bool expect(TokenKind kind, std::string_view after);
  bool expect_word(std::string_view word, std::string_view after);
  Name expect_name(std::string_view what);
  Name expect_text(std::string_view what);
  Name name_of(const Token& token) const;
  std::string_view text_of(const Token& token) const { return sources_.text(token.span); }
  std::string found() const;
  Span from(size_t first) const;
  Span after_previous() const;
  std::string doc_before(size_t token) const;

  // ---- parser.cpp: errors
  Diagnostic& say(Code code, Span span, std::string message);
  Diagnostic& fail(Code code, Span span, std::string message);
  Diagnostic& fail_expected(std::string_view what);
  void give_up();
  void recover_item(size_t item_start, uint32_t depth);
  void recover_declaration(size_t start);
  bool at_margin_declaration() const;

  // ---- parser.cpp: lists
  template <class Item>
  Span braced(std::string_view what, Item&& item);
  template <class Item>
  Span bracketed(TokenKind close, std::string_view what, Item&& item);
  void unclosed(const Token& open);
  std::string closing(const Token& open) const;
  bool item_ends(std::string_view what);

  // ---- parse_declaration.cpp
  Declaration parse_declaration();
  void unknown_declaration();
  bool parse_declaration_word(std::string_view word, Declaration& declaration);
  RecordDecl parse_record();
  RecordField parse_record_field();
  EnumDecl parse_enum();
  ImportDecl parse_import(Declaration& declaration);
  FnDecl parse_fn(Declaration& declaration, bool is_extern);
  AggregateDecl parse_aggregate(Declaration& declaration);
  SplitDecl parse_split();
  SinkDecl parse_sink(Declaration& declaration);
  TestDecl parse_test();
  TestStep parse_test_step();
  TestRows parse_test_rows();
  Signature parse_signature(Declaration& declaration);
  TypeRef parse_type();
  bool close_angle();
  Connector parse_connector();
  Options parse_options();
  Option parse_option();

  // ---- parse_pipeline.cpp
  PipelinePtr parse_pipeline();
  PipelinePtr parse_head();
  Operator parse_operator();
  Operator::Node parse_operator_node(std::string_view word);
  std::string unknown_operator();
  Operator::Node parse_pipe_call();
  WindowOp parse_window();
  bool at_group_behind_window() const;
  JoinOp parse_join(JoinOp::Kind kind);
  ScanOp parse_scan();
  DetectOp parse_detect();
  DetectStep parse_detect_step();
  TopOp parse_top();
  std::vector<KeyItem> parse_by();
  std::vector<KeyItem> parse_keys();
  bool parse_arrival();
  ExprPtr parse_expire();
  std::optional<Name> parse_late();
  std::vector<Name> parse_names(std::string_view what);
  std::vector<StateField> parse_state();
  Body parse_body();
  Statement parse_statement();
  Block parse_operator_block();
  Block fields_without_braces();

  // ---- parse_expression.cpp
  ExprPtr parse_expr();
  ExprPtr parse_item_expr();
  ExprPtr parse_if();
  ExprPtr parse_lambda();
  bool at_lambda() const;
  ExprPtr parse_binary(Binding least);
  ExprPtr parse_operand(Binding least);
  ExprPtr parse_comparison_rest(ExprPtr left, const Infix& infix);
  ExprPtr parse_prefix();

  // ---- parse_primary.cpp
  ExprPtr parse_postfix();
  ExprPtr parse_primary();
  ExprPtr parse_number();
  ExprPtr parse_text();
  ExprPtr parse_interpolation();
  ExprPtr parse_parens();
  ExprPtr parse_list();
  ExprPtr parse_match();
  Pattern parse_pattern();
  ExprPtr parse_braces();
  MapLiteral parse_map();
  Block parse_block();
  BlockItem parse_block_item();
  ExprPtr parse_path();
  void parse_call_arguments(Call& call);
  std::vector<Argument> parse_arguments();
  Argument parse_argument();
  bool at_first_clause() const;
  Bound parse_bound();
  // ---- parse_habits.cpp
  ExprPtr parse_ternary(size_t first, ExprPtr condition);
  ExprPtr parse_sql_null_test(ExprPtr left);
  bool at_sql_case() const;
  ExprPtr parse_sql_case();
  bool at_sql_cast() const;
  ExprPtr parse_sql_cast();
  std::string pipeline_of_sql(size_t& end) const;
  bool at_sql_select() const;
  void sql_statement(std::string_view before);

  // ---- parse_primary.cpp: pieces
  std::string written(const Expr& expr) const { return std::string(sources_.text(expr.span)); }
  Infix infix_here();
  void chained_comparison(const Expr& left);
  bool begins_expr(const Token& token) const;
  void foreign_word(std::string_view weir);
  ExprPtr make(size_t first, Expr::Node node);
  ExprPtr bad(size_t first);

  const Sources& sources_;
  FileId file_;
  TokenList& list_;
  Diagnostics& diagnostics_;
  Diagnostic unsaid_;  // takes what is reported while nothing is to be said
  size_t at_ = 0;
  size_t unclosed_at_ = 0;  // where the last missing bracket was noticed; never 0
  int depth_ = 0;
  int height_ = 0;  // of the tree that is being made: a chain `a + b + …` is as high as it is long
  bool failed_ = false;
  bool given_up_ = false;
  bool in_braces_ = false;   // the innermost bracket is a brace: lines matter
  bool item_level_ = false;  // `=` after the expression is not a comparison gone wrong
};

// Calls `item` for each item of a block, which ends with a comma or with the line. `what` says what
// an item is. Returns the span with both braces.
template <class Item>
Span Parser::braced(std::string_view what, Item&& item) {
  Deeper deeper(*this);
  size_t first = at_;
  if (!expect(TokenKind::LeftBrace, "")) return from(first);
  const Token open = previous();
  bool outer = std::exchange(in_braces_, true);
  while (!failed_ && !accept(TokenKind::RightBrace)) {
    // A closing bracket of a pair around this one ends it as the end of the file does.
    if (at_end() || at_margin_declaration() || current().depth <= open.depth) {
      unclosed(open);
      break;
    }
    size_t start = at_;
    list_.tokens[at_].starts_item = true;
    item();
    if (failed_ || !item_ends(what)) recover_item(start, open.depth + 1);
  }
  in_braces_ = outer;
  return from(first);
}

// The same for `( )` and `[ ]`, where only commas separate; the opening bracket is already taken.
template <class Item>
Span Parser::bracketed(TokenKind close, std::string_view what, Item&& item) {
  Deeper deeper(*this);
  size_t first = at_ - 1;
  const Token open = previous();
  bool outer = std::exchange(in_braces_, false);
  while (!failed_ && !accept(close)) {
    if (at_end() || at_margin_declaration()) {
      unclosed(open);
      break;
    }
    list_.tokens[at_].starts_item = true;
    item();
    if (failed_ || accept(close)) break;
    if (accept(TokenKind::Comma)) continue;
    bool next_item = outer && close == TokenKind::RightBracket && current().newline_before &&
                     peek().kind == TokenKind::Equal;
    if (at_end() || at_margin_declaration() || next_item) {
      unclosed(open);
    } else if (current().newline_before && begins_expr(current())) {
      say(Code::unexpected_token, current().span,
          "expected `,` or " + describe(close) + ", found " + found())
          .with_fix(after_previous(), ",");
    } else if (current().kind == TokenKind::RightParen ||
               current().kind == TokenKind::RightBracket ||
               current().kind == TokenKind::RightBrace) {
      unclosed(open);
    } else {
      fail(Code::unexpected_token, current().span,
           "expected `,` or " + describe(close) + ", found " + found())
          .with_note(open.span, describe(open.kind) + " was opened here");
    }
  }
  in_braces_ = outer;
  return from(first);
}

}  // namespace weir::dsl
