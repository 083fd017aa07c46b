// Numbers, durations, sizes, instants and dates: how they are written and what they mean.
//
// The lexer calls these where a digit or an `@` stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dsl/lexer.h"

namespace weir::dsl {

// What is wrong with a literal, and what could stand instead ("" if nobody knows).
struct LiteralProblem {
  std::string message;
  std::string replacement;
};

struct LiteralScan {
  TokenKind kind = TokenKind::Number;
  uint32_t length = 0;  // bytes that belong to it, right or wrong
  int64_t value = 0;    // micros, bytes, seconds since the epoch, days since the epoch
  int32_t nanos = 0;    // Instant
  std::optional<LiteralProblem> problem;
};

// `12`, `1_000`, `1.50`, `1.5e0`, `1h30m`, `64KiB`. Requires: a digit first.
LiteralScan scan_number(std::string_view rest);
// `@2025-01-01`, `@2025-01-01T00:00:00.5+02:00`. Requires: an `@` first.
LiteralScan scan_instant(std::string_view rest);

// The shortest way to write it: `1h30m`, `0s`. Requires: micros ≥ 0.
std::string duration_text(int64_t micros);

}  // namespace weir::dsl
