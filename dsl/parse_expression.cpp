// expr: operators, `if` and functions; what they are applied to is in parse_primary.cpp.
//
// Precedence, tightest first: postfix; prefix `-` `try`; `* / %`; `+ -`; `??` (right); comparisons,
// which don't chain; `not`; `and`; `or`; then `if` and `x => …`, as far right as possible.
#include <utility>

#include "dsl/parser_state.h"

namespace weir::dsl {

struct Parser::Infix {
  enum class Form : uint8_t { None, Binary, Between, Is } form = Form::None;
  BinaryOp op = BinaryOp::Add;
  Binding binding = Binding::Or;
  bool negated = false;   // `not in`, `not between`
  size_t tokens = 1;      // `not like` is two
  std::string_view weir;  // what should have been written, "" if it was
};

// ---------------------------------------------------------------- expr

ExprPtr Parser::parse_expr() {
  Deeper deeper(*this);
  size_t first = at_;
  bool outer = std::exchange(item_level_, false);
  int outer_height = std::exchange(height_, 0);
  ExprPtr result = at(TokenKind::If) ? parse_if()
                   : at_lambda()     ? parse_lambda()
                                     : parse_binary(Binding::Or);
  if (at(TokenKind::Question) && same_line()) result = parse_ternary(first, std::move(result));
  height_ = std::max(outer_height, height_ + 1);
  item_level_ = outer;
  return result;
}

// An expression that is an item of a block: what stands before a `=` after it was meant as a name.
ExprPtr Parser::parse_item_expr() {
  size_t first = at_;
  ExprPtr result;
  if (at(TokenKind::If) || at_lambda()) {
    result = parse_expr();
  } else {
    Deeper deeper(*this);
    int outer_height = std::exchange(height_, 0);
    bool outer = std::exchange(item_level_, true);
    result = parse_binary(Binding::Or);
    if (at(TokenKind::Question) && same_line()) result = parse_ternary(first, std::move(result));
    item_level_ = outer;
    height_ = std::max(outer_height, height_ + 1);
  }
  if (at(TokenKind::Equal) && same_line()) {
    fail(Code::unexpected_token, from(first),
         "`" + std::string(sources_.text(from(first))) + "` is not a name, where `=` gives a value")
        .with_note("to compare, write `==`");
  }
  return result;
}

ExprPtr Parser::parse_if() {
  size_t first = at_;
  take();
  If node;
  node.condition = parse_expr();
  bool c_like = !at(TokenKind::Then) && begins_expr(current()) && same_line();
  if (c_like) {
    say(Code::unexpected_token, current().span, "`then` stands between a condition and its value")
        .with_fix(after_previous(), " then");
  } else {
    expect(TokenKind::Then, "and a value");
  }
  node.then = parse_expr();
  if (at(TokenKind::Else) || failed_) {
    accept(TokenKind::Else);
    node.otherwise = parse_expr();
  } else {
    say(Code::unexpected_token, list_.tokens[first].span, "an `if` without `else` has no value")
        .with_note("`null` makes an optional of it, which has to be handled where it is used")
        .with_fix(after_previous(), " else null");
    node.otherwise = make(at_ - 1, NullLiteral{});
  }
  return make(first, std::move(node));
}

bool Parser::at_lambda() const {
  if (at(TokenKind::Name)) return peek().kind == TokenKind::FatArrow;
  if (!at(TokenKind::LeftParen)) return false;
  size_t ahead = 1;
  while (peek(ahead).kind == TokenKind::Name && peek(ahead + 1).kind == TokenKind::Comma)
    ahead += 2;
  return peek(ahead).kind == TokenKind::Name && peek(ahead + 1).kind == TokenKind::RightParen &&
         peek(ahead + 2).kind == TokenKind::FatArrow;
}

ExprPtr Parser::parse_lambda() {
  size_t first = at_;
  Lambda node;
  bool parens = accept(TokenKind::LeftParen);
  node.parameters = parens ? parse_names("a parameter") : std::vector<Name>{name_of(take())};
  if (parens) accept(TokenKind::RightParen);
  accept(TokenKind::FatArrow);
  node.body = parse_expr();
  return make(first, std::move(node));
}

// ---------------------------------------------------------------- infix operators

Parser::Infix Parser::infix_here() {
  Infix none;
  if (failed_) return none;
  auto binary = [](BinaryOp op, Binding binding, std::string_view weir = {}) {
    return Infix{Infix::Form::Binary, op, binding, false, 1, weir};
  };
  switch (current().kind) {
    case TokenKind::Or:
      return binary(BinaryOp::Or, Binding::Or);
    case TokenKind::OrOr:
      return binary(BinaryOp::Or, Binding::Or, "or");
    case TokenKind::And:
      return binary(BinaryOp::And, Binding::And);
    case TokenKind::AndAnd:
      return binary(BinaryOp::And, Binding::And, "and");
    case TokenKind::EqualEqual:
      return binary(BinaryOp::Equal, Binding::Compare);
    case TokenKind::Equal:
      return item_level_ ? none : binary(BinaryOp::Equal, Binding::Compare, "==");
    case TokenKind::BangEqual:
      return binary(BinaryOp::NotEqual, Binding::Compare);
    case TokenKind::LessGreater:
      return binary(BinaryOp::NotEqual, Binding::Compare, "!=");
    case TokenKind::Less:
      return binary(BinaryOp::Less, Binding::Compare);
    case TokenKind::LessEqual:
      return binary(BinaryOp::LessEqual, Binding::Compare);
    case TokenKind::Greater:
      return binary(BinaryOp::Greater, Binding::Compare);
    case TokenKind::GreaterEqual:
      return binary(BinaryOp::GreaterEqual, Binding::Compare);
    case TokenKind::In:
      return binary(BinaryOp::In, Binding::Compare);
    case TokenKind::Like:
      return binary(BinaryOp::Like, Binding::Compare);
    case TokenKind::Matches:
      return binary(BinaryOp::Matches, Binding::Compare);
    case TokenKind::Between:
      return {Infix::Form::Between, BinaryOp::Equal, Binding::Compare, false, 1, {}};
    case TokenKind::Is:
      return {Infix::Form::Is, BinaryOp::Equal, Binding::Compare, false, 1, {}};
    case TokenKind::Not:
      switch (peek().kind) {
        case TokenKind::In:
          return {Infix::Form::Binary, BinaryOp::NotIn, Binding::Compare, true, 2, {}};
        case TokenKind::Like:
          return {Infix::Form::Binary, BinaryOp::NotLike, Binding::Compare, true, 2, {}};
        case TokenKind::Matches:
          return {Infix::Form::Binary, BinaryOp::NotMatches, Binding::Compare, true, 2, {}};
        case TokenKind::Between:
          return {Infix::Form::Between, BinaryOp::Equal, Binding::Compare, true, 2, {}};
        default:
          return none;
      }
    case TokenKind::QuestionQuestion:
      return binary(BinaryOp::Coalesce, Binding::Coalesce);
    case TokenKind::Plus:
      return binary(BinaryOp::Add, Binding::Add);
    case TokenKind::Minus:
      return binary(BinaryOp::Subtract, Binding::Add);
    case TokenKind::Star:
      return binary(BinaryOp::Multiply, Binding::Multiply);
    case TokenKind::Slash:
      return binary(BinaryOp::Divide, Binding::Multiply);
    case TokenKind::Percent:
      return binary(BinaryOp::Modulo, Binding::Multiply);
    case TokenKind::Name: {
      // Reserved words in capitals, as SQL has them.
      if (!same_line() || current().quoted) return none;
      std::string_view word = text_of(current());
      if (word == "AND") return binary(BinaryOp::And, Binding::And, "and");
      if (word == "OR") return binary(BinaryOp::Or, Binding::Or, "or");
      if (word == "IN") return binary(BinaryOp::In, Binding::Compare, "in");
      if (word == "LIKE") return binary(BinaryOp::Like, Binding::Compare, "like");
      if (word == "BETWEEN")
        return {Infix::Form::Between, BinaryOp::Equal, Binding::Compare, false, 1, "between"};
      if (word == "IS") return {Infix::Form::Is, BinaryOp::Equal, Binding::Compare, false, 1, "is"};
      return none;
    }
    default:
      return none;
  }
}

// Takes a symbol or word of another language and says what it is here.
void Parser::foreign_word(std::string_view weir) {
  Span span = current().span;
  std::string written(text_of(current()));
  std::string message = weir == "==" ? "`=` gives a value; to compare, write `==`"
                                     : "`" + written + "` is written `" + std::string(weir) + "`";
  auto& diagnostic = say(Code::unexpected_token, span, message).with_fix(span, std::string(weir));
  if (written == "||") diagnostic.with_note("texts are joined by `\"{a}{b}\"`");
  take();
}

ExprPtr Parser::parse_binary(Binding least) {
  size_t first = at_;
  ExprPtr left = parse_operand(least);
  while (true) {
    Infix infix = infix_here();
    if (infix.form == Infix::Form::None || infix.binding < least) return left;
    Span op_span = current().span;
    if (infix.weir == "is") {
      left = parse_sql_null_test(std::move(left));
      continue;
    }
    if (!infix.weir.empty()) {
      foreign_word(infix.weir);
    } else {
      for (size_t i = 0; i < infix.tokens; ++i) op_span = op_span.to(take().span);
      bool equality = infix.op == BinaryOp::Equal || infix.op == BinaryOp::NotEqual;
      if (equality && infix.binding == Binding::Compare && at(TokenKind::Equal) &&
          current().span.begin == op_span.end) {
        Span whole = op_span.to(take().span);
        std::string two(sources_.text(op_span));
        say(Code::unexpected_token, whole,
            "`" + std::string(sources_.text(whole)) + "` is written `" + two + "`")
            .with_fix(whole, two);
      }
    }
    if (infix.form != Infix::Form::Binary) {
      left = parse_comparison_rest(std::move(left), infix);
      left->span = from(first);
    } else {
      Binary node;
      node.op = infix.op;
      node.op_span = op_span;
      node.left = std::move(left);
      int height = std::exchange(height_, 0);
      if (infix.binding == Binding::Coalesce) {
        Deeper deeper(*this);
        node.right = parse_binary(Binding::Coalesce);
      } else {
        node.right = parse_binary(static_cast<Binding>(static_cast<uint8_t>(infix.binding) + 1));
      }
      height_ = std::max(height, height_);
      left = make(first, std::move(node));
    }
    if (infix.binding == Binding::Compare) {
      Infix next = infix_here();
      if (next.form != Infix::Form::None && next.binding == Binding::Compare)
        chained_comparison(*left);
    }
  }
}

// What follows `between`, `not between` and `is`, which are taken.
ExprPtr Parser::parse_comparison_rest(ExprPtr left, const Infix& infix) {
  size_t first = at_;
  if (infix.form == Infix::Form::Between) {
    Between node;
    node.value = std::move(left);
    node.negated = infix.negated;
    int height = std::exchange(height_, 0);
    node.low = parse_binary(Binding::Coalesce);
    if (at_word("AND"))
      foreign_word("and");
    else
      expect(TokenKind::And, "and the upper bound");
    height = std::max(height, std::exchange(height_, 0));
    node.high = parse_binary(Binding::Coalesce);
    height_ = std::max(height, height_);
    return make(first, std::move(node));
  }
  IsNull node;
  node.value = std::move(left);
  if (at_word("NOT")) {
    foreign_word("not");
    node.negated = true;
  } else {
    node.negated = accept(TokenKind::Not);
  }
  if (at_word("NULL"))
    foreign_word("null");
  else if (!accept(TokenKind::Null)) {
    fail_expected("`null` or `not null` after `is`")
        .with_note("to compare with a value, write `==`");
  }
  return make(first, std::move(node));
}

// At the second operator of `a < b < c`. The whole chain is read, so that it can be repaired.
void Parser::chained_comparison(const Expr& left) {
  Span op = current().span;
  std::string replacement;
  const auto* comparison = std::get_if<Binary>(&left.node);
  Infix infix = infix_here();
  if (comparison && comparison->right && infix.form == Infix::Form::Binary && infix.weir.empty()) {
    size_t ahead = infix.tokens;
    const Token& next = peek(ahead);
    bool simple = next.kind == TokenKind::Name || next.kind == TokenKind::Number ||
                  next.kind == TokenKind::Text || next.kind == TokenKind::Duration;
    if (simple) {
      replacement = " and " + std::string(sources_.text(comparison->right->span)) + " ";
    }
  }
  auto& diagnostic =
      say(Code::unexpected_token, op, "comparisons don't chain; two are joined by `and`");
  if (!replacement.empty()) {
    diagnostic.with_fix({op.begin, op.begin, file_}, replacement.substr(1))
        .with_fix_text(std::string(sources_.text(left.span)) + replacement +
                       std::string(sources_.text(op.to(peek(infix.tokens).span))));
  }
}

// What stands to the left of infix operators: `not a`, or something that binds tighter than all of
// them.
ExprPtr Parser::parse_operand(Binding least) {
  size_t first = at_;
  bool sql_not = at_word("NOT") && begins_expr(peek()) && peek().kind != TokenKind::LeftParen &&
                 peek().kind != TokenKind::LeftBracket && peek().kind != TokenKind::Minus &&
                 peek().kind != TokenKind::Not;
  if (at(TokenKind::Not) || at(TokenKind::Bang) || sql_not) {
    Deeper deeper(*this);
    Unary node;
    node.op = UnaryOp::Not;
    node.op_span = current().span;
    bool bang = at(TokenKind::Bang);
    if (bang || sql_not) {
      list_.tokens[at_].tight_after = bang;
      foreign_word("not");
    } else {
      take();
    }
    if (least > Binding::Not && !bang) {
      say(Code::unexpected_token, node.op_span,
          "`not` binds looser than the operator before it; here it stands in parentheses")
          .with_fix_text("(not …)");
    }
    // `!a == b` of other languages negates only a.
    node.operand = parse_binary(bang ? Binding::Coalesce : Binding::Not);
    return make(first, std::move(node));
  }
  return parse_prefix();
}

ExprPtr Parser::parse_prefix() {
  size_t first = at_;
  if (at(TokenKind::Minus) || at(TokenKind::Try)) {
    Deeper deeper(*this);
    Unary node;
    node.op = at(TokenKind::Minus) ? UnaryOp::Negate : UnaryOp::Try;
    node.op_span = current().span;
    list_.tokens[at_].tight_after = node.op == UnaryOp::Negate;
    take();
    node.operand = parse_prefix();
    return make(first, std::move(node));
  }
  return parse_postfix();
}

}  // namespace weir::dsl
