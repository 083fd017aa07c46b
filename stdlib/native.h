// The addresses of native.def, for a JIT.
#pragma once

#include <span>

namespace weir::stdlib {

struct NativeFunction {
  const char* name;
  void* address;
};
std::span<const NativeFunction> native_functions();

}  // namespace weir::stdlib
