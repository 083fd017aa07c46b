#include "codegen/emit.h"

#include <llvm/IR/MDBuilder.h>

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

Emit::Emit(llvm::Function* function, Kernels& kernels, const compiler::Types& types)
    : ir(function->getContext()),
      module(*function->getParent()),
      context(function->getContext()),
      function(function),
      types(types),
      kernels(kernels) {
  ir.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
}

llvm::Type* Emit::type(const Type& type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return ir.getInt1Ty();
    case TypeKind::Int8:
    case TypeKind::UInt8:
      return ir.getInt8Ty();
    case TypeKind::Int16:
    case TypeKind::UInt16:
      return ir.getInt16Ty();
    case TypeKind::Int32:
    case TypeKind::UInt32:
    case TypeKind::Date:
    case TypeKind::Enum:
      return ir.getInt32Ty();
    case TypeKind::Int64:
    case TypeKind::UInt64:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
      return ir.getInt64Ty();
    case TypeKind::Float32:
      return ir.getFloatTy();
    case TypeKind::Float64:
      return ir.getDoubleTy();
    case TypeKind::Decimal:
      return type.is_wide_decimal() ? ir.getInt128Ty() : ir.getInt64Ty();
    case TypeKind::Uuid:
      return ir.getInt128Ty();
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
    case TypeKind::Record:
    case TypeKind::List:
    case TypeKind::Map:
      return ptr();
    case TypeKind::Null:
    case TypeKind::Error:
      return ir.getInt1Ty();
  }
  llvm_unreachable("every kind has a type");
}

llvm::Constant* Emit::i128(__int128 value) {
  uint64_t words[2] = {uint64_t(value), uint64_t(value >> 64)};
  return llvm::ConstantInt::get(context, llvm::APInt(128, words));
}

// Zeros follow: kernels read whole words behind a short text, and what LLVM sees them read behind
// the end of a constant it takes to be anything.
llvm::Constant* Emit::text(std::string_view text) {
  std::string name = "text." + std::string(text.substr(0, 24));
  std::string padded = std::string(text) + std::string(kInlineKeyBytes, '\0');
  for (llvm::GlobalVariable& global : module.globals()) {
    if (!global.getName().starts_with("text.") || !global.hasInitializer()) continue;
    auto* data = llvm::dyn_cast<llvm::ConstantDataSequential>(global.getInitializer());
    if (data && data->getRawDataValues() == llvm::StringRef(padded)) return &global;
  }
  auto* data = llvm::ConstantDataArray::getString(context, padded, false);
  auto* global = new llvm::GlobalVariable(module, data->getType(), true,
                                          llvm::GlobalValue::PrivateLinkage, data, name);
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return global;
}

Value Emit::text_value(std::string_view text) {
  return {this->text(text), i64(text.size()), nullptr, compiler::type_of(TypeKind::String)};
}

llvm::Constant* Emit::zeros(uint64_t size) {
  std::string name = "zeros." + std::to_string(size);
  if (llvm::GlobalVariable* known = module.getNamedGlobal(name)) return known;
  auto* type = llvm::ArrayType::get(ir.getInt8Ty(), size);
  auto* global = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage,
                                          llvm::Constant::getNullValue(type), name);
  global->setAlignment(llvm::Align(16));
  return global;
}

Value Emit::zero(const Type& type) {
  Value value{llvm::Constant::getNullValue(this->type(type)), nullptr, nullptr, type};
  if (has_size(type)) {
    value.v = text("");  // never a null pointer: kernels may compare no bytes behind it
    value.size = i64(0);
  }
  if (type.is(TypeKind::Record))
    value.v = zeros(compiler::size_of(types, type));  // copied like a present one
  if (type.optional) value.present = i1(false);
  return value;
}

Value Emit::null(const Type& type) { return zero(type.nullable()); }

Value Emit::constant(const compiler::Constant& constant, const Type& type) {
  if (constant.is_null()) return null(type);
  Value value = zero(type.required());
  if (auto* b = std::get_if<bool>(&constant.value)) value.v = i1(*b);
  if (auto* n = std::get_if<int64_t>(&constant.value)) {
    value.v = type.is_float()
                  ? static_cast<llvm::Value*>(llvm::ConstantFP::get(value.v->getType(), double(*n)))
                  : llvm::ConstantInt::getSigned(value.v->getType(), *n);
    if (value.v->getType()->isIntegerTy() && value.v->getType()->getIntegerBitWidth() < 64) {
      unsigned bits = value.v->getType()->getIntegerBitWidth();
      value.v = llvm::ConstantInt::get(context, llvm::APInt(64, uint64_t(*n)).trunc(bits));
    }
  }
  if (auto* d = std::get_if<double>(&constant.value))
    value.v = llvm::ConstantFP::get(value.v->getType(), *d);
  if (auto* w = std::get_if<__int128>(&constant.value))
    value.v = type.is_wide_decimal() ? i128(*w) : i64(uint64_t(int64_t(*w)));
  if (auto* s = std::get_if<std::string>(&constant.value)) {
    if (type.is(TypeKind::Uuid)) {
      __int128 bits = 0;
      memcpy(&bits, s->data(), std::min<size_t>(16, s->size()));
      value.v = i128(bits);
    } else {
      value.v = text(*s);
      value.size = i64(s->size());
    }
  }
  if (auto* items = std::get_if<compiler::Constant::List>(&constant.value)) {
    bool record = type.is(TypeKind::Record);
    std::vector<Type> fields;
    if (record) {
      for (auto& field : types.record(type).fields) fields.push_back(field.type);
    } else {
      fields.push_back(types.element(type));
    }
    compiler::Layout layout = compiler::layout_of(types, fields);
    value.v = local_bytes(
        std::max<uint64_t>(1, uint64_t(layout.size) * (record ? 1 : items->size())), "constant");
    for (size_t i = 0; i < items->size(); i++) {
      const Type& field = fields[record ? i : 0];
      store_value(this->constant((*items)[i], field),
                  record ? value.v : at(value.v, i * layout.size), layout.slots[record ? i : 0]);
    }
    if (!record) value.size = i64(items->size());
  }
  value.type = type;
  if (type.optional) value.present = i1(true);
  return value;
}

llvm::Value* Emit::local(llvm::Type* type, const char* name, uint32_t align) {
  llvm::BasicBlock& entry = function->getEntryBlock();
  llvm::IRBuilder<> top(&entry, entry.begin());
  auto* slot = top.CreateAlloca(type, nullptr, name);
  if (align) slot->setAlignment(llvm::Align(align));
  return slot;
}

llvm::Value* Emit::local_bytes(uint64_t size, const char* name, uint32_t align) {
  return local(llvm::ArrayType::get(ir.getInt8Ty(), size), name, align);
}

llvm::Value* Emit::at(llvm::Value* base, uint64_t offset, const llvm::Twine& name) {
  return offset == 0 ? base : ir.CreateInBoundsGEP(ir.getInt8Ty(), base, i64(offset), name);
}

llvm::Value* Emit::at(llvm::Value* base, llvm::Value* offset, const llvm::Twine& name) {
  return ir.CreateInBoundsGEP(ir.getInt8Ty(), base, offset, name);
}

llvm::Value* Emit::load(llvm::Type* type, llvm::Value* base, uint64_t offset,
                        const llvm::Twine& name) {
  return ir.CreateLoad(type, at(base, offset), name);
}

void Emit::store(llvm::Value* value, llvm::Value* base, uint64_t offset) {
  ir.CreateStore(value, at(base, offset));
}

Value Emit::load_value(const Type& type, llvm::Value* base, compiler::Slot slot, const char* name) {
  Value value{nullptr, nullptr, nullptr, type};
  if (type.is(TypeKind::Bool)) {
    value.v = ir.CreateTrunc(load(ir.getInt8Ty(), base, slot.offset), ir.getInt1Ty(), name);
  } else if (type.is(TypeKind::Record)) {
    value.v = at(base, slot.offset, name);
  } else {
    auto* loaded = ir.CreateLoad(this->type(type), at(base, slot.offset), name);
    if (type.is(TypeKind::Uuid)) loaded->setAlignment(llvm::Align(1));
    value.v = loaded;
  }
  if (has_size(type))
    value.size = load(ir.getInt64Ty(), base, slot.offset + 8, llvm::Twine(name) + ".size");
  if (type.optional) {
    value.present = slot.presence < 0
                        ? static_cast<llvm::Value*>(i1(true))
                        : ir.CreateICmpNE(load(ir.getInt8Ty(), base, uint32_t(slot.presence)),
                                          i8(0), llvm::Twine(name) + ".present");
  }
  return value;
}

void Emit::store_value(const Value& value, llvm::Value* base, compiler::Slot slot) {
  if (value.type.is(TypeKind::Bool)) {
    store(ir.CreateZExt(value.v, ir.getInt8Ty()), base, slot.offset);
  } else if (value.type.is(TypeKind::Record)) {
    uint32_t size = compiler::size_of(types, value.type);
    ir.CreateMemCpy(at(base, slot.offset), llvm::Align(1), value.v, llvm::Align(1), size);
  } else {
    auto* stored = ir.CreateStore(value.v, at(base, slot.offset));
    if (value.type.is(TypeKind::Uuid)) stored->setAlignment(llvm::Align(1));
  }
  if (value.size) store(value.size, base, slot.offset + 8);
  if (slot.presence >= 0) {
    llvm::Value* present = value.present ? ir.CreateZExt(value.present, ir.getInt8Ty())
                                         : static_cast<llvm::Value*>(i8(1));
    store(present, base, uint32_t(slot.presence));
  }
}

llvm::BasicBlock* Emit::block(const llvm::Twine& name) {
  return llvm::BasicBlock::Create(context, name, function);
}

void Emit::enter(llvm::BasicBlock* block) {
  if (open()) ir.CreateBr(block);
  // Blocks stand in the order in which they are entered: the IR reads from top to bottom.
  block->moveAfter(&function->back());
  ir.SetInsertPoint(block);
}

void Emit::jump(llvm::BasicBlock* block) {
  if (open()) ir.CreateBr(block);
}

bool Emit::open() const { return ir.GetInsertBlock() && !ir.GetInsertBlock()->getTerminator(); }

llvm::MDNode* Emit::unlikely() { return llvm::MDBuilder(context).createBranchWeights(1, 1 << 20); }

void Emit::branch(llvm::Value* condition, llvm::BasicBlock* yes, llvm::BasicBlock* no) {
  ir.CreateCondBr(condition, yes, no);
}

void Emit::branch_unlikely(llvm::Value* condition, llvm::BasicBlock* yes, llvm::BasicBlock* no) {
  ir.CreateCondBr(condition, yes, no, unlikely());
}

void Emit::if_(llvm::Value* condition, const char* name, const std::function<void()>& then,
               const std::function<void()>& otherwise) {
  llvm::BasicBlock* yes = block(llvm::Twine(name) + ".yes");
  llvm::BasicBlock* no = otherwise ? block(llvm::Twine(name) + ".no") : nullptr;
  llvm::BasicBlock* end = block(llvm::Twine(name) + ".end");
  branch(condition, yes, no ? no : end);
  enter(yes);
  then();
  jump(end);
  if (no) {
    enter(no);
    otherwise();
    jump(end);
  }
  enter(end);
}

void Emit::if_unlikely(llvm::Value* condition, const char* name,
                       const std::function<void()>& then) {
  llvm::BasicBlock* yes = block(llvm::Twine(name) + ".cold");
  llvm::BasicBlock* end = block(llvm::Twine(name) + ".end");
  branch_unlikely(condition, yes, end);
  enter(yes);
  then();
  jump(end);
  enter(end);
}

Value Emit::choose(llvm::Value* condition, const char* name, const std::function<Value()>& then,
                   const std::function<Value()>& otherwise) {
  llvm::BasicBlock* blocks[2] = {block(llvm::Twine(name) + ".then"),
                                 block(llvm::Twine(name) + ".else")};
  llvm::BasicBlock* end = block(llvm::Twine(name) + ".end");
  branch(condition, blocks[0], blocks[1]);
  Value values[2];
  for (int side = 0; side < 2; side++) {
    enter(blocks[side]);
    values[side] = side == 0 ? then() : otherwise();
    if (!open()) enter(block("unreachable"));  // the side failed: its value is never looked at
    blocks[side] = ir.GetInsertBlock();
    jump(end);
  }
  enter(end);
  Value result = values[0];
  auto merge = [&](llvm::Value* a, llvm::Value* b) -> llvm::Value* {
    if (a == b) return a;
    llvm::PHINode* phi = ir.CreatePHI(a->getType(), 2, name);
    phi->addIncoming(a, blocks[0]);
    phi->addIncoming(b, blocks[1]);
    return phi;
  };
  result.v = merge(values[0].v, values[1].v);
  if (result.size) result.size = merge(values[0].size, values[1].size);
  if (values[0].present || values[1].present) {
    llvm::Value* yes = i1(true);
    result.present = merge(values[0].present ? values[0].present : yes,
                           values[1].present ? values[1].present : yes);
  }
  if (values[1].type.optional) result.type.optional = true;
  return result;
}

void Emit::loop(llvm::Value* count, const char* name,
                const std::function<void(llvm::Value*)>& body) {
  llvm::Value* index = local(ir.getInt64Ty(), "index");
  ir.CreateStore(i64(0), index);
  llvm::BasicBlock* head = block(llvm::Twine(name) + ".head");
  llvm::BasicBlock* inside = block(llvm::Twine(name) + ".body");
  llvm::BasicBlock* end = block(llvm::Twine(name) + ".end");
  enter(head);
  llvm::Value* i = ir.CreateLoad(ir.getInt64Ty(), index, "i");
  branch(ir.CreateICmpULT(i, count), inside, end);
  enter(inside);
  body(i);
  if (open()) {
    ir.CreateStore(ir.CreateAdd(i, i64(1)), index);
    jump(head);
  }
  enter(end);
}

ErrorTarget Emit::begin_target(const char* name) {
  ErrorTarget target;
  target.block = block(name);
  llvm::IRBuilder<> inside(target.block);
  target.reason = inside.CreatePHI(ir.getInt32Ty(), 4, "reason");
  target.detail = inside.CreatePHI(ptr(), 4, "detail");
  target.detail_size = inside.CreatePHI(ir.getInt64Ty(), 4, "detail.size");
  targets_.push_back(target);
  return target;
}

bool Emit::end_target(ErrorTarget& target) {
  targets_.pop_back();
  if (target.reason->getNumIncomingValues() > 0) return true;
  target.block->eraseFromParent();
  target = {};
  return false;
}

void Emit::fail(const Failure& failure) {
  ErrorTarget& target = targets_.back();
  llvm::BasicBlock* from = ir.GetInsertBlock();
  target.reason->addIncoming(failure.reason, from);
  target.detail->addIncoming(failure.detail, from);
  target.detail_size->addIncoming(failure.detail_size, from);
  ir.CreateBr(target.block);
}

void Emit::fail(WeirReason reason, std::string_view detail) {
  fail({i32(reason), text(detail), i64(detail.size())});
}

void Emit::fail_if(llvm::Value* condition, WeirReason reason, std::string_view detail) {
  if_unlikely(condition, "fail", [&] { fail(reason, detail); });
}

void Emit::fail_unless_ok(llvm::Value* reason, std::string_view detail) {
  if_unlikely(ir.CreateICmpNE(reason, i32(0)), "fail",
              [&] { fail({reason, text(detail), i64(detail.size())}); });
}

llvm::Value* Emit::call(std::string_view kernel, llvm::ArrayRef<llvm::Value*> arguments,
                        const llvm::Twine& name) {
  llvm::Function* callee = kernels.declare(module, kernel);
  // The C calling convention passes 128 bits as two halves, and gives them back as a pair of them.
  std::vector<llvm::Value*> passed;
  for (llvm::Value* argument : arguments) {
    if (!argument->getType()->isIntegerTy(128)) {
      passed.push_back(argument);
      continue;
    }
    passed.push_back(ir.CreateTrunc(argument, ir.getInt64Ty()));
    passed.push_back(ir.CreateTrunc(ir.CreateLShr(argument, 64), ir.getInt64Ty()));
  }
  llvm::Type* returned = callee->getReturnType();
  llvm::CallInst* call = ir.CreateCall(callee, passed, returned->isVoidTy() ? llvm::Twine() : name);
  call->setCallingConv(callee->getCallingConv());
  for (unsigned i = 0; i < callee->arg_size(); i++) {
    if (callee->hasParamAttribute(i, llvm::Attribute::ByVal))
      call->addParamAttr(i, callee->getParamAttribute(i, llvm::Attribute::ByVal));
  }
  if (returned != llvm::StructType::get(ir.getInt64Ty(), ir.getInt64Ty())) return call;
  llvm::Value* low = ir.CreateZExt(ir.CreateExtractValue(call, 0), ir.getInt128Ty());
  llvm::Value* high = ir.CreateZExt(ir.CreateExtractValue(call, 1), ir.getInt128Ty());
  return ir.CreateOr(low, ir.CreateShl(high, 64), name);
}

Value Emit::pair(llvm::Value* returned, const Type& type, const llvm::Twine& name) {
  return {ir.CreateExtractValue(returned, 0, name),
          ir.CreateExtractValue(returned, 1, name + ".size"), nullptr, type};
}

}  // namespace weir::codegen
