// Random typed programs: a record of all kinds of fields, and streams of `where`, `extend` and
// `select` over it, each with a sink.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/random.h"

namespace weir::differential {

using simulation::Random;

struct RandomProgram {
  std::string head;  // declarations, source
  struct Stream {
    std::string name, text;  // the declaration, and its sink
  };
  std::vector<Stream> streams;
  std::string text() const;
};

// Mostly well typed: the caller drops the streams that the compiler refuses.
RandomProgram random_program(Random& random, int streams);

}  // namespace weir::differential
