#include "dsl/lexer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "dsl/literal.h"

namespace weir::dsl {
namespace {

struct Lexed {
  Sources sources;
  Diagnostics diagnostics;
  TokenList list;
  explicit Lexed(std::string text)
      : list(lex(sources, sources.add("t.weir", std::move(text)), diagnostics)) {}

  std::vector<TokenKind> kinds() const {
    std::vector<TokenKind> result;
    for (const Token& token : list.tokens) result.push_back(token.kind);
    result.pop_back();  // EndOfFile
    return result;
  }
  const std::string& text(size_t token) const {
    return list.texts[static_cast<size_t>(list.tokens[token].value)];
  }
  std::string message() const {
    return diagnostics.all().empty() ? "" : diagnostics.all()[0].message;
  }
  std::string fix() const {
    if (diagnostics.all().empty() || !diagnostics.all()[0].fix) return "";
    return diagnostics.all()[0].fix->replacement;
  }
  Code code() const { return diagnostics.all().at(0).code; }
};

int64_t value_of(std::string text) {
  Lexed lexed(std::move(text));
  CHECK_MESSAGE(!lexed.diagnostics.has_errors(), lexed.message());
  CHECK(lexed.list.tokens.size() == 2);
  return lexed.list.tokens[0].value;
}

using Kind = TokenKind;

TEST_CASE("words, names and symbols") {
  CHECK(Lexed("where wherever in `in` _a1").kinds() ==
        std::vector{Kind::Where, Kind::Name, Kind::In, Kind::Name, Kind::Name});
  CHECK(Lexed("a?.b ?? c? ..r -> => == != <= >= | <").kinds() ==
        std::vector{Kind::Name, Kind::QuestionDot, Kind::Name, Kind::QuestionQuestion, Kind::Name,
                    Kind::Question, Kind::DotDot, Kind::Name, Kind::Arrow, Kind::FatArrow,
                    Kind::EqualEqual, Kind::BangEqual, Kind::LessEqual, Kind::GreaterEqual,
                    Kind::Pipe, Kind::Less});
  CHECK(Lexed("list<list<int64>>").kinds() == std::vector{Kind::Name, Kind::Less, Kind::Name,
                                                          Kind::Less, Kind::Name, Kind::Greater,
                                                          Kind::Greater});
  CHECK(Lexed("2..5 1.abs 1.5.x").kinds() == std::vector{Kind::Number, Kind::DotDot, Kind::Number,
                                                         Kind::Number, Kind::Dot, Kind::Name,
                                                         Kind::Number, Kind::Dot, Kind::Name});
}

TEST_CASE("every reserved word is one, and no other") {
  const char* words[] = {"and",  "as", "between", "else",  "false",   "if",
                         "in",   "is", "like",    "match", "matches", "not",
                         "null", "or", "then",    "true",  "try",     "where"};
  for (const char* word : words) CHECK(is_reserved_word(Lexed(word).list.tokens[0].kind));
  for (const char* word : {"select", "by", "within", "table", "And"})
    CHECK(Lexed(word).list.tokens[0].kind == Kind::Name);
}

TEST_CASE("numbers") {
  for (const char* text : {"0", "1_000", "1.50", "1.5e0", "2e10", "1E-3", "1_0.0_1e+1_0"}) {
    CAPTURE(text);
    Lexed lexed(text);
    CHECK(!lexed.diagnostics.has_errors());
    CHECK(lexed.kinds() == std::vector{Kind::Number});
  }
  CHECK(Lexed("1__0").fix() == "10");
  CHECK(Lexed("1_").fix() == "1");
  CHECK(Lexed("0x1F").fix() == "31");
  CHECK(Lexed("5L").fix() == "5");
  CHECK(Lexed("1.5f").fix() == "1.5");
}

TEST_CASE("durations and sizes") {
  CHECK(value_of("10s") == 10'000'000);
  CHECK(value_of("1h30m") == 5'400'000'000);
  CHECK(value_of("7d") == 604'800'000'000);
  CHECK(value_of("100ms") == 100'000);
  CHECK(value_of("5us") == 5);
  CHECK(value_of("1d1h1m1s1ms1us") == 90'061'001'001);
  CHECK(value_of("256MB") == 256'000'000);
  CHECK(value_of("64KiB") == 65'536);
  CHECK(Lexed("1min").fix() == "1m");
  CHECK(Lexed("2w").fix() == "14d");
  CHECK(Lexed("1.5h").fix() == "1h30m");
  CHECK(Lexed("5\xc2\xb5s").fix() == "5us");
  CHECK(Lexed("10mb").fix() == "10MB");
  CHECK(Lexed("30m1h").code() == Code::bad_literal);
  CHECK(Lexed("1h1h").code() == Code::bad_literal);
  CHECK(Lexed("1h30").code() == Code::bad_literal);
  CHECK(Lexed("9223372036854775807us").diagnostics.error_count() == 0);
  CHECK(Lexed("9223372036854775808us").code() == Code::bad_literal);
  CHECK(Lexed("106751991167300d24h").code() == Code::bad_literal);
  CHECK(Lexed("9223372036854775807KiB").code() == Code::bad_literal);
  CHECK(duration_text(5'400'000'001) == "1h30m1us");
  CHECK(duration_text(0) == "0s");
}

TEST_CASE("instants and dates") {
  CHECK(value_of("@1970-01-01") == 0);
  CHECK(value_of("@2024-02-29") == 19'782);
  CHECK(value_of("@1969-12-31T23:59:59Z") == -1);
  CHECK(value_of("@2025-01-01T00:00:00Z") == 1'735'689'600);
  CHECK(value_of("@2025-01-01T02:00:00+02:00") == 1'735'689'600);
  CHECK(value_of("@2024-12-31T18:30:00-05:30") == 1'735'689'600);
  CHECK(Lexed("@2025-01-01T00:00:00.5Z").list.tokens[0].nanos == 500'000'000);
  CHECK(Lexed("@2025-01-01T00:00:00.123456789Z").list.tokens[0].nanos == 123'456'789);
  CHECK(Lexed("@2025-01-01-x").kinds() == std::vector{Kind::Date, Kind::Minus, Kind::Name});
  CHECK(Lexed("@2025-01-01T00:00:00Z-1h").kinds() ==
        std::vector{Kind::Instant, Kind::Minus, Kind::Duration});
  for (const char* text :
       {"@2025-02-29", "@2025-13-01", "@2025-1-1", "@20250101", "@", "@2025-01-01T24:00:00Z",
        "@2025-01-01T00:60:00Z", "@2025-01-01T00:00:60Z", "@2025-01-01T00:00:00.1234567890Z",
        "@2025-01-01T00:00:00+24:00", "@2025-01-01T00:00:00+0200", "@2025-01-01T00",
        "@2025-01-01x"}) {
    CAPTURE(text);
    Lexed lexed(text);
    CHECK(lexed.diagnostics.error_count() == 1);
    CHECK(lexed.code() == Code::bad_literal);
  }
  CHECK(Lexed("@2025-01-01T10:00").fix() == "@2025-01-01T10:00:00Z");
  CHECK(Lexed("@2025-01-01T10:00:00").fix() == "@2025-01-01T10:00:00Z");
}

TEST_CASE("texts") {
  CHECK(Lexed(R"("a\n\t\r\"\\\{\}b")").text(0) == "a\n\t\r\"\\{}b");
  CHECK(Lexed(R"("\u{1f600}\u00e9\uD83D\uDE00")").text(0) ==
        "\xf0\x9f\x98\x80\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(Lexed(R"(r"\d+{x}")").text(0) == R"(\d+{x})");
  CHECK(Lexed(R"("//not a comment")").list.comments.empty());
  CHECK(Lexed(R"("\x")").fix() == R"(\\x)");
  CHECK(Lexed(R"("\uD800")").code() == Code::bad_literal);
  CHECK(Lexed(R"("\u{110000}")").code() == Code::bad_literal);
  CHECK(Lexed("\"open\nnext").code() == Code::unterminated_text);
  CHECK(Lexed("\"open\nnext").kinds() == std::vector{Kind::Text, Kind::Name});
  CHECK(Lexed("'it''s'").fix() == "\"it's\"");
  CHECK(Lexed("\xe2\x80\x9cx\xe2\x80\x9d").fix() == "\"x\"");
}

TEST_CASE("interpolation") {
  Lexed lexed(R"("a {x} b {f("{y}", { z })} c")");
  CHECK(!lexed.diagnostics.has_errors());
  CHECK(lexed.kinds() == std::vector{Kind::TextBegin, Kind::Name, Kind::TextMiddle, Kind::Name,
                                     Kind::LeftParen, Kind::TextBegin, Kind::Name, Kind::TextEnd,
                                     Kind::Comma, Kind::LeftBrace, Kind::Name, Kind::RightBrace,
                                     Kind::RightParen, Kind::TextEnd});
  CHECK(lexed.text(0) == "a ");
  CHECK(lexed.text(2) == " b ");
  // A text that does not end is one error and ends with its line, however deep.
  Lexed open("\"a {\"b {c\nd");
  CHECK(open.diagnostics.error_count() == 1);
  CHECK(open.kinds() == std::vector{Kind::TextBegin, Kind::TextBegin, Kind::Name, Kind::TextEnd,
                                    Kind::TextEnd, Kind::Name});
}

TEST_CASE("comments and lines") {
  Lexed lexed("/// doc\na // tail\n//// rule\nb\r\nc");
  REQUIRE(lexed.list.comments.size() == 3);
  CHECK(lexed.list.comments[0].doc);
  CHECK(lexed.list.comments[0].own_line);
  CHECK(!lexed.list.comments[1].own_line);
  CHECK(!lexed.list.comments[2].doc);
  CHECK(lexed.list.tokens[1].newline_before);
  CHECK(lexed.list.tokens[2].newline_before);
  CHECK(lexed.list.tokens[2].comments_end == 3);
  for (const char* text : {"/* a\n b */ x", "# a\nx", "-- a\nx"}) {
    Lexed foreign(text);
    CHECK(foreign.diagnostics.error_count() == 1);
    CHECK(foreign.fix() == "//");
    CHECK(foreign.kinds() == std::vector{Kind::Name});
  }
}

TEST_CASE("brackets know their depth, closed or not") {
  Lexed lexed("{ a ( b } c");
  std::vector<uint32_t> depths;
  for (const Token& token : lexed.list.tokens) depths.push_back(token.depth);
  CHECK(depths == std::vector<uint32_t>{0, 1, 1, 2, 0, 0, 0});
  Lexed declaration("record R {\n  a\nstream s");
  CHECK(declaration.list.tokens[4].depth == 0);
}

TEST_CASE("what is no text") {
  CHECK(Lexed("a \xff b").code() == Code::not_utf8);
  CHECK(Lexed("a \xc0\xaf b").code() == Code::not_utf8);
  CHECK(Lexed("\xed\xa0\x80").code() == Code::not_utf8);
  CHECK(Lexed("\xef\xbb\xbfrecord").kinds() == std::vector{Kind::Name});
  CHECK(Lexed("gr\xc3\xb6\xc3\x9f"
              "e")
            .fix() ==
        "`gr\xc3\xb6\xc3\x9f"
        "e`");
  CHECK(Lexed("a\xc2\xa0"
              "b")
            .fix() == " ");
  CHECK(Lexed("// \xe2\x80\xae evil").code() == Code::bad_character);
  CHECK(Lexed("a;").fix().empty());
  CHECK(Lexed("a; b").kinds() == std::vector{Kind::Name, Kind::Name});
  CHECK(Lexed("...").fix() == "..");
  CHECK(Lexed(std::string("a\0b", 3)).code() == Code::bad_character);
}

}  // namespace
}  // namespace weir::dsl
