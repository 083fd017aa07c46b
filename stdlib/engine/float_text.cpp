#include "stdlib/engine/float_text.h"

#include <charconv>
#include <cmath>

#include <fast_float/fast_float.h>

namespace {

template <typename Float>
uint64_t write(char* to, Float value) {
  return uint64_t(std::to_chars(to, to + kFloatTextBytes, value).ptr - to);
}

// fast_float 3.9 says infinity for what is beyond the range.
template <typename Float>
bool parse(const char* text, uint64_t size, Float* value) {
  Float parsed;
  auto [end, error] = fast_float::from_chars(text, text + size, parsed);
  if (error != std::errc() || end != text + size || !std::isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

}  // namespace

uint64_t weir_float64_text(char* to, double value) { return write(to, value); }
uint64_t weir_float32_text(char* to, float value) { return write(to, value); }
bool weir_float64_parse(const char* text, uint64_t size, double* value) {
  return parse(text, size, value);
}
bool weir_float32_parse(const char* text, uint64_t size, float* value) {
  return parse(text, size, value);
}
