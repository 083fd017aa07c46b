// What stands around the arguments of functions' kernels, beside what kernel.h has.
#pragma once

#include "stdlib/kernel.h"

// Of kernels whose result is optional: there is none, and that is no error.
inline constexpr WeirReason kReasonAbsent = UINT32_MAX;

// What a list holds, of lists whose elements' type the kernel does not know.
struct WeirElement {
  uint16_t kind;      // WeirTypeKind
  uint16_t presence;  // where the byte is that says whether it is there; 0: always.
                      // Of a map: where an entry's key is
  uint32_t size;      // bytes from one to the next
};

// Memory of one call in the program, at first zeros: what its first call prepared (a compiled
// pattern, a time zone) and later ones use. Shared by threads; see prepared.h.
struct WeirSite {
  const void* prepared;
};

// An entry of a map<string, string>.
struct WeirTextEntry {
  WeirBytes key, value;
};
