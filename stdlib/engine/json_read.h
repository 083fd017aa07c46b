// JSON: reading any value of any type, exactly. The short ways of json_number.h and json_text.h end
// here when they don't apply; records, lists and maps that are wanted whole come here at once.
//
// What is accepted, beyond the strict grammar of JSON:
//
//     integers      numbers with fraction or exponent too, if they are integral: 1.0, 1e3
//     decimal(p,s)  numbers, and the same as text ("12.30"); digits beyond the scale must be zeros
//     timestamp     an integral number in its unit, or RFC 3339 text; digits beyond the unit must
//     be zeros date          "2025-01-31"          duration   an integral number of microseconds
//     uuid          36 characters of text bytes      base64 text, with or without its padding
//     enum          a wire name           json       any value of the strict grammar, kept as text
//
// A failure is a reason; structure (where the value ends) is then what json_scan.h says.
#pragma once

#include "stdlib/engine/json_text.h"
#include "stdlib/engine/json_type.h"

// The value at `p` into `to`. Returns the position behind it, or null: malformed. If `reason` is
// not 0 there is no value, and what is behind it stays readable; kJsonNull: it is `null`. Malformed
// is a reason too.
extern "C" const char* weir_json_read(const char* p, const char* end, WeirArena* arena,
                                      const WeirJsonType* type, char* to, WeirReason* reason);

// The position behind a value of the strict grammar, strings in UTF-8; null if it is not one.
extern "C" const char* weir_json_check(const char* p, const char* end);

// What validation `strict` asks of a record: an object of that grammar, white space around it, and
// nothing else. Null, or the position at which it is not.
extern "C" const char* weir_json_strict(const char* begin, const char* end);

// Text that holds one value: base64 into `to`, which has room for 3 bytes of each 4 (the size, or
// −1) …
extern "C" int64_t weir_base64_read(const char* text, uint64_t size, char* to);
// … and "123e4567-e89b-12d3-a456-426614174000", either case, into 16 bytes.
extern "C" bool weir_uuid_read(const char* text, uint64_t size, char* to);

// A number of the strict grammar.
struct WeirJsonNumber {
  const char* digits;  // the first digit; a point may follow among them
  const char* end;     // behind the last digit before the exponent
  int64_t exponent;
  bool negative;
};
// The position behind the number at `p`, or null. A delimiter has to follow, or `end`.
extern "C" const char* weir_json_scan_number(const char* p, const char* end,
                                             WeirJsonNumber* number);
// The number times 10^scale. False: not integral, or more than 38 digits.
extern "C" bool weir_json_scale_number(const WeirJsonNumber* number, int32_t scale,
                                       weir_i128* value);
