// Comparison. Null equals null; floats as IEEE says; texts by their bytes.
#include "codegen/expr.h"

namespace weir::codegen {

using compiler::Op;
using compiler::Type;
using compiler::TypeKind;

static bool orders_unsigned(const Type& type) {
  return type.is(TypeKind::Bool) || is_unsigned(type);
}

// Less than 0, 0 or greater, as i32.
llvm::Value* Expressions::compare_texts(const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  llvm::Value* shorter = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, a.size, b.size);
  llvm::FunctionCallee memcmp = emit_.module.getOrInsertFunction(
      "memcmp", ir.getInt32Ty(), emit_.ptr(), emit_.ptr(), ir.getInt64Ty());
  llvm::Value* bytes = ir.CreateCall(memcmp, {a.v, b.v, shorter});
  llvm::Value* sizes =
      ir.CreateSub(ir.CreateZExt(ir.CreateICmpUGT(a.size, b.size), ir.getInt32Ty()),
                   ir.CreateZExt(ir.CreateICmpULT(a.size, b.size), ir.getInt32Ty()));
  return ir.CreateSelect(ir.CreateICmpEQ(bytes, emit_.i32(0)), sizes, bytes);
}

// Both are there.
llvm::Value* Expressions::equal_values(const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  if (a.type.is_float()) return ir.CreateFCmpOEQ(a.v, b.v);
  if (a.type.is_text()) {
    // Sizes first: then the bytes of a literal are compared as one or two words.
    llvm::Value* size = llvm::isa<llvm::Constant>(a.size) ? a.size : b.size;
    Value equal = emit_.choose(
        ir.CreateICmpEQ(a.size, b.size), "text.equal",
        [&] {
          llvm::FunctionCallee memcmp = emit_.module.getOrInsertFunction(
              "memcmp", ir.getInt32Ty(), emit_.ptr(), emit_.ptr(), ir.getInt64Ty());
          return Value{ir.CreateICmpEQ(ir.CreateCall(memcmp, {a.v, b.v, size}), emit_.i32(0)),
                       nullptr,
                       nullptr,
                       {}};
        },
        [&] { return Value{emit_.i1(false), nullptr, nullptr, {}}; });
    return equal.v;
  }
  if (a.type.is(TypeKind::Record)) {
    std::vector<Type> fields;
    for (auto& field : graph_.types.record(a.type).fields) fields.push_back(field.type);
    compiler::Layout layout = compiler::layout_of(graph_.types, fields);
    llvm::Value* all = emit_.i1(true);
    for (size_t i = 0; i < fields.size(); i++) {
      Value x = emit_.load_value(fields[i], a.v, layout.slots[i]);
      Value y = emit_.load_value(fields[i], b.v, layout.slots[i]);
      all = ir.CreateAnd(all, compare(Op::Equal, x, y).v);
    }
    return all;
  }
  if (a.type.is(TypeKind::List)) {
    Type element = graph_.types.element(a.type);
    compiler::Layout layout = compiler::layout_of(graph_.types, {element});
    llvm::Value* answer = emit_.local(ir.getInt1Ty(), "list.equal");
    llvm::Value* same_size = ir.CreateICmpEQ(a.size, b.size);
    ir.CreateStore(same_size, answer);
    llvm::Value* count = ir.CreateSelect(same_size, a.size, emit_.i64(0));
    llvm::BasicBlock* done = emit_.block("list.compared");
    emit_.loop(count, "list", [&](llvm::Value* i) {
      llvm::Value* offset = ir.CreateMul(i, emit_.i64(layout.size));
      Value x = emit_.load_value(element, emit_.at(a.v, offset), layout.slots[0]);
      Value y = emit_.load_value(element, emit_.at(b.v, offset), layout.slots[0]);
      llvm::Value* equal = compare(Op::Equal, x, y).v;
      llvm::BasicBlock* differ = emit_.block("list.differ");
      llvm::BasicBlock* next = emit_.block("list.next");
      emit_.branch(equal, next, differ);
      emit_.enter(differ);
      ir.CreateStore(emit_.i1(false), answer);
      emit_.jump(done);
      emit_.enter(next);
    });
    emit_.enter(done);
    return ir.CreateLoad(ir.getInt1Ty(), answer);
  }
  if (a.type.is(TypeKind::Map))
    return not_yet("comparing maps", compiler::type_of(TypeKind::Bool)).v;
  return ir.CreateICmpEQ(a.v, b.v);
}

Value Expressions::compare(Op op, const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Type type = compiler::type_of(TypeKind::Bool);
  if (op == Op::Equal || op == Op::NotEqual) {
    llvm::Value* equal = nullptr;
    if (a.present || b.present) {
      llvm::Value* yes = emit_.i1(true);
      llvm::Value* pa = a.present ? a.present : yes;
      llvm::Value* pb = b.present ? b.present : yes;
      Value both = emit_.choose(
          ir.CreateAnd(pa, pb), "both",
          [&] { return Value{equal_values(a, b), nullptr, nullptr, type}; },
          [&] { return Value{ir.CreateNot(ir.CreateOr(pa, pb)), nullptr, nullptr, type}; });
      equal = both.v;
    } else {
      equal = equal_values(a, b);
    }
    return {op == Op::Equal ? equal : ir.CreateNot(equal), nullptr, nullptr, type};
  }
  auto pick = [&](llvm::CmpInst::Predicate less, llvm::CmpInst::Predicate less_equal,
                  llvm::CmpInst::Predicate greater, llvm::CmpInst::Predicate greater_equal) {
    return op == Op::Less        ? less
           : op == Op::LessEqual ? less_equal
           : op == Op::Greater   ? greater
                                 : greater_equal;
  };
  using P = llvm::CmpInst;
  auto is_signed = pick(P::ICMP_SLT, P::ICMP_SLE, P::ICMP_SGT, P::ICMP_SGE);
  if (a.type.is_float()) {
    return {ir.CreateFCmp(pick(P::FCMP_OLT, P::FCMP_OLE, P::FCMP_OGT, P::FCMP_OGE), a.v, b.v),
            nullptr, nullptr, type};
  }
  if (a.type.is_text())
    return {ir.CreateICmp(is_signed, compare_texts(a, b), emit_.i32(0)), nullptr, nullptr, type};
  auto natural = pick(P::ICMP_ULT, P::ICMP_ULE, P::ICMP_UGT, P::ICMP_UGE);
  if (a.type.is(TypeKind::Uuid)) {
    auto swap = [&](llvm::Value* v) { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::bswap, v); };
    return {ir.CreateICmp(natural, swap(a.v), swap(b.v)), nullptr, nullptr, type};
  }
  return {ir.CreateICmp(orders_unsigned(a.type) ? natural : is_signed, a.v, b.v), nullptr, nullptr,
          type};
}

}  // namespace weir::codegen
