#include "dsl/fix.h"

#include <algorithm>
#include <map>
#include <vector>

namespace weir::dsl {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (true) {
    size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return lines;
    begin = end + 1;
  }
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Fixed apply_fixes(const Sources& sources, FileId file, const Diagnostics& diagnostics) {
  auto sorted = diagnostics.sorted();
  std::multimap<uint32_t, Fix> fixes;  // by place; those of one place as they were reported
  for (const Diagnostic& diagnostic : sorted) {
    if (diagnostic.fix && diagnostic.fix->span.file == file)
      fixes.emplace(diagnostic.fix->span.begin, *diagnostic.fix);
  }
  std::string_view text = sources.file(file).text();
  Fixed fixed;
  uint32_t done = 0;
  bool touched = false;  // an edit ends at `done`: nothing else is put there
  for (const auto& [begin, fix] : fixes) {
    if (begin < done || (touched && begin == done)) continue;
    fixed.text += text.substr(done, begin - done);
    fixed.text += fix.replacement;
    done = fix.span.end;
    touched = true;
    ++fixed.applied;
  }
  fixed.text += text.substr(done);
  return fixed;
}

FixedLines fixed_lines(const SourceFile& file, const Fix& fix) {
  std::string_view text = file.text();
  size_t begin =
      fix.span.begin == 0 ? std::string_view::npos : text.rfind('\n', fix.span.begin - 1);
  begin = begin == std::string_view::npos ? 0 : begin + 1;
  size_t end = std::min(text.find('\n', fix.span.end), text.size());
  auto before = lines_of(std::string(text.substr(begin, end - begin)));
  auto after = lines_of(std::string(text.substr(begin, fix.span.begin - begin)) + fix.replacement +
                        std::string(text.substr(fix.span.end, end - fix.span.end)));
  size_t same = 0;
  while (same + 1 < after.size() && same < before.size() && after[same] == before[same]) ++same;
  size_t same_end = 0;
  while (same_end + same + 1 < after.size() && same_end + same < before.size() &&
         after[after.size() - 1 - same_end] == before[before.size() - 1 - same_end]) {
    ++same_end;
  }
  FixedLines result;
  result.line = file.line_column(static_cast<uint32_t>(begin)).line + static_cast<uint32_t>(same);
  for (size_t i = same; i < after.size() - same_end; ++i) {
    std::string line = after[i];
    while (!line.empty() && is_space(line.back())) line.pop_back();
    size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    result.text += (result.text.empty() ? "" : "\n") + line.substr(first);
  }
  return result;
}

Fix add_item(const SourceFile& file, Span inside, const std::string& item) {
  std::string_view text = file.text(inside);
  if (text.empty()) return {inside, " { " + item + " }"};
  size_t last = text.size() - 1;  // the last character of what the braces hold, or their `{`
  while (last > 0 && (text[last] == '}' || is_space(text[last]))) --last;
  auto at = static_cast<uint32_t>(inside.begin + last + 1);
  bool many_lines = text.find('\n') != std::string_view::npos;
  if (last == 0) return {{inside.begin, inside.end, inside.file}, "{ " + item + " }"};
  if (!many_lines) return {{at, at, inside.file}, ", " + item};
  // Before the last line with its closing brace; a comment may stand behind the last item.
  size_t close = text.rfind('\n');
  size_t previous = text.rfind('\n', last);
  std::string_view line = text.substr(previous + 1);
  std::string indent(line.substr(0, std::min(line.find_first_not_of(" \t"), line.size())));
  if (previous == std::string_view::npos) indent = "  ";
  at = static_cast<uint32_t>(inside.begin + close);
  return {{at, at, inside.file}, "\n" + indent + item};
}

}  // namespace weir::dsl
