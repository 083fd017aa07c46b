// The formatter works on tokens, not on the tree: what it does not touch can't change.
//
// Where lines end is up to the author, as with gofmt; the formatter decides everything else. In
// order:
//
//   pieces   tokens with the comments and the line end before them
//   tidy     commas and `|` go to the side of the line end where they belong; a block with a line
//            end in it gets one after each of its brackets; all `|` of a pipeline begin lines, or
//            none
//   lines    indentation and spaces; the parser has marked the tokens that stand without a space
//   align    types, values and comments of neighbouring lines in columns
#include "dsl/format.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "dsl/lexer.h"
#include "dsl/parser_state.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

struct CommentPiece {
  std::string_view text;
  bool own_line = false;
  bool blank_before = false;
};

struct Piece {
  Token token;
  std::string_view text;
  bool line_break = false;    // before it
  bool blank_before = false;  // between it and the comment, or the piece, before it
  std::vector<CommentPiece> comments;
  size_t declaration = 0;
};

bool is_open(TokenKind kind) {
  return kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket ||
         kind == TokenKind::LeftBrace;
}
bool is_close(TokenKind kind) {
  return kind == TokenKind::RightParen || kind == TokenKind::RightBracket ||
         kind == TokenKind::RightBrace;
}

size_t line_ends(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::vector<Piece> make_pieces(const Sources& sources, FileId file, const TokenList& list) {
  std::vector<Piece> pieces;
  uint32_t end = 0;  // of what stands before
  size_t comment = 0, declaration = 0;
  for (const Token& token : list.tokens) {
    Piece piece;
    piece.token = token;
    if (token.kind != TokenKind::EndOfFile) piece.text = sources.text(token.span);
    piece.line_break = token.newline_before;
    for (; comment < token.comments_end; ++comment) {
      const Comment& c = list.comments[comment];
      bool blank = line_ends(sources.text({end, c.span.begin, file})) > 1;
      piece.comments.push_back({sources.text(c.span), c.own_line, blank});
      end = c.span.end;
    }
    piece.blank_before = line_ends(sources.text({end, token.span.begin, file})) > 1;
    end = token.span.end;
    bool declares = token.starts_item && token.depth == 0;
    if (declares) ++declaration;
    if (declares && declaration > 1) piece.line_break = true;
    piece.declaration = declaration;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// The line end and the comments before `from` go before `to`, which stands next to it.
void move_break(Piece& from, Piece& to, bool before) {
  auto& all = from.comments;
  if (before)
    to.comments.insert(to.comments.begin(), all.begin(), all.end());
  else
    to.comments.insert(to.comments.end(), all.begin(), all.end());
  all.clear();
  to.line_break = to.line_break || from.line_break;
  to.blank_before = to.blank_before || from.blank_before;
  from.line_break = from.blank_before = false;
}

// A comma ends its line, a `|` begins it.
void move_separators(std::vector<Piece>& pieces) {
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    TokenKind kind = pieces[i].token.kind;
    if (kind == TokenKind::Comma) move_break(pieces[i], pieces[i + 1], true);
    if (kind == TokenKind::Pipe) move_break(pieces[i + 1], pieces[i], false);
  }
}

// For each bracket the index of its partner.
std::vector<size_t> find_partners(const std::vector<Piece>& pieces) {
  std::vector<size_t> partner(pieces.size(), 0), open;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (is_open(pieces[i].token.kind)) open.push_back(i);
    if (!is_close(pieces[i].token.kind) || open.empty()) continue;
    partner[i] = open.back();
    partner[open.back()] = i;
    open.pop_back();
  }
  return partner;
}

// Brackets with a line end inside at one edge have one at both. A block whose items are parted by
// lines has them too; one that is only filled over several lines, with commas, has not.
void spread_blocks(std::vector<Piece>& pieces) {
  std::vector<size_t> partner = find_partners(pieces);
  std::vector<size_t> open;
  std::vector<bool> broken(pieces.size(), false);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (piece.line_break && !open.empty()) {
      bool brace = pieces[open.back()].token.kind == TokenKind::LeftBrace;
      bool edge = i == open.back() + 1 || is_close(piece.token.kind);
      bool parts =
          brace && (!piece.comments.empty() ||
                    (piece.token.starts_item && pieces[i - 1].token.kind != TokenKind::Comma));
      if (edge || parts) broken[open.back()] = true;
    }
    if (is_open(piece.token.kind)) open.push_back(i);
    if (is_close(piece.token.kind) && !open.empty()) open.pop_back();
  }
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    if (broken[i] && partner[i] > i + 1)
      pieces[i + 1].line_break = pieces[partner[i]].line_break = true;
    if (broken[i] && partner[i] == i + 1 && pieces[i + 1].comments.empty())
      pieces[i + 1].line_break = false;
  }
}

// All `|` of a pipeline begin lines if one does. A pipeline is alone in its brackets or its
// declaration.
void spread_pipelines(std::vector<Piece>& pieces) {
  std::vector<size_t> open;
  std::map<std::pair<size_t, size_t>, std::vector<size_t>> pipes;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (is_close(pieces[i].token.kind) && !open.empty()) open.pop_back();
    if (pieces[i].token.kind == TokenKind::Pipe) {
      pipes[{pieces[i].declaration, open.empty() ? pieces.size() : open.back()}].push_back(i);
    }
    if (is_open(pieces[i].token.kind)) open.push_back(i);
  }
  for (const auto& [place, group] : pipes) {
    bool any =
        std::any_of(group.begin(), group.end(), [&](size_t i) { return pieces[i].line_break; });
    for (size_t i : group) pieces[i].line_break = any;
  }
}

// Items in a spread block end with their line, without a comma; a list over several lines has one
// after every item, so that lines can be moved.
std::vector<Piece> settle_commas(std::vector<Piece> pieces) {
  std::vector<size_t> partner = find_partners(pieces);
  std::vector<size_t> open;
  std::vector<Piece> result;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    if (is_close(piece.token.kind) && !open.empty()) {
      const Token& opener = pieces[open.back()].token;
      bool list = opener.kind == TokenKind::LeftBracket && !opener.tight_before;
      bool wants_comma = list && piece.line_break && i > open.back() + 1 &&
                         result.back().token.kind != TokenKind::Comma;
      if (wants_comma) {
        Piece comma;
        comma.token.kind = TokenKind::Comma;
        comma.text = ",";
        comma.declaration = piece.declaration;
        result.push_back(std::move(comma));
      }
      open.pop_back();
    }
    if (piece.token.kind == TokenKind::Comma && !open.empty() && i + 1 < pieces.size()) {
      Piece& next = pieces[i + 1];
      TokenKind opener = pieces[open.back()].token.kind;
      bool last = is_close(next.token.kind);
      // `-` would continue the item before it.
      bool spread = opener == TokenKind::LeftBrace && pieces[partner[open.back()]].line_break;
      bool line_ends_item = spread && next.line_break && next.token.kind != TokenKind::Minus;
      bool keeps = opener == TokenKind::LeftBracket && last && next.line_break;
      if ((last && !keeps) || line_ends_item) continue;
    }
    if (is_open(piece.token.kind)) open.push_back(i);
    result.push_back(std::move(piece));
  }
  return result;
}

// One blank line between declarations; none is needed between short ones of a kind without
// comments. Blank lines elsewhere stand between items only.
void settle_blank_lines(std::vector<Piece>& pieces) {
  bool first = true, last_long = false, after_open = false;
  std::string_view last_word;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    bool declares = piece.token.starts_item && piece.token.depth == 0;
    if (declares) {
      bool is_long = false;
      for (size_t k = i + 1; k < pieces.size() && pieces[k].declaration == piece.declaration; ++k) {
        is_long = is_long || (pieces[k].line_break && pieces[k].token.kind != TokenKind::EndOfFile);
      }
      bool described = std::any_of(piece.comments.begin(), piece.comments.end(),
                                   [](const auto& c) { return c.own_line; });
      bool apart = !first && (is_long || last_long || described || last_word != piece.text);
      bool* where = &piece.blank_before;
      for (CommentPiece& comment : piece.comments) {
        if (!comment.own_line) continue;
        where = &comment.blank_before;
        break;
      }
      if (apart) *where = true;
      if (first) {
        if (piece.comments.empty())
          piece.blank_before = false;
        else
          piece.comments[0].blank_before = false;
      }
      last_long = is_long;
      last_word = piece.text;
      first = false;
    } else if (piece.token.kind != TokenKind::EndOfFile) {
      bool at_item = piece.token.starts_item && !after_open;
      if (!at_item && piece.comments.empty()) piece.blank_before = false;
      if (is_close(piece.token.kind)) piece.blank_before = false;
      if (after_open && !piece.comments.empty()) piece.comments[0].blank_before = false;
    }
    after_open = is_open(piece.token.kind);
  }
}

// ---------------------------------------------------------------- lines

struct Line {
  size_t indent = 0;
  std::string text;
  std::string_view comment;
  bool blank_before = false;
  bool continues = false;  // the line before goes on in it
  // An item `name: …` or `name = …` alone on its line: where its value, or its `=`, begins.
  size_t align_at = 0;
  TokenKind align_kind = TokenKind::EndOfFile;
  size_t block = 0;      // which brackets it stands in
  bool complete = true;  // no bracket is open at its end that was not at its begin
};

bool space_between(const Token& before, const Token& token) {
  if (before.tight_after || token.tight_before) return false;
  switch (before.kind) {
    case TokenKind::LeftParen:
    case TokenKind::LeftBracket:
    case TokenKind::Dot:
    case TokenKind::QuestionDot:
      return false;
    case TokenKind::LeftBrace:
      return token.kind != TokenKind::RightBrace;
    default:
      break;
  }
  switch (token.kind) {
    case TokenKind::RightParen:
    case TokenKind::RightBracket:
    case TokenKind::Comma:
    case TokenKind::Colon:
    case TokenKind::Dot:
    case TokenKind::QuestionDot:
      return false;
    default:
      return true;
  }
}

class LineMaker {
 public:
  std::vector<Line> run(const std::vector<Piece>& pieces) {
    for (size_t i = 0; i < pieces.size(); ++i) add(pieces, i);
    end_line();
    return std::move(lines_);
  }

 private:
  struct Bracket {
    size_t indent;  // of the line in which it opens
    size_t id;
    bool brace;
  };

  bool line_open() const { return open_line_; }

  void add(const std::vector<Piece>& pieces, size_t i) {
    const Piece& piece = pieces[i];
    bool closes = is_close(piece.token.kind);
    bool begins_item = piece.token.starts_item || (i > 0 && is_open(pieces[i - 1].token.kind));
    size_t inner = brackets_.empty() ? 0 : brackets_.back().indent + 2;
    bool top = piece.token.kind == TokenKind::EndOfFile;
    size_t indent = top || begins_item || closes ? inner : inner + 2;
    for (const CommentPiece& comment : piece.comments) {
      if (!comment.own_line && line_open() && line_.comment.empty()) {
        line_.comment = comment.text;
        continue;
      }
      begin_line(indent, comment.blank_before);
      line_.comment = comment.text;
    }
    if (top) return;
    if (closes && !brackets_.empty()) indent = brackets_.back().indent;
    bool fresh = !line_open() || piece.line_break || !piece.comments.empty();
    if (fresh) {
      begin_line(indent, piece.blank_before);
      base_ = piece.token.kind == TokenKind::Pipe ? indent + 2 : indent;
      line_.continues = !begins_item && !closes;
      line_.block = brackets_.empty() ? 0 : brackets_.back().id;
      line_depth_ = brackets_.size();
      items_ = 0;
    } else if (space_between(pieces[i - 1].token, piece.token)) {
      line_.text += ' ';
    }
    if (begins_item && brackets_.size() == line_depth_) ++items_;
    bool second = i > 0 && !fresh && items_ == 1 && line_tokens_ == 1 && !brackets_.empty() &&
                  brackets_.back().brace && !line_.continues;
    if (second && (piece.token.kind == TokenKind::Colon || piece.token.kind == TokenKind::Equal)) {
      line_.align_kind = piece.token.kind;
      line_.align_at = line_.text.size() + (piece.token.kind == TokenKind::Colon ? 1 : 0);
    }
    if (items_ > 1) line_.align_kind = TokenKind::EndOfFile;
    if (closes && !brackets_.empty()) brackets_.pop_back();
    line_.text += piece.text;
    ++line_tokens_;
    if (is_open(piece.token.kind)) {
      brackets_.push_back({base_, ++last_id_, piece.token.kind == TokenKind::LeftBrace});
    }
    line_.complete = brackets_.size() == line_depth_;
  }

  void begin_line(size_t indent, bool blank_before) {
    end_line();
    line_ = Line{};
    line_.indent = indent;
    line_.blank_before = blank_before && !lines_.empty();
    line_tokens_ = 0;
    open_line_ = true;
  }

  void end_line() {
    if (open_line_) lines_.push_back(std::move(line_));
    open_line_ = false;
  }

  std::vector<Line> lines_;
  std::vector<Bracket> brackets_;
  Line line_;
  bool open_line_ = false;
  size_t base_ = 0, line_depth_ = 0, line_tokens_ = 0, items_ = 0, last_id_ = 0;
};

// ---------------------------------------------------------------- columns

bool aligns(const std::vector<Line>& lines, size_t i) {
  const Line& line = lines[i];
  bool goes_on = i + 1 < lines.size() && lines[i + 1].continues;
  return line.align_kind != TokenKind::EndOfFile && line.complete && !goes_on;
}

void align_values(std::vector<Line>& lines) {
  for (size_t begin = 0; begin < lines.size(); ++begin) {
    if (!aligns(lines, begin)) continue;
    size_t end = begin, widest = 0;
    std::vector<size_t> members;
    for (; end < lines.size(); ++end) {
      const Line& line = lines[end];
      bool only_comment = line.text.empty();
      if (end > begin && line.blank_before) break;
      if (only_comment) continue;
      if (!aligns(lines, end) || line.block != lines[begin].block ||
          line.align_kind != lines[begin].align_kind)
        break;
      members.push_back(end);
      widest =
          std::max(widest, count_code_points(std::string_view(line.text).substr(0, line.align_at)));
    }
    for (size_t member : members) {
      std::string& text = lines[member].text;
      size_t at = lines[member].align_at;
      text.insert(at, widest - count_code_points(std::string_view(text).substr(0, at)), ' ');
    }
    begin = end - 1;
  }
}

size_t width(const Line& line) { return line.indent + count_code_points(line.text); }

std::string join(const std::vector<Line>& lines) {
  std::string out;
  for (size_t begin = 0; begin < lines.size();) {
    // Comments behind neighbouring lines stand in one column.
    size_t end = begin, widest = 0;
    while (end < lines.size() && !lines[end].text.empty() && !lines[end].comment.empty() &&
           (end == begin || !lines[end].blank_before)) {
      widest = std::max(widest, width(lines[end++]));
    }
    if (end == begin) end = begin + 1;
    for (; begin < end; ++begin) {
      const Line& line = lines[begin];
      if (line.blank_before) out += '\n';
      out += std::string(line.indent, ' ') + line.text;
      if (!line.text.empty() && !line.comment.empty())
        out += std::string(widest - width(line) + 2, ' ');
      out += line.comment;
      out += '\n';
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> format(const Sources& sources, FileId file, Diagnostics& diagnostics) {
  size_t errors = diagnostics.error_count();
  TokenList list = lex(sources, file, diagnostics);
  Parser(sources, file, list, diagnostics).parse_program();
  if (diagnostics.error_count() > errors) return std::nullopt;
  std::vector<Piece> pieces = make_pieces(sources, file, list);
  move_separators(pieces);
  spread_blocks(pieces);
  spread_pipelines(pieces);
  pieces = settle_commas(std::move(pieces));
  settle_blank_lines(pieces);
  std::vector<Line> lines = LineMaker().run(pieces);
  align_values(lines);
  return join(lines);
}

}  // namespace weir::dsl
