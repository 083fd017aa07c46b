// pipeline, head, op and the clauses of operators.
#include <charconv>
#include <utility>

#include "dsl/parser_state.h"
#include "dsl/render.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

const std::vector<std::string_view>& operator_words() {
  static const std::vector<std::string_view> words = {
      "where", "select", "extend", "drop", "flatten", "union",  "window",
      "group", "over",   "join",   "left", "right",   "full",   "anti",
      "dedup", "scan",   "detect", "top",  "to",      "changes"};
  return words;
}

}  // namespace

bool is_operator_word(std::string_view word) {
  for (std::string_view known : operator_words()) {
    if (known == word) return true;
  }
  return false;
}

PipelinePtr Parser::parse_pipeline() {
  Deeper deeper(*this);
  size_t first = at_;
  PipelinePtr pipeline = parse_head();
  bool outer = std::exchange(in_braces_, false);
  while (true) {
    if (at(TokenKind::PipeGreater)) {
      foreign_word("|");
    } else if (at(TokenKind::Dot) && is_operator_word(text_of(peek()))) {
      say(Code::unexpected_token, current().span, "operators follow `|`")
          .with_fix(current().span, current().newline_before ? "| " : " | ");
      take();
    } else if (!failed_ && !current().quoted && is_operator_word(text_of(current()))) {
      Span span = current().span;
      say(Code::unexpected_token, span, "an operator follows `|`")
          .with_fix({span.begin, span.begin, file_}, "| ");
    } else if (!accept(TokenKind::Pipe)) {
      break;
    }
    pipeline->operators.push_back(parse_operator());
  }
  in_braces_ = outer;
  pipeline->span = from(first);
  return pipeline;
}

PipelinePtr Parser::parse_head() {
  Deeper deeper(*this);
  size_t first = at_;
  auto head = std::make_unique<Pipeline>();
  if (accept(TokenKind::LeftParen)) {
    const Token open = previous();
    bool outer = std::exchange(in_braces_, false);
    head->nested = parse_pipeline();
    in_braces_ = outer;
    if (!failed_ && (at_end() || at_margin_declaration())) unclosed(open);
    expect(TokenKind::RightParen, "");
  } else {
    if (at_sql_select()) {
      sql_statement("");
      return head;
    }
    head->head = expect_name("the name of a stream, or a pipeline in parentheses");
    if (at(TokenKind::LeftParen) && !current().newline_before) {
      list_.tokens[at_].tight_before = true;
      head->head_is_call = true;
      head->head_arguments = parse_arguments();
    }
  }
  head->span = from(first);
  return head;
}

Operator Parser::parse_operator() {
  size_t first = at_;
  Operator op;
  op.word = {std::string(text_of(current())), current().span};
  std::string word(text_of(current()));
  bool known = !current().quoted && is_operator_word(word);
  if (!known && at(TokenKind::Name) && peek().kind == TokenKind::LeftParen) {
    op.node = parse_pipe_call();
    op.span = from(first);
    return op;
  }
  if (!known) word = unknown_operator();
  if (!failed_) {
    take();
    op.word.text = word;
    op.node = parse_operator_node(word);
  }
  op.span = from(first);
  return op;
}

// What the word at the cursor was meant to be; fails if nobody knows.
std::string Parser::unknown_operator() {
  std::string word(text_of(current()));
  std::string small = ascii_lower(word);
  struct Habit {
    std::string_view written, meant;
    bool same_form = true;  // what follows is written alike
    std::string_view example = {};
  };
  static constexpr Habit kHabits[] = {{"filter", "where"},
                                      {"having", "where"},
                                      {"project", "select"},
                                      {"unnest", "flatten"},
                                      {"explode", "flatten"},
                                      {"merge", "union"},
                                      {"map", "select", false, "select { a, b = a + 1 }"},
                                      {"with_column", "extend", false, "extend { b = a + 1 }"},
                                      {"let", "extend", false, "extend { b = a + 1 }"},
                                      {"distinct", "dedup", false, "dedup by a within 1h"},
                                      {"summarize", "group", false, "group by a { n = count() }"}};
  Span span = current().span;
  if (at(TokenKind::Name)) {
    for (const Habit& habit : kHabits) {
      if (habit.written != small) continue;
      std::string message = "`" + word + "` is called `" + std::string(habit.meant) + "` here";
      if (habit.same_form) {
        say(Code::unexpected_token, span, message).with_fix(span, std::string(habit.meant));
        return std::string(habit.meant);
      }
      fail(Code::unexpected_token, span, message).with_fix_text(std::string(habit.example));
      return {};
    }
    std::string meant = did_you_mean(small, operator_words());
    if (!meant.empty()) {
      say(Code::unexpected_token, span,
          small == meant ? "`" + word + "` is written `" + meant + "`"
                         : "`" + word + "` is no operator; did you mean `" + meant + "`?")
          .with_fix(span, meant);
      return meant;
    }
    if (small == "limit" || small == "sort" || small == "order") {
      fail(Code::unexpected_token, span,
           "a stream has no end, so it is neither sorted nor cut; `top n by e` keeps the greatest")
          .with_fix_text("top 10 by e");
      return {};
    }
  }
  fail_expected("an operator after `|`")
      .with_note(
          "operators are `where select extend drop flatten union window group over join dedup scan "
          "detect top to "
          "changes`, or a `pipe` with its arguments: `| p(x)`");
  return {};
}

Operator::Node Parser::parse_operator_node(std::string_view word) {
  auto joined = [&](JoinOp::Kind kind) -> Operator::Node {
    expect_word("join", "after `" + std::string(word) + "`");
    return parse_join(kind);
  };
  if (word == "where") return WhereOp{parse_expr()};
  if (word == "select") return SelectOp{parse_operator_block()};
  if (word == "extend") return ExtendOp{parse_operator_block()};
  if (word == "drop") return DropOp{parse_names("a field")};
  if (word == "flatten") {
    FlattenOp flatten;
    flatten.value = parse_expr();
    expect(TokenKind::As, "and a name for the element");
    flatten.names = parse_names("a name for the element");
    return flatten;
  }
  if (word == "union") {
    UnionOp united;
    do {
      united.inputs.push_back(parse_head());
    } while (accept(TokenKind::Comma));
    return united;
  }
  if (word == "window") return parse_window();
  if (word == "group") {
    GroupOp group;
    if (at_word("by")) group.by = parse_by();
    group.block = parse_operator_block();
    group.expire = parse_expire();
    return group;
  }
  if (word == "over") {
    OverOp over;
    over.by = parse_by();
    over.on_arrival = parse_arrival();
    over.block = parse_operator_block();
    over.expire = parse_expire();
    over.late = parse_late();
    return over;
  }
  if (word == "join") return parse_join(JoinOp::Kind::Inner);
  if (word == "left") return joined(JoinOp::Kind::Left);
  if (word == "right") return joined(JoinOp::Kind::Right);
  if (word == "full") return joined(JoinOp::Kind::Full);
  if (word == "anti") return joined(JoinOp::Kind::Anti);
  if (word == "dedup") {
    DedupOp dedup;
    dedup.by = parse_by();
    expect_word("within", "and how long a key is remembered");
    dedup.within = parse_expr();
    dedup.late = parse_late();
    return dedup;
  }
  if (word == "scan") return parse_scan();
  if (word == "detect") return parse_detect();
  if (word == "top") return parse_top();
  if (word == "to") {
    ToTableOp table;
    expect_word("table", "after `to`");
    table.by = parse_by();
    table.expire = parse_expire();
    return table;
  }
  return ChangesOp{};
}

Operator::Node Parser::parse_pipe_call() {
  PipeCallOp call;
  call.name = expect_name("a pipe's name");
  list_.tokens[at_].tight_before = true;
  call.arguments = parse_arguments();
  return call;
}

WindowOp Parser::parse_window() {
  WindowOp window{};
  std::string shape(text_of(current())), meant;
  for (auto [word, shape_word] :
       {std::pair{"tumbling", "tumble"}, std::pair{"fixed", "tumble"}, std::pair{"hopping", "hop"},
        std::pair{"sliding", "hop"}, std::pair{"slide", "hop"}, std::pair{"sessions", "session"}}) {
    if (at_word(word) && peek().kind == TokenKind::LeftParen) meant = shape_word;
  }
  if (meant.empty() && shape != "tumble" && shape != "hop" && at(TokenKind::Name))
    meant = did_you_mean(shape, {"tumble", "hop", "session"});
  bool known = shape == "tumble" || shape == "hop" || shape == "session";
  if (!known && !meant.empty() && at(TokenKind::Name)) {
    say(Code::unexpected_token, current().span,
        "a window is `tumble(d)`, `hop(d, every s)` or `session(gap d)`, not `" + shape + "`")
        .with_fix(current().span, meant);
    shape = meant;
    known = true;
  }
  if (!known || !at(TokenKind::Name)) {
    fail_expected("`tumble(d)`, `hop(d, every s)` or `session(gap d)`");
    return window;
  }
  bool hop = shape == "hop", session = shape == "session";
  take();
  window.shape = hop       ? WindowOp::Shape::Hop
                 : session ? WindowOp::Shape::Session
                           : WindowOp::Shape::Tumble;
  if (expect(TokenKind::LeftParen, "and the window's size"))
    list_.tokens[at_ - 1].tight_before = true;
  if (session) {
    if (at(TokenKind::Duration)) {
      say(Code::unexpected_token, current().span, "a session is `session(gap d)`")
          .with_fix({current().span.begin, current().span.begin, file_}, "gap ");
    } else {
      expect_word("gap", "");
    }
  }
  window.size = parse_expr();
  if (hop) {
    if (expect(TokenKind::Comma, "and `every` slide")) {
      if (at(TokenKind::Duration)) {
        say(Code::unexpected_token, current().span, "the slide of a hop stands after `every`")
            .with_fix({current().span.begin, current().span.begin, file_}, "every ");
      } else {
        expect_word("every", "");
      }
    }
    window.slide = parse_expr();
  }
  expect(TokenKind::RightParen, "");
  if (accept_word("offset")) window.offset = parse_expr();
  if (accept_word("grace")) window.grace = parse_expr();
  if (accept_word("using")) {
    expect_word("processing_time", "after `using`");
    window.processing_time = true;
  }
  if (at_word("by")) {
    window.has_by = true;
    window.by = parse_by();
  }
  if (!window.has_by && at_group_behind_window()) {
    // The keys and aggregates of a window, as those of a `group` behind it.
    Span group = peek().span;
    say(Code::bad_window, group, "a window's keys and aggregates stand in its own step")
        .with_note("behind a window without a block, `group` would go on over all windows")
        .with_fix({previous().span.end, group.end, file_}, "");
    take();
    take();
    if (at_word("by")) {
      window.has_by = true;
      window.by = parse_by();
    }
  }
  if (at(TokenKind::LeftBrace)) window.block = parse_operator_block();
  window.late = parse_late();
  return window;
}

// `| group …` at the cursor, with keys that tell windows not apart.
bool Parser::at_group_behind_window() const {
  if (!at(TokenKind::Pipe) || !is(peek(), "group")) return false;
  for (size_t ahead = 2; at_ + ahead < list_.tokens.size(); ++ahead) {
    const Token& token = peek(ahead);
    if (token.kind == TokenKind::LeftBrace) return true;
    bool bound = is(token, "window_start") || is(token, "window_end");
    if (bound || token.kind == TokenKind::Pipe || token.depth < current().depth) return false;
  }
  return false;
}

JoinOp Parser::parse_join(JoinOp::Kind kind) {
  JoinOp join{};
  join.kind = kind;
  join.right = parse_head();
  if (accept(TokenKind::As)) join.alias = expect_name("a name for the right row");
  expect_word("on", "and what is equal");
  do {
    join.on.push_back(parse_expr());
  } while (accept(TokenKind::Comma));
  if (accept_word("within")) {
    if (accept_word("window"))
      join.within_window = true;
    else
      join.within = parse_bound();
  }
  join.late = parse_late();
  return join;
}

ScanOp Parser::parse_scan() {
  ScanOp scan;
  scan.by = parse_by();
  scan.on_arrival = parse_arrival();
  scan.state = parse_state();
  scan.body = parse_body();
  scan.expire = parse_expire();
  scan.late = parse_late();
  return scan;
}

DetectOp Parser::parse_detect() {
  DetectOp detect;
  detect.by = parse_by();
  detect.on_arrival = parse_arrival();
  braced("a step", [&] { detect.steps.push_back(parse_detect_step()); });
  if (accept_word("within")) detect.within = parse_expr();
  detect.late = parse_late();
  return detect;
}

DetectStep Parser::parse_detect_step() {
  size_t first = at_;
  DetectStep step{};
  // `then` is reserved; `next` and `no` are step words only where a name follows.
  if (accept(TokenKind::Then)) {
    step.kind = DetectStep::Kind::Then;
  } else if (at_word("next") && peek().kind == TokenKind::Name) {
    take();
    step.kind = DetectStep::Kind::Next;
  }
  if (at_word("no") && peek().kind == TokenKind::Name) {
    take();
    step.absent = true;
  }
  step.name = expect_name("a step's name");
  expect(TokenKind::Equal, "and the step's condition");
  step.predicate = parse_item_expr();
  if (accept_clause("times")) {
    auto count = [&]() -> uint32_t {
      uint32_t value = 0;
      std::string_view text = at(TokenKind::Number) ? text_of(current()) : std::string_view();
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        fail_expected("a whole number of times");
        return 0;
      }
      take();
      return value;
    };
    step.times_min = step.times_max = count();
    if (at(TokenKind::DotDot)) {
      list_.tokens[at_].tight_before = true;
      list_.tokens[at_].tight_after = peek().kind == TokenKind::Number;
      take();
      step.times_max = at(TokenKind::Number) ? count() : UINT32_MAX;
      if (!failed_ && step.times_max < step.times_min) {
        say(Code::bad_literal, previous().span, "the most times are fewer than the fewest");
      }
    }
  }
  if (accept_clause("within")) step.within = parse_expr();
  step.span = from(first);
  return step;
}

TopOp Parser::parse_top() {
  TopOp top;
  top.count = parse_expr();
  expect_word("by", "and what is compared");
  do {
    OrderItem item;
    item.value = parse_expr();
    if (accept_word("asc"))
      item.ascending = true;
    else
      accept_word("desc");
    top.by.push_back(std::move(item));
  } while (accept(TokenKind::Comma));
  if (accept_word("per")) top.per = parse_keys();
  if (accept_word("with")) {
    expect_word("ties", "after `with`");
    top.with_ties = true;
  }
  if (accept(TokenKind::As)) top.rank = expect_name("a name for the rank");
  top.expire = parse_expire();
  return top;
}

// ---------------------------------------------------------------- clauses

std::vector<KeyItem> Parser::parse_by() {
  expect_word("by", "and keys");
  return parse_keys();
}

std::vector<KeyItem> Parser::parse_keys() {
  std::vector<KeyItem> keys;
  do {
    KeyItem key;
    if (at(TokenKind::Name) && peek().kind == TokenKind::Equal) {
      key.name = name_of(take());
      take();
    }
    key.value = parse_item_expr();
    keys.push_back(std::move(key));
  } while (accept(TokenKind::Comma));
  return keys;
}

bool Parser::parse_arrival() {
  if (!accept_word("on")) return false;
  return expect_word("arrival", "after `on`");
}

ExprPtr Parser::parse_expire() {
  if (!accept_word("expire")) return nullptr;
  expect_word("after", "and how long a key may be unused");
  return parse_expr();
}

std::optional<Name> Parser::parse_late() {
  if (!accept_word("late")) return std::nullopt;
  expect(TokenKind::Arrow, "and a name for the late rows");
  return expect_name("a name for the late rows");
}

std::vector<Name> Parser::parse_names(std::string_view what) {
  std::vector<Name> names;
  do {
    names.push_back(expect_name(what));
  } while (accept(TokenKind::Comma));
  return names;
}

std::vector<StateField> Parser::parse_state() {
  std::vector<StateField> state;
  if (!expect_word("state", "")) return state;
  braced("a state field", [&] {
    StateField field;
    field.name = expect_name("a name");
    expect(TokenKind::Colon, "and its type");
    field.type = parse_type();
    expect(TokenKind::Equal, "and what it is at first");
    field.initial = parse_expr();
    state.push_back(std::move(field));
  });
  return state;
}

Body Parser::parse_body() {
  Body body;
  body.span = braced("a statement", [&] { body.statements.push_back(parse_statement()); });
  return body;
}

Statement Parser::parse_statement() {
  size_t first = at_;
  Statement statement{};
  // Every word of a statement may also be the name of a state field: `emit = 1`.
  bool assigns = at(TokenKind::Name) && peek().kind == TokenKind::Equal;
  if (assigns) {
    statement.kind = Statement::Kind::Assign;
    statement.name = name_of(take());
    take();
    statement.value = parse_item_expr();
  } else if (accept_word("let")) {
    statement.kind = Statement::Kind::Let;
    statement.name = expect_name("a name");
    expect(TokenKind::Equal, "and a value");
    statement.value = parse_item_expr();
  } else if (accept_word("emit")) {
    statement.kind = Statement::Kind::Emit;
    statement.value = parse_expr();
  } else if (accept_word("when")) {
    statement.kind = Statement::Kind::When;
    statement.value = parse_expr();
    statement.body = std::make_unique<Body>(parse_body());
  } else if (accept_word("clear")) {
    statement.kind = Statement::Kind::Clear;
    statement.name = expect_name("the name of a timer");
  } else if (accept_word("set")) {
    statement.kind = Statement::Kind::Set;
    statement.name = expect_name("the name of a timer");
    if (accept_word("after"))
      statement.set_after = true;
    else
      expect_word("at", "or `after`");
    statement.value = parse_expr();
    if (accept_clause("using")) {
      expect_word("processing_time", "after `using`");
      statement.processing_time = true;
    }
  } else if (accept_word("on")) {
    statement.kind = Statement::Kind::On;
    statement.name = expect_name("the name of a timer");
    statement.body = std::make_unique<Body>(parse_body());
  } else if (at(TokenKind::If)) {
    fail(Code::unexpected_token, current().span, "a condition on statements is `when p { … }`")
        .with_fix(current().span, "when");
  } else {
    fail_expected("a statement: `x = e`, `let x = e`, `emit`, `when`, `set`, `clear` or `on`");
  }
  statement.span = from(first);
  return statement;
}

Block Parser::parse_operator_block() {
  if (at(TokenKind::LeftBrace)) return parse_block();
  return fields_without_braces();
}

// `select *`, `select a, b` and `select (a, b)`, as SQL and others write it.
Block Parser::fields_without_braces() {
  Block block;
  size_t first = at_;
  if (at(TokenKind::Star)) {
    say(Code::unexpected_token, current().span, "all fields are `{ .. }`")
        .with_fix(current().span, "{ .. }");
    BlockItem all;
    all.spread = true;
    all.span = take().span;
    block.items.push_back(std::move(all));
    block.span = from(first);
    return block;
  }
  if (!begins_expr(current())) {
    fail_expected("`{`");
    return block;
  }
  if (failed_) return block;
  int errors = static_cast<int>(diagnostics_.error_count());
  do {
    block.items.push_back(parse_block_item());
    if (failed_) return block;
  } while (accept(TokenKind::Comma));
  block.span = from(first);
  if (static_cast<int>(diagnostics_.error_count()) == errors) {
    say(Code::unexpected_token, block.span, "these stand in braces")
        .with_fix(block.span, "{ " + std::string(sources_.text(block.span)) + " }");
  }
  return block;
}

}  // namespace weir::dsl
