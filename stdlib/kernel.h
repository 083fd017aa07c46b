// What kernels, compiled stages and the runtime agree on about values and memory.
//
// Kernels are C++ compiled twice: natively into the runtime, and to LLVM bitcode that the code
// generator links into each stage and inlines. So this header and what it includes use the C++
// standard library only, nothing in a kernel throws, and every kernel that a stage calls is `extern
// "C"` with a name that starts with `weir_`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#define WEIR_KERNEL extern "C" __attribute__((used))
// Small kernels that must disappear into the loop. Cold ones: `WEIR_KERNEL __attribute__((noinline,
// cold))`.
#define WEIR_INLINE_KERNEL extern "C" __attribute__((used, always_inline)) inline

// Kernels that read behind the end of what they are given, within its page. An inlined function
// takes over what its caller asks of AddressSanitizer, so there they are functions of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_OVERREAD extern "C" __attribute__((used, noinline, no_sanitize("address")))
#endif
#endif
#ifndef WEIR_OVERREAD
#define WEIR_OVERREAD extern "C" __attribute__((used, always_inline))
#endif

using weir_i128 = __int128;

// In the order of TypeKind (compiler/type.h) and Type.Kind (plan.proto).
enum WeirTypeKind : uint8_t {
  kWeirBool,
  kWeirInt8,
  kWeirInt16,
  kWeirInt32,
  kWeirInt64,
  kWeirUInt8,
  kWeirUInt16,
  kWeirUInt32,
  kWeirUInt64,
  kWeirFloat32,
  kWeirFloat64,
  kWeirDecimal,
  kWeirString,
  kWeirBytes,
  kWeirUuid,
  kWeirDate,
  kWeirTimestamp,
  kWeirDuration,
  kWeirJson,
  kWeirEnum,
  kWeirRecord,
  kWeirList,
  kWeirMap,
};

// Text or bytes somewhere else: in the record, an arena, a table. Not terminated.
struct WeirBytes {
  const char* data;
  uint64_t size;
};
struct WeirList {
  const void* data;
  uint64_t count;
};

// Memory that is given back all at once: a stage's scratch (after each batch), a table's texts
// (with the pane). `grow` is called when the block is full; it makes a new block of at least `size`
// bytes and returns false if it may not.
struct WeirArena {
  char* next;
  char* end;
  bool (*grow)(WeirArena* arena, uint64_t size);
  void* owner;
};

// Never null: running out of memory ends the process in `grow`.
WEIR_INLINE_KERNEL char* weir_arena_take(WeirArena* arena, uint64_t size) {
  size = (size + 7) & ~uint64_t{7};
  if (__builtin_expect(uint64_t(arena->end - arena->next) < size, 0)) {
    if (!arena->grow(arena, size)) __builtin_trap();
  }
  char* taken = arena->next;
  arena->next += size;
  return taken;
}

// Why a kernel gave no value: 0, or a code of runtime/contract/reason.def.
using WeirReason = uint32_t;
