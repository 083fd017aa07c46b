// The longest common subsequence of the lines between the common begin and end, by the table. It is
// quadratic, so it is left out where it would be larger than `kTableMax`.
#include "dsl/line_diff.h"

#include <algorithm>

namespace weir::dsl {
namespace {

constexpr size_t kTableMax = size_t{1} << 24;  // cells of four bytes
constexpr size_t kContext = 3;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

}  // namespace

std::vector<LineEdit> line_edits(std::string_view before, std::string_view after) {
  auto a = lines_of(before), b = lines_of(after);
  std::vector<LineEdit> edits;
  size_t first = 0;
  while (first < a.size() && first < b.size() && a[first] == b[first]) ++first;
  size_t tail = 0;
  while (tail + first < a.size() && tail + first < b.size() &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  for (size_t i = 0; i < first; ++i) edits.push_back({LineEdit::Kind::Same, a[i]});
  size_t rows = a.size() - first - tail, columns = b.size() - first - tail;
  if (rows == 0 || columns == 0 || rows > kTableMax / columns) {
    for (size_t i = 0; i < rows; ++i) edits.push_back({LineEdit::Kind::Removed, a[first + i]});
    for (size_t j = 0; j < columns; ++j) edits.push_back({LineEdit::Kind::Added, b[first + j]});
  } else {
    // common[i][j]: how many lines the rest of a from i and of b from j have in common.
    std::vector<uint32_t> common((rows + 1) * (columns + 1));
    auto cell = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
    for (size_t i = rows; i-- > 0;) {
      for (size_t j = columns; j-- > 0;) {
        cell(i, j) = a[first + i] == b[first + j] ? cell(i + 1, j + 1) + 1
                                                  : std::max(cell(i + 1, j), cell(i, j + 1));
      }
    }
    for (size_t i = 0, j = 0; i < rows || j < columns;) {
      if (i < rows && j < columns && a[first + i] == b[first + j]) {
        edits.push_back({LineEdit::Kind::Same, a[first + i]});
        ++i, ++j;
      } else if (j == columns || (i < rows && cell(i + 1, j) >= cell(i, j + 1))) {
        edits.push_back({LineEdit::Kind::Removed, a[first + i++]});
      } else {
        edits.push_back({LineEdit::Kind::Added, b[first + j++]});
      }
    }
  }
  for (size_t i = a.size() - tail; i < a.size(); ++i) edits.push_back({LineEdit::Kind::Same, a[i]});
  return edits;
}

std::string unified_diff(std::string_view before, std::string_view after,
                         const std::string& before_name, const std::string& after_name) {
  if (before == after) return "";
  auto edits = line_edits(before, after);
  std::vector<bool> shown(edits.size());
  for (size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].kind == LineEdit::Kind::Same) continue;
    size_t from = i > kContext ? i - kContext : 0;
    for (size_t k = from; k < std::min(edits.size(), i + kContext + 1); ++k) shown[k] = true;
  }
  std::string text = "--- " + before_name + "\n+++ " + after_name + "\n";
  size_t line_before = 1, line_after = 1;
  for (size_t i = 0; i < edits.size();) {
    if (!shown[i]) {
      ++i, ++line_before, ++line_after;  // only lines of both are left out
      continue;
    }
    std::string hunk;
    size_t removed = 0, added = 0;
    for (; i < edits.size() && shown[i]; ++i) {
      removed += edits[i].kind != LineEdit::Kind::Added;
      added += edits[i].kind != LineEdit::Kind::Removed;
      hunk += edits[i].kind == LineEdit::Kind::Same      ? ' '
              : edits[i].kind == LineEdit::Kind::Removed ? '-'
                                                         : '+';
      hunk += std::string(edits[i].line) + "\n";
    }
    text += "@@ -" + std::to_string(line_before) + "," + std::to_string(removed) + " +" +
            std::to_string(line_after) + "," + std::to_string(added) + " @@\n" + hunk;
    line_before += removed;
    line_after += added;
  }
  bool only_end = text.find("@@") == std::string::npos;
  return only_end ? text + "\\ the last line's end differs\n" : text;
}

}  // namespace weir::dsl
