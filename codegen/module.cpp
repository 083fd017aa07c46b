#include "codegen/module.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/stage.h"

namespace weir::codegen {

std::string stage_symbol(uint32_t stage) { return "stage_" + std::to_string(stage); }
std::string merge_symbol(uint32_t keyed) { return "merge_" + std::to_string(keyed); }

Result<PipelineModule> build_module(const compiler::Compiled& compiled, const Formats* formats,
                                    Part part) {
  static const Formats all_formats;
  PipelineModule built;
  built.context = std::make_unique<llvm::LLVMContext>();
  built.module = std::make_unique<llvm::Module>("pipeline", *built.context);
  built.kernels = std::make_unique<Kernels>(*built.context);
  Pipeline pipeline{compiled.graph, compiled.plan, formats ? *formats : all_formats};
  for (const compiler::Stage& stage : compiled.graph.stages) {
    bool decodes =
        std::holds_alternative<compiler::SourceNode>(compiled.graph.nodes[stage.input].is);
    if (part != Part::All && decodes != (part == Part::Sources)) continue;
    std::string missing = emit_stage(pipeline, stage, *built.module, *built.kernels);
    if (!missing.empty()) return Result<PipelineModule>::failed(missing);
  }
  for (const contract::Keyed& keyed : compiled.plan.keyed()) {
    if (part == Part::Sources) break;
    std::string missing = emit_merge(pipeline, keyed.id(), *built.module, *built.kernels);
    if (!missing.empty()) return Result<PipelineModule>::failed(missing);
  }
  std::string broken;
  llvm::raw_string_ostream out(broken);
  if (llvm::verifyModule(*built.module, &out))
    return Result<PipelineModule>::failed("the generated code is not well formed: " + broken);
  return built;
}

Result<PipelineModule> build_optimized(const compiler::Compiled& compiled, const Formats* formats,
                                       const Cpu& cpu, llvm::TargetMachine& machine, Part part,
                                       unsigned optimization) {
  auto built = build_module(compiled, formats, part);
  if (built) optimize(*built->module, *built->kernels, cpu, machine, optimization);
  return built;
}

// Of the options, or this machine's.
static Cpu cpu_of(const Options& options) {
  return options.cpu.empty() ? host_cpu() : level_cpu(options.cpu);
}

Result<std::string> ir_text(const compiler::Compiled& compiled, const Options& options,
                            bool optimized) {
  Cpu cpu = cpu_of(options);
  auto machine = target_machine(cpu);
  auto built = optimized ? build_optimized(compiled, options.formats, cpu, *machine)
                         : build_module(compiled, options.formats);
  if (!built) return Result<std::string>::failed(built.error());
  std::string text;
  llvm::raw_string_ostream out(text);
  built->module->print(out, nullptr);
  return text;
}

Result<std::string> asm_text(const compiler::Compiled& compiled, const Options& options) {
  Cpu cpu = cpu_of(options);
  auto machine = target_machine(cpu);
  auto built = build_optimized(compiled, options.formats, cpu, *machine);
  if (!built) return Result<std::string>::failed(built.error());
  machine->Options.MCOptions.AsmVerbose = true;
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile)) {
    return Result<std::string>::failed("this target has no assembly printer");
  }
  passes.run(*built->module);
  return std::string(text.data(), text.size());
}

}  // namespace weir::codegen
