// Dead letters of a pipeline without a log: JSON lines in the state directory. As a sink, so that
// the file goes back to the last committed epoch after a crash.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "runtime/sink.h"

namespace weir::runtime {

std::unique_ptr<Sink> open_dead_letter_file(const std::string& path);

}  // namespace weir::runtime
