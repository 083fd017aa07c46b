// Text → syntax tree.
#pragma once

#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace weir::dsl {

// Reads a whole file. Always returns a tree: what could not be read is reported and left out, so
// that later phases can say more. Bounded: nesting deeper than `kNestingMax`, or a file above
// `kFileBytesMax`, is a diagnostic.
Program parse(const Sources& sources, FileId file, Diagnostics& diagnostics);

inline constexpr int kNestingMax = 200;
// Operators in a row, as in `a + b + …`: the tree is as high as the chain is long.
inline constexpr int kChainMax = 500;
inline constexpr size_t kFileBytesMax = 16 << 20;

}  // namespace weir::dsl
