// What users of SQL, Java, Kotlin and C write on their first day: read as it is meant, with the
// Weir text as the fix.
#include <utility>

#include "dsl/parser_state.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

bool is_aggregate(std::string_view text) {
  std::string small = ascii_lower(text.substr(0, text.find('(')));
  for (std::string_view name : {"count", "sum", "avg", "min", "max", "first", "last"}) {
    if (small == name && text.size() > name.size()) return true;
  }
  return false;
}

}  // namespace

// `a ? b : c`; the condition is read, the cursor is at `?`.
ExprPtr Parser::parse_ternary(size_t first, ExprPtr condition) {
  Span question = take().span;
  If node;
  node.condition = std::move(condition);
  node.then = parse_expr();
  if (!at(TokenKind::Colon)) {
    fail(Code::unexpected_token, question,
         "`?` stands only after types; a choice is `if … then … else …`")
        .with_fix_text("if " + written(*node.condition) + " then … else …");
    return make(first, std::move(node));
  }
  take();
  node.otherwise = parse_expr();
  say(Code::unexpected_token, question, "a choice is `if … then … else …`")
      .with_fix(from(first), "if " + written(*node.condition) + " then " + written(*node.then) +
                                 " else " + written(*node.otherwise));
  return make(first, std::move(node));
}

// `IS NULL`, `IS NOT NULL`; the cursor is at `IS`.
ExprPtr Parser::parse_sql_null_test(ExprPtr left) {
  size_t first = at_;
  take();
  IsNull node;
  node.value = std::move(left);
  node.negated = at(TokenKind::Not) || at_word("NOT");
  if (node.negated) take();
  if (!at(TokenKind::Null) && !at_word("NULL")) {
    fail_expected("`null` or `not null` after `is`")
        .with_note("to compare with a value, write `==`");
    return bad(first);
  }
  take();
  std::string meant = node.negated ? "is not null" : "is null";
  Span words = from(first);
  say(Code::unexpected_token, words,
      "`" + std::string(sources_.text(words)) + "` is written `" + meant + "`")
      .with_fix(words, meant);
  Span whole = node.value->span.to(words);
  ExprPtr result = make(first, std::move(node));
  result->span = whole;
  return result;
}

bool Parser::at_sql_case() const {
  return at(TokenKind::Name) && ascii_lower(text_of(current())) == "case" &&
         peek().kind == TokenKind::Name && ascii_lower(text_of(peek())) == "when";
}

// `CASE WHEN p THEN a … ELSE b END`.
ExprPtr Parser::parse_sql_case() {
  size_t first = at_;
  Deeper deeper(*this);
  Span word = take().span;
  std::vector<std::pair<ExprPtr, ExprPtr>> branches;
  ExprPtr otherwise;
  auto at_lower = [&](std::string_view small) {
    return !failed_ && ascii_lower(text_of(current())) == small;
  };
  bool good = true;
  while (good && at_lower("when")) {
    take();
    ExprPtr condition = parse_expr();
    good = at_lower("then");
    if (!good) break;
    take();
    branches.emplace_back(std::move(condition), parse_expr());
  }
  std::string shown = "null";
  if (good && at_lower("else")) {
    take();
    otherwise = parse_expr();
    shown = written(*otherwise);
  } else {
    otherwise = make(first, NullLiteral{});
  }
  if (!at_lower("end") || branches.empty()) {
    fail(Code::unexpected_token, word,
         "a choice is `if … then … else …`, or `match e { a => …, _ => … }`")
        .with_fix_text("if … then … else …");
    return bad(first);
  }
  take();
  ExprPtr result = std::move(otherwise);
  for (size_t i = branches.size(); i-- > 0;) {
    auto& [condition, value] = branches[i];
    shown = "if " + written(*condition) + " then " + written(*value) + " else " + shown;
    result = make(first, If{std::move(condition), std::move(value), std::move(result)});
  }
  say(Code::unexpected_token, word, "a choice is `if … then … else …`")
      .with_fix(from(first), shown);
  return result;
}

// `cast(e as T)` of SQL, and not a function that is called so.
bool Parser::at_sql_cast() const {
  if (!at(TokenKind::Name) || ascii_lower(text_of(current())) != "cast" ||
      peek().kind != TokenKind::LeftParen)
    return false;
  uint32_t depth = peek().depth;
  for (size_t i = at_ + 2; i < list_.tokens.size() && list_.tokens[i].depth > depth; ++i) {
    const Token& token = list_.tokens[i];
    if (token.depth == depth + 1 && (token.kind == TokenKind::As || is(token, "AS"))) return true;
  }
  return false;
}

ExprPtr Parser::parse_sql_cast() {
  size_t first = at_;
  Deeper deeper(*this);
  Span word = take().span;
  take();
  bool outer = std::exchange(in_braces_, false);
  Call call;
  ExprPtr value = parse_expr();
  take();
  size_t type_first = at_;
  TypeRef type = parse_type();
  in_braces_ = outer;
  expect(TokenKind::RightParen, "");
  std::string name = ascii_lower(type.name.text);
  if (name == "int" || name == "integer" || name == "bigint") name = "int64";
  if (name == "varchar" || name == "text") name = "string";
  if (name == "double" || name == "float" || name == "real") name = "float64";
  if (name == "boolean") name = "bool";
  ExprPtr callee = make(type_first, NameRef{name});
  callee->span = type.span;
  std::string shown = name;
  if (!type.arguments.empty() && name != "string") {
    Call decimal;
    decimal.callee = std::move(callee);
    shown += "(";
    for (ExprPtr& argument : type.arguments) {
      shown += (shown.back() == '(' ? "" : ", ") + written(*argument);
      Argument plain;
      plain.value = std::move(argument);
      decimal.arguments.push_back(std::move(plain));
    }
    shown += ")";
    callee = make(type_first, std::move(decimal));
  }
  shown += "(" + written(*value) + ")";
  call.callee = std::move(callee);
  Argument argument;
  argument.value = std::move(value);
  call.arguments.push_back(std::move(argument));
  say(Code::unexpected_token, word, "a cast is the type's name with the value in parentheses")
      .with_fix(from(first), shown);
  return make(first, std::move(call));
}

// `SELECT … FROM … WHERE … GROUP BY … HAVING …` as a pipeline, "" if it is more than that. The
// cursor is at `SELECT`; `end` becomes the token after the statement.
std::string Parser::pipeline_of_sql(size_t& end) const {
  constexpr size_t kTokensMax = 400;
  uint32_t depth = current().depth;
  struct Part {
    std::string word;
    size_t begin, end;
  };
  std::vector<Part> parts;
  size_t i = at_;
  for (; i < list_.tokens.size() && i < at_ + kTokensMax; ++i) {
    const Token& token = list_.tokens[i];
    if (token.kind == TokenKind::EndOfFile || token.depth < depth) break;
    if (i > at_ && token.newline_before && looks_like_declaration(sources_, list_, i)) break;
    if (token.depth != depth) continue;
    std::string word = ascii_lower(text_of(token));
    for (std::string_view begins : {"select", "from", "where", "group", "having"}) {
      if (word != begins) continue;
      if (!parts.empty()) parts.back().end = i;
      parts.push_back({word, i + 1, 0});
    }
    for (std::string_view more : {"join", "union", "order", "limit", "with", "over"}) {
      if (word == more) return "";
    }
  }
  end = i;
  if (parts.empty()) return "";
  parts.back().end = i;
  auto text = [&](size_t begin, size_t stop) -> std::string {
    if (begin >= stop) return "";
    return std::string(sources_.text(list_.tokens[begin].span.to(list_.tokens[stop - 1].span)));
  };
  std::string from, where, having, items, block;
  std::vector<std::string> keys;
  bool aggregates = false;
  for (const Part& part : parts) {
    size_t begin = part.begin;
    if (part.word == "from") from = text(begin, part.end);
    if (part.word == "where") where = text(begin, part.end);
    if (part.word == "having") having = text(begin, part.end);
    if (part.word != "group") continue;
    if (begin < part.end && ascii_lower(text_of(list_.tokens[begin])) == "by") ++begin;
    size_t key = begin;
    for (size_t k = begin; k <= part.end; ++k) {
      bool comma = k < part.end && list_.tokens[k].kind == TokenKind::Comma &&
                   list_.tokens[k].depth == depth;
      if (k < part.end && !comma) continue;
      keys.push_back(text(key, k));
      key = k + 1;
    }
    aggregates = true;
  }
  const Part& select = parts.front();
  size_t item = select.begin;
  for (size_t k = item; k <= select.end; ++k) {
    bool comma = k < select.end && list_.tokens[k].kind == TokenKind::Comma &&
                 list_.tokens[k].depth == depth;
    if (k < select.end && !comma) continue;
    size_t stop = k;
    std::string name;
    if (k >= item + 3 && ascii_lower(text_of(list_.tokens[k - 2])) == "as") {
      name = name_of(list_.tokens[k - 1]).text;
      stop = k - 2;
    }
    std::string value = text(item, stop);
    item = k + 1;
    bool aggregate = is_aggregate(value);
    aggregates |= aggregate;
    if (aggregate) {
      std::string call = ascii_lower(value.substr(0, value.find('('))),
                  inside = value.substr(call.size());
      if (inside == "(*)") inside = "()";
      value = call + inside;
      if (name.empty()) name = call;
    }
    bool is_key = false;
    for (std::string& key : keys) {
      if (key != value && (name.empty() || key != name)) continue;
      is_key = true;
      if (!name.empty() && name != value) key = name + " = " + value;
    }
    if (is_key) continue;
    if (value == "*") value = "..";
    block += (block.empty() ? "" : ", ") + (name.empty() ? value : name + " = " + value);
  }
  if (from.empty() || from.find(' ') != std::string::npos) return "";
  std::string result = from;
  if (!where.empty()) result += " | where " + where;
  if (aggregates) {
    result += " | group";
    for (size_t k = 0; k < keys.size(); ++k) result += (k == 0 ? " by " : ", ") + keys[k];
    result += block.empty() ? " {}" : " { " + block + " }";
  } else if (block != "..") {
    result += " | select { " + block + " }";
  }
  if (!having.empty()) result += " | where " + having;
  return result;
}

bool Parser::at_sql_select() const {
  return at(TokenKind::Name) && ascii_lower(text_of(current())) == "select" &&
         (peek().kind == TokenKind::Name || peek().kind == TokenKind::Star);
}

// At a declaration, or at the head of a pipeline, that is a statement of SQL.
void Parser::sql_statement(std::string_view before) {
  size_t end = at_;
  std::string meant = ascii_lower(text_of(current())) == "select" ? pipeline_of_sql(end) : "";
  Span word = current().span;
  auto& diagnostic = fail(Code::unexpected_token, word,
                          "this is SQL; a Weir program is made of sources, streams and sinks");
  if (meant.empty() || end <= at_) {
    diagnostic.with_fix_text("stream result = rows | where a > 1 | select { a, b }");
    return;
  }
  diagnostic.with_fix({word.begin, list_.tokens[end - 1].span.end, file_},
                      std::string(before) + meant);
  at_ = end - 1;
}

}  // namespace weir::dsl
