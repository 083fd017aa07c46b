// JSON: the value of a key, read by the kernel of its type.
#include "codegen/formats/json_decoder.h"
#include "stdlib/engine/json_text.h"

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

// The kernel that reads a value of this type the short way; null: weir_json_read does.
static const char* kernel_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return "weir_json_bool";
    case TypeKind::Int8:
      return "weir_json_int8";
    case TypeKind::Int16:
      return "weir_json_int16";
    case TypeKind::Int32:
      return "weir_json_int32";
    case TypeKind::Int64:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
      return "weir_json_int64";
    case TypeKind::UInt8:
      return "weir_json_uint8";
    case TypeKind::UInt16:
      return "weir_json_uint16";
    case TypeKind::UInt32:
      return "weir_json_uint32";
    case TypeKind::UInt64:
      return "weir_json_uint64";
    case TypeKind::Float32:
      return "weir_json_float32";
    case TypeKind::Float64:
      return "weir_json_float64";
    case TypeKind::Decimal:
      return type.is_wide_decimal() ? "weir_json_decimal128" : "weir_json_decimal64";
    case TypeKind::String:
      return "weir_json_string";
    case TypeKind::Enum:
      return "weir_json_enum";
    default:
      return nullptr;
  }
}

// The value of a key, at p. Ends in an open block with p behind it; what fails goes to `next` on
// its own.
void JsonDecoder::value_of(Emit& emit, JsonNode& node, bool straight, llvm::BasicBlock* next) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
  if (node.type.optional) {
    llvm::BasicBlock* absent = emit.block(node.name + ".null");
    llvm::BasicBlock* there = emit.block(node.name + ".there");
    emit.branch(emit.call("weir_json_null", {p}), absent, there);
    emit.enter(absent);
    make_null(emit, node);
    ir.CreateStore(emit.at(p, 4), p_);
    emit.jump(next);
    emit.enter(there);
  }
  if (node.by_parts) {
    llvm::BasicBlock* open = emit.block(node.name + ".open");
    llvm::BasicBlock* look = emit.block(node.name + ".look");
    emit.branch_unlikely(ir.CreateICmpNE(emit.load(ir.getInt8Ty(), p, 0), emit.i8('{')), look,
                         open);
    emit.enter(look);
    llvm::Value* behind = emit.call("weir_json_open", {p, end_, reason_}, "behind");
    ir.CreateStore(behind, p_);
    llvm::Value* reason = ir.CreateLoad(ir.getInt32Ty(), reason_);
    llvm::BasicBlock* failed = emit.block(node.name + ".failed");
    emit.branch(ir.CreateICmpEQ(reason, emit.i32(0)), open, failed);
    emit.enter(failed);
    fail_value(emit, node, p, reason, next);
    emit.enter(open);
    if (node.present) ir.CreateStore(emit.i8(1), node.present);
    // What is broken inside harms who reads something of it, as long as the end can be found: for
    // others it is a value that is skipped.
    llvm::BasicBlock* broken = emit.block(node.name + ".broken");
    llvm::BasicBlock* whole = emit.block(node.name + ".whole");
    std::swap(malformed_, broken);
    object(emit, node, straight);
    std::swap(malformed_, broken);
    emit.jump(whole);
    emit.enter(broken);
    ir.CreateStore(emit.call("weir_json_skip", {p, end_}, "behind"), p_);
    fail_value(emit, node, p, emit.i32(kReasonWrongType), next);
    emit.enter(whole);
    return;
  }
  llvm::Value* behind = nullptr;
  llvm::Value* size = nullptr;
  llvm::Value* value = read(emit, node, p, &behind, &size);
  llvm::Value* reason = ir.CreateLoad(ir.getInt32Ty(), last_reason_, "reason");
  ir.CreateStore(behind, p_);
  llvm::BasicBlock* failed = emit.block(node.name + ".failed");
  llvm::BasicBlock* good = emit.block(node.name + ".good");
  emit.branch_unlikely(ir.CreateICmpNE(reason, emit.i32(0)), failed, good);
  emit.enter(failed);
  fail_value(emit, node, p, reason, next);
  emit.enter(good);
  go_behind(emit, p, behind);
  ir.CreateStore(value, node.value);
  if (node.size) ir.CreateStore(size, node.size);
  if (node.present) ir.CreateStore(emit.i8(1), node.present);
}

// p goes from a value's beginning to behind it.
void JsonDecoder::go_behind(Emit& emit, llvm::Value* value, llvm::Value* behind) {
  llvm::Value* length = emit.ir.CreateLoad(emit.ptr(), length_, "length");
  emit.ir.CreateStore(emit.call("weir_json_behind", {value, behind, length}), p_);
}

// Calls the kernel of the node's type. The reason is left in `last_reason_`.
llvm::Value* JsonDecoder::read(Emit& emit, JsonNode& node, llvm::Value* p, llvm::Value** behind,
                               llvm::Value** size) {
  llvm::IRBuilder<>& ir = emit.ir;
  const Type& type = node.type;
  llvm::Constant* described = json_types_.of(emit, type);
  llvm::Type* ir_type = emit.type(type)->isIntegerTy(1) ? ir.getInt8Ty() : emit.type(type);
  if (const char* kernel = kernel_of(type)) {
    // Locals of its own for each value: nothing else keeps them in memory.
    last_reason_ = emit.local(ir.getInt32Ty(), "reason");
    llvm::Value* out =
        has_size(type) ? emit.local_bytes(sizeof(WeirBytes), "text") : emit.local(ir_type, "value");
    std::vector<llvm::Value*> arguments = {p, end_, emit.arena, described, out, last_reason_};
    if (type.is(TypeKind::Decimal)) {
      arguments.push_back(emit.i32(type.precision));
      arguments.push_back(emit.i32(type.scale));
    }
    *behind = emit.call(kernel, arguments, "behind");
    if (has_size(type)) *size = emit.load(ir.getInt64Ty(), out, 8);
    return ir.CreateLoad(has_size(type) ? emit.ptr() : ir_type, out, node.field->name);
  }
  last_reason_ = reason_;
  llvm::Value* out;
  if (type.is(TypeKind::Record)) {
    // Aligned for decimals of 16 bytes.
    llvm::Value* room = emit.call(
        "weir_arena_take", {emit.arena, emit.i64(compiler::size_of(emit.types, type) + 8)}, "room");
    llvm::Value* address = ir.CreatePtrToInt(room, ir.getInt64Ty());
    out = emit.at(room, ir.CreateAnd(ir.CreateNeg(address), emit.i64(15)), node.field->name);
  } else {
    out = emit.local_bytes(16, "value");
  }
  *behind =
      emit.call("weir_json_read", {p, end_, emit.arena, described, out, last_reason_}, "behind");
  if (type.is(TypeKind::Record)) return out;
  if (has_size(type)) *size = emit.load(ir.getInt64Ty(), out, 8);
  return emit.load(ir_type, out, 0, node.field->name);
}

// Cold: there is no value, for `reason`. p is already behind it, or null.
void JsonDecoder::fail_value(Emit& emit, JsonNode& node, llvm::Value* at, llvm::Value* reason,
                             llvm::BasicBlock* next) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::BasicBlock* judged = emit.block(node.name + ".judged");
  emit.branch_unlikely(is_null(emit, ir.CreateLoad(emit.ptr(), p_)), malformed_, judged);
  emit.enter(judged);
  llvm::Value* null = ir.CreateICmpEQ(reason, emit.i32(kJsonNull));
  if (node.type.optional) {
    llvm::BasicBlock* absent = emit.block(node.name + ".absent");
    llvm::BasicBlock* wrong = emit.block(node.name + ".wrong");
    emit.branch(null, absent, wrong);
    emit.enter(absent);
    make_null(emit, node);
    emit.jump(next);
    emit.enter(wrong);
  }
  reason = ir.CreateSelect(null, emit.i32(kReasonNullField), reason);
  emit.store(reason, reasons_, 4 * node.number);
  at = emit.call("weir_json_space", {at, end_});
  llvm::Value* position = ir.CreateSub(ir.CreatePtrToInt(at, ir.getInt64Ty()),
                                       ir.CreatePtrToInt(begin_, ir.getInt64Ty()));
  emit.store(ir.CreateTrunc(position, ir.getInt32Ty()), positions_, 4 * node.number);
  spoil(emit, node);
  emit.jump(next);
}

// The node has no value, and so nothing inside it has.
void JsonDecoder::spoil(Emit& emit, JsonNode& node) {
  std::vector<uint32_t> numbers = node.descendants;
  numbers.push_back(node.number);
  mark(emit, bad_, numbers);
}

// Before a record: what an absent key means.
void JsonDecoder::reset(Emit& emit, JsonNode& node) {
  llvm::IRBuilder<>& ir = emit.ir;
  if (!node.parent) return;
  bool has_default = node.field->initial && !node.field->initial->is_null();
  if (node.by_parts) has_default = false;
  Value value = has_default ? emit.constant(*node.field->initial, node.type.required())
                            : emit.zero(node.type.required());
  llvm::Value* v = node.type.is(TypeKind::Bool) ? ir.CreateZExt(value.v, ir.getInt8Ty()) : value.v;
  ir.CreateStore(v, node.value);
  if (node.size) ir.CreateStore(value.size, node.size);
  if (node.present) ir.CreateStore(emit.i8(has_default), node.present);
}

void JsonDecoder::make_null(Emit& emit, JsonNode& node) {
  if (node.present) emit.ir.CreateStore(emit.i8(0), node.present);
}

DecodedField JsonDecoder::decoded(Emit& emit, uint32_t path) {
  llvm::IRBuilder<>& ir = emit.ir;
  const JsonNode& node = *tree_.leaves[path];
  Value value{nullptr, nullptr, nullptr, node.type};
  if (!used_[path].presence_only) {
    llvm::Type* type = emit.type(node.type);
    value.v =
        ir.CreateLoad(type->isIntegerTy(1) ? ir.getInt8Ty() : type, node.value, node.field->name);
    if (type->isIntegerTy(1)) value.v = ir.CreateTrunc(value.v, type);
    if (node.size)
      value.size = ir.CreateLoad(ir.getInt64Ty(), node.size, node.field->name + ".size");
  }
  if (node.present)
    value.present = ir.CreateICmpNE(ir.CreateLoad(ir.getInt8Ty(), node.present), emit.i8(0),
                                    node.field->name + ".present");
  return {value, bit(emit, bad_, node)};
}

}  // namespace weir::codegen
