// A pipeline → an LLVM module with its stages and merges, or with a part of them.
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

// Parts that can be compiled at the same time, about equally large: the stages that decode, and
// what follows them.
enum class Part : uint8_t { All, Sources, Rest };

// Not optimised, kernels only declared.
Result<PipelineModule> build_module(const compiler::Compiled& compiled, const Formats* formats,
                                    Part part = Part::All);

// Optimised for `cpu`, kernels in it. `machine`: target_machine(cpu).
Result<PipelineModule> build_optimized(const compiler::Compiled& compiled, const Formats* formats,
                                       const Cpu& cpu, llvm::TargetMachine& machine,
                                       Part part = Part::All, unsigned optimization = 2);

std::string stage_symbol(uint32_t stage);
std::string merge_symbol(uint32_t keyed);

}  // namespace weir::codegen
