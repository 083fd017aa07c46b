// Expressions → values. One `Expressions` for each function that is written.
//
// Whatever can go wrong for a row goes to the current error target of `Emit`; whatever can't be
// compiled yet is noted in `unsupported` and ends the compilation.
#pragma once

#include <map>
#include <string>

#include "codegen/emit.h"
#include "codegen/row.h"
#include "compiler/graph.h"

namespace weir::codegen {

class Expressions {
 public:
  Expressions(Emit& emit, const compiler::Graph& graph);

  Value eval(const RowShape& row, Leaves& leaves, const compiler::Expr& expr);
  // A bool or bool?: null is not true.
  llvm::Value* truth(const RowShape& row, Leaves& leaves, const compiler::Expr& expr);
  Value field(const RowShape& row, Leaves& leaves, uint32_t index, const compiler::Type& type);
  // What local `index` is for the code that follows.
  void bind(uint32_t local, const Value& value) { locals_[local] = value; }
  // Is it so cheap, and so sure not to fail, that it may be computed whether or not it is needed?
  static bool is_simple(const compiler::Expr& expr);

  // Where the results of `Op::Keep` live; only while steps and merges are written.
  llvm::Value* keeps = nullptr;
  // Begins the details of errors: "where", "key user_id".
  std::string subject;
  Memo memo;
  std::string unsupported;

 private:
  struct Place {
    const RowShape& row;
    Leaves& leaves;
  };
  Value eval(Place place, const compiler::Expr& expr);
  Value node(Place place, const compiler::Expr& expr);
  Value negate(const Value& a);
  Value arithmetic(const compiler::Expr& expr, const Value& a, const Value& b);
  Value integer_arithmetic(compiler::Op op, const Value& a, const Value& b);
  Value float_arithmetic(compiler::Op op, const Value& a, const Value& b);
  Value decimal_arithmetic(const compiler::Expr& expr, const Value& a,
                           const Value& b);  // expr_decimal.cpp
  Value time_arithmetic(const compiler::Expr& expr, const Value& a,
                        const Value& b);                           // expr_time.cpp
  Value compare(compiler::Op op, const Value& a, const Value& b);  // expr_compare.cpp
  llvm::Value* equal_values(const Value& a, const Value& b);
  llvm::Value* compare_texts(const Value& a, const Value& b);
  Value cast(const compiler::Expr& expr, const Value& value);  // expr_cast.cpp
  Value cast_number(const Value& value, const compiler::Type& to);
  Value cast_time(const Value& value, const compiler::Type& to);
  Value cast_to_text(const Value& value, const compiler::Type& to);
  Value cast_from_text(const Value& value, const compiler::Type& to);
  Value fit_integer(llvm::Value* from, bool from_unsigned, const compiler::Type& type);
  Value fit_decimal(llvm::Value* wide, const compiler::Type& type, unsigned digits_most);
  Value scale_decimal(llvm::Value* unscaled, unsigned digits, unsigned scale,
                      const compiler::Type& to);
  Value lists(Place place, const compiler::Expr& expr);  // expr_list.cpp
  Value index(const compiler::Expr& expr, const Value& container, const Value& at);
  Value make_record(Place place, const compiler::Expr& expr);
  Value make_list(Place place, const compiler::Expr& expr);
  Value key_bytes(Place place, const compiler::Expr& expr);
  Value key_values(Place place, const compiler::Expr& expr);
  Value call_kernel(const compiler::Expr& expr,
                    const std::vector<Value>& arguments);  // expr_call.cpp
  Value call_with_reason(const compiler::Expr& expr,
                         const std::function<llvm::Value*(llvm::Value* out)>& call);
  llvm::Value* element_of(const compiler::Type& container);
  Value not_yet(const std::string& what, const compiler::Type& type);
  void fail_if(llvm::Value* condition, WeirReason reason);
  void check_digits(llvm::Value* unscaled, const compiler::Type& type, WeirReason reason);
  template <typename Body>
  Value inside(Body body);  // in a branch: what it computes is forgotten behind it

  Emit& emit_;
  const compiler::Graph& graph_;
  compiler::Layout params_;
  std::map<uint32_t, Value> locals_;
};

enum Reason : WeirReason {
#define REASON(number, name, text) k_##name = number,
#include "runtime/contract/reason.def"
#undef REASON
};

}  // namespace weir::codegen
