// `T(e)`: exact conversions are instructions, the ones that read or write text are kernels
// (stdlib/convert.cpp). What does not fit its type, or can't be read, is a row error.
#include "codegen/expr.h"
#include "codegen/key.h"

namespace weir::codegen {

using compiler::Expr;
using compiler::TimeUnit;
using compiler::Type;
using compiler::TypeKind;

static int64_t units_per_second(TimeUnit unit) {
  return unit == TimeUnit::Milli ? 1000 : unit == TimeUnit::Micro ? 1000000 : 1000000000;
}

static __int128 power_of_ten(unsigned digits) {
  __int128 power = 1;
  while (digits--) power *= 10;
  return power;
}

// An integer's value in 128 bits.
static llvm::Value* widened(Emit& emit, const Value& value) {
  llvm::Type* wide = emit.ir.getInt128Ty();
  return is_unsigned(value.type) || value.type.is(TypeKind::Bool)
             ? emit.ir.CreateZExt(value.v, wide)
             : emit.ir.CreateSExt(value.v, wide);
}

static llvm::Value* floor_divide(Emit& emit, llvm::Value* value, int64_t by) {
  llvm::Value* negative = emit.ir.CreateAShr(value, emit.i64(63));
  return emit.ir.CreateXor(
      emit.ir.CreateSDiv(emit.ir.CreateXor(value, negative), emit.i64(uint64_t(by))), negative);
}

namespace {

// The second half of a kernel's name for the kinds that convert.cpp knows, null for others.
const char* kind_name(const Type& type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return "bool";
    case TypeKind::Int8:
    case TypeKind::Int16:
    case TypeKind::Int32:
    case TypeKind::Int64:
      return "int64";
    case TypeKind::UInt8:
    case TypeKind::UInt16:
    case TypeKind::UInt32:
    case TypeKind::UInt64:
      return "uint64";
    case TypeKind::Float32:
      return "float32";
    case TypeKind::Float64:
      return "float64";
    case TypeKind::Decimal:
      return "decimal";
    case TypeKind::Uuid:
      return "uuid";
    case TypeKind::Date:
      return "date";
    case TypeKind::Timestamp:
      return "timestamp";
    case TypeKind::Duration:
      return "duration";
    default:
      return nullptr;
  }
}

}  // namespace

// The integer `from` as one of `type`: a range check where the type is narrower.
Value Expressions::fit_integer(llvm::Value* from, bool from_unsigned, const Type& type) {
  llvm::IRBuilder<>& ir = emit_.ir;
  llvm::Type* bits = emit_.type(type);
  unsigned have = from->getType()->getIntegerBitWidth(), want = bits->getIntegerBitWidth();
  bool to_unsigned = is_unsigned(type);
  bool fits =
      from_unsigned ? want > have || (want == have && to_unsigned) : !to_unsigned && want >= have;
  if (!fits) {
    // There and back, with room for every sign.
    unsigned room = std::max(have, want) + 1;
    llvm::Type* roomy = ir.getIntNTy(room);
    llvm::Value* exact = from_unsigned ? ir.CreateZExt(from, roomy) : ir.CreateSExt(from, roomy);
    llvm::Value* narrow = ir.CreateTrunc(exact, bits);
    llvm::Value* back = to_unsigned ? ir.CreateZExt(narrow, roomy) : ir.CreateSExt(narrow, roomy);
    fail_if(ir.CreateICmpNE(exact, back), k_bad_cast);
    return {narrow, nullptr, nullptr, type};
  }
  return {ir.CreateIntCast(from, bits, !from_unsigned), nullptr, nullptr, type};
}

// `wide` (i128 unscaled, at the type's scale) as a value of the decimal type.
Value Expressions::fit_decimal(llvm::Value* wide, const Type& type, unsigned digits_most) {
  if (digits_most > type.precision) {
    Type checked = type;
    if (!type.is_wide_decimal()) {
      // Checked in 128 bits, then narrow.
      __int128 limit = power_of_ten(type.precision);
      llvm::Value* shifted = emit_.ir.CreateAdd(wide, emit_.i128(limit - 1));
      fail_if(emit_.ir.CreateICmpUGT(shifted, emit_.i128(2 * limit - 2)), k_bad_cast);
    } else {
      check_digits(wide, checked, k_bad_cast);
    }
  }
  return {emit_.ir.CreateTrunc(wide, emit_.type(type)), nullptr, nullptr, type};
}

Value Expressions::cast_number(const Value& value, const Type& to) {
  llvm::IRBuilder<>& ir = emit_.ir;
  const Type& from = value.type;
  bool from_integer = from.is_integer() || from.is(TypeKind::Bool);
  llvm::Type* target = emit_.type(to);
  if (from_integer && to.is_integer())
    return fit_integer(value.v, is_unsigned(from) || from.is(TypeKind::Bool), to);
  if (from_integer && to.is_float()) {
    bool has_no_sign = is_unsigned(from) || from.is(TypeKind::Bool);
    return {has_no_sign ? ir.CreateUIToFP(value.v, target) : ir.CreateSIToFP(value.v, target),
            nullptr, nullptr, to};
  }
  if (from_integer && to.is(TypeKind::Decimal)) {
    unsigned bits = value.v->getType()->getIntegerBitWidth();
    unsigned digits = bits >= 64   ? (is_unsigned(from) ? 20 : 19)
                      : bits >= 32 ? 10
                      : bits >= 16 ? 5
                                   : 3;
    return scale_decimal(widened(emit_, value), digits, 0, to);
  }
  if (from.is(TypeKind::Decimal) && to.is(TypeKind::Decimal)) {
    return scale_decimal(ir.CreateSExt(value.v, ir.getInt128Ty()), from.precision, from.scale, to);
  }
  if (from.is(TypeKind::Decimal) && to.is_float()) {
    llvm::Value* number =
        emit_.call("weir_decimal_to_float64",
                   {ir.CreateSExt(value.v, ir.getInt128Ty()), emit_.i32(from.scale)});
    return {ir.CreateFPCast(number, target), nullptr, nullptr, to};
  }
  if (from.is(TypeKind::Decimal) && to.is_integer()) {
    bool wide_unsigned = to.is(TypeKind::UInt64);
    llvm::Value* out = emit_.local(ir.getInt64Ty(), "result");
    llvm::Value* reason =
        emit_.call(wide_unsigned ? "weir_decimal_to_uint64" : "weir_decimal_to_int64",
                   {ir.CreateSExt(value.v, ir.getInt128Ty()), emit_.i32(from.scale), out});
    emit_.fail_unless_ok(reason, subject);
    return fit_integer(ir.CreateLoad(ir.getInt64Ty(), out), wide_unsigned, to);
  }
  if (from.is_float() && to.is(TypeKind::Decimal)) {
    llvm::Value* out = emit_.local(ir.getInt128Ty(), "result", 16);
    llvm::Value* number = ir.CreateFPCast(value.v, ir.getDoubleTy());
    llvm::Value* reason = emit_.call("weir_decimal_from_float64",
                                     {number, emit_.i32(to.precision), emit_.i32(to.scale), out});
    emit_.fail_unless_ok(reason, subject);
    return {ir.CreateTrunc(ir.CreateLoad(ir.getInt128Ty(), out), target), nullptr, nullptr, to};
  }
  if (from.is_float() && to.is_integer()) {
    // Towards zero. The limits are powers of two, so they are exact as floats; NaN is inside no
    // range.
    unsigned bits = target->getIntegerBitWidth();
    bool no_sign = is_unsigned(to);
    double above = __builtin_ldexp(1.0, int(no_sign ? bits : bits - 1));
    llvm::Value* whole = ir.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, value.v);
    llvm::Value* fits = ir.CreateAnd(
        ir.CreateFCmpOGE(whole, llvm::ConstantFP::get(value.v->getType(), no_sign ? 0.0 : -above)),
        ir.CreateFCmpOLT(whole, llvm::ConstantFP::get(value.v->getType(), above)));
    fail_if(ir.CreateNot(fits), k_bad_cast);
    return {no_sign ? ir.CreateFPToUI(whole, target) : ir.CreateFPToSI(whole, target), nullptr,
            nullptr, to};
  }
  // Between floats.
  llvm::Value* result = ir.CreateFPCast(value.v, target);
  if (from.is(TypeKind::Float64) && to.is(TypeKind::Float32)) {
    llvm::Value* infinity = llvm::ConstantFP::getInfinity(ir.getDoubleTy());
    llvm::Value* size_before = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value.v);
    llvm::Value* size_after = ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, result);
    llvm::Value* lost =
        ir.CreateAnd(ir.CreateFCmpOLT(size_before, infinity),
                     ir.CreateFCmpOEQ(size_after, llvm::ConstantFP::getInfinity(ir.getFloatTy())));
    fail_if(lost, k_bad_cast);
  }
  return {result, nullptr, nullptr, to};
}

// `unscaled` (i128) of at most `digits` digits and `scale` → a decimal type; half even where digits
// go.
Value Expressions::scale_decimal(llvm::Value* unscaled, unsigned digits, unsigned scale,
                                 const Type& to) {
  llvm::IRBuilder<>& ir = emit_.ir;
  if (to.scale >= scale && digits + to.scale - scale <= 38) {
    unsigned more = to.scale - scale;
    llvm::Value* scaled =
        more ? ir.CreateNSWMul(unscaled, emit_.i128(power_of_ten(more))) : unscaled;
    return fit_decimal(scaled, to, digits + more);
  }
  llvm::Value* out = emit_.local(ir.getInt128Ty(), "result", 16);
  llvm::Value* reason =
      emit_.call("weir_decimal_rescale",
                 {unscaled, emit_.i32(scale), emit_.i32(to.precision), emit_.i32(to.scale), out});
  emit_.fail_unless_ok(reason, subject);
  return {ir.CreateTrunc(ir.CreateLoad(ir.getInt128Ty(), out), emit_.type(to)), nullptr, nullptr,
          to};
}

Value Expressions::cast_time(const Value& value, const Type& to) {
  const Type& from = value.type;
  llvm::IRBuilder<>& ir = emit_.ir;
  Type number = compiler::type_of(TypeKind::Int64);
  auto times = [&](llvm::Value* v, int64_t by) {
    return integer_arithmetic(compiler::Op::Multiply, {v, nullptr, nullptr, number},
                              {emit_.i64(uint64_t(by)), nullptr, nullptr, number})
        .v;
  };
  llvm::Value* v = nullptr;
  if (from.is(TypeKind::Date)) {
    v = times(ir.CreateSExt(value.v, ir.getInt64Ty()), 86400 * units_per_second(to.unit));
  } else if (to.is(TypeKind::Date)) {
    Value days = fit_integer(floor_divide(emit_, value.v, 86400 * units_per_second(from.unit)),
                             false, compiler::type_of(TypeKind::Int32));
    v = days.v;
  } else {
    int64_t have = units_per_second(from.unit), want = units_per_second(to.unit);
    v = want == have  ? value.v
        : want > have ? times(value.v, want / have)
                      : floor_divide(emit_, value.v, have / want);
  }
  return {v, nullptr, nullptr, to};
}

Value Expressions::cast_to_text(const Value& value, const Type& to) {
  if (value.type.is_text()) {
    if (value.type.is(TypeKind::Bytes))
      fail_if(emit_.ir.CreateNot(emit_.call("weir_utf8_valid", {value.v, value.size})), k_bad_cast);
    return value;
  }
  if (value.type.is(TypeKind::Enum)) return enum_text(emit_, value);
  const char* kind = kind_name(value.type);
  std::string kernel = std::string("weir_text_from_") + (kind ? kind : "");
  if (!kind || !emit_.kernels.has(kernel))
    return not_yet("a cast of " + compiler::to_text(graph_.types, value.type) + " to string", to);
  llvm::Value* v = value.v;
  if (value.type.is_integer())
    v = emit_.ir.CreateIntCast(v, emit_.ir.getInt64Ty(), !is_unsigned(value.type));
  std::vector<llvm::Value*> arguments{emit_.arena, v};
  if (value.type.is(TypeKind::Decimal))
    arguments = {emit_.arena, emit_.ir.CreateSExt(v, emit_.ir.getInt128Ty()),
                 emit_.i32(value.type.scale)};
  if (value.type.is(TypeKind::Timestamp)) arguments.push_back(emit_.i32(uint32_t(value.type.unit)));
  return emit_.pair(emit_.call(kernel, arguments), to, "text");
}

Value Expressions::cast_from_text(const Value& value, const Type& to) {
  llvm::IRBuilder<>& ir = emit_.ir;
  if (to.is(TypeKind::Enum)) {
    llvm::Value* unknown = nullptr;
    Value result = enum_case(emit_, to, value, &unknown);
    fail_if(unknown, k_unknown_case);
    return result;
  }
  const char* kind = kind_name(to);
  std::string kernel = std::string("weir_text_to_") + (kind ? kind : "");
  if (!kind || !emit_.kernels.has(kernel))
    return not_yet("a cast of string to " + compiler::to_text(graph_.types, to), to);
  llvm::Type* result_type = to.is_integer()            ? ir.getInt64Ty()
                            : to.is(TypeKind::Decimal) ? ir.getInt128Ty()
                            : to.is(TypeKind::Bool)    ? ir.getInt8Ty()
                                                       : emit_.type(to);
  llvm::Value* out = emit_.local(result_type, "result", 16);
  std::vector<llvm::Value*> arguments{value.v, value.size};
  if (to.is(TypeKind::Decimal))
    arguments.insert(arguments.end(), {emit_.i32(to.precision), emit_.i32(to.scale)});
  if (to.is(TypeKind::Timestamp)) arguments.push_back(emit_.i32(uint32_t(to.unit)));
  arguments.push_back(out);
  emit_.fail_unless_ok(emit_.call(kernel, arguments),
                       subject.empty() ? "cast" : subject + ": cast");
  llvm::Value* result = ir.CreateLoad(result_type, out);
  if (to.is_integer()) return fit_integer(result, is_unsigned(to), to);
  if (to.is(TypeKind::Decimal) || to.is(TypeKind::Bool))
    result = ir.CreateTrunc(result, emit_.type(to));
  return {result, nullptr, nullptr, to};
}

// `value` is there.
Value Expressions::cast(const Expr& expr, const Value& value) {
  Type to = expr.type.required();
  Type from = value.type.required();
  Value input = value;
  input.type = from;
  if (from == to) return input;
  if (from.is(TypeKind::Null)) return emit_.zero(to);
  bool from_number = from.is_numeric() || from.is(TypeKind::Bool);
  if (from_number && to.is_numeric()) return cast_number(input, to);
  auto is_day_or_instant = [](const Type& type) {
    return type.is(TypeKind::Timestamp) || type.is(TypeKind::Date);
  };
  if (is_day_or_instant(from) && is_day_or_instant(to)) return cast_time(input, to);
  if (to.is(TypeKind::String)) return cast_to_text(input, to);
  if (from.is(TypeKind::String) && to.is(TypeKind::Bytes)) return input;
  if (from.is(TypeKind::String) && !to.is_text()) return cast_from_text(input, to);
  // Instants and durations as plain numbers of their unit, and back.
  auto is_count = [](const Type& type) {
    return type.is(TypeKind::Timestamp) || type.is(TypeKind::Duration) || type.is(TypeKind::Date);
  };
  auto as_number = [](Type type) {
    return compiler::type_of(type.is(TypeKind::Date) ? TypeKind::Int32 : TypeKind::Int64);
  };
  if (is_count(from) && to.is_numeric()) {
    input.type = as_number(from);
    return input.type == to ? input : cast_number(input, to);
  }
  if (from.is_integer() && is_count(to)) {
    Value number = fit_integer(input.v, is_unsigned(from), as_number(to));
    number.type = to;
    return number;
  }
  return not_yet("a cast of " + compiler::to_text(graph_.types, from) + " to " +
                     compiler::to_text(graph_.types, to),
                 to);
}

}  // namespace weir::codegen
