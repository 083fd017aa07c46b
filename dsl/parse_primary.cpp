// primary, postfix, args, block, pattern: what binds tighter than every operator.
#include <utility>

#include "dsl/parser_state.h"

namespace weir::dsl {

// ---------------------------------------------------------------- postfix and primary

ExprPtr Parser::parse_postfix() {
  size_t first = at_;
  ExprPtr left = parse_primary();
  while (!failed_) {
    if (at(TokenKind::Dot) || at(TokenKind::QuestionDot)) {
      Member node;
      node.safe = at(TokenKind::QuestionDot);
      take();
      node.object = std::move(left);
      // After a dot a reserved word is a name like any other.
      if (is_reserved_word(current().kind))
        node.field = {std::string(text_of(current())), take().span};
      else
        node.field = expect_name("a field or a function after the dot");
      left = make(first, std::move(node));
    } else if (at(TokenKind::LeftBracket) && !current().newline_before) {
      Index node;
      list_.tokens[at_].tight_before = true;
      take();
      node.object = std::move(left);
      bool outer = std::exchange(in_braces_, false);
      node.index = parse_expr();
      in_braces_ = outer;
      expect(TokenKind::RightBracket, "");
      left = make(first, std::move(node));
    } else if (at(TokenKind::LeftParen) && !current().newline_before) {
      Call node;
      list_.tokens[at_].tight_before = true;
      node.callee = std::move(left);
      int height = std::exchange(height_, 0);
      parse_call_arguments(node);
      height_ = std::max(height, height_);
      left = make(first, std::move(node));
    } else {
      break;
    }
  }
  return left;
}

ExprPtr Parser::parse_primary() {
  size_t first = at_;
  if (failed_) return bad(first);
  switch (current().kind) {
    case TokenKind::Number:
      return parse_number();
    case TokenKind::Duration:
      return make(first, DurationLiteral{take().value});
    case TokenKind::Size:
      return make(first, SizeLiteral{take().value});
    case TokenKind::Date:
      return make(first, DateLiteral{static_cast<int32_t>(take().value)});
    case TokenKind::Instant: {
      const Token& token = take();
      return make(first, InstantLiteral{token.value, token.nanos});
    }
    case TokenKind::Text:
      return parse_text();
    case TokenKind::TextBegin:
      return parse_interpolation();
    case TokenKind::True:
    case TokenKind::False: {
      bool value = take().kind == TokenKind::True;
      return make(first, BoolLiteral{value});
    }
    case TokenKind::Null:
      take();
      return make(first, NullLiteral{});
    case TokenKind::LeftParen:
      if (!at_lambda()) return parse_parens();
      break;
    case TokenKind::LeftBracket:
      return parse_list();
    case TokenKind::LeftBrace:
      return parse_braces();
    case TokenKind::Match:
      return parse_match();
    case TokenKind::Name: {
      if (peek().kind == TokenKind::FatArrow) break;
      if (at_sql_case()) return parse_sql_case();
      if (at_sql_cast()) return parse_sql_cast();
      return make(first, NameRef{name_of(take()).text});
    }
    default:
      break;
  }
  bool looser = at(TokenKind::If) || at(TokenKind::Name) || at(TokenKind::LeftParen);
  if (looser) {
    // `1 + if a then b else c`: read as it is meant.
    const char* what =
        at(TokenKind::If) ? "an `if` beside an operator" : "a function beside an operator";
    Span begin = current().span;
    size_t errors = diagnostics_.error_count();
    ExprPtr inner = parse_expr();
    if (diagnostics_.error_count() == errors) {
      say(Code::unexpected_token, begin, std::string(what) + " stands in parentheses")
          .with_fix(inner->span, "(" + std::string(sources_.text(inner->span)) + ")");
    }
    return inner;
  }
  if (is_reserved_word(current().kind) && peek().kind != TokenKind::Name) {
    std::string word(text_of(current()));
    fail(Code::reserved_word, current().span,
         "expected an expression, found the reserved word `" + word + "`")
        .with_fix(current().span, "`" + word + "`")
        .with_fix_text("`" + word + "` if it is a field");
    return bad(first);
  }
  auto& diagnostic = fail_expected("an expression");
  if (at_ > 0 &&
      (previous().kind == TokenKind::TextBegin || previous().kind == TokenKind::TextMiddle)) {
    diagnostic.with_note("in a text, `{` begins an expression; a brace itself is `\\{`");
  }
  return bad(first);
}

ExprPtr Parser::parse_number() {
  size_t first = at_;
  NumberLiteral node;
  for (char c : text_of(take())) {
    if (c == '_') continue;
    node.digits.push_back(c);
    node.has_point |= c == '.';
    node.has_exponent |= c == 'e' || c == 'E';
  }
  return make(first, std::move(node));
}

ExprPtr Parser::parse_text() {
  size_t first = at_;
  return make(first, TextLiteral{list_.texts[static_cast<size_t>(take().value)]});
}

ExprPtr Parser::parse_interpolation() {
  Deeper deeper(*this);
  size_t first = at_;
  Interpolation node;
  bool outer = std::exchange(in_braces_, false);
  auto piece = [&] {
    Token& token = take();
    bool begins = token.kind == TokenKind::TextBegin;
    token.tight_after = token.kind != TokenKind::TextEnd;
    token.tight_before = !begins;
    node.texts.push_back(list_.texts[static_cast<size_t>(token.value)]);
    return token.kind != TokenKind::TextEnd;
  };
  while (piece()) {
    node.values.push_back(parse_expr());
    if (!at(TokenKind::TextMiddle) && !at(TokenKind::TextEnd)) {
      fail(Code::unexpected_token, current().span,
           "expected `}` after the expression in a text, found " + found())
          .with_note("in a text, `{` begins an expression; a brace itself is `\\{`");
      break;
    }
  }
  in_braces_ = outer;
  return make(first, std::move(node));
}

ExprPtr Parser::parse_parens() {
  size_t first = at_;
  const Token open = take();
  bool outer = std::exchange(in_braces_, false);
  ExprPtr inner = parse_expr();
  if (at(TokenKind::Comma)) {
    ListLiteral list;
    list.items.push_back(std::move(inner));
    while (accept(TokenKind::Comma)) list.items.push_back(parse_expr());
    expect(TokenKind::RightParen, "");
    Span whole = from(first);
    std::string items(
        sources_.text({whole.begin + 1, whole.end - (whole.end > whole.begin + 1 ? 1 : 0), file_}));
    say(Code::unexpected_token, whole, "a list stands in brackets")
        .with_fix(whole, "[" + items + "]");
    in_braces_ = outer;
    return make(first, std::move(list));
  }
  if (!failed_ && (at_end() || at_margin_declaration())) unclosed(open);
  if (!accept(TokenKind::RightParen)) {
    fail_expected("`)`").with_note(open.span, "`(` was opened here");
  }
  in_braces_ = outer;
  inner->span = from(first);
  return inner;
}

ExprPtr Parser::parse_list() {
  size_t first = at_;
  take();
  ListLiteral node;
  bracketed(TokenKind::RightBracket, "an item", [&] { node.items.push_back(parse_expr()); });
  return make(first, std::move(node));
}

ExprPtr Parser::parse_match() {
  size_t first = at_;
  take();
  Match node;
  node.value = parse_expr();
  braced("a case", [&] {
    MatchArm arm;
    do {
      arm.patterns.push_back(parse_pattern());
    } while (accept(TokenKind::Or));
    if (at(TokenKind::Arrow) || at(TokenKind::Equal) || at(TokenKind::Colon)) {
      say(Code::unexpected_token, current().span, "`=>` stands between a case and its value")
          .with_fix(current().span, previous().span.end == current().span.begin ? " =>" : "=>");
      take();
    } else {
      expect(TokenKind::FatArrow, "and the value of this case");
    }
    arm.value = parse_expr();
    node.arms.push_back(std::move(arm));
  });
  return make(first, std::move(node));
}

Pattern Parser::parse_pattern() {
  size_t first = at_;
  Pattern pattern{};
  if (at(TokenKind::Name)) {
    pattern.kind = is(current(), "_") ? Pattern::Kind::Wildcard : Pattern::Kind::Name;
    pattern.first = name_of(take());
    if (pattern.kind == Pattern::Kind::Name && accept(TokenKind::Dot)) {
      pattern.kind = Pattern::Kind::Path;
      if (is_reserved_word(current().kind))
        pattern.second = {std::string(text_of(current())), take().span};
      else
        pattern.second = expect_name("a value of the enum");
    }
  } else if (at(TokenKind::Else)) {
    say(Code::unexpected_token, current().span, "the case for all the rest is `_`")
        .with_fix(current().span, "_");
    pattern.kind = Pattern::Kind::Wildcard;
    pattern.first = {"_", take().span};
  } else {
    bool literal = at(TokenKind::Minus) || at(TokenKind::Number) || at(TokenKind::Text) ||
                   at(TokenKind::True) || at(TokenKind::False) || at(TokenKind::Null) ||
                   at(TokenKind::Duration) || at(TokenKind::Size) || at(TokenKind::Instant) ||
                   at(TokenKind::Date);
    if (!literal) fail_expected("a literal, a value of an enum, or `_`");
    pattern.kind = Pattern::Kind::Literal;
    bool negative = at(TokenKind::Minus);
    bool number =
        !negative || peek().kind == TokenKind::Number || peek().kind == TokenKind::Duration;
    if (!number) fail_expected("a number after `-`");
    if (negative && !failed_) {
      Unary node;
      node.op = UnaryOp::Negate;
      node.op_span = current().span;
      take().tight_after = true;
      node.operand = parse_primary();
      pattern.literal = make(first, std::move(node));
    } else {
      pattern.literal = parse_primary();
    }
  }
  pattern.span = from(first);
  return pattern;
}

// ---------------------------------------------------------------- braces

ExprPtr Parser::parse_braces() {
  size_t first = at_;
  if (peek().kind == TokenKind::Text && peek(2).kind == TokenKind::Equal)
    return make(first, parse_map());
  if (peek().kind == TokenKind::Text && peek(2).kind == TokenKind::Colon)
    return make(first, parse_map());
  return make(first, RecordLiteral{std::make_unique<Block>(parse_block())});
}

MapLiteral Parser::parse_map() {
  MapLiteral map;
  braced("an entry", [&] {
    size_t first = at_;
    Name key = expect_text("a key: `\"k\" = v`");
    ExprPtr key_expr = make(first, TextLiteral{key.text});
    if (at(TokenKind::Colon)) {
      say(Code::unexpected_token, current().span, "`=` gives a value; `:` gives a type")
          .with_fix(current().span, " =");
      take();
    } else {
      expect(TokenKind::Equal, "and the value of this key");
    }
    map.entries.emplace_back(std::move(key_expr), parse_item_expr());
  });
  return map;
}

Block Parser::parse_block() {
  Block block;
  block.span = braced("an item", [&] { block.items.push_back(parse_block_item()); });
  return block;
}

BlockItem Parser::parse_block_item() {
  size_t first = at_;
  BlockItem item;
  if (accept(TokenKind::DotDot)) {
    item.spread = true;
    bool path =
        at(TokenKind::Name) && same_line() && !(at_word("except") && peek().kind != TokenKind::Dot);
    if (path) {
      list_.tokens[first].tight_after = true;
      item.value = parse_path();
    }
    if (accept_clause("except")) {
      if (accept(TokenKind::LeftParen)) {
        bracketed(TokenKind::RightParen, "a field",
                  [&] { item.except.push_back(expect_name("a field")); });
      } else {
        item.except.push_back(expect_name("a field"));
      }
    }
  } else {
    bool wants_name = (at(TokenKind::Name) || is_reserved_word(current().kind)) &&
                      peek().kind == TokenKind::Equal;
    bool typed = at(TokenKind::Name) && peek().kind == TokenKind::Colon;
    if (wants_name) {
      item.name = expect_name("a name");
      take();
    } else if (typed) {
      item.name = name_of(take());
      say(Code::unexpected_token, current().span, "`=` gives a value; `:` gives a type")
          .with_fix(current().span, " =");
      take();
    }
    item.value = parse_item_expr();
    if (at(TokenKind::As) && peek().kind == TokenKind::Name && same_line()) {
      std::string value(sources_.text(item.value->span));
      Span whole = item.value->span.to(peek().span);
      say(Code::unexpected_token, current().span, "a name stands before its value: `name = value`")
          .with_fix(whole, name_of(peek()).text + " = " + value);
      take();
      item.name = name_of(take());
    }
  }
  item.span = from(first);
  return item;
}

// NAME { "." NAME }, as an expression.
ExprPtr Parser::parse_path() {
  size_t first = at_;
  ExprPtr path = make(first, NameRef{expect_name("a field").text});
  path->span = from(first);
  while (accept(TokenKind::Dot)) {
    Member node;
    node.object = std::move(path);
    node.field = expect_name("a field");
    path = make(first, std::move(node));
  }
  return path;
}

// ---------------------------------------------------------------- arguments

std::vector<Argument> Parser::parse_arguments() {
  std::vector<Argument> arguments;
  if (expect(TokenKind::LeftParen, "")) {
    bracketed(TokenKind::RightParen, "an argument", [&] { arguments.push_back(parse_argument()); });
  }
  return arguments;
}

Argument Parser::parse_argument() {
  Argument argument;
  if (at(TokenKind::Name) && peek().kind == TokenKind::Equal) {
    argument.name = name_of(take());
    take();
  }
  argument.value = parse_item_expr();
  return argument;
}

// Whether `by`, `approx`, `where` or `within` is the first thing in the parentheses. Each of the
// words but `where` may also be a field, which is then not followed by another value, or a
// function: only bounds stand in parentheses, `within (-7d, -1d)`.
bool Parser::at_first_clause() const {
  if (at(TokenKind::Where)) return true;
  if (!at_word("by") && !at_word("approx") && !at_word("within")) return false;
  TokenKind next = peek().kind;
  if (next == TokenKind::LeftParen) return is(current(), "within");
  return begins_expr(peek()) && next != TokenKind::LeftBracket && next != TokenKind::Minus &&
         next != TokenKind::Not;
}

void Parser::parse_call_arguments(Call& call) {
  take();
  bracketed(TokenKind::RightParen, "an argument", [&] {
    bool first = call.arguments.empty();
    if (at(TokenKind::Star) && peek().kind == TokenKind::RightParen) {
      say(Code::unexpected_token, current().span, "`count()` counts rows, without a `*`")
          .with_fix(current().span, "")
          .with_fix_text("count()");
      take();
    } else if (!first || !at_first_clause()) {
      bool distinct = is(current(), "DISTINCT") || is(current(), "distinct");
      auto* callee = std::get_if<NameRef>(&call.callee->node);
      if (distinct && peek().kind == TokenKind::Name && callee) {
        Span whole = call.callee->span;
        whole.end = peek().span.begin;
        say(Code::unexpected_token, current().span,
            "distinct values are counted by `count_distinct(x)`")
            .with_fix(whole, "count_distinct(");
        take();
        callee->name = "count_distinct";
      }
      call.arguments.push_back(parse_argument());
    }
    if (accept_word("by")) call.by = parse_expr();
    if (accept_word("approx")) call.approx = parse_expr();
    if (accept(TokenKind::Where)) call.where = parse_expr();
    if (accept_word("within")) call.within = parse_bound();
    bool has_clause = call.by || call.approx || call.where || call.within;
    if (has_clause && at(TokenKind::Comma)) {
      fail(Code::unexpected_token, current().span,
           "`by`, `approx`, `where` and `within` stand once, in this order, after all arguments");
    }
  });
}

Bound Parser::parse_bound() {
  Bound bound;
  bool pair = false;
  if (at(TokenKind::LeftParen)) {
    uint32_t depth = current().depth;
    for (size_t i = at_ + 1; i < list_.tokens.size() && list_.tokens[i].depth > depth; ++i) {
      pair |= list_.tokens[i].kind == TokenKind::Comma && list_.tokens[i].depth == depth + 1;
    }
  }
  if (pair) {
    take();
    bool outer = std::exchange(in_braces_, false);
    bound.from = parse_expr();
    expect(TokenKind::Comma, "and the upper bound");
    bound.to = parse_expr();
    in_braces_ = outer;
    expect(TokenKind::RightParen, "");
    return bound;
  }
  bound.from = parse_expr();
  bound.rows = accept_clause("rows");
  return bound;
}

// ---------------------------------------------------------------- pieces

bool Parser::begins_expr(const Token& token) const {
  switch (token.kind) {
    case TokenKind::Name:
    case TokenKind::Number:
    case TokenKind::Duration:
    case TokenKind::Size:
    case TokenKind::Instant:
    case TokenKind::Date:
    case TokenKind::Text:
    case TokenKind::TextBegin:
    case TokenKind::True:
    case TokenKind::False:
    case TokenKind::Null:
    case TokenKind::LeftParen:
    case TokenKind::LeftBracket:
    case TokenKind::LeftBrace:
    case TokenKind::Match:
    case TokenKind::If:
    case TokenKind::Not:
    case TokenKind::Try:
    case TokenKind::Minus:
      return true;
    default:
      return false;
  }
}

ExprPtr Parser::make(size_t first, Expr::Node node) {
  if (++height_ > kChainMax) give_up();
  auto result = std::make_unique<Expr>(Expr{std::move(node), from(first)});
  return result;
}

ExprPtr Parser::bad(size_t first) { return make(first, BadExpr{}); }

}  // namespace weir::dsl
