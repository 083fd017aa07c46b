// Calls of kernels: C++ functions of the standard library, by the prototype that clang gave them.
#include "codegen/expr.h"
#include "stdlib/call.h"

namespace weir::codegen {

using compiler::Expr;
using compiler::Type;
using compiler::TypeKind;

namespace {

// What stands around a kernel's arguments (stdlib/README.md, "Calling convention"):
//
//     [WeirArena*] [WeirSite*] argument [scale | unit | element] … [precision scale] [result*]
struct Form {
  bool arena;          // its result is made in memory, or it needs some to work
  bool site;           // it keeps something between calls: only together with an arena
  bool details;        // behind a decimal its scale, an instant its unit, a list what it holds
  bool result_digits;  // precision and scale of a decimal result
  bool reason;         // it returns a WeirReason, and its value through the last parameter
};

// Of one call in the program: what its first call prepared (WeirSite).
llvm::Value* new_site(Emit& emit, const std::string& kernel) {
  auto* type = llvm::ArrayType::get(emit.ir.getInt64Ty(), sizeof(WeirSite) / 8);
  auto* site =
      new llvm::GlobalVariable(emit.module, type, false, llvm::GlobalValue::InternalLinkage,
                               llvm::Constant::getNullValue(type), "site." + kernel);
  site->setAlignment(llvm::Align(alignof(WeirSite)));
  return site;
}

}  // namespace

Value Expressions::call_kernel(const Expr& expr, const std::vector<Value>& arguments) {
  if (!emit_.kernels.has(expr.name)) return not_yet("kernel " + expr.name, expr.type);
  llvm::IRBuilder<>& ir = emit_.ir;
  llvm::Function* kernel = emit_.kernels.declare(emit_.module, expr.name);
  bool decimal_result = expr.type.is(TypeKind::Decimal);
  llvm::Type* result_type = decimal_result ? ir.getInt128Ty() : emit_.type(expr.type);
  llvm::Value* site = llvm::ConstantPointerNull::get(emit_.ptr());
  auto flat = [&](Form form, llvm::Value* out) {
    std::vector<llvm::Value*> values;
    if (form.arena) values.push_back(emit_.arena);
    if (form.site) values.push_back(site);
    // Where in the prototype the next value goes: 128 bits are two of its parameters.
    unsigned position = unsigned(values.size());
    auto push = [&](llvm::Value* value) {
      values.push_back(value);
      position += value->getType()->isIntegerTy(128) ? 2 : 1;
    };
    for (const Value& argument : arguments) {
      const Type& type = argument.type;
      // A text for which no registers are left lies in memory.
      if (argument.size && position < kernel->arg_size() &&
          kernel->hasParamAttribute(position, llvm::Attribute::ByVal)) {
        llvm::Value* memory = emit_.local_bytes(16, "text", 8);
        emit_.store(argument.v, memory, 0);
        emit_.store(argument.size, memory, 8);
        push(memory);
      } else {
        push(type.is(TypeKind::Decimal) ? ir.CreateSExt(argument.v, ir.getInt128Ty()) : argument.v);
        if (argument.size) push(argument.size);
      }
      if (!form.details) continue;
      if (type.is(TypeKind::Decimal)) push(emit_.i32(type.scale));
      if (type.is(TypeKind::Timestamp)) push(emit_.i32(uint32_t(type.unit)));
      if (type.is(TypeKind::List) || type.is(TypeKind::Map)) push(element_of(type));
    }
    if (form.result_digits) {
      push(emit_.i32(expr.type.precision));
      push(emit_.i32(expr.type.scale));
    }
    if (form.reason) push(out);
    return values;
  };
  auto fits = [&](Form form) {
    std::vector<llvm::Type*> types;
    for (llvm::Value* value : flat(form, site)) {
      bool halves = value->getType()->isIntegerTy(128);
      types.insert(types.end(), halves ? 2 : 1, halves ? ir.getInt64Ty() : value->getType());
    }
    llvm::Type* returned = kernel->getReturnType();
    bool returns_value =
        form.reason ? returned->isIntegerTy(32) : returned->isStructTy() || returned == result_type;
    return returns_value && llvm::ArrayRef(types) == kernel->getFunctionType()->params();
  };
  for (unsigned bits = 0; bits < 32; bits++) {
    Form form{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
    if ((form.site && !form.arena) || !fits(form)) continue;
    if (form.site) site = new_site(emit_, expr.name);
    if (form.reason)
      return call_with_reason(expr, [&](llvm::Value* out) {
        return emit_.call(expr.name, flat(form, out), expr.name);
      });
    llvm::Value* returned = emit_.call(expr.name, flat(form, nullptr), expr.name);
    if (expr.type.is_text() || expr.type.is(TypeKind::List) || expr.type.is(TypeKind::Map))
      return emit_.pair(returned, expr.type, expr.name);
    if (decimal_result) returned = ir.CreateTrunc(returned, emit_.type(expr.type));
    return {returned, nullptr, nullptr, expr.type};
  }
  return not_yet("the prototype of kernel " + expr.name, expr.type);
}

// The kernel's reason: 0, "there is no value", or why the row fails.
Value Expressions::call_with_reason(const Expr& expr,
                                    const std::function<llvm::Value*(llvm::Value* out)>& call) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Type stored = expr.type.required();
  if (stored.is(TypeKind::Decimal)) stored.precision = 38;
  llvm::Value* out = emit_.local_bytes(16, "result");
  if (expr.type.optional) emit_.store_value(emit_.zero(stored), out, compiler::Slot{});
  llvm::Value* reason = call(out);
  llvm::Value* present = nullptr;
  if (expr.type.optional) {
    present = ir.CreateICmpNE(reason, emit_.i32(kReasonAbsent), "present");
    reason = ir.CreateSelect(present, reason, emit_.i32(0));
  }
  emit_.fail_unless_ok(reason, subject.empty() ? expr.name : subject + ": " + expr.name);
  Value value = emit_.load_value(stored, out, compiler::Slot{});
  if (stored.is(TypeKind::Decimal)) value.v = ir.CreateTrunc(value.v, emit_.type(expr.type));
  value.present = present;
  value.type = expr.type;
  return value;
}

llvm::Value* Expressions::element_of(const Type& container) {
  Type element = graph_.types.element(container);
  bool map = container.is(TypeKind::Map);
  std::vector<Type> fields{element};
  if (map) fields.insert(fields.begin(), compiler::type_of(TypeKind::String));
  compiler::Layout layout = compiler::layout_of(graph_.types, fields);
  uint64_t place = map                ? layout.slots[0].offset
                   : element.optional ? uint64_t(layout.slots[0].presence)
                                      : 0;
  return emit_.i64(uint64_t(element.kind) | place << 16 | uint64_t(layout.size) << 32);
}

}  // namespace weir::codegen
