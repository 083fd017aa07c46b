// What a compiled stage works with: scratch, outputs, partial groups, rows put aside. A lane has
// one, and so has each emission of a keyed operator. One thread at a time.
#pragma once

#include <cstdlib>
#include <memory>
#include <vector>

#include "runtime/program.h"
#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/pane_tables.h"

namespace weir::runtime {

// Encoded records that nobody writes to any more (stdlib/engine/output.h).
struct EncodedRows {
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> data;
  uint64_t size = 0, records = 0;

  struct Row {
    const char* key;
    uint32_t key_size;
    const char* value;
    uint32_t value_size;
    int64_t event_time;
  };
  // visit(const Row&); key null: none.
  template <class Visit>
  void for_each(Visit visit) const {
    for (uint64_t at = 0; at < size;) {
      WeirOutputHeader header;
      memcpy(&header, data.get() + at, sizeof header);
      const char* key = data.get() + at + sizeof header;
      uint32_t key_size = header.key_size == kNoKey ? 0 : header.key_size;
      uint32_t value_size = header.value_size == kNoKey ? 0 : header.value_size;
      visit(Row{header.key_size == kNoKey ? nullptr : key, key_size,
                header.value_size == kNoKey ? nullptr : key + key_size, value_size,
                header.event_time});
      at += (sizeof header + key_size + value_size + 7) & ~uint64_t{7};
    }
  }
};

struct StageLimits {
  uint64_t output_bytes = 4 << 20;  // of one sink
  uint64_t groups = 1 << 18;        // partial ones of one keyed operator
};

class StageMemory {
 public:
  StageMemory(const Program& program, const contract::Stage& stage, const StageLimits& limits);
  StageMemory(const StageMemory&) = delete;
  StageMemory& operator=(const StageMemory&) = delete;

  WeirStage* stage() { return &stage_; }
  // Rows put aside since the last `clear_scratch`. Their details are gone after it.
  const WeirErrors& errors() const { return errors_; }
  void clear_scratch();

  // Null where this stage does not update that operator.
  stdlib::PaneTables* partial(uint32_t keyed) { return partials_[keyed].get(); }
  EncodedRows take_output(uint32_t output);
  uint64_t output_bytes() const;
  uint64_t partial_groups() const;
  uint64_t partial_bytes() const;

 private:
  struct Output {
    WeirOutput abi{};
    EncodedRows rows;  // owns abi.data
  };
  static bool grow_output(WeirOutput* output, uint64_t more);
  static bool grow_errors(WeirErrors* errors);

  WeirStage stage_{};
  WeirArena arena_{};
  stdlib::ArenaBlocks arena_blocks_{64 << 10};
  WeirErrors errors_{};
  std::vector<WeirRowError> error_rows_;
  std::vector<std::unique_ptr<Output>> outputs_;
  std::vector<WeirOutput*> output_pointers_;
  std::vector<std::unique_ptr<stdlib::PaneTables>> partials_;
  std::vector<WeirPanes*> pane_pointers_;
  std::unique_ptr<char[]> learned_;
};

}  // namespace weir::runtime
