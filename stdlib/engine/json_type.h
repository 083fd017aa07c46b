// JSON: how a type looks to the kernels that read and write any value. Codegen makes these as
// constants.
#pragma once

#include "stdlib/kernel.h"

struct WeirJsonType;

// A field of a record, in the record's order; or what a list holds (without a name).
struct WeirJsonField {
  WeirBytes name;     // in JSON, plain
  WeirBytes written;  // `"name":` with its escapes
  const WeirJsonType* type;
  const char* initial;  // for a key that is absent: the value in memory; null: none
  uint32_t offset;
  int32_t presence;  // offset of the presence byte, −1: never null
};

struct WeirJsonType {
  uint8_t kind;              // WeirTypeKind
  uint8_t precision, scale;  // decimal
  uint8_t unit;              // timestamp: 0 ms, 1 µs, 2 ns
  uint32_t count;            // record: fields; enum: cases; list, map: 1
  uint32_t size;             // of the value in memory; of a list's or map's: WeirList
  uint32_t element_size;     // list, map: from one element to the next
  const WeirJsonField*
      fields;  // record: its fields; list: its element; map: its value (keys are at offset 0)
  const WeirBytes* cases;  // enum: wire names
};
static_assert(sizeof(WeirJsonField) == 56 && sizeof(WeirJsonType) == 32);
