// A plain interpreter of typed expressions: one value at a time, by the language reference and not
// by what is generated. Nothing of code generation or of the kernels is in it; what it takes from
// the C++ library is the text of floats.
//
// Rows are computed when they are asked for: the error of a field counts where the field is used.
#pragma once

#include <map>

#include "compiler/graph.h"
#include "tests/differential/value.h"

namespace weir::differential {

// A record's fields, as decoded; or the values that a `select` makes of another row.
struct Row {
  const std::vector<Value>* decoded = nullptr;
  const Row* from = nullptr;
  const std::vector<compiler::Expr>* values = nullptr;
};

class Interpreter {
 public:
  explicit Interpreter(const compiler::Types& types) : types_(types) {}

  Value eval(const Row& row, const compiler::Expr& expr);
  // Field `index` of a row as a whole: what a sink writes.
  Value field(const Row& row, uint32_t index, compiler::Type type);
  // An operator or a function that is not known here; empty: all were.
  const std::string& unknown() const { return unknown_; }

 private:
  using Type = compiler::Type;
  using Expr = compiler::Expr;
  // A field or a part of one: parts that nobody asked for may be bad.
  bool is_path(const Row& row, const Expr& expr) const;
  Value path(const Row& row, const Expr& expr);
  // What is wrong inside counts.
  Value whole(Value value, Type type) const;

  Value node(const Row& row, const Expr& expr);
  Value constant(const compiler::Constant& constant, Type type) const;
  Value arithmetic(const Expr& expr, const Value& a, const Value& b) const;
  Value decimal(const Expr& expr, const Value& a, const Value& b) const;
  Value instant(const Expr& expr, const Value& a, const Value& b) const;
  bool equal(const Value& a, const Value& b, Type type) const;
  int order(const Value& a, const Value& b, Type type) const;  // 2: neither, for NaN
  Value list(const Row& row, const Expr& expr);
  Value call(const Expr& expr, const std::vector<Value>& arguments);
  Value cast(const Value& value, Type from, Type to);
  Value cast_from_text(const std::string& text, Type to);
  Value text_of(const Value& value, Type type);
  Value not_known(const std::string& what);

  const compiler::Types& types_;
  std::map<uint32_t, Value> locals_;
  std::string unknown_;
};

// The value as the JSON sink writes it; a reason if JSON can't say it.
Value json_of(const compiler::Types& types, const Value& value, compiler::Type type);

// What the kinds of integers hold; of instants and durations that of int64.
Wide least_of(compiler::TypeKind kind);
Wide most_of(compiler::TypeKind kind);
Wide power_of_ten(int digits);
std::string digits_of(Wide unscaled, int scale);
std::string date_text(int64_t days);

}  // namespace weir::differential
