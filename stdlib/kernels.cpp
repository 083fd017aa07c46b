// All kernels, in one unit: compiled natively into weir_stdlib, and to bitcode.
#include "stdlib/engine/hash.h"
#include "stdlib/engine/json_flat.h"
#include "stdlib/engine/json_number.h"
#include "stdlib/engine/json_order.h"
#include "stdlib/engine/json_value.h"
#include "stdlib/engine/json_write.h"
#include "stdlib/engine/key.h"
#include "stdlib/engine/output.h"
#include "stdlib/engine/panes.h"
#include "stdlib/engine/text_number.h"
#include "stdlib/list.h"
#include "stdlib/math.h"
#include "stdlib/native_headers.h"
#include "stdlib/time.h"

// Stages call these too: with their prototypes they are declared in the bitcode.
extern "C" __attribute__((used)) const void* const weir_native_declarations[] = {
#define NATIVE(name) reinterpret_cast<const void*>(&name),
#include "stdlib/native.def"
#undef NATIVE
};
