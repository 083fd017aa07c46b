// Typed values and control flow over LLVM's IRBuilder: what every emitter of this room is written
// with.
//
// An `Emit` writes one function. It lives on the stack of whoever builds that function; one thread.
// What it makes in `ir` is plain LLVM IR: emitters may use `ir` directly for arithmetic on
// `llvm::Value`s.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "codegen/kernels.h"
#include "compiler/layout.h"
#include "compiler/type.h"
#include "runtime/contract/stage_abi.h"

namespace weir::codegen {

// Values of these types have a `Value::size`.
inline bool has_size(const compiler::Type& type) {
  return type.is_text() || type.is(compiler::TypeKind::List) || type.is(compiler::TypeKind::Map);
}
inline bool is_unsigned(const compiler::Type& type) {
  return type.kind >= compiler::TypeKind::UInt8 && type.kind <= compiler::TypeKind::UInt64;
}

// A value of the language in registers:
//
//     bool i1 · integers iN · float, double · decimal i64 or i128 · date, enum i32 · timestamp,
//     duration i64 uuid i128 as loaded from its 16 bytes · string, bytes, json: `v` ptr, `size` i64
//     list, map: `v` ptr to elements, `size` i64 count · record: `v` ptr to its fields by Layout
//
// `present` is i1, or null if the value is never null (the type is not optional, or it is known to
// be there). Where `present` is false, `v` and `size` are well defined but mean nothing (zero,
// undef is not allowed: poison spreads).
struct Value {
  llvm::Value* v = nullptr;
  llvm::Value* size = nullptr;
  llvm::Value* present = nullptr;
  compiler::Type type;
};

// Why a row fails: `reason` i32 (a WeirReason), `detail` text.
struct Failure {
  llvm::Value* reason = nullptr;
  llvm::Value* detail = nullptr;
  llvm::Value* detail_size = nullptr;
};

// Where failures go at the moment. Failures come together in `block`; whoever made the target
// continues there and reads reason and detail. A target nobody failed to has no predecessors and is
// removed with `Emit::end_target`.
struct ErrorTarget {
  llvm::BasicBlock* block = nullptr;
  llvm::PHINode* reason = nullptr;
  llvm::PHINode* detail = nullptr;
  llvm::PHINode* detail_size = nullptr;
};

class Emit {
 public:
  // `function` is empty; writing starts in its entry block.
  Emit(llvm::Function* function, Kernels& kernels, const compiler::Types& types);

  llvm::IRBuilder<> ir;
  llvm::Module& module;
  llvm::LLVMContext& context;
  llvm::Function* function;
  const compiler::Types& types;
  Kernels& kernels;

  // Of stages; null in merge functions where it makes no sense.
  llvm::Value* stage = nullptr;  // WeirStage*
  llvm::Value* arena = nullptr;  // WeirArena* of the stage: scratch until the batch ends

  // ---- types and constants
  llvm::Type* type(const compiler::Type& type);  // of Value::v
  llvm::Constant* i1(bool value) { return ir.getInt1(value); }
  llvm::Constant* i8(uint8_t value) { return ir.getInt8(value); }
  llvm::Constant* i32(uint32_t value) { return ir.getInt32(value); }
  llvm::Constant* i64(uint64_t value) { return ir.getInt64(value); }
  llvm::Constant* i128(__int128 value);
  llvm::PointerType* ptr() { return ir.getPtrTy(); }
  llvm::Constant* zeros(uint64_t size);  // in the module's read-only data
  // Bytes in the module's read-only data, one copy per text. Not terminated.
  llvm::Constant* text(std::string_view text);
  Value text_value(std::string_view text);
  Value constant(const compiler::Constant& constant, const compiler::Type& type);
  Value zero(const compiler::Type& type);  // absent if the type is optional
  Value null(const compiler::Type& type);

  // ---- memory
  // Room in the function's frame, made in the entry block: promoted to registers where the address
  // does not escape.
  llvm::Value* local(llvm::Type* type, const char* name, uint32_t align = 0);
  llvm::Value* local_bytes(uint64_t size, const char* name, uint32_t align = 16);
  llvm::Value* at(llvm::Value* base, uint64_t offset,
                  const llvm::Twine& name = "");  // base + constant
  llvm::Value* at(llvm::Value* base, llvm::Value* offset, const llvm::Twine& name = "");
  llvm::Value* load(llvm::Type* type, llvm::Value* base, uint64_t offset,
                    const llvm::Twine& name = "");
  void store(llvm::Value* value, llvm::Value* base, uint64_t offset);
  // A value of the language at its slot (texts: the WeirBytes, not their contents).
  Value load_value(const compiler::Type& type, llvm::Value* base, compiler::Slot slot,
                   const char* name = "");
  void store_value(const Value& value, llvm::Value* base, compiler::Slot slot);

  // ---- control flow. After each of these, writing goes on behind the construct.
  llvm::BasicBlock* block(const llvm::Twine& name);
  void enter(llvm::BasicBlock* block);  // writes go there; falls through from an open block
  void jump(llvm::BasicBlock* block);
  bool open() const;  // the current block has no terminator yet
  void if_(llvm::Value* condition, const char* name, const std::function<void()>& then,
           const std::function<void()>& otherwise = nullptr);
  void if_unlikely(llvm::Value* condition, const char* name, const std::function<void()>& then);
  void branch(llvm::Value* condition, llvm::BasicBlock* yes, llvm::BasicBlock* no);
  void branch_unlikely(llvm::Value* condition, llvm::BasicBlock* yes, llvm::BasicBlock* no);
  // Two ways to one value; both sides give the same type. `present` is merged if either has it.
  Value choose(llvm::Value* condition, const char* name, const std::function<Value()>& then,
               const std::function<Value()>& otherwise);
  // for (i64 i = 0; i < count; i++) body(i). The body may leave blocks of its own.
  void loop(llvm::Value* count, const char* name,
            const std::function<void(llvm::Value* index)>& body);

  // ---- errors
  ErrorTarget begin_target(
      const char* name);  // makes it the current target; restore with end_target
  // Restores the target before. True if somebody failed; then `target.block` waits to be entered.
  bool end_target(ErrorTarget& target);
  void fail(const Failure& failure);  // leaves the current block
  void fail(WeirReason reason, std::string_view detail = "");
  void fail_if(llvm::Value* condition, WeirReason reason, std::string_view detail = "");
  // The reason that a kernel returned: fails if it is not 0.
  void fail_unless_ok(llvm::Value* reason, std::string_view detail = "");

  // ---- kernels: C++ functions of stdlib, by name, by the prototype that clang gave them.
  // Arguments: i128 as it is (split and joined here), WeirBytes and WeirList as (ptr, i64). Returns
  // {ptr, i64} for those.
  llvm::Value* call(std::string_view kernel, llvm::ArrayRef<llvm::Value*> arguments,
                    const llvm::Twine& name = "");
  // Splits a {ptr, i64} that a kernel returned.
  Value pair(llvm::Value* returned, const compiler::Type& type, const llvm::Twine& name = "");

  llvm::MDNode* unlikely();  // branch weights

 private:
  std::vector<ErrorTarget> targets_;
};

}  // namespace weir::codegen
