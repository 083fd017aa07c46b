// Decimals: unscaled integers, i64 up to 18 digits, else i128. A result with more digits than its
// type is an overflow.
#include "codegen/expr.h"

namespace weir::codegen {

using compiler::Op;
using compiler::Type;

static __int128 power_of_ten(unsigned digits) {
  __int128 power = 1;
  while (digits--) power *= 10;
  return power;
}

// |unscaled| < 10^precision. For 38 digits the upper halves decide nearly always; one compare on
// the fast path.
void Expressions::check_digits(llvm::Value* unscaled, const Type& type, WeirReason reason) {
  llvm::IRBuilder<>& ir = emit_.ir;
  __int128 limit = power_of_ten(type.precision);
  llvm::Type* bits = unscaled->getType();
  auto constant = [&](__int128 value) -> llvm::Value* {
    uint64_t words[2] = {uint64_t(value), uint64_t(value >> 64)};
    return llvm::ConstantInt::get(emit_.context, llvm::APInt(bits->getIntegerBitWidth(), words));
  };
  auto exceeds = [&] {
    return ir.CreateICmpUGT(ir.CreateAdd(unscaled, constant(limit - 1)),
                            constant(__int128(2 * static_cast<unsigned __int128>(limit) - 2)));
  };
  if (bits->isIntegerTy(64) || type.precision < 20) {
    fail_if(exceeds(), reason);
    return;
  }
  uint64_t high_limit = uint64_t(limit >> 64);
  llvm::Value* high =
      ir.CreateTrunc(ir.CreateLShr(unscaled, constant(64)), ir.getInt64Ty(), "high");
  // −high_limit ≤ high < high_limit is inside the limit for sure.
  llvm::Value* unsure =
      ir.CreateICmpUGE(ir.CreateAdd(high, emit_.i64(high_limit)), emit_.i64(2 * high_limit));
  emit_.if_unlikely(unsure, "digits", [&] { fail_if(exceeds(), reason); });
}

Value Expressions::decimal_arithmetic(const compiler::Expr& expr, const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  const Type& type = expr.type;
  llvm::Type* wide = ir.getInt128Ty();
  llvm::Type* bits = emit_.type(type);
  if (expr.op == Op::Add || expr.op == Op::Subtract) {
    // Two numbers of 38 digits do not wrap in 128 bits, two of 18 not in 64.
    llvm::Value* sum = expr.op == Op::Add ? ir.CreateNSWAdd(a.v, b.v, "sum")
                                          : ir.CreateNSWSub(a.v, b.v, "difference");
    check_digits(sum, type, k_overflow);
    return {sum, nullptr, nullptr, type};
  }
  if (expr.op == Op::Modulo) {
    fail_if(ir.CreateICmpEQ(b.v, llvm::Constant::getNullValue(bits)), k_division_by_zero);
    return {ir.CreateSRem(a.v, b.v), nullptr, nullptr, type};
  }
  llvm::Value* x = ir.CreateSExt(a.v, wide);
  llvm::Value* y = ir.CreateSExt(b.v, wide);
  int drop = int(a.type.scale) + int(b.type.scale) - int(type.scale);
  if (expr.op == Op::Multiply && drop == 0 && a.type.precision + b.type.precision <= 38) {
    llvm::Value* product = ir.CreateNSWMul(x, y, "product");
    if (bits == wide && a.type.precision + b.type.precision > type.precision)
      check_digits(product, type, k_overflow);
    if (bits->isIntegerTy(64)) {
      llvm::Value* narrow = ir.CreateTrunc(product, bits);
      fail_if(ir.CreateICmpNE(ir.CreateSExt(narrow, wide), product), k_overflow);
      check_digits(narrow, type, k_overflow);
      return {narrow, nullptr, nullptr, type};
    }
    return {product, nullptr, nullptr, type};
  }
  if (expr.op == Op::Divide) {
    fail_if(ir.CreateICmpEQ(y, emit_.i128(0)), k_division_by_zero);
  }
  llvm::Value* out = emit_.local(wide, "result", 16);
  const char* kernel = expr.op == Op::Multiply ? "weir_decimal_multiply" : "weir_decimal_divide";
  llvm::Value* reason = emit_.call(kernel,
                                   {x, emit_.i32(a.type.scale), y, emit_.i32(b.type.scale),
                                    emit_.i32(type.precision), emit_.i32(type.scale), out},
                                   "reason");
  emit_.fail_unless_ok(reason, subject);
  llvm::Value* result = ir.CreateLoad(wide, out);
  return {ir.CreateTrunc(result, bits), nullptr, nullptr, type};
}

}  // namespace weir::codegen
