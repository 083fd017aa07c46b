#include "codegen/optimize.h"

#include <algorithm>

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include "codegen/kernels.h"

namespace weir::codegen {

// Vectors of 64 bytes are used where kernels have them: few, and of no kind that slows a CPU down.
// Many CPUs' own tuning, and that of the level, would split them.
static constexpr const char* kWholeVectors = "-prefer-256-bit";

Cpu host_cpu() {
  Cpu cpu{llvm::sys::getHostCPUName().str(), "", ""};
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    cpu.features += (cpu.features.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") +
                    feature.first().str();
  }
  cpu.features += (cpu.features.empty() ? "" : ",") + std::string(kWholeVectors);
  return cpu;
}

std::string host_level() {
  auto features = llvm::sys::getHostCPUFeatures();
  auto has_all = [&](std::initializer_list<const char*> names) {
    return std::all_of(names.begin(), names.end(),
                       [&](const char* name) { return features.lookup(name); });
  };
  if (!has_all({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"})) return "x86-64-v2";
  return has_all({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4"
                                                                              : "x86-64-v3";
}

// A level's own tuning is that of no CPU and keeps to nobody's costs.
Cpu level_cpu(const std::string& level) {
  return {level, kWholeVectors, level == "x86-64-v4" ? "znver4" : "znver3"};
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Cpu& cpu, unsigned optimization) {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    return true;
  }();
  (void)initialized;
  std::string triple = llvm::sys::getDefaultTargetTriple();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) llvm::report_fatal_error(llvm::Twine(error));
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu.name, cpu.features, {}, llvm::Reloc::PIC_, std::nullopt,
      optimization == 0  ? llvm::CodeGenOptLevel::None
      : optimization < 3 ? llvm::CodeGenOptLevel::Default
                         : llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module& module, Kernels& kernels, const Cpu& cpu, llvm::TargetMachine& machine,
              unsigned optimization) {
  kernels.link_into(module);
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("min-legal-vector-width");
    function.addFnAttr("target-cpu", cpu.name);
    if (!cpu.features.empty()) function.addFnAttr("target-features", cpu.features);
    if (!cpu.tune.empty()) function.addFnAttr("tune-cpu", cpu.tune);
  }
  llvm::internalizeModule(module, [](const llvm::GlobalValue& value) {
    return value.getName().starts_with("stage_") || value.getName().starts_with("merge_");
  });
#ifndef NDEBUG
  if (llvm::verifyModule(module, &llvm::errs()))
    llvm::report_fatal_error("the module is not well formed");
#endif

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;  // row loops gain nothing, and kernels are unrolled where it pays
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  auto level = optimization == 0   ? llvm::OptimizationLevel::O0
               : optimization == 1 ? llvm::OptimizationLevel::O1
               : optimization == 2 ? llvm::OptimizationLevel::O2
                                   : llvm::OptimizationLevel::O3;
  (optimization == 0 ? builder.buildO0DefaultPipeline(level)
                     : builder.buildPerModuleDefaultPipeline(level))
      .run(module, modules);
}

}  // namespace weir::codegen
