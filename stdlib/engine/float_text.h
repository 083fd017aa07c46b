// Floats and text, correctly rounded both ways. Native: these need the C++ library's tables
// (native.def).
#pragma once

#include "stdlib/kernel.h"

inline constexpr uint64_t kFloatTextBytes = 32;

// The shortest text that reads back as the same value; a JSON number. Finite values only. Writes at
// most kFloatTextBytes.
extern "C" uint64_t weir_float64_text(char* to, double value);
extern "C" uint64_t weir_float32_text(char* to, float value);

// Reads the whole of a JSON number (its grammar is already checked). False: beyond the type's
// range.
extern "C" bool weir_float64_parse(const char* text, uint64_t size, double* value);
extern "C" bool weir_float32_parse(const char* text, uint64_t size, float* value);
