// The memory behind a WeirArena: blocks that are given back together. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "stdlib/kernel.h"

namespace weir::stdlib {

class ArenaBlocks {
 public:
  // The first block has `block_bytes`, later ones up to 64 times as many.
  explicit ArenaBlocks(uint64_t block_bytes = 4096) : block_bytes_(block_bytes) {}
  ArenaBlocks(const ArenaBlocks&) = delete;
  ArenaBlocks& operator=(const ArenaBlocks&) = delete;

  // Makes `arena` take its memory from here. The arena may be moved in memory afterwards only by
  // calling this again.
  void serve(WeirArena* arena);
  // All that was taken is gone. Keeps one block.
  void reset(WeirArena* arena);
  uint64_t bytes() const { return bytes_; }

 private:
  static bool grow(WeirArena* arena, uint64_t size);

  struct Block {
    std::unique_ptr<char[]> memory;
    uint64_t size;
  };
  std::vector<Block> blocks_;
  uint64_t block_bytes_;
  uint64_t bytes_ = 0;
};

}  // namespace weir::stdlib
