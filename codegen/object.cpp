#include "codegen/object.h"

#include <algorithm>

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/module.h"
#include "codegen/optimize.h"

namespace weir::codegen {

// "stage_0.v3".
static std::string level_symbol(const std::string& symbol, const std::string& cpu) {
  return symbol + "." + cpu.substr(cpu.rfind('-') + 1);
}

std::unique_ptr<llvm::MemoryBuffer> emit_object(llvm::Module& module, llvm::TargetMachine& machine,
                                                const std::string& name) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::ObjectFile))
    return nullptr;
  passes.run(module);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), name, false);
}

namespace {

// The constants, as the structs of stage_abi.h lie in memory.
class ImageModule {
 public:
  ImageModule(const compiler::Compiled& compiled, const std::vector<std::string>& cpus)
      : module_("images", context_), ir_(context_) {
    llvm::Type* ptr = ir_.getPtrTy();
    llvm::Type* i32 = ir_.getInt32Ty();
    llvm::Type* i64 = ir_.getInt64Ty();
    auto* entry = llvm::StructType::get(i32, i32, ptr);  // WeirStageImage, WeirKeyedImage
    auto* image = llvm::StructType::get(
        context_, {i32, i32, ptr, i64, ptr, ptr, i32, i32, ptr});  // WeirPipelineImage
    std::string plan = compiled.plan.SerializeAsString();
    llvm::Constant* plan_bytes = bytes(plan, "plan");
    std::vector<llvm::Constant*> images;
    for (const std::string& cpu : cpus) {
      std::vector<llvm::Constant*> stages, keyed;
      auto function = [&](const std::string& symbol) {
        return module_.getOrInsertFunction(level_symbol(symbol, cpu), ir_.getVoidTy()).getCallee();
      };
      auto add = [&](std::vector<llvm::Constant*>& list, uint32_t id, const std::string& symbol) {
        list.push_back(llvm::ConstantStruct::get(
            entry,
            {ir_.getInt32(id), ir_.getInt32(0), llvm::cast<llvm::Constant>(function(symbol))}));
      };
      for (const compiler::Stage& stage : compiled.graph.stages)
        add(stages, stage.id, stage_symbol(stage.id));
      for (const contract::Keyed& node : compiled.plan.keyed())
        add(keyed, node.id(), merge_symbol(node.id()));
      auto array = [&](llvm::Type* type, const std::vector<llvm::Constant*>& items,
                       const char* name) {
        return global(llvm::ConstantArray::get(llvm::ArrayType::get(type, items.size()), items),
                      name);
      };
      images.push_back(global(
          llvm::ConstantStruct::get(
              image, {ir_.getInt32(kStageAbiVersion), ir_.getInt32(sizeof(WeirPipelineImage)),
                      plan_bytes, ir_.getInt64(plan.size()), array(entry, stages, "stages"),
                      array(entry, keyed, "keyed"), ir_.getInt32(uint32_t(stages.size())),
                      ir_.getInt32(uint32_t(keyed.size())), bytes(cpu + '\0', "cpu")}),
          "image"));
    }
    llvm::Constant* list = global(
        llvm::ConstantArray::get(llvm::ArrayType::get(ptr, images.size()), images), "images");
    auto* binary = global(llvm::ConstantStruct::get(llvm::StructType::get(ptr, i64),
                                                    {list, ir_.getInt64(images.size())}),
                          "weir_binary");
    binary->setLinkage(llvm::GlobalValue::ExternalLinkage);
  }
  llvm::Module& module() { return module_; }

 private:
  llvm::GlobalVariable* global(llvm::Constant* initial, const char* name) {
    return new llvm::GlobalVariable(module_, initial->getType(), true,
                                    llvm::GlobalValue::InternalLinkage, initial, name);
  }
  llvm::Constant* bytes(const std::string& text, const char* name) {
    return global(llvm::ConstantDataArray::getString(context_, text, false), name);
  }
  llvm::LLVMContext context_;
  llvm::Module module_;
  llvm::IRBuilder<> ir_;
};

}  // namespace

Result<std::vector<std::unique_ptr<llvm::MemoryBuffer>>> emit_objects(
    const compiler::Compiled& compiled, const std::vector<std::string>& cpus,
    const Formats* formats) {
  using Failed = Result<std::vector<std::unique_ptr<llvm::MemoryBuffer>>>;
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects;
  for (const std::string& level : cpus) {
    Cpu cpu = level_cpu(level);
    auto machine = target_machine(cpu);
    auto built = build_optimized(compiled, formats, cpu, *machine);
    if (!built) return Failed::failed(built.error());
    for (llvm::Function& function : *built->module) {
      if (!function.isDeclaration() && function.hasExternalLinkage())
        function.setName(level_symbol(function.getName().str(), level));
    }
    auto object = emit_object(*built->module, *machine, "pipeline." + level + ".o");
    if (!object) return Failed::failed("no object files for " + level);
    objects.push_back(std::move(object));
  }
  ImageModule images(compiled, cpus);
  auto machine = target_machine(level_cpu("x86-64-v2"));
  images.module().setDataLayout(machine->createDataLayout());
  images.module().setTargetTriple(machine->getTargetTriple().str());
  objects.push_back(emit_object(images.module(), *machine, "images.o"));
  return objects;
}

}  // namespace weir::codegen
