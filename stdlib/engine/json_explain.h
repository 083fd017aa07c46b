// JSON: saying what is wrong with a record. Cold: runs once for each row that is put aside.
#pragma once

#include "stdlib/kernel.h"

// Where an object should begin and does not, at least not at `p`: behind white space (reason 0), or
// it is something else (a reason; the position is behind it). Null: malformed.
extern "C" const char* weir_json_open(const char* p, const char* end, WeirReason* reason);

// Of a record that the decoder gave up: the reason, and "malformed at byte 57" in the arena.
extern "C" WeirReason weir_json_explain(WeirArena* arena, const char* begin, const char* end,
                                        WeirBytes* detail);
// Of one that weir_json_strict gave up, at `place`.
extern "C" WeirReason weir_json_explain_strict(WeirArena* arena, const char* begin, const char* end,
                                               const char* place, WeirBytes* detail);

// "amount: wrong_type at byte 57". `reasons` are the names of the reasons from 7000 on; position
// ~0: none.
extern "C" void weir_json_detail(WeirArena* arena, const WeirBytes* name, const WeirBytes* reasons,
                                 WeirReason reason, uint32_t position, WeirBytes* detail);
