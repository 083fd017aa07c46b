// Types as constants for the kernels that read and write any JSON value
// (stdlib/engine/json_type.h).
#pragma once

#include <string>
#include <vector>

#include "codegen/emit.h"
#include "compiler/type.h"

namespace weir::codegen {

// `"name":` as it is written, with its escapes.
std::string json_written_key(const std::string& name);

// A read-only global of this module.
llvm::GlobalVariable* json_global(Emit& emit, llvm::Constant* value, const llvm::Twine& name);
// {ptr, i64} of a text.
llvm::Constant* json_bytes(Emit& emit, std::string_view text);
// An array of WeirBytes.
llvm::GlobalVariable* json_texts(Emit& emit, const std::vector<std::string>& texts,
                                 const llvm::Twine& name);

// The WeirJsonType of a type; presence is not part of it. One per function and type is made at most
// once by each object.
class JsonTypes {
 public:
  llvm::Constant* of(Emit& emit, const compiler::Type& type);

 private:
  llvm::Constant* field(Emit& emit, const compiler::Field* field, const compiler::Type& type,
                        compiler::Slot slot);
  std::vector<std::pair<compiler::Type, llvm::Constant*>> made_;
};

// A scalar or text constant as it looks in memory. Null for what has no such form (records, lists,
// maps).
llvm::Constant* json_constant_in_memory(Emit& emit, const compiler::Constant& constant,
                                        const compiler::Type& type);

}  // namespace weir::codegen
