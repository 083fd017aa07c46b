// Where the fields of a record lie in memory: the only place where offsets are made.
//
// Fields by size, large first, each aligned to its size; then one presence byte per optional field.
// Used for the accumulators of groups, elements of lists, inner records and parameters.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/type.h"

namespace weir::compiler {

struct Slot {
  uint32_t offset = 0;
  int32_t presence = -1;  // offset of the presence byte, −1 if the field is never null
};
struct Layout {
  std::vector<Slot> slots;  // one per field, in the order of the fields
  uint32_t size = 0;        // a multiple of `align`
  uint32_t align = 1;
};

uint32_t size_of(const Types& types, Type type);  // without presence
uint32_t align_of(const Types& types, Type type);
// `header` bytes at the front stay free (accumulators: WeirGroupHeader).
Layout layout_of(const Types& types, const std::vector<Type>& fields, uint32_t header = 0);

}  // namespace weir::compiler
