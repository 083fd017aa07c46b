// A pipeline → object files: the code for each CPU level, and one with the constants that tie them
// together:
//
//     extern "C" const WeirBinary weir_binary;     images best first, each with the plan
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <llvm/Support/MemoryBuffer.h>

#include "codegen/codegen.h"

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace weir::codegen {

// Null if the target has no object files.
std::unique_ptr<llvm::MemoryBuffer> emit_object(llvm::Module& module, llvm::TargetMachine& machine,
                                                const std::string& name);

Result<std::vector<std::unique_ptr<llvm::MemoryBuffer>>> emit_objects(
    const compiler::Compiled& compiled, const std::vector<std::string>& cpus,
    const Formats* formats);

}  // namespace weir::codegen
