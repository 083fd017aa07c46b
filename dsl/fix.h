// Fixes applied: what `weir check --fix` and an editor do with what diagnostics propose.
//
// A `Fix` of a diagnostic is an edit that repairs the program, not a hint: whoever reports it must
// mean the text that comes out. A hint that has to be filled in is a `fix_text` without a `Fix`.
#pragma once

#include <string>

#include "dsl/diagnostic.h"

namespace weir::dsl {

struct Fixed {
  std::string text;
  size_t applied = 0;
};

// The text of `file` with the fixes of all diagnostics in it. Of fixes that overlap the first one
// counts: the others may be outdated by it, and come again when the result is checked.
Fixed apply_fixes(const Sources& sources, FileId file, const Diagnostics& diagnostics);

// The lines that one fix changes, as they are afterwards and without indentation, and the number of
// the first of them.
struct FixedLines {
  uint32_t line = 1;
  std::string text;
};
FixedLines fixed_lines(const SourceFile& file, const Fix& fix);

// The edit that adds an item at the end of braces: on a line of its own if they have several, else
// behind a comma. `braces` holds both of them, or is an empty place where they would begin.
Fix add_item(const SourceFile& file, Span braces, const std::string& item);

}  // namespace weir::dsl
