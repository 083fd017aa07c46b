// A pipeline → one LLVM module with all its stages and merges.
#pragma once

#include <memory>

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include "codegen/codegen.h"
#include "codegen/kernels.h"
#include "codegen/optimize.h"

namespace weir::codegen {

struct PipelineModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<Kernels> kernels;
};

// Not optimised, kernels only declared.
Result<PipelineModule> build_module(const compiler::Compiled& compiled, const Formats* formats);

std::string stage_symbol(uint32_t stage);
std::string merge_symbol(uint32_t keyed);

}  // namespace weir::codegen
