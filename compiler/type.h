// Types as the compiler knows them: small values that refer to records, enums and elements by id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dsl/source.h"

namespace weir::compiler {

enum class TypeKind : uint8_t {
  Bool,
  Int8,
  Int16,
  Int32,
  Int64,
  UInt8,
  UInt16,
  UInt32,
  UInt64,
  Float32,
  Float64,
  Decimal,
  String,
  Bytes,
  Uuid,
  Date,
  Timestamp,
  Duration,
  Json,
  Enum,
  Record,
  List,
  Map,
  Null,   // the type of `null` before it meets another
  Error,  // already reported: agrees with everything
};
enum class TimeUnit : uint8_t { Milli, Micro, Nano };

using RecordId = uint32_t;
using EnumId = uint32_t;

// How values look in memory, everywhere (stages, state, kernels):
//
//   bool, int8 … uint64, float32, float64     as in C
//   decimal(p, s)    unscaled; int64_t if p ≤ 18, else __int128 (aligned to 16)
//   string, bytes, json    WeirBytes {data, size}, 16 bytes
//   uuid             16 bytes, big endian       date      int32_t days since 1970-01-01
//   timestamp(u)     int64_t in unit u          duration  int64_t microseconds
//   enum             int32_t, the case's place in its declaration
//   list             WeirList {data, count}; elements laid out by `Layout`
//   map              WeirList of {string key, value}, in the order of the input, first of equal
//   keys record           its fields by `Layout`, inline T?               the value, and one byte
//   beside it: 1 present, 0 null
struct Type {
  TypeKind kind = TypeKind::Error;
  bool optional = false;
  uint8_t precision = 0, scale = 0;  // Decimal
  TimeUnit unit = TimeUnit::Milli;   // Timestamp
  uint32_t ref = 0;  // Record: RecordId; Enum: EnumId; List, Map: index in Types::elements

  bool operator==(const Type&) const = default;
  Type required() const {
    Type t = *this;
    t.optional = false;
    return t;
  }
  Type nullable() const {
    Type t = *this;
    t.optional = true;
    return t;
  }
  bool is(TypeKind k) const { return kind == k; }
  bool is_integer() const { return kind >= TypeKind::Int8 && kind <= TypeKind::UInt64; }
  bool is_float() const { return kind == TypeKind::Float32 || kind == TypeKind::Float64; }
  bool is_numeric() const { return is_integer() || is_float() || kind == TypeKind::Decimal; }
  bool is_text() const {
    return kind == TypeKind::String || kind == TypeKind::Bytes || kind == TypeKind::Json;
  }
  bool is_wide_decimal() const { return kind == TypeKind::Decimal && precision > 18; }
};

inline Type type_of(TypeKind kind) {
  Type t;
  t.kind = kind;
  return t;
}
inline Type decimal_type(uint8_t precision, uint8_t scale) {
  Type t = type_of(TypeKind::Decimal);
  t.precision = precision;
  t.scale = scale;
  return t;
}
inline Type timestamp_type(TimeUnit unit) {
  Type t = type_of(TypeKind::Timestamp);
  t.unit = unit;
  return t;
}

// A value known at compile time. Which alternative holds is decided by the type beside it:
// bool → bool; integers, date, timestamp, duration, enum → int64_t (uint64 as its bits); floats →
// double; decimal → __int128 unscaled; string, bytes, json, uuid (16 bytes) → std::string; null →
// monostate.
struct Constant {
  using List = std::vector<Constant>;  // list elements; record fields in order
  std::variant<std::monostate, bool, int64_t, double, __int128, std::string, List> value;
  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
};

struct Field {
  std::string name;
  std::string wire_name;  // in JSON; the name unless `as` renames
  Type type;
  std::optional<Constant> initial;  // `= literal`: for a key that is absent
  dsl::Span span;
};
// A declared record, or the row of a stream (then `name` is empty).
struct RecordType {
  std::string name;
  std::vector<Field> fields;
  dsl::Span span;
};
struct EnumType {
  struct Case {
    std::string name, wire_name;
  };
  std::string name;
  std::vector<Case> cases;
};

// Owns what types refer to. Ids are never reused.
struct Types {
  std::vector<RecordType> records;
  std::vector<EnumType> enums;
  std::vector<Type> elements;

  const RecordType& record(Type t) const { return records[t.ref]; }
  const EnumType& enumeration(Type t) const { return enums[t.ref]; }
  Type element(Type t) const { return elements[t.ref]; }
  // The list type of `element`; equal elements give equal types. Likewise `map_of`.
  Type list_of(Type element);
  Type map_of(Type element);
};

// The word of a kind: "int64", "decimal", "list"; empty for Null and Error.
const char* kind_name(TypeKind kind);
// The kind of a type that is one word without arguments ("int64", "uuid"); nothing for others.
std::optional<TypeKind> plain_kind(std::string_view name);

// "decimal(12, 2)?", "list<RideEvent>".
std::string to_text(const Types& types, Type type);

}  // namespace weir::compiler
