// The parameters of a program: where their values come from, and the block of memory that compiled
// code reads them in.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/status.h"

namespace weir::runtime {

class Parameters {
 public:
  // `set` (--set) goes before the environment (WEIR_NAME), that before the program's default.
  static Result<Parameters> make(const contract::Plan& plan,
                                 const std::map<std::string, std::string>& set);
  const void* block() const { return block_.get(); }
  // As text, in the order of Plan.params.
  const std::vector<std::string>& values() const { return values_; }

 private:
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, std::align_val_t{16}); }
  };
  std::unique_ptr<char, Free> block_;
  std::deque<std::string> texts_;  // what WeirBytes in the block point to
  std::vector<std::string> values_;
};

// "2025-01-01T00:00:00.5Z", with Z or an offset; microseconds since 1970.
std::optional<int64_t> parse_instant_us(const std::string& text);
// Microseconds: "1500000", or with units as in programs: "1h30m", "10s", "250ms".
std::optional<int64_t> parse_duration_us(const std::string& text);

}  // namespace weir::runtime
