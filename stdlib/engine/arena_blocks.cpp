#include "stdlib/engine/arena_blocks.h"

#include <algorithm>
#include <utility>

namespace weir::stdlib {

void ArenaBlocks::serve(WeirArena* arena) {
  *arena = {.next = nullptr, .end = nullptr, .grow = &ArenaBlocks::grow, .owner = this};
}

void ArenaBlocks::reset(WeirArena* arena) {
  if (blocks_.empty()) return;
  auto largest = std::max_element(blocks_.begin(), blocks_.end(),
                                  [](const Block& a, const Block& b) { return a.size < b.size; });
  Block kept = std::move(*largest);
  blocks_.clear();
  bytes_ = kept.size;
  arena->next = kept.memory.get();
  arena->end = arena->next + kept.size;
  blocks_.push_back(std::move(kept));
}

bool ArenaBlocks::grow(WeirArena* arena, uint64_t size) {
  auto* self = static_cast<ArenaBlocks*>(arena->owner);
  uint64_t doubled = self->block_bytes_ << std::min<size_t>(self->blocks_.size(), 6);
  uint64_t bytes = std::max(size, doubled);
  // Not make_unique: a block is not to be cleared.
  self->blocks_.push_back({std::unique_ptr<char[]>(new char[bytes]), bytes});
  self->bytes_ += bytes;
  arena->next = self->blocks_.back().memory.get();
  arena->end = arena->next + bytes;
  return true;
}

}  // namespace weir::stdlib
