// Typed expressions: what the checker makes of the syntax, and what code is generated from.
//
// A tree by value, free to copy and rewrite. Every node has its type; casts and null steps are
// explicit, so the operands of an operator have exactly the types that its comment says. Functions,
// aggregates and `match` are already expanded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/type.h"

namespace weir::compiler {

enum class Op : uint8_t {
  // leaves
  Constant,   // `constant`
  Field,      // field `index` of the row that the step reads
  Local,      // local number `index` (Let, lambda parameter)
  Param,      // parameter `index` of the program
  EventTime,  // the row's event time, int64 microseconds as timestamp(us)
  Meta,       // `index` is a MetaField: of the record that the row came from
  State,      // aggregate bodies: state field `index` of this group
  Other,      // aggregate merges: state field `index` of the group that is merged in
  Argument,   // aggregate steps: argument `index`, already evaluated once, never null
  // null: optional ⇄ required
  Wrap,      // T → T?
  Unwrap,    // T? → T, proven present by the checker
  IsNull,    // T? → bool
  Coalesce,  // (T?, T) → T or (T?, T?) → T?; the second only if needed
  // arithmetic: operands and result of one type unless said; overflow, division by zero are row
  // errors
  Negate,
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  // Divide: floats, or decimals; decimal operands keep their own scales, the result has the
  // type's (Multiply, Divide). Timestamps: Subtract of equal units → duration;
  // Add, Subtract of a duration (exact, else an error). duration / duration is cast to float64
  // before.
  // comparison → bool; both operands of one type. Equal, NotEqual take optionals (null equals
  // null).
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
  Not,         // bool; the second only if needed
  If,          // (bool, T, T) → T
  Let,         // local `index` = args[0] in args[1]
  Cast,        // to `type`; a value that does not fit or can't be read is a row error. Optional in,
               // optional out.
  Try,         // T → T?: an error becomes null (T? → T?)
  Fail,        // (string) → never: a row error with that reason; has the type its place needs
  Call,        // kernel `name` (args); see stdlib
  Keep,        // in steps and merges: as Call, and what it makes lives as long as the group
  KeyBytes,    // (values …) → bytes: their canonical key bytes (stdlib/engine/key.h)
  KeyValues,   // (list<bytes>, carriers of the types of the key's values …) → list of the last ones
  Member,      // field `index` of a record value
  MakeRecord,  // fields in order
  MakeList,    // elements; of a map keys and values in turn
  Index,       // (list, int64) → element, out of range is a row error; (map, string) → element?
  ListMap,
  ListFilter,
  ListAny,
  ListAll,   // (list, body); the element is local `index`
  KeyField,  // in a fired row: component `index` of the group's key
  WindowStart,
  WindowEnd,  // in a fired row: int64 micros as timestamp(us)
};

enum class MetaField : uint8_t { Topic, Partition, Offset, Timestamp, Key, Headers };
// string, int32, int64, timestamp(ms), bytes?, map<string, bytes?>

struct Expr {
  Op op = Op::Constant;
  Type type;
  std::vector<Expr> args;
  uint32_t index = 0;
  std::string name;   // Call: the kernel
  Constant constant;  // Constant
  dsl::Span span;
};

}  // namespace weir::compiler
