// Text → the one canonical text (`weir fmt`). Comments are kept; formatting twice changes nothing.
#pragma once

#include <optional>
#include <string>

#include "dsl/diagnostic.h"

namespace weir::dsl {

// Nothing if the text has syntax errors (they are in `diagnostics`).
std::optional<std::string> format(const Sources& sources, FileId file, Diagnostics& diagnostics);

}  // namespace weir::dsl
