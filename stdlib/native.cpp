#include "stdlib/native.h"

#include "stdlib/native_headers.h"

namespace weir::stdlib {

std::span<const NativeFunction> native_functions() {
#define NATIVE(name) {#name, reinterpret_cast<void*>(&name)},
  static const NativeFunction functions[] = {
#include "stdlib/native.def"
  };
#undef NATIVE
  return functions;
}

}  // namespace weir::stdlib
