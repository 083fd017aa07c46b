#include "codegen/key.h"

#include <llvm/Support/ErrorHandling.h>

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

namespace {

// Bytes of a component without its presence byte, −1: it varies (texts, enums by their wire text).
int width_of(Emit& emit, const Type& type) {
  if (type.is_text() || type.is(TypeKind::Enum)) return -1;
  if (type.is(TypeKind::Bool)) return 1;
  llvm::Type* bits = emit.type(type);
  return int(bits->getPrimitiveSizeInBits() / 8);
}

llvm::Value* swap(Emit& emit, llvm::Value* bits) {
  return bits->getType()->getIntegerBitWidth() <= 8
             ? bits
             : emit.ir.CreateUnaryIntrinsic(llvm::Intrinsic::bswap, bits);
}

llvm::Value* sign_bit(Emit& emit, llvm::Type* type) {
  return llvm::ConstantInt::get(emit.context, llvm::APInt::getSignMask(type->getIntegerBitWidth()));
}

// As an integer that, big endian, sorts as the value does.
llvm::Value* ordered(Emit& emit, const Value& value) {
  llvm::IRBuilder<>& ir = emit.ir;
  if (value.type.is(TypeKind::Bool)) return ir.CreateZExt(value.v, ir.getInt8Ty());
  if (value.type.is(TypeKind::Uuid)) return swap(emit, value.v);
  if (value.type.is_float()) {
    llvm::Type* bits = ir.getIntNTy(unsigned(value.v->getType()->getPrimitiveSizeInBits()));
    llvm::Value* zero = llvm::Constant::getNullValue(value.v->getType());
    llvm::Value* canonical = ir.CreateFAdd(value.v, zero);  // −0 + 0 is 0
    canonical = ir.CreateSelect(ir.CreateFCmpUNO(value.v, value.v),
                                llvm::ConstantFP::getQNaN(value.v->getType()), canonical);
    llvm::Value* raw = ir.CreateBitCast(canonical, bits);
    llvm::Value* negative = ir.CreateICmpSLT(raw, llvm::Constant::getNullValue(bits));
    return ir.CreateSelect(negative, ir.CreateNot(raw), ir.CreateXor(raw, sign_bit(emit, bits)));
  }
  return is_unsigned(value.type) ? value.v
                                 : ir.CreateXor(value.v, sign_bit(emit, value.v->getType()));
}

Value read_ordered(Emit& emit, const Type& type, llvm::Value* at) {
  llvm::IRBuilder<>& ir = emit.ir;
  if (type.is(TypeKind::Bool))
    return {ir.CreateICmpNE(emit.load(ir.getInt8Ty(), at, 0), emit.i8(0)), nullptr, nullptr, type};
  llvm::Type* bits = ir.getIntNTy(unsigned(emit.type(type)->getPrimitiveSizeInBits()));
  llvm::Value* loaded = ir.CreateAlignedLoad(bits, at, llvm::Align(1));
  if (type.is(TypeKind::Uuid)) return {loaded, nullptr, nullptr, type};
  llvm::Value* raw = swap(emit, loaded);
  if (type.is_float()) {
    llvm::Value* positive = ir.CreateICmpSLT(raw, llvm::Constant::getNullValue(bits));
    raw = ir.CreateSelect(positive, ir.CreateXor(raw, sign_bit(emit, bits)), ir.CreateNot(raw));
    return {ir.CreateBitCast(raw, emit.type(type)), nullptr, nullptr, type};
  }
  return {is_unsigned(type) ? raw : ir.CreateXor(raw, sign_bit(emit, bits)), nullptr, nullptr,
          type};
}

// The wire texts of an enum's cases: an array of WeirBytes.
llvm::GlobalVariable* case_texts(Emit& emit, const Type& type) {
  std::string name = "enum." + std::to_string(type.ref);
  if (llvm::GlobalVariable* known = emit.module.getNamedGlobal(name)) return known;
  auto* pair = llvm::StructType::get(emit.ptr(), emit.ir.getInt64Ty());
  std::vector<llvm::Constant*> texts;
  for (auto& item : emit.types.enumeration(type).cases) {
    texts.push_back(llvm::ConstantStruct::get(
        pair, {emit.text(item.wire_name), emit.i64(item.wire_name.size())}));
  }
  auto* array = llvm::ArrayType::get(pair, texts.size());
  auto* global =
      new llvm::GlobalVariable(emit.module, array, true, llvm::GlobalValue::InternalLinkage,
                               llvm::ConstantArray::get(array, texts), name);
  return global;
}

}  // namespace

Value enum_text(Emit& emit, const Value& value) {
  llvm::Value* at =
      emit.at(case_texts(emit, value.type),
              emit.ir.CreateMul(emit.ir.CreateZExt(value.v, emit.ir.getInt64Ty()), emit.i64(16)));
  return {emit.load(emit.ptr(), at, 0, "case"), emit.load(emit.ir.getInt64Ty(), at, 8), nullptr,
          compiler::type_of(TypeKind::String)};
}

Value enum_case(Emit& emit, const Type& type, const Value& text, llvm::Value** unknown) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* cases = case_texts(emit, type);
  uint64_t count = emit.types.enumeration(type).cases.size();
  llvm::Value* found = emit.local(ir.getInt32Ty(), "case");
  ir.CreateStore(emit.i32(uint32_t(count)), found);
  llvm::BasicBlock* done = emit.block("case.found");
  emit.loop(emit.i64(count), "case", [&](llvm::Value* i) {
    llvm::Value* entry = emit.at(cases, ir.CreateMul(i, emit.i64(16)));
    llvm::Value* size = emit.load(ir.getInt64Ty(), entry, 8);
    llvm::BasicBlock* compare = emit.block("case.compare");
    llvm::BasicBlock* hit = emit.block("case.hit");
    llvm::BasicBlock* next = emit.block("case.next");
    emit.branch(ir.CreateICmpEQ(size, text.size), compare, next);
    emit.enter(compare);
    llvm::FunctionCallee memcmp = emit.module.getOrInsertFunction(
        "memcmp", ir.getInt32Ty(), emit.ptr(), emit.ptr(), ir.getInt64Ty());
    llvm::Value* difference =
        ir.CreateCall(memcmp, {emit.load(emit.ptr(), entry, 0), text.v, size});
    emit.branch(ir.CreateICmpEQ(difference, emit.i32(0)), hit, next);
    emit.enter(hit);
    ir.CreateStore(ir.CreateTrunc(i, ir.getInt32Ty()), found);
    emit.jump(done);
    emit.enter(next);
  });
  emit.enter(done);
  llvm::Value* number = ir.CreateLoad(ir.getInt32Ty(), found);
  *unknown = ir.CreateICmpEQ(number, emit.i32(uint32_t(count)));
  return {number, nullptr, nullptr, type.required()};
}

Value write_key(Emit& emit, const std::vector<Value>& components) {
  llvm::IRBuilder<>& ir = emit.ir;
  Type bytes = compiler::type_of(TypeKind::Bytes);
  if (components.empty()) return {emit.text(""), emit.i64(0), nullptr, bytes};
  std::vector<Value> parts = components;
  for (Value& part : parts) {
    if (!part.type.is(TypeKind::Enum)) continue;
    llvm::Value* present = part.present;
    part = enum_text(emit, part);
    part.present = present;
    part.type.optional = present != nullptr;
  }
  if (parts.size() == 1 && parts[0].type.is_text() && !parts[0].type.optional)
    return {parts[0].v, parts[0].size, nullptr, bytes};

  // Room for the longest form; in the frame if that is known.
  uint64_t fixed = 0;
  llvm::Value* texts = nullptr;
  for (size_t i = 0; i < parts.size(); i++) {
    fixed += parts[i].type.optional;
    int width = width_of(emit, parts[i].type);
    if (width >= 0) {
      fixed += uint64_t(width);
      continue;
    }
    bool last = i + 1 == parts.size();
    fixed += last ? 0 : 2;
    llvm::Value* most =
        last ? parts[i].size : ir.CreateShl(parts[i].size, 1);  // every byte may need an escape
    texts = texts ? ir.CreateAdd(texts, most) : most;
  }
  llvm::Value* begin = texts ? emit.call("weir_arena_take",
                                         {emit.arena, ir.CreateAdd(texts, emit.i64(fixed))}, "key")
                             : emit.local_bytes(std::max<uint64_t>(16, fixed), "key");
  llvm::Value* at = begin;
  for (size_t i = 0; i < parts.size(); i++) {
    const Value& part = parts[i];
    bool last = i + 1 == parts.size();
    auto write = [&](llvm::Value* from) -> llvm::Value* {
      int width = width_of(emit, part.type);
      if (width >= 0) {
        ir.CreateAlignedStore(swap(emit, ordered(emit, part)), from, llvm::Align(1));
        return emit.at(from, uint64_t(width));
      }
      if (!last) return emit.call("weir_key_put_text", {from, part.v, part.size});
      ir.CreateMemCpy(from, llvm::Align(1), part.v, llvm::Align(1), part.size);
      return emit.at(from, part.size);
    };
    if (!part.type.optional) {
      at = write(at);
      continue;
    }
    llvm::Value* present = part.present ? part.present : static_cast<llvm::Value*>(emit.i1(true));
    emit.store(ir.CreateZExt(present, ir.getInt8Ty()), at, 0);
    llvm::Value* behind = emit.at(at, 1);
    at = emit.choose(
                 present, "key", [&] { return Value{write(behind), nullptr, nullptr, {}}; },
                 [&] { return Value{behind, nullptr, nullptr, {}}; })
             .v;
  }
  llvm::Value* size = ir.CreateSub(ir.CreatePtrToInt(at, ir.getInt64Ty()),
                                   ir.CreatePtrToInt(begin, ir.getInt64Ty()), "key.size");
  return {begin, size, nullptr, bytes};
}

std::vector<Value> read_key(Emit& emit, const std::vector<Type>& types, llvm::Value* data,
                            llvm::Value* size) {
  llvm::IRBuilder<>& ir = emit.ir;
  std::vector<Value> values;
  llvm::Value* at = data;
  llvm::Value* end = emit.at(data, size, "key.end");
  for (size_t i = 0; i < types.size(); i++) {
    bool last = i + 1 == types.size();
    const Type& type = types[i];
    llvm::Value* behind = emit.local(emit.ptr(), "key.at");
    auto read = [&](llvm::Value* from) -> Value {
      int width = width_of(emit, type);
      if (width >= 0) {
        ir.CreateStore(emit.at(from, uint64_t(width)), behind);
        return read_ordered(emit, type.required(), from);
      }
      Value text{from, nullptr, nullptr, compiler::type_of(TypeKind::String)};
      if (last) {
        ir.CreateStore(end, behind);
        text.size = ir.CreateSub(ir.CreatePtrToInt(end, ir.getInt64Ty()),
                                 ir.CreatePtrToInt(from, ir.getInt64Ty()));
      } else {
        llvm::Value* out = emit.local_bytes(sizeof(WeirBytes), "key.text");
        ir.CreateStore(emit.call("weir_key_take_text", {emit.arena, from, end, out}), behind);
        text.v = emit.load(emit.ptr(), out, 0);
        text.size = emit.load(ir.getInt64Ty(), out, 8);
      }
      if (type.is(TypeKind::Enum)) {
        llvm::Value* unknown =
            nullptr;  // a case that is gone: the signature of the state has changed before
        return enum_case(emit, type, text, &unknown);
      }
      text.type = type.required();
      return text;
    };
    if (!type.optional) {
      values.push_back(read(at));
    } else {
      llvm::Value* present = ir.CreateICmpNE(emit.load(ir.getInt8Ty(), at, 0), emit.i8(0));
      llvm::Value* value_at = emit.at(at, 1);
      Value value = emit.choose(
          present, "key", [&] { return read(value_at); },
          [&] {
            ir.CreateStore(value_at, behind);
            return emit.zero(type.required());
          });
      value.present = present;
      value.type = type;
      values.push_back(value);
    }
    at = ir.CreateLoad(emit.ptr(), behind, "key.at");
  }
  return values;
}

}  // namespace weir::codegen
