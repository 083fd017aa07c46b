// The text of a cast that a fix proposes.
#pragma once

#include <string>

namespace weir::compiler {

// `int64(a + b)`, of `(a + b)` too.
inline std::string cast_text(const std::string& type, const std::string& of) {
  int depth = 0;
  size_t at = 0;
  bool quoted = false;
  for (; at < of.size(); ++at) {
    if (of[at] == '\\') {
      ++at;
      continue;
    }
    if (of[at] == '"') quoted = !quoted;
    if (quoted) continue;
    depth += of[at] == '(' ? 1 : of[at] == ')' ? -1 : 0;
    if (depth == 0) break;  // at once, unless it begins with a parenthesis
  }
  bool whole = of.size() > 1 && of.front() == '(' && at + 1 == of.size();
  return whole ? type + of : type + "(" + of + ")";
}

}  // namespace weir::compiler
