// One random program over random records: what the interpreter says, and what each way of compiling
// it gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir::differential {

struct Outcome {
  uint64_t comparisons = 0;           // values and dead letters
  uint64_t streams = 0, refused = 0;  // kept, and refused by the compiler
  std::string difference;  // the seed's program, the record and both results; empty: none
};

struct Amount {
  int streams = 4, records = 400;
};

// Ways: "-O0", "-O3", "ahead of time"; each over the records with their keys in several orders.
Outcome compare(uint64_t seed, const Amount& amount);

}  // namespace weir::differential
