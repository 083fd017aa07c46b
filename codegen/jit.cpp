#include <future>

#include <llvm/ADT/StringExtras.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/codegen.h"
#include "codegen/module.h"
#include "codegen/object.h"
#include "stdlib/native.h"

namespace weir::codegen {

struct JitPipeline::Code {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<WeirStageImage> stages;
  std::vector<WeirKeyedImage> keyed;
  std::string plan;
  std::string cpu;
  WeirPipelineImage image{};
};

JitPipeline::JitPipeline(std::unique_ptr<Code> code, const WeirPipelineImage* image)
    : code_(std::move(code)), image_(image) {}
JitPipeline::JitPipeline(JitPipeline&&) noexcept = default;
JitPipeline& JitPipeline::operator=(JitPipeline&&) noexcept = default;
JitPipeline::~JitPipeline() = default;

static std::string text_of(llvm::Error error) { return llvm::toString(std::move(error)); }

// What kernels call outside: the natively compiled ones of the standard library; memcpy and the
// like from the process.
static llvm::Error define_outside(llvm::orc::LLJIT& jit) {
  llvm::orc::SymbolMap symbols;
  for (const stdlib::NativeFunction& function : stdlib::native_functions()) {
    symbols[jit.mangleAndIntern(function.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function.address), llvm::JITSymbolFlags::Exported};
  }
  if (llvm::Error error =
          jit.getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit.getDataLayout().getGlobalPrefix());
  if (!process) return process.takeError();
  jit.getMainJITDylib().addGenerator(std::move(*process));
  return llvm::Error::success();
}

static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> make_jit(const Cpu& cpu,
                                                                  llvm::TargetMachine& machine) {
  llvm::orc::JITTargetMachineBuilder target(machine.getTargetTriple());
  target.setCPU(cpu.name);
  std::vector<std::string> features;
  for (llvm::StringRef feature : llvm::split(cpu.features, ',')) {
    if (!feature.empty()) features.push_back(feature.str());
  }
  target.addFeatures(features);
  target.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  target.setRelocationModel(llvm::Reloc::PIC_);
  auto created = llvm::orc::LLJITBuilder()
                     .setJITTargetMachineBuilder(std::move(target))
                     .setDataLayout(machine.createDataLayout())
                     .create();
  if (!created) return created.takeError();
  if (llvm::Error error = define_outside(**created)) return error;
  return std::move(*created);
}

// One part, with an LLVM context of its own.
static Result<std::unique_ptr<llvm::MemoryBuffer>> compile_part(const compiler::Compiled& compiled,
                                                                const Options& options,
                                                                const Cpu& cpu, Part part) {
  using Failed = Result<std::unique_ptr<llvm::MemoryBuffer>>;
  auto machine = target_machine(cpu, options.optimization);
  auto built =
      build_optimized(compiled, options.formats, cpu, *machine, part, options.optimization);
  if (!built) return Failed::failed(built.error());
  auto object = emit_object(*built->module, *machine, part == Part::Sources ? "sources" : "rest");
  if (!object) return Failed::failed("no object files for " + cpu.name);
  return object;
}

Result<JitPipeline> jit(const compiler::Compiled& compiled, const Options& options) {
  using Failed = Result<JitPipeline>;
  Cpu cpu = options.cpu.empty() ? host_cpu() : level_cpu(options.cpu);
  auto machine = target_machine(cpu);  // initialises LLVM before there are threads
  // Compiling is most of what a start takes.
  auto rest = std::async(std::launch::async,
                         [&] { return compile_part(compiled, options, cpu, Part::Rest); });
  auto sources = compile_part(compiled, options, cpu, Part::Sources);
  auto others = rest.get();

  auto code = std::make_unique<JitPipeline::Code>();
  auto created = make_jit(cpu, *machine);
  if (!created) return Failed::failed(text_of(created.takeError()));
  code->jit = std::move(*created);
  for (auto* part : {&sources, &others}) {
    if (!*part) return Failed::failed(part->error());
    if (llvm::Error error = code->jit->addObjectFile(std::move(**part)))
      return Failed::failed(text_of(std::move(error)));
  }

  for (const compiler::Stage& stage : compiled.graph.stages) {
    auto address = code->jit->lookup(stage_symbol(stage.id));
    if (!address) return Failed::failed(text_of(address.takeError()));
    code->stages.push_back({stage.id, 0, address->toPtr<WeirStageFunction>()});
  }
  for (const contract::Keyed& keyed : compiled.plan.keyed()) {
    auto address = code->jit->lookup(merge_symbol(keyed.id()));
    if (!address) return Failed::failed(text_of(address.takeError()));
    code->keyed.push_back({keyed.id(), 0, address->toPtr<WeirMergeFunction>()});
  }
  code->plan = compiled.plan.SerializeAsString();
  code->cpu = cpu.name;
  code->image = {kStageAbiVersion,
                 sizeof(WeirPipelineImage),
                 code->plan.data(),
                 code->plan.size(),
                 code->stages.data(),
                 code->keyed.data(),
                 uint32_t(code->stages.size()),
                 uint32_t(code->keyed.size()),
                 code->cpu.c_str()};
  const WeirPipelineImage* image = &code->image;
  return JitPipeline(std::move(code), image);
}

Result<JitPipeline> load_object(const compiler::Compiled& compiled, const Options& options) {
  using Failed = Result<JitPipeline>;
  std::string level = options.cpu.empty() ? host_level() : options.cpu;
  auto objects = emit_objects(compiled, {level}, options.formats);
  if (!objects) return Failed::failed(objects.error());
  Cpu cpu = level_cpu(level);
  auto machine = target_machine(cpu);
  auto code = std::make_unique<JitPipeline::Code>();
  auto created = make_jit(cpu, *machine);
  if (!created) return Failed::failed(text_of(created.takeError()));
  code->jit = std::move(*created);
  for (auto& object : *objects) {
    if (llvm::Error error = code->jit->addObjectFile(std::move(object)))
      return Failed::failed(text_of(std::move(error)));
  }
  auto binary = code->jit->lookup("weir_binary");
  if (!binary) return Failed::failed(text_of(binary.takeError()));
  const WeirPipelineImage* image = binary->toPtr<const WeirBinary*>()->images[0];
  return JitPipeline(std::move(code), image);
}

}  // namespace weir::codegen
