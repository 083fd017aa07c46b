// Where a word of the language is wanted the tokens in front of the cursor say so. Where a name is
// wanted the compiler does: it is given the program with a marker in the place of the word, and
// says what it could have been (compiler/meanings.h).
#include "tools/lsp/completion.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "compiler/aggregates.h"
#include "compiler/connectors.h"
#include "compiler/function_text.h"
#include "compiler/standard_library.h"

namespace weir::lsp {

namespace {

using dsl::Token;
using dsl::TokenKind;
using Kind = Proposal::Kind;

constexpr std::string_view kMarker = "weir_marks_this_place";

constexpr std::string_view kTypes[] = {
    "bool",   "int8",   "int16",     "int32",    "int64",   "uint8",  "uint16",
    "uint32", "uint64", "float32",   "float64",  "decimal", "string", "bytes",
    "uuid",   "date",   "timestamp", "duration", "list",    "map",    "json"};
constexpr std::string_view kSourceOptions[] = {"format",   "event_time", "watermark", "idle",
                                               "on_error", "null_value", "validation"};
constexpr std::string_view kSinkOptions[] = {"format", "key", "emit", "deliver"};

struct Choice {
  std::string_view option;
  std::vector<std::string_view> values;
};
const Choice kChoices[] = {{"format", {"json"}},
                           {"emit", {"append", "update", "complete"}},
                           {"deliver", {"exactly_once", "at_least_once", "at_most_once"}},
                           {"on_error", {"fail", "skip", "dead_letter"}},
                           {"null_value", {"error", "skip"}},
                           {"validation", {"projected", "structural", "strict"}}};

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Completer {
 public:
  Completer(const std::string& path, const std::string& text, uint32_t offset,
            const compiler::ReadFile& read)
      : path_(path), text_(text), read_(read) {
    begin_ = end_ = std::min<size_t>(offset, text.size());
    while (begin_ > 0 && is_word_letter(text_[begin_ - 1])) --begin_;
    while (end_ < text_.size() && is_word_letter(text_[end_])) ++end_;
    // A number, or the inside of a word that begins with a digit.
    number_ = begin_ < end_ && text_[begin_] >= '0' && text_[begin_] <= '9';
    file_ = sources_.add(path, text_.substr(0, begin_));
    dsl::Diagnostics unheard;
    list_ = dsl::lex(sources_, file_, unheard);
    while (!list_.tokens.empty() &&
           (list_.tokens.back().kind == TokenKind::EndOfFile || list_.tokens.back().made_up))
      list_.tokens.pop_back();
  }

  std::vector<Proposal> run() {
    if (number_ || in_comment_or_text()) return {};
    find_place();
    TokenKind before = tokens().empty() ? TokenKind::EndOfFile : tokens().back().kind;
    bool new_line = text_.find_last_not_of(" \t", begin_ ? begin_ - 1 : 0) == std::string::npos ||
                    begin_ == 0 || ends_line();
    if (braces_.empty() && new_line && before != TokenKind::Pipe && at_margin()) {
      words(dsl::declaration_words(), Kind::Keyword);
    } else if (before == TokenKind::Pipe) {
      words(operator_words(), Kind::Keyword);
      pipes();
    } else if (before == TokenKind::Arrow) {
      connectors(compiler::Role::Sink);
    } else if (before == TokenKind::Equal && braces_.empty() &&
               (declaration_ == "source" || declaration_ == "table")) {
      connectors(compiler::Role::Source);
    } else if (before == TokenKind::Colon || before == TokenKind::Less) {
      types();
    } else if (!braces_.empty() && braces_.back().connector) {
      options(before, new_line);
    } else if (before == TokenKind::Dot || before == TokenKind::QuestionDot) {
      members();
    } else {
      names();
    }
    return std::move(found_);
  }

 private:
  struct Brace {
    bool connector = false;
    compiler::Role role = compiler::Role::Source;
    std::string name;  // of the connector
  };

  const std::vector<Token>& tokens() const { return list_.tokens; }
  std::string_view text(const Token& token) const { return sources_.text(token.span); }

  bool in_comment_or_text() const {
    // A text that the cut has left open is one.
    size_t line = text_.rfind('\n', begin_ ? begin_ - 1 : 0);
    line = line == std::string::npos || begin_ == 0 ? 0 : line + 1;
    bool quoted = false;
    for (size_t at = line; at < begin_; ++at) {
      if (text_[at] == '\\' && quoted)
        ++at;
      else if (text_[at] == '"')
        quoted = !quoted;
      else if (!quoted && text_[at] == '/' && at + 1 < begin_ && text_[at + 1] == '/')
        return true;
      else if (quoted && text_[at] == '{')
        return false;  // inside of an interpolation
    }
    return quoted;
  }

  bool ends_line() const {
    size_t at = begin_;
    while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\t')) --at;
    return at == 0 || text_[at - 1] == '\n';
  }
  bool at_margin() const { return begin_ == 0 || text_[begin_ - 1] == '\n'; }

  // Which declaration and which braces the cursor is in.
  void find_place() {
    std::string connector;
    bool behind_connector_sign = false;
    for (size_t i = 0; i < tokens().size(); ++i) {
      const Token& token = tokens()[i];
      if (braces_.empty() && token.kind == TokenKind::Name && (i == 0 || token.newline_before)) {
        const auto& words = dsl::declaration_words();
        if (std::find(words.begin(), words.end(), text(token)) != words.end()) {
          declaration_ = text(token);
          connector.clear();
          behind_connector_sign = false;
        }
      }
      bool source = declaration_ == "source" || declaration_ == "table";
      if (braces_.empty() && ((source && token.kind == TokenKind::Equal) ||
                              (declaration_ == "sink" && token.kind == TokenKind::Arrow))) {
        behind_connector_sign = true;
      } else if (braces_.empty() && behind_connector_sign && connector.empty() &&
                 token.kind == TokenKind::Name) {
        connector = text(token);
      } else if (token.kind == TokenKind::LeftBrace) {
        bool options = braces_.empty() && !connector.empty();
        braces_.push_back(
            {options, source ? compiler::Role::Source : compiler::Role::Sink, connector});
      } else if (token.kind == TokenKind::RightBrace && !braces_.empty()) {
        braces_.pop_back();
      }
    }
  }

  void add(Kind kind, std::string_view label, std::string detail = "", std::string text = "") {
    if (label.empty() || label == kMarker || !seen_.insert(std::string(label)).second) return;
    found_.push_back({kind, std::string(label), std::move(detail), std::move(text)});
  }
  void words(const std::vector<std::string_view>& all, Kind kind) {
    for (std::string_view word : all) add(kind, word);
  }

  Analysis marked() const {
    std::string marked = text_;
    marked.replace(begin_, end_ - begin_, kMarker);
    return Analysis(path_, std::move(marked), read_, std::string(kMarker));
  }

  void pipes() {
    Analysis analysis = marked();
    for (const dsl::Declaration& declaration : analysis.program().declarations) {
      if (auto* pipe = std::get_if<dsl::PipeDecl>(&declaration.node))
        add(Kind::Function, declaration.name.text,
            compiler::signature_text(declaration.name.text, pipe->signature), declaration.doc);
    }
  }

  void types() {
    for (std::string_view type : kTypes) add(Kind::Type, type);
    Analysis analysis = marked();
    for (const dsl::Declaration& declaration : analysis.program().declarations) {
      if (std::holds_alternative<dsl::RecordDecl>(declaration.node))
        add(Kind::Type, declaration.name.text, "record", declaration.doc);
      if (std::holds_alternative<dsl::EnumDecl>(declaration.node))
        add(Kind::Type, declaration.name.text, "enum", declaration.doc);
    }
  }

  void connectors(compiler::Role role) {
    for (const auto& connector : compiler::all_connectors()) {
      if (connector.role == role)
        add(Kind::Function, connector.name,
            std::string(connector.name) + "(" + std::string(connector.address) + ")");
    }
  }

  void options(TokenKind before, bool new_line) {
    const Brace& brace = braces_.back();
    if (before == TokenKind::LeftBrace || before == TokenKind::Comma || new_line) {
      if (brace.role == compiler::Role::Source) {
        for (std::string_view name : kSourceOptions) add(Kind::Option, name);
      } else {
        for (std::string_view name : kSinkOptions) add(Kind::Option, name);
      }
      for (const auto& option : compiler::all_options()) {
        if (option.connector == brace.name && option.role == brace.role)
          add(Kind::Option, option.name, std::string(option.values), std::string(option.doc));
      }
      return;
    }
    std::string_view option;
    if (before == TokenKind::Equal && tokens().size() > 1)
      option = text(tokens()[tokens().size() - 2]);
    for (const Choice& choice : kChoices) {
      if (choice.option == option) return words(choice.values, Kind::Value);
    }
    for (const auto& known : compiler::all_options()) {
      if (known.connector != brace.name || known.role != brace.role || known.name != option)
        continue;
      std::string_view values = known.values;
      while (!values.empty()) {
        size_t space = std::min(values.find(' '), values.size());
        add(Kind::Value, values.substr(0, space));
        values.remove_prefix(std::min(space + 1, values.size()));
      }
      if (!found_.empty()) return;
    }
    names();
  }

  void offers(const Analysis& analysis) {
    for (const auto& offer : analysis.meanings().offers)
      add(offer.type == "stream" ? Kind::Stream : Kind::Field, offer.name, offer.type);
  }

  void function(const compiler::FunctionPage& page) {
    std::string text = page.text;
    for (const std::string& example : page.examples) text += "\n\n    " + example;
    add(Kind::Function, page.name, page.signatures.front(), std::move(text));
  }

  void members() {
    std::string_view object =
        tokens().size() > 1 ? text(tokens()[tokens().size() - 2]) : std::string_view();
    Analysis analysis = marked();
    offers(analysis);
    if (!found_.empty()) return;
    for (const dsl::Declaration& declaration : analysis.program().declarations) {
      auto* cases = std::get_if<dsl::EnumDecl>(&declaration.node);
      if (!cases || declaration.name.text != object) continue;
      for (const dsl::EnumCase& each : cases->cases) add(Kind::Value, each.name.text);
      return;
    }
    bool module = false;
    for (const auto& page : compiler::function_pages()) module |= page.module == object;
    for (const auto& page : compiler::function_pages()) {
      if (!module || page.module == object) function(page);
    }
    if (!module) words({"map", "filter", "any", "all"}, Kind::Function);
  }

  void names() {
    Analysis analysis = marked();
    offers(analysis);
    // Where a stream is wanted nothing else is.
    if (std::any_of(found_.begin(), found_.end(),
                    [](const Proposal& each) { return each.kind == Kind::Stream; }))
      return;
    for (const dsl::Declaration& declaration : analysis.program().declarations) {
      if (auto* fn = std::get_if<dsl::FnDecl>(&declaration.node))
        add(Kind::Function, declaration.name.text,
            compiler::signature_text(declaration.name.text, fn->signature), declaration.doc);
      if (auto* fn = std::get_if<dsl::AggregateDecl>(&declaration.node))
        add(Kind::Function, declaration.name.text,
            compiler::signature_text(declaration.name.text, fn->signature), declaration.doc);
      if (std::holds_alternative<dsl::EnumDecl>(declaration.node))
        add(Kind::Type, declaration.name.text, "enum", declaration.doc);
    }
    for (const auto& aggregate : compiler::all_aggregates())
      add(Kind::Function, aggregate.name, "aggregate");
    for (const auto& page : compiler::function_pages()) {
      if (compiler::is_bare_module(page.module))
        function(page);
      else
        add(Kind::Value, page.module, "module");
    }
    words(expression_words(), Kind::Keyword);
    if (declaration_ == "test") words({"given", "expect", "advance", "final"}, Kind::Keyword);
  }

  const std::string& path_;
  const std::string& text_;
  const compiler::ReadFile& read_;
  size_t begin_ = 0, end_ = 0;
  bool number_ = false;
  dsl::Sources sources_;
  dsl::FileId file_ = 0;
  dsl::TokenList list_;
  std::string declaration_;
  std::vector<Brace> braces_;
  std::vector<Proposal> found_;
  std::set<std::string> seen_;
};

}  // namespace

const std::vector<std::string_view>& expression_words() {
  static const std::vector<std::string_view> words = {
#define OTHER(kind, description)
#define WORD(kind, text) text,
#define SYMBOL(kind, text)
#define FOREIGN(kind, text, weir)
#include "dsl/token.def"
#undef OTHER
#undef WORD
#undef SYMBOL
#undef FOREIGN
  };
  return words;
}

const std::vector<std::string_view>& operator_words() {
  static const std::vector<std::string_view> words = {
      "where", "select", "extend", "drop", "flatten", "union", "window", "group",
      "over",  "join",   "dedup",  "scan", "detect",  "top",   "to",     "changes"};
  return words;
}

std::vector<Proposal> complete(const std::string& path, const std::string& text, uint32_t offset,
                               const compiler::ReadFile& read) {
  return Completer(path, text, offset, read).run();
}

}  // namespace weir::lsp
