// decl, sig, type, conn, options, rows: what stands outside pipelines and expressions.
#include <algorithm>
#include <utility>

#include "dsl/parser_state.h"
#include "dsl/render.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

// A field that begins with one of these has its type before its name.
bool is_scalar_type(std::string_view word) {
  for (std::string_view type :
       {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
        "float64", "string", "bytes", "uuid", "date", "duration", "json"}) {
    if (word == type) return true;
  }
  return false;
}

}  // namespace

Declaration Parser::parse_declaration() {
  size_t first = at_;
  Declaration declaration;
  declaration.doc = doc_before(at_);
  std::string_view word =
      at(TokenKind::Name) && !current().quoted ? text_of(current()) : std::string_view();
  const auto& words = declaration_words();
  std::string meant;
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    if (!word.empty()) meant = did_you_mean(ascii_lower(word), words);
    // `x = …` is no misspelt word but a declaration without one.
    if (meant.empty() || peek().kind == TokenKind::Equal || peek().kind == TokenKind::Colon) {
      unknown_declaration();
      return declaration;
    }
    say(Code::unexpected_token, current().span,
        "`" + std::string(word) + "` begins no declaration; did you mean `" + meant + "`?")
        .with_fix(current().span, meant);
    word = meant;
  }
  take();
  parse_declaration_word(word, declaration);
  declaration.span = from(first);
  return declaration;
}

void Parser::unknown_declaration() {
  std::string word = ascii_lower(text_of(current()));
  Span span = current().span;
  if (word == "select" || word == "from" || word == "with" || word == "insert" ||
      word == "create") {
    sql_statement("stream result = ");
    return;
  }
  if (current().kind == TokenKind::Pipe) {
    fail(Code::unexpected_token, span, "`|` continues a pipeline, and none stands before it")
        .with_fix_text("stream result = rows | …");
    return;
  }
  if (is_operator_word(text_of(current())) && at_ > 0 && peek().kind != TokenKind::Equal) {
    fail(Code::unexpected_token, span, "an operator follows `|`")
        .with_fix({span.begin, span.begin, file_}, "| ");
    return;
  }
  bool same_line = at_ > 0 && !current().newline_before;
  if (same_line) {
    fail(Code::unexpected_token, span,
         "expected `|`, an operator or the next declaration, found " + found());
    return;
  }
  bool assigns = current().kind == TokenKind::Name && peek().kind == TokenKind::Equal;
  auto& diagnostic = fail(Code::unexpected_token, span, "expected a declaration, found " + found());
  if (assigns) {
    diagnostic.with_fix({span.begin, span.begin, file_}, "stream ");
  } else {
    diagnostic.with_note(
        "a declaration begins with `record enum import param secret fn extern aggregate pipe "
        "source table stream split "
        "sink test`");
  }
}

bool Parser::parse_declaration_word(std::string_view word, Declaration& declaration) {
  if (word == "record") {
    declaration.name = expect_name("the record's name");
    declaration.node = parse_record();
  } else if (word == "enum") {
    declaration.name = expect_name("the enum's name");
    declaration.node = parse_enum();
  } else if (word == "import") {
    declaration.node = parse_import(declaration);
  } else if (word == "param") {
    declaration.name = expect_name("the parameter's name");
    ParamDecl param;
    expect(TokenKind::Colon, "and the parameter's type");
    param.type = parse_type();
    if (accept(TokenKind::Equal)) param.initial = parse_expr();
    declaration.node = std::move(param);
  } else if (word == "secret") {
    declaration.name = expect_name("the secret's name");
    declaration.node = SecretDecl{};
  } else if (word == "fn") {
    declaration.node = parse_fn(declaration, false);
  } else if (word == "extern") {
    expect_word("fn", "after `extern`");
    declaration.node = parse_fn(declaration, true);
  } else if (word == "aggregate") {
    expect_word("fn", "after `aggregate`");
    declaration.node = parse_aggregate(declaration);
  } else if (word == "pipe") {
    PipeDecl pipe;
    pipe.signature = parse_signature(declaration);
    expect(TokenKind::Equal, "and the pipeline");
    pipe.body = parse_pipeline();
    declaration.node = std::move(pipe);
  } else if (word == "source" || word == "table") {
    bool is_table = word == "table";
    declaration.name = expect_name(is_table ? "the table's name" : "the source's name");
    if (is_table && accept(TokenKind::Equal)) {
      declaration.node = StreamDecl{true, parse_pipeline()};
      return true;
    }
    SourceDecl source;
    source.is_table = is_table;
    if (at(TokenKind::Equal)) {
      fail(Code::unexpected_token, current().span,
           "a source says what its rows are: `: R` before the `=`")
          .with_fix_text(std::string(word) + " " + declaration.name.text + ": R = …");
    }
    expect(TokenKind::Colon, "and the record of its rows");
    source.record = expect_name("the record of its rows");
    expect(TokenKind::Equal, "and a connector");
    source.connector = parse_connector();
    declaration.node = std::move(source);
  } else if (word == "stream") {
    declaration.name = expect_name("the stream's name");
    expect(TokenKind::Equal, "and a pipeline");
    declaration.node = StreamDecl{false, parse_pipeline()};
  } else if (word == "split") {
    declaration.node = parse_split();
  } else if (word == "sink") {
    declaration.node = parse_sink(declaration);
  } else {
    declaration.node = parse_test();
  }
  return !failed_;
}

RecordDecl Parser::parse_record() {
  RecordDecl record;
  braced("a field", [&] { record.fields.push_back(parse_record_field()); });
  return record;
}

RecordField Parser::parse_record_field() {
  size_t first = at_;
  RecordField field;
  field.doc = doc_before(at_);
  field.name = expect_name("a field's name");
  if (at(TokenKind::Equal)) {
    say(Code::unexpected_token, current().span, "a field has a type after `:`; `=` gives a value")
        .with_fix(current().span, ":");
    take();
  } else if (at(TokenKind::Name) && same_line() && is_scalar_type(field.name.text)) {
    Name name = name_of(current());
    Span both = field.name.span.to(name.span);
    say(Code::unexpected_token, both, "a field's name stands before its type: `name: type`")
        .with_fix(both, std::string(text_of(current())) + ": " + field.name.text);
    take();
    field.type.name = std::exchange(field.name, name);
    field.type.span = field.type.name.span;
    field.span = from(first);
    return field;
  } else if (at(TokenKind::Name) && same_line()) {
    say(Code::unexpected_token, current().span,
        "expected `:` between a field and its type, found " + found())
        .with_fix(after_previous(), ":");
  } else {
    expect(TokenKind::Colon, "after a field's name");
  }
  field.type = parse_type();
  if (at(TokenKind::Not) || at_word("NOT")) {
    bool null = peek().kind == TokenKind::Null || is(peek(), "NULL");
    if (null && same_line()) {
      Span words = current().span.to(peek().span);
      say(Code::unexpected_token, words, "a type without `?` is never null")
          .with_fix({previous().span.end, words.end, file_}, "");
      take();
      take();
    }
  }
  if (same_line() && accept(TokenKind::As)) field.wire_name = expect_text("the name on the wire");
  if (accept(TokenKind::Equal)) field.initial = parse_expr();
  field.span = from(first);
  return field;
}

EnumDecl Parser::parse_enum() {
  EnumDecl declared;
  braced("a value", [&] {
    EnumCase value;
    value.name = expect_name("a value's name");
    if (same_line() && accept(TokenKind::As)) value.wire_name = expect_text("the name on the wire");
    declared.cases.push_back(std::move(value));
  });
  return declared;
}

ImportDecl Parser::parse_import(Declaration& declaration) {
  ImportDecl import;
  if (!accept_word("schema")) {
    import.path = expect_text("the path of a file, or `schema`");
    return import;
  }
  import.schema = true;
  if (accept_word("registry")) {
    import.registry = true;
    if (expect(TokenKind::LeftParen, "and the subject")) list_.tokens[at_ - 1].tight_before = true;
    import.path = expect_text("the subject in the registry");
    expect(TokenKind::RightParen, "");
  } else {
    import.path = expect_text("the path of a schema, or `registry`");
  }
  expect(TokenKind::As, "and the record's name");
  declaration.name = expect_name("the record's name");
  return import;
}

FnDecl Parser::parse_fn(Declaration& declaration, bool is_extern) {
  FnDecl fn;
  fn.is_extern = is_extern;
  fn.signature = parse_signature(declaration);
  if (is_extern) return fn;
  if (at(TokenKind::LeftBrace)) {
    Span brace = take().span;
    fn.body = parse_expr();
    accept(TokenKind::RightBrace);
    say(Code::unexpected_token, brace, "a function's body is an expression after `=`")
        .with_fix({brace.begin, previous().span.end, file_}, "= " + written(*fn.body));
    return fn;
  }
  expect(TokenKind::Equal, "and an expression");
  fn.body = parse_expr();
  return fn;
}

AggregateDecl Parser::parse_aggregate(Declaration& declaration) {
  AggregateDecl aggregate;
  aggregate.signature = parse_signature(declaration);
  Deeper deeper(*this);
  size_t open = at_;
  if (!expect(TokenKind::LeftBrace, "")) return aggregate;
  bool outer = std::exchange(in_braces_, true);
  auto part = [&](auto&& read) {
    list_.tokens[at_].starts_item = true;
    read();
    accept(TokenKind::Comma);
  };
  part([&] { aggregate.state = parse_state(); });
  part([&] {
    expect_word("step", "");
    aggregate.step = parse_body();
  });
  part([&] {
    expect_word("merge", "");
    aggregate.merge = parse_body();
  });
  part([&] {
    expect_word("finish", "");
    expect(TokenKind::Equal, "after `finish`");
    aggregate.finish = parse_expr();
  });
  if (!failed_ && (at_end() || at_margin_declaration())) unclosed(list_.tokens[open]);
  expect(TokenKind::RightBrace, "");
  in_braces_ = outer;
  return aggregate;
}

SplitDecl Parser::parse_split() {
  SplitDecl split;
  split.pipeline = parse_pipeline();
  braced("a branch", [&] {
    SplitArm arm;
    if (accept(TokenKind::Else)) {
      bool has_else = !split.arms.empty() && !split.arms.back().predicate;
      if (has_else)
        say(Code::unexpected_token, previous().span, "a second `else`; rows go to the first");
    } else {
      if (!split.arms.empty() && !split.arms.back().predicate) {
        say(Code::unexpected_token, current().span,
            "`else` stands last: nothing is left for what follows it");
      }
      expect_word("when", "or `else`");
      arm.predicate = parse_expr();
    }
    expect(TokenKind::Arrow, "and the name of a stream");
    arm.name = expect_name("the name of a stream");
    split.arms.push_back(std::move(arm));
  });
  return split;
}

SinkDecl Parser::parse_sink(Declaration& declaration) {
  SinkDecl sink;
  if (at(TokenKind::Name) && peek().kind == TokenKind::Equal) {
    declaration.name = name_of(take());
    take();
  }
  size_t pipeline = at_;
  sink.pipeline = parse_pipeline();
  bool swapped = !failed_ && sink.pipeline->head_is_call && sink.pipeline->operators.empty() &&
                 !declaration.name.text.empty() && !at(TokenKind::Arrow);
  if (swapped) {  // `sink counts = kafka("counts")`
    Span equal = list_.tokens[pipeline - 1].span;
    say(Code::unexpected_token, equal, "`->` says where rows go").with_fix(equal, "->");
    sink.pipeline = std::make_unique<Pipeline>();
    sink.pipeline->head = std::exchange(declaration.name, {});
    sink.pipeline->span = sink.pipeline->head.span;
    at_ = pipeline;
  } else if (at(TokenKind::Name) && !current().newline_before) {
    say(Code::unexpected_token, current().span,
        "`->` stands between a sink's stream and where it goes")
        .with_fix(after_previous(), " ->");
  } else if (!failed_ && (at_end() || at_margin_declaration())) {
    fail(Code::unexpected_token, sink.pipeline->span, "this sink does not say where its rows go")
        .with_fix(after_previous(), " -> stdout()");
  } else if (at(TokenKind::FatArrow) || at(TokenKind::Equal)) {
    say(Code::unexpected_token, current().span, "`->` says where rows go")
        .with_fix(current().span, "->");
    take();
  } else {
    expect(TokenKind::Arrow, "and a connector");
  }
  sink.connector = parse_connector();
  return sink;
}

TestDecl Parser::parse_test() {
  TestDecl test;
  test.title = expect_text("what the test shows");
  braced("a step", [&] { test.steps.push_back(parse_test_step()); });
  return test;
}

TestStep Parser::parse_test_step() {
  size_t first = at_;
  TestStep step{};
  if (accept_word("advance")) {
    step.kind = TestStep::Kind::Advance;
    step.duration = parse_expr();
  } else if (accept_word("given")) {
    step.kind = TestStep::Kind::Given;
    step.target = parse_head();
    step.rows = parse_test_rows();
  } else if (accept_word("expect")) {
    step.kind = TestStep::Kind::Expect;
    step.target = parse_head();
    if (accept_word("final"))
      step.mode = TestStep::Mode::Final;
    else if (accept_word("changes"))
      step.mode = TestStep::Mode::Changes;
    step.rows = parse_test_rows();
  } else {
    std::string word(text_of(current()));
    std::string meant = did_you_mean(ascii_lower(word), {"given", "expect", "advance"});
    auto& diagnostic = fail_expected("`given`, `advance` or `expect`");
    if (!meant.empty()) diagnostic.with_fix(current().span, meant);
  }
  step.span = from(first);
  return step;
}

TestRows Parser::parse_test_rows() {
  size_t first = at_;
  TestRows rows;
  if (accept_word("file")) {
    rows.file = expect_text("the path of a file of JSON lines");
  } else if (expect(TokenKind::LeftBracket, "and rows, or `file`")) {
    bracketed(TokenKind::RightBracket, "a row", [&] {
      TestRow row{TestRow::Kind::Plain, nullptr};
      // Each of these words may also be a field: then no value stands right after it.
      bool marked = begins_expr(peek()) && peek().kind != TokenKind::LeftParen &&
                    peek().kind != TokenKind::LeftBracket && peek().kind != TokenKind::Minus;
      if (marked && accept_word("insert"))
        row.kind = TestRow::Kind::Insert;
      else if (marked && accept_word("update"))
        row.kind = TestRow::Kind::Update;
      else if (marked && accept_word("delete"))
        row.kind = TestRow::Kind::Delete;
      row.value = parse_expr();
      rows.rows.push_back(std::move(row));
    });
  }
  rows.span = from(first);
  return rows;
}

Signature Parser::parse_signature(Declaration& declaration) {
  Signature signature;
  declaration.name = expect_name("the name");
  if (at(TokenKind::Less)) {
    list_.tokens[at_].tight_before = list_.tokens[at_].tight_after = true;
    take();
    do {
      signature.type_parameters.push_back(expect_name("the name of a type"));
    } while (accept(TokenKind::Comma));
    close_angle();
  }
  if (expect(TokenKind::LeftParen, "and parameters")) {
    list_.tokens[at_ - 1].tight_before = true;
    bracketed(TokenKind::RightParen, "a parameter", [&] {
      Parameter parameter;
      parameter.name = expect_name("a parameter's name");
      expect(TokenKind::Colon, "and the parameter's type");
      parameter.type = parse_type();
      signature.parameters.push_back(std::move(parameter));
    });
  }
  if (at(TokenKind::Colon)) {
    say(Code::unexpected_token, current().span, "the type of a result stands after `->`")
        .with_fix(current().span, " ->");
    take();
  } else {
    expect(TokenKind::Arrow, "and the type of the result");
  }
  signature.result = parse_type();
  return signature;
}

TypeRef Parser::parse_type() {
  Deeper deeper(*this);
  size_t first = at_;
  TypeRef type;
  if (accept(TokenKind::LeftParen)) {
    bracketed(TokenKind::RightParen, "a type", [&] { type.parameters.push_back(parse_type()); });
    if (expect(TokenKind::Arrow, "and the type of the result")) type.name = {"->", previous().span};
    type.parameters.push_back(parse_type());
  } else {
    type.name = expect_name("a type");
    if (at(TokenKind::LeftParen) && !current().newline_before) {
      list_.tokens[at_].tight_before = true;
      take();
      bracketed(TokenKind::RightParen, "an argument",
                [&] { type.arguments.push_back(parse_expr()); });
    }
    if (at(TokenKind::Less)) {
      list_.tokens[at_].tight_before = list_.tokens[at_].tight_after = true;
      take();
      do {
        type.parameters.push_back(parse_type());
      } while (accept(TokenKind::Comma));
      close_angle();
    }
  }
  if (at(TokenKind::Question)) {
    list_.tokens[at_].tight_before = true;
    take();
    type.optional = true;
  }
  type.span = from(first);
  return type;
}

// The `>` of type parameters, which the lexer may have read as a part of `>=`.
bool Parser::close_angle() {
  if (at(TokenKind::GreaterEqual)) {
    say(Code::unexpected_token, current().span, "`>=` is one symbol here")
        .with_fix(current().span, "> =");
    list_.tokens[at_].kind = TokenKind::Equal;
    return true;
  }
  list_.tokens[at_].tight_before = at(TokenKind::Greater);
  return expect(TokenKind::Greater, "");
}

Connector Parser::parse_connector() {
  Deeper deeper(*this);
  size_t first = at_;
  Connector connector;
  connector.name = expect_name("a connector");
  if (at(TokenKind::LeftParen)) {
    list_.tokens[at_].tight_before = true;
    connector.arguments = parse_arguments();
  }
  size_t braces = at_;
  bool has_braces = at(TokenKind::LeftBrace);
  if (has_braces) connector.options = parse_options();
  connector.span = from(first);
  connector.braces =
      has_braces ? from(braces) : Span{connector.span.end, connector.span.end, file_};
  return connector;
}

Options Parser::parse_options() {
  Options options;
  braced("an option", [&] { options.push_back(parse_option()); });
  return options;
}

Option Parser::parse_option() {
  size_t first = at_;
  Option option;
  if (at(TokenKind::Text)) {
    option.name = expect_text("an option's name");
  } else {
    option.name = expect_name("an option's name");
    if (at(TokenKind::Minus) && peek().kind == TokenKind::Name && same_line()) {
      std::string name = option.name.text;
      while (at(TokenKind::Minus) && peek().kind == TokenKind::Name) {
        take();
        name += "_" + name_of(take()).text;
      }
      Span whole = from(first);
      say(Code::unexpected_token, whole, "words of an option's name are joined by `_`")
          .with_fix(whole, name);
      option.name = {name, whole};
    }
  }
  if (at(TokenKind::Colon)) {
    say(Code::unexpected_token, current().span, "`=` gives a value; `:` gives a type")
        .with_fix(current().span, " =");
    take();
  } else {
    expect(TokenKind::Equal, "and the option's value");
  }
  option.value = parse_item_expr();
  if (at(TokenKind::LeftBrace) && same_line()) option.nested = parse_options();
  if (accept_clause("every"))
    option.every = parse_expr();
  else if (accept_clause("immediately"))
    option.immediately = true;
  option.span = from(first);
  return option;
}

}  // namespace weir::dsl
