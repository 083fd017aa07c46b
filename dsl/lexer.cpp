#include "dsl/lexer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "dsl/literal.h"
#include "dsl/parser.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

struct Spelling {
  TokenKind kind;
  std::string_view text;
};

constexpr Spelling kWords[] = {
#define OTHER(kind, description)
#define WORD(kind, text) {TokenKind::kind, text},
#define SYMBOL(kind, text)
#define FOREIGN(kind, text, weir)
#include "dsl/token.def"
#undef WORD
#undef SYMBOL
#undef FOREIGN
};
constexpr Spelling kSymbols[] = {
#define WORD(kind, text)
#define SYMBOL(kind, text)        {TokenKind::kind, text},
#define FOREIGN(kind, text, weir) {TokenKind::kind, text},
#include "dsl/token.def"
#undef OTHER
#undef WORD
#undef SYMBOL
#undef FOREIGN
};

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_char(char c) { return is_name_start(c) || is_digit(c); }
bool is_foreign_char(char c) { return static_cast<unsigned char>(c) >= 0x80; }

std::optional<uint32_t> hex_value(std::string_view digits) {
  uint32_t value = 0;
  for (char c : digits) {
    uint32_t digit;
    if (is_digit(c))
      digit = static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<uint32_t>(c - 'A' + 10);
    else
      return std::nullopt;
    value = value << 4 | digit;
  }
  return value;
}

// Characters that reorder or hide text on the screen: a program must read as it runs.
bool is_deceptive(uint32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200b || c == 0xfeff;
}

bool is_odd_space(uint32_t c) {
  return c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x3000;
}

// What other languages let names be made of: all but spaces, punctuation and what is deceptive.
bool is_foreign_letter(uint32_t c) {
  bool punctuation = (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f);
  return c >= 0xc0 && !is_odd_space(c) && !is_deceptive(c) && !punctuation;
}

std::string escape_of(uint32_t code_point) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string digits;
  for (int shift = 20; shift >= 0; shift -= 4) {
    if (!digits.empty() || code_point >> shift) digits.push_back(kHex[code_point >> shift & 15]);
  }
  return "\\u{" + (digits.empty() ? "0" : digits) + "}";
}

class Lexer {
 public:
  Lexer(const Sources& sources, FileId file, Diagnostics& diagnostics)
      : sources_(sources),
        text_(sources.file(file).text()),
        file_(file),
        diagnostics_(diagnostics) {}

  TokenList run() {
    if (check_text()) {
      while (at_ < text_.size()) step();
      end_interpolations();
    }
    at_ = static_cast<uint32_t>(text_.size());
    push(TokenKind::EndOfFile, at_);
    match_brackets();
    return std::move(list_);
  }

 private:
  Span span(uint32_t begin, uint32_t end) const { return {begin, end, file_}; }
  char peek(uint32_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool starts_with(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  // Remembered, as a line may hold many texts. Requires: `from` is not before that of the last
  // call.
  uint32_t line_end(uint32_t from) {
    if (from <= line_end_ && line_end_ > 0) return line_end_;
    size_t end = text_.find('\n', from);
    return line_end_ = static_cast<uint32_t>(end == std::string_view::npos ? text_.size() : end);
  }

  Diagnostic& report(Code code, uint32_t begin, uint32_t end, std::string message) {
    return diagnostics_.report(code, span(begin, end), std::move(message));
  }

  Token& push(TokenKind kind, uint32_t begin) {
    Token token;
    token.kind = kind;
    token.span = span(begin, at_);
    token.newline_before = newline_;
    token.at_margin = begin == 0 || text_[begin - 1] == '\n';
    token.comments_end = static_cast<uint32_t>(list_.comments.size());
    newline_ = false;
    return list_.tokens.emplace_back(token);
  }

  int64_t keep(std::string text) {
    list_.texts.push_back(std::move(text));
    return static_cast<int64_t>(list_.texts.size() - 1);
  }

  // UTF-8, no control characters, nothing that shows the reader another program.
  bool check_text() {
    if (text_.size() > kFileBytesMax) {
      report(Code::too_deep, 0, 0,
             "a file of more than " + std::to_string(kFileBytesMax >> 20) + " MiB");
      return false;
    }
    if (starts_with("\xef\xbb\xbf")) at_ = 3;
    for (uint32_t i = at_; i < text_.size();) {
      CodePoint c = decode_utf8(text_, i);
      if (c.length == 0) {
        report(Code::not_utf8, i, i + 1, "these bytes are not UTF-8")
            .with_note("a `.weir` file is UTF-8 text; the rest of this file was not read");
        return false;
      }
      if (is_deceptive(c.value)) {
        report(Code::bad_character, i, i + c.length,
               "an invisible character that changes how the text looks")
            .with_fix(span(i, i + c.length), escape_of(c.value))
            .with_fix_text("leave it out; in a text, write " + escape_of(c.value));
      }
      i += c.length;
    }
    return true;
  }

  void step() {
    char c = peek();
    if (c == '\n') {
      end_interpolations();
      newline_ = true;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (starts_with("//")) {
      comment();
    } else if (starts_with("/*") || c == '#' || (starts_with("-- ") && begins_line())) {
      foreign_comment();
    } else if (c == 'r' && peek(1) == '"') {
      raw_text();
    } else if (is_name_start(c)) {
      name();
    } else if (is_digit(c)) {
      literal(scan_number(text_.substr(at_)));
    } else if (c == '@') {
      literal(scan_instant(text_.substr(at_)));
    } else if (c == '"') {
      uint32_t begin = at_++;
      text_piece(begin, true);
    } else if (c == '\'') {
      sql_text();
    } else if (c == '`') {
      quoted_name();
    } else if (c == '}' && !interpolations_.empty() && interpolations_.back().braces == 0) {
      uint32_t begin = at_++;
      text_piece(begin, false);
    } else {
      symbol();
    }
  }

  bool begins_line() const {
    uint32_t i = at_;
    while (i > 0 && (text_[i - 1] == ' ' || text_[i - 1] == '\t')) --i;
    return i == 0 || text_[i - 1] == '\n';
  }

  void keep_comment(uint32_t begin, bool doc) {
    uint32_t end = at_;
    while (end > begin &&
           (text_[end - 1] == '\r' || text_[end - 1] == ' ' || text_[end - 1] == '\t'))
      --end;
    bool own_line = newline_ || list_.tokens.empty();
    list_.comments.push_back({span(begin, end), doc, own_line});
  }

  void comment() {
    uint32_t begin = at_;
    bool doc = starts_with("///") && peek(3) != '/';
    at_ = line_end(at_);
    keep_comment(begin, doc);
  }

  void foreign_comment() {
    uint32_t begin = at_;
    if (starts_with("/*")) {
      size_t close = comments_close_ ? text_.find("*/", at_ + 2) : std::string_view::npos;
      bool closed = comments_close_ = close != std::string_view::npos;
      uint32_t end = closed ? static_cast<uint32_t>(close + 2) : line_end(at_);
      if (text_.substr(at_, end - at_).find('\n') != std::string_view::npos) {
        end_interpolations();
        newline_ = true;
      }
      at_ = end;
      report(Code::bad_character, begin, begin + 2,
             "comments begin with `//` and end with the line")
          .with_fix(span(begin, begin + 2), "//");
      return;
    }
    uint32_t length = peek() == '#' ? 1 : 2;
    at_ = line_end(at_);
    report(Code::bad_character, begin, begin + length, "comments begin with `//`")
        .with_fix(span(begin, begin + length), "//");
  }

  void name() {
    uint32_t begin = at_;
    while (is_name_char(peek())) ++at_;
    if (at_foreign_letter()) return foreign_name(begin);
    std::string_view text = text_.substr(begin, at_ - begin);
    for (const Spelling& word : kWords) {
      if (word.text == text) {
        push(word.kind, begin);
        return;
      }
    }
    push(TokenKind::Name, begin);
  }

  bool at_foreign_letter() const {
    return is_foreign_char(peek()) && is_foreign_letter(decode_utf8(text_, at_).value);
  }

  // Letters outside ASCII: a name if it stood in backticks.
  void foreign_name(uint32_t begin) {
    while (is_name_char(peek()) || at_foreign_letter()) at_ += decode_utf8(text_, at_).length;
    std::string text(text_.substr(begin, at_ - begin));
    report(Code::bad_character, begin, at_, "`" + text + "` has characters outside `a–z A–Z 0–9 _`")
        .with_fix(span(begin, at_), "`" + text + "`");
    Token& token = push(TokenKind::Name, begin);
    token.value = keep(std::move(text)) + 1;
  }

  void quoted_name() {
    uint32_t begin = at_++;
    uint32_t end = line_end(at_);
    size_t close = text_.find('`', at_);
    if (close == std::string_view::npos || close > end) {
      at_ = end;
      report(Code::unterminated_text, begin, at_,
             "the name that begins here is not closed by a backtick");
    } else {
      at_ = static_cast<uint32_t>(close) + 1;
      if (close == begin + 1) report(Code::bad_literal, begin, at_, "a name without characters");
    }
    uint32_t text_end = close < end ? at_ - 1 : at_;
    std::string text(text_.substr(begin + 1, text_end - begin - 1));
    Token& token = push(TokenKind::Name, begin);
    token.quoted = true;
    token.value = keep(std::move(text)) + 1;
  }

  void literal(LiteralScan scan) {
    uint32_t begin = at_;
    at_ += scan.length;
    if (scan.problem) {
      auto& diagnostic = report(Code::bad_literal, begin, at_, scan.problem->message);
      if (!scan.problem->replacement.empty()) {
        diagnostic.with_fix(span(begin, at_), scan.problem->replacement);
      }
    }
    Token& token = push(scan.kind, begin);
    token.value = scan.value;
    token.nanos = scan.nanos;
  }

  void raw_text() {
    uint32_t begin = at_;
    uint32_t end = line_end(at_);
    size_t close = text_.find('"', at_ + 2);
    bool closed = close != std::string_view::npos && close < end;
    uint32_t text_end = closed ? static_cast<uint32_t>(close) : end;
    at_ = closed ? text_end + 1 : end;
    if (!closed) unterminated(begin, begin + 2);
    Token& token = push(TokenKind::Text, begin);
    token.quoted = true;
    token.value = keep(std::string(text_.substr(begin + 2, text_end - begin - 2)));
  }

  // `'text'` as SQL writes it.
  void sql_text() {
    uint32_t begin = at_;
    uint32_t end = line_end(at_);
    std::string text;
    for (++at_; at_ < end; ++at_) {
      if (peek() == '\'' && peek(1) != '\'') break;
      if (peek() == '\'') ++at_;  // SQL doubles a quote inside.
      text.push_back(peek());
    }
    at_ = std::min(at_ + 1, end);
    std::string written = "\"";
    for (char c : text) {
      if (c == '"' || c == '{' || c == '\\') written.push_back('\\');
      written.push_back(c);
    }
    report(Code::bad_character, begin, at_, "a text stands in double quotes")
        .with_fix(span(begin, at_), written + "\"");
    push(TokenKind::Text, begin).value = keep(std::move(text));
  }

  Diagnostic& unterminated(uint32_t begin, uint32_t label_end) {
    uint32_t end = at_;
    while (end > begin && text_[end - 1] == '\r') --end;
    return report(Code::unterminated_text, begin, label_end,
                  "the text that begins here does not end on its line")
        .with_fix(span(end, end), "\"")
        .with_fix_text("close it with `\"`; a line end inside is `\\n`");
  }

  // From after `"` or the `}` of an interpolation to the next `{` or the closing `"`.
  void text_piece(uint32_t begin, bool first) {
    uint32_t text_begin = first ? begin : interpolations_.back().begin;
    std::string text;
    while (true) {
      if (at_ == text_.size() || peek() == '\n') {
        if (!first) {
          end_interpolations();
          return;
        }
        // Around it stands a text that doesn't end either; that one is reported.
        if (interpolations_.empty()) unterminated(text_begin, text_begin + 1);
        push(TokenKind::Text, begin).value = keep(std::move(text));
        return;
      }
      char c = peek();
      if (c == '"') {
        ++at_;
        push(first ? TokenKind::Text : TokenKind::TextEnd, begin).value = keep(std::move(text));
        if (!first) interpolations_.pop_back();
        return;
      }
      if (c == '{') {
        if (!text.empty() && text.back() == '$') {
          report(Code::dollar_in_text, at_ - 1, at_ + 1, "a `$` before a value in a text")
              .with_note("`{x}` alone puts a value into a text; a dollar sign is `\\u{24}{x}`")
              .with_fix(span(at_ - 1, at_), "");
        }
        ++at_;
        push(first ? TokenKind::TextBegin : TokenKind::TextMiddle, begin).value =
            keep(std::move(text));
        if (first) interpolations_.push_back({begin, 0});
        return;
      }
      if (c == '\\') {
        escape(text);
      } else {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') {
          report(Code::bad_character, at_, at_ + 1, "a control character in a text")
              .with_fix(span(at_, at_ + 1), escape_of(static_cast<unsigned char>(c)));
        }
        text.push_back(c);
        ++at_;
      }
    }
  }

  void escape(std::string& text) {
    uint32_t begin = at_++;
    char c = peek();
    if (at_ < text_.size() && c != '\n') ++at_;
    switch (c) {
      case 'n':
        text.push_back('\n');
        return;
      case 't':
        text.push_back('\t');
        return;
      case 'r':
        text.push_back('\r');
        return;
      case '"':
      case '\\':
      case '{':
      case '}':
        text.push_back(c);
        return;
      case 'u':
        unicode_escape(begin, text);
        return;
      default:
        break;
    }
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xc0) == 0x80) ++at_;
    auto& diagnostic = report(Code::bad_literal, begin, at_,
                              "an escape is one of `\\n \\t \\r \\\" \\\\ \\{ \\} \\u{…} \\uXXXX`");
    std::string_view rest = text_.substr(begin + 1, at_ - begin - 1);
    if (rest == "0") {
      diagnostic.with_fix(span(begin, at_), "\\u{0}");
    } else if (rest == "'" || rest == "$" || rest == "/") {
      diagnostic.with_fix(span(begin, at_), std::string(rest));
    } else if (!rest.empty() && c != '\n') {
      diagnostic.with_fix(span(begin, at_), "\\\\" + std::string(rest))
          .with_fix_text("\\\\" + std::string(rest) +
                         " for a backslash; r\"…\" is a text without escapes");
    }
  }

  std::optional<uint32_t> four_digits(uint32_t at) const {
    if (at + 4 > text_.size()) return std::nullopt;
    return hex_value(text_.substr(at, 4));
  }

  void unicode_escape(uint32_t begin, std::string& text) {
    std::optional<uint32_t> value;
    if (peek() == '{') {
      uint32_t digits = at_ + 1, end = digits;
      while (end < text_.size() && end - digits <= 6 && hex_value(text_.substr(end, 1))) ++end;
      if (end > digits && end - digits <= 6 && end < text_.size() && text_[end] == '}') {
        value = hex_value(text_.substr(digits, end - digits));
        end += 1;
      }
      at_ = end;
    } else if (auto high = four_digits(at_)) {
      value = high;
      at_ += 4;
      bool is_high = *high >= 0xd800 && *high < 0xdc00;
      if (is_high && peek() == '\\' && peek(1) == 'u') {
        auto low = four_digits(at_ + 2);
        if (low && *low >= 0xdc00 && *low < 0xe000) {
          value = 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
          at_ += 6;
        }
      }
    }
    if (!value || *value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) {
      report(Code::bad_literal, begin, at_,
             value ? "this is not the number of a character"
                   : "a character's number is written `\\u{1f600}` or `\\u00e9`");
      return;
    }
    append_utf8(text, *value);
  }

  // At the end of a line or of the file: texts that are still open get an end.
  void end_interpolations() {
    if (interpolations_.empty()) return;
    unterminated(interpolations_.front().begin, interpolations_.front().begin + 1);
    while (!interpolations_.empty()) {
      Token& token = push(TokenKind::TextEnd, at_);
      token.made_up = true;
      token.value = keep("");
      interpolations_.pop_back();
    }
  }

  void symbol() {
    uint32_t begin = at_;
    for (const Spelling& symbol : kSymbols) {
      if (!starts_with(symbol.text)) continue;
      at_ += static_cast<uint32_t>(symbol.text.size());
      if (!interpolations_.empty()) {
        if (symbol.kind == TokenKind::LeftBrace) ++interpolations_.back().braces;
        if (symbol.kind == TokenKind::RightBrace) --interpolations_.back().braces;
      }
      if (symbol.kind == TokenKind::DotDot && peek() == '.') {
        ++at_;
        report(Code::bad_character, begin, at_, "all fields are two dots")
            .with_fix(span(begin, at_), "..");
      }
      push(symbol.kind, begin);
      return;
    }
    bad_character();
  }

  void bad_character() {
    uint32_t begin = at_;
    CodePoint c = decode_utf8(text_, at_);
    if (c.value == ';') {
      ++at_;
      report(Code::bad_character, begin, at_,
             "nothing ends with `;`: items end with the line, or with a comma")
          .with_fix(span(begin, at_), "");
      return;
    }
    if (is_odd_space(c.value)) {
      at_ += c.length;
      report(Code::bad_character, begin, at_, "a space that is not a plain one")
          .with_fix(span(begin, at_), " ");
      return;
    }
    if (is_deceptive(c.value)) {  // Already reported.
      at_ += c.length;
      return;
    }
    if (c.value == 0x201c || c.value == 0x201d || c.value == 0x201e || c.value == 0x2018 ||
        c.value == 0x2019) {
      return curly_text();
    }
    if (is_foreign_letter(c.value)) return foreign_name(begin);
    at_ += c.length;
    bool control = c.value < 0x20 || (c.value >= 0x7f && c.value < 0xa0);
    std::string shown =
        control ? "a control character" : "`" + std::string(text_.substr(begin, c.length)) + "`";
    auto& diagnostic = report(Code::bad_character, begin, at_, shown + " means nothing here");
    if (c.value == '&') diagnostic.with_fix(span(begin, at_), "and");
    if (c.value == '$') {
      diagnostic.with_note("names are written without `$`; in a text, `{name}` puts in a value");
    }
  }

  // “text” as word processors write it.
  void curly_text() {
    uint32_t begin = at_;
    uint32_t end = line_end(at_);
    at_ += 3;
    uint32_t text_begin = at_;
    while (at_ < end) {
      CodePoint c = decode_utf8(text_, at_);
      bool closes = c.value == 0x201d || c.value == 0x201c || c.value == 0x2019 || c.value == '"';
      at_ += c.length;
      if (!closes) continue;
      std::string text(text_.substr(text_begin, at_ - c.length - text_begin));
      report(Code::bad_character, begin, at_, "a text stands in plain double quotes")
          .with_fix(span(begin, at_), "\"" + text + "\"");
      push(TokenKind::Text, begin).value = keep(std::move(text));
      return;
    }
    unterminated(begin, text_begin);
    push(TokenKind::Text, begin).value =
        keep(std::string(text_.substr(text_begin, at_ - text_begin)));
  }

  // Gives each token the number of brackets around it. A bracket that is never closed ends at the
  // closing one of a bracket around it, or where a declaration stands at the margin.
  void match_brackets() {
    auto closes = [](TokenKind open) {
      return open == TokenKind::LeftParen     ? TokenKind::RightParen
             : open == TokenKind::LeftBracket ? TokenKind::RightBracket
             : open == TokenKind::LeftBrace   ? TokenKind::RightBrace
                                              : TokenKind::TextEnd;
    };
    std::vector<TokenKind> wanted;
    std::array<size_t, 256>
        open_count{};  // of each kind in `wanted`, so that a stray bracket costs nothing
    auto forget = [&](size_t size) {
      while (wanted.size() > size) {
        --open_count[static_cast<size_t>(wanted.back())];
        wanted.pop_back();
      }
    };
    for (size_t i = 0; i < list_.tokens.size(); ++i) {
      Token& token = list_.tokens[i];
      if (token.kind == TokenKind::EndOfFile) forget(0);
      if (token.at_margin && looks_like_declaration(sources_, list_, i)) forget(0);
      // The middle of a text closes one expression and opens the next.
      bool middle = token.kind == TokenKind::TextMiddle;
      bool closing = token.kind == TokenKind::RightParen || token.kind == TokenKind::RightBracket ||
                     token.kind == TokenKind::RightBrace || token.kind == TokenKind::TextEnd ||
                     middle;
      TokenKind closed = middle ? TokenKind::TextEnd : token.kind;
      if (closing && open_count[static_cast<size_t>(closed)] > 0) {
        while (wanted.back() != closed) forget(wanted.size() - 1);
        forget(wanted.size() - 1);
      }
      token.depth = static_cast<uint32_t>(wanted.size());
      if (token.kind == TokenKind::LeftParen || token.kind == TokenKind::LeftBracket ||
          token.kind == TokenKind::LeftBrace || token.kind == TokenKind::TextBegin || middle) {
        wanted.push_back(closes(token.kind));
        ++open_count[static_cast<size_t>(wanted.back())];
      }
    }
  }

  struct Interpolation {
    uint32_t begin;  // of the whole text
    int64_t braces;  // open inside the expression
  };

  const Sources& sources_;
  std::string_view text_;
  FileId file_;
  Diagnostics& diagnostics_;
  TokenList list_;
  std::vector<Interpolation> interpolations_;
  uint32_t at_ = 0;
  uint32_t line_end_ = 0;
  bool newline_ = false;
  bool comments_close_ = true;  // a `*/` may be ahead: looked for at most once in vain
};

}  // namespace

std::string describe(TokenKind kind) {
  switch (kind) {
#define OTHER(kind, description) \
  case TokenKind::kind:          \
    return description;
#define WORD(kind, text) \
  case TokenKind::kind:  \
    return "`" text "`";
#define SYMBOL(kind, text) \
  case TokenKind::kind:    \
    return "`" text "`";
#define FOREIGN(kind, text, weir) \
  case TokenKind::kind:           \
    return "`" text "`";
#include "dsl/token.def"
#undef OTHER
#undef WORD
#undef SYMBOL
#undef FOREIGN
  }
  return {};
}

bool is_reserved_word(TokenKind kind) {
  return kind >= kWords[0].kind && kind <= std::end(kWords)[-1].kind;
}

std::string_view weir_for(TokenKind kind) {
  switch (kind) {
#define OTHER(kind, description)
#define WORD(kind, text)
#define SYMBOL(kind, text)
#define FOREIGN(kind, text, weir) \
  case TokenKind::kind:           \
    return weir;
#include "dsl/token.def"
#undef OTHER
#undef WORD
#undef SYMBOL
#undef FOREIGN
    default:
      return {};
  }
}

TokenList lex(const Sources& sources, FileId file, Diagnostics& diagnostics) {
  return Lexer(sources, file, diagnostics).run();
}

const std::vector<std::string_view>& declaration_words() {
  static const std::vector<std::string_view> words = {
      "record", "enum",   "import", "param",  "secret", "fn",   "extern", "aggregate",
      "pipe",   "source", "table",  "stream", "split",  "sink", "test"};
  return words;
}

bool looks_like_declaration(const Sources& sources, const TokenList& list, size_t at) {
  const Token& token = list.tokens[at];
  if (token.kind != TokenKind::Name || token.quoted || at + 1 >= list.tokens.size()) return false;
  const auto& words = declaration_words();
  if (std::find(words.begin(), words.end(), sources.text(token.span)) == words.end()) return false;
  if (list.tokens[at + 1].newline_before) return false;  // Two items of a block, one called so.
  TokenKind next = list.tokens[at + 1].kind;
  return next == TokenKind::Name || next == TokenKind::Text || is_reserved_word(next);
}

}  // namespace weir::dsl
