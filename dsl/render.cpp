#include "dsl/render.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "dsl/fix.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

// Lines longer than this are shown around the place only.
constexpr size_t kColumnsMax = 160;
constexpr size_t kLineBytesMax = 8192;  // What is looked at of a line: ample for the columns shown.
constexpr size_t kTabColumns = 4;
// Of a place of several lines at most this many are shown from its begin, and its last one.
constexpr uint32_t kLinesShownMax = 3;

constexpr std::string_view kRed = "\x1b[1;31m", kYellow = "\x1b[1;33m", kBlue = "\x1b[1;34m",
                           kGreen = "\x1b[32m", kBold = "\x1b[1m", kReset = "\x1b[0m";

// Columns of a character in a terminal: East Asian wide characters and pictures have two, combining
// marks none.
int columns_of(uint32_t c) {
  auto in = [c](uint32_t first, uint32_t last) { return c >= first && c <= last; };
  if (in(0x300, 0x36f) || in(0x200b, 0x200f) || in(0x20d0, 0x20ff) || in(0xfe00, 0xfe0f)) return 0;
  bool wide = in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) ||
              in(0xf900, 0xfaff) || in(0xfe30, 0xfe6f) || in(0xff00, 0xff60) ||
              in(0xffe0, 0xffe6) || in(0x1f300, 0x1f64f) || in(0x1f680, 0x1f6ff) ||
              in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd);
  return wide ? 2 : 1;
}

// A line as it is shown: its columns, tabs as spaces, what is no text as `?`.
struct ShownLine {
  std::string text;
  size_t begin = 0;  // columns of the marked part
  size_t end = 0;
};

// `begin` and `end` are bytes of the line; the marked part stays in view.
ShownLine show(std::string_view line, size_t begin, size_t end) {
  std::vector<std::string> cells;  // the second one of a wide character is empty
  ShownLine shown;
  end = std::min(end, line.size());
  begin = std::min(begin, end);
  if (line.size() > kLineBytesMax) {
    size_t clip = begin > kLineBytesMax / 4 ? begin - kLineBytesMax / 4 : 0;
    while (clip < begin && (static_cast<unsigned char>(line[clip]) & 0xc0) == 0x80) ++clip;
    line = line.substr(clip, kLineBytesMax);
    begin -= clip;
    end = std::min(end - clip, line.size());
  }
  size_t at = 0;
  bool begin_set = false, end_set = false;
  while (at <= line.size()) {
    if (!begin_set && at >= begin) shown.begin = cells.size(), begin_set = true;
    if (!end_set && at >= end) shown.end = cells.size(), end_set = true;
    if (at == line.size()) break;
    CodePoint c = decode_utf8(line, at);
    if (line[at] == '\t') {
      for (size_t i = 0; i < kTabColumns; ++i) cells.emplace_back(" ");
      ++at;
    } else if (c.length == 0 || c.value < 0x20 || c.value == 0x7f ||
               (c.value >= 0x202a && c.value <= 0x202e) ||
               (c.value >= 0x2066 && c.value <= 0x2069)) {
      cells.emplace_back("\xef\xbf\xbd");
      at += std::max<size_t>(c.length, 1);
    } else {
      int columns = columns_of(c.value);
      if (columns == 0 && !cells.empty())
        cells.back() += line.substr(at, c.length);
      else
        cells.emplace_back(line.substr(at, c.length));
      if (columns == 2) cells.emplace_back();
      at += c.length;
    }
  }
  size_t first = 0, last = cells.size();
  if (cells.size() > kColumnsMax) {
    first = shown.begin > kColumnsMax / 3 ? shown.begin - kColumnsMax / 3 : 0;
    last = std::min(cells.size(), first + kColumnsMax);
    shown.end = std::min(shown.end, last);
    if (first > 0) cells[first] = "…";
    if (last < cells.size()) cells[last - 1] = "…";
    shown.begin -= first;
    shown.end -= std::min(shown.end, first);
  }
  for (size_t i = first; i < last; ++i) shown.text += cells[i];
  return shown;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

class HumanRenderer {
 public:
  HumanRenderer(const Sources& sources, const RenderOptions& options)
      : sources_(sources), options_(options) {}

  void add(const Diagnostic& diagnostic) {
    if (!out_.empty()) out_ += '\n';
    bool error = info(diagnostic.code).severity == Severity::Error;
    out_ += paint(error ? kRed : kYellow, error ? "error" : "warning") + " " +
            code_text(diagnostic.code) + ": " + paint(kBold, diagnostic.message) + "\n";
    gutter_ = 1;
    if (diagnostic.span.file < sources_.size()) place(diagnostic);
    for (const Note& note : diagnostic.notes) {
      if (note.span)
        out_ += bar("│", note.text + ": " + where(*note.span));
      else
        out_ += bar("=", note.text);
    }
    if (!diagnostic.fix_text.empty()) {
      fix("fix:", diagnostic.fix_text);
    } else if (diagnostic.fix) {
      edit(diagnostic);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  std::string paint(std::string_view color, std::string_view text) const {
    if (!options_.color) return std::string(text);
    return std::string(color) + std::string(text) + std::string(kReset);
  }

  std::string bar(std::string_view sign, std::string_view text) const {
    std::string line = std::string(gutter_ + 1, ' ') + paint(kBlue, sign);
    if (!text.empty()) line += " " + std::string(text);
    return line + "\n";
  }

  void numbered(std::string_view number, std::string_view text) {
    std::string line = std::string(gutter_ - count_code_points(number), ' ') + std::string(number);
    out_ += paint(kBlue, line + " │") + (text.empty() ? "" : " ") + std::string(text) + "\n";
  }

  void underline(const ShownLine& line, bool error, std::string_view label) {
    std::string marks(std::max<size_t>(line.end - line.begin, 1), '^');
    std::string text = std::string(line.begin, ' ') + paint(error ? kRed : kYellow, marks);
    if (!label.empty()) text += " " + std::string(label);
    out_ += bar("│", text);
  }

  // `┌ file:line:column`, the lines, each with what is marked in it.
  void place(const Diagnostic& diagnostic) {
    const SourceFile& file = sources_.file(diagnostic.span.file);
    bool error = info(diagnostic.code).severity == Severity::Error;
    LineColumn begin = file.line_column(diagnostic.span.begin);
    uint32_t last_byte = diagnostic.span.empty() ? diagnostic.span.end : diagnostic.span.end - 1;
    uint32_t end_line = file.line_column(last_byte).line;
    gutter_ = std::to_string(end_line).size();
    out_ += std::string(gutter_, ' ') +
            paint(kBlue, "┌ " + file.path() + ":" + std::to_string(begin.line) + ":" +
                             std::to_string(begin.column)) +
            "\n";
    for (uint32_t number = begin.line; number <= end_line; ++number) {
      bool skipped = number - begin.line >= kLinesShownMax - 1 && number < end_line &&
                     end_line - begin.line >= kLinesShownMax;
      if (skipped) {
        if (number - begin.line == kLinesShownMax - 1) numbered("…", "");
        continue;
      }
      std::string_view text = file.line(number);
      auto start = static_cast<uint32_t>(text.data() - file.text().data());
      if (text.data() == nullptr) start = 0;
      size_t from =
          number == begin.line ? diagnostic.span.begin - start : text.find_first_not_of(" \t");
      if (from == std::string_view::npos) from = 0;
      size_t to = number == end_line ? diagnostic.span.end - start : text.size();
      ShownLine shown = show(text, from, to);
      numbered(std::to_string(number), shown.text);
      underline(shown, error, number == end_line ? diagnostic.label : "");
    }
  }

  // `rides.weir:5  amount: decimal(12, 2)?`
  std::string where(Span span) const {
    if (span.file >= sources_.size()) return "";
    const SourceFile& file = sources_.file(span.file);
    uint32_t line = file.line_column(span.begin).line;
    std::string text = show(trim(file.line(line)), 0, 0).text;
    return file.path() + ":" + std::to_string(line) + (text.empty() ? "" : "  " + text);
  }

  // An edit of what is underlined is shown by its text alone, any other by the lines it makes.
  void edit(const Diagnostic& diagnostic) {
    const Fix& edit = *diagnostic.fix;
    bool here = edit.span.file == diagnostic.span.file &&
                edit.span.begin == diagnostic.span.begin && edit.span.end == diagnostic.span.end;
    if (here && !diagnostic.span.empty()) {
      std::string_view text = trim(edit.replacement);
      fix("fix:", text.empty() ? "leave it out" : text);
      return;
    }
    if (edit.span.file >= sources_.size()) return;
    const SourceFile& file = sources_.file(edit.span.file);
    FixedLines lines = fixed_lines(file, edit);
    bool same_line = edit.span.file == diagnostic.span.file &&
                     file.line_column(diagnostic.span.begin).line == lines.line;
    std::string text = lines.text.empty() ? "leave it out" : lines.text;
    fix(same_line ? "fix:" : "fix, line " + std::to_string(lines.line) + ":", text);
  }

  void fix(const std::string& head, std::string_view text) {
    bool first = true;
    while (true) {
      size_t end = text.find('\n');
      std::string shown = show(text.substr(0, end), 0, 0).text;
      if (first)
        out_ += bar("=", paint(kGreen, head) + " " + shown);
      else
        out_ += std::string(gutter_ + 4 + head.size(), ' ') + shown + "\n";
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
      first = false;
    }
  }

  const Sources& sources_;
  const RenderOptions& options_;
  std::string out_;
  size_t gutter_ = 1;
};

}  // namespace

std::string render(const Diagnostics& diagnostics, const Sources& sources,
                   const RenderOptions& options) {
  HumanRenderer renderer(sources, options);
  for (const Diagnostic& diagnostic : diagnostics.sorted()) renderer.add(diagnostic);
  std::string text = renderer.take();
  if (diagnostics.error_count() > kDiagnosticsMax) {
    text +=
        "\nand " + std::to_string(diagnostics.error_count() - kDiagnosticsMax) + " more errors\n";
  }
  return text;
}

}  // namespace weir::dsl
