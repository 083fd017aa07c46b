// Aggregates over a frame of a key's rows: those in front of a row, as far back as the frame says.
//
// A frame slides over the rows of its key. It is kept in two halves, so that each row costs a
// constant number of merges, however many rows there are in the frame:
//
//     rows      … a   b   c   d │ e   f   g …
//     suffixes      bcd  cd   d │
//     tail                      │ efg
//
// of b to g: the suffix at b, merged with the tail. When the frame's beginning passes the line, the
// suffixes are made anew up to its end. Merging does not care for order (compiler/aggregates.h).
#pragma once

#include <memory>
#include <vector>

#include "runtime/program.h"
#include "stdlib/engine/arena_blocks.h"

namespace weir::runtime {

// Where a row stands among those of its key.
struct RowPlace {
  int64_t time = 0;
  int32_t partition = 0;
  int64_t offset = 0;
  uint32_t origin = 0, number = 0;
  auto operator<=>(const RowPlace&) const = default;
};

// A group (an accumulator) that owns its texts.
using PackedGroup = std::unique_ptr<char[]>;

class GroupPacker {
 public:
  explicit GroupPacker(const contract::Keyed& keyed);
  PackedGroup pack(const char* group) const;
  uint64_t bytes(const char* group) const;  // of what `pack` makes
  bool has_texts() const { return !texts_.empty(); }

 private:
  struct Text {
    uint32_t offset;
    int32_t presence;
  };
  uint32_t group_bytes_;
  std::vector<Text> texts_;
};

struct KeptRow {
  RowPlace place;
  PackedGroup group;
};

struct Frame {
  Frame(const contract::Keyed& keyed, const contract::Rows::Frame& frame);
  contract::Rows::Frame::Kind kind;
  int64_t from_us, to_us;
  uint32_t rows;
  // Copies what belongs to this frame.
  void copy(const char* from, char* into) const;

 private:
  struct Piece {
    uint32_t offset, size;
  };
  std::vector<Piece> pieces_;
};

// One frame of one key. Rows are named by numbers that stay when rows in front of them are
// forgotten: `forgotten` says how many were.
class FrameWindow {
 public:
  FrameWindow() { blocks_.serve(&texts_); }
  // Merges the groups of rows [begin, end) into `into`. Requires: neither begin nor end is less
  // than in the call before.
  void merge_into(const KeyedInfo& info, const std::vector<KeptRow>& rows, size_t begin, size_t end,
                  char* into, WeirArena* texts);
  void forgotten(size_t rows) { forgotten_ += rows; }
  uint64_t bytes() const { return suffixes_.capacity() + tail_.capacity() + blocks_.bytes(); }

 private:
  void turn(const KeyedInfo& info, const std::vector<KeptRow>& rows, size_t begin, size_t end);

  size_t forgotten_ = 0;
  size_t first_ = 0, line_ = 0,
         end_ = 0;  // numbers: suffixes are of [first, line), the tail of [line, end)
  std::vector<char> suffixes_, tail_;
  WeirArena texts_{};
  stdlib::ArenaBlocks blocks_{512};
};

}  // namespace weir::runtime
