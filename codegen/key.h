// Canonical key bytes (stdlib/engine/key.h) in generated code: writing those of a row, reading
// those of a group.
#pragma once

#include "codegen/emit.h"

namespace weir::codegen {

// A key's bytes: `v`, `size`. A single text is its own key, where it lies; others are built in the
// function's frame or in scratch memory.
Value write_key(Emit& emit, const std::vector<Value>& components);
std::vector<Value> read_key(Emit& emit, const std::vector<compiler::Type>& types, llvm::Value* data,
                            llvm::Value* size);

// Enums by their texts on the wire. `unknown` i1: no case has this text.
Value enum_text(Emit& emit, const Value& value);
Value enum_case(Emit& emit, const compiler::Type& type, const Value& text, llvm::Value** unknown);

}  // namespace weir::codegen
