// UTF-8: reading, writing and counting code points.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::dsl {

// The code point at `text[at]` and its length in bytes; length 0 if the bytes there are not UTF-8
// (overlong forms, surrogates and values above U+10FFFF are not). Requires: at < text.size().
struct CodePoint {
  uint32_t value = 0;
  uint32_t length = 0;
};
CodePoint decode_utf8(std::string_view text, size_t at);

// Requires: a Unicode scalar value.
void append_utf8(std::string& out, uint32_t value);

// A to Z become a to z; everything else stays.
std::string ascii_lower(std::string_view text);

// How many code points; each byte that is not UTF-8 counts as at most one.
size_t count_code_points(std::string_view text);

}  // namespace weir::dsl
