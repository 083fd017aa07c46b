// A value of the plain interpreter. Its type stands beside it, in the expression or the schema.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::differential {

using Wide = __int128;

// The reasons of runtime/contract/reason.def.
enum class Reason : uint32_t {
#define REASON(number, name, text) name = (number),
#include "runtime/contract/reason.def"
#undef REASON
};

struct Value {
  Reason error = Reason::none;  // any other: then there is no value
  bool null = false;
  Wide number = 0;           // bool, integers, decimals unscaled, enums, dates, instants, durations
  double real = 0;           // floats; of a float32 exactly its value
  std::string text;          // string; uuid: 16 bytes
  std::vector<Value> items;  // list; fields of a record; keys and values of a map in turn
  bool failed() const { return error != Reason::none; }
};

inline Value failure(Reason reason) {
  Value value;
  value.error = reason;
  return value;
}
inline Value of_number(Wide number) {
  Value value;
  value.number = number;
  return value;
}
inline Value of_real(double real) {
  Value value;
  value.real = real;
  return value;
}
inline Value of_text(std::string text) {
  Value value;
  value.text = std::move(text);
  return value;
}
inline Value no_value() {
  Value value;
  value.null = true;
  return value;
}

const char* reason_name(Reason reason);

}  // namespace weir::differential
