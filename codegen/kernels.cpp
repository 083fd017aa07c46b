#include "codegen/kernels.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/MemoryBuffer.h>

// stdlib/kernels.bc as it was when this library was built (kernels_embed.S).
extern "C" const char weir_kernels_begin[];
extern "C" const char weir_kernels_end[];

namespace weir::codegen {

Kernels::Kernels(llvm::LLVMContext& context) {
  llvm::StringRef bytes(weir_kernels_begin, size_t(weir_kernels_end - weir_kernels_begin));
  auto module = llvm::getOwningLazyBitcodeModule(
      llvm::MemoryBuffer::getMemBuffer(bytes, "kernels", false), context);
  if (!module) llvm::report_fatal_error(module.takeError());
  bitcode_ = std::move(*module);
}

Kernels::~Kernels() = default;

bool Kernels::has(std::string_view name) const {
  return bitcode_->getFunction(llvm::StringRef(name)) != nullptr;
}

llvm::Function* Kernels::declare(llvm::Module& module, std::string_view name) {
  if (llvm::Function* known = module.getFunction(llvm::StringRef(name))) return known;
  llvm::Function* kernel = bitcode_->getFunction(llvm::StringRef(name));
  if (!kernel)
    llvm::report_fatal_error(llvm::Twine("no kernel is called ") + llvm::StringRef(name));
  llvm::Function* declared = llvm::Function::Create(
      kernel->getFunctionType(), llvm::GlobalValue::ExternalLinkage, llvm::StringRef(name), module);
  declared->setCallingConv(kernel->getCallingConv());
  declared->setAttributes(kernel->getAttributes());
  return declared;
}

void Kernels::link_into(llvm::Module& module) {
  module.setDataLayout(bitcode_->getDataLayout());
  module.setTargetTriple(bitcode_->getTargetTriple());
  // Marked `used` so that clang keeps them; here only what is called is wanted.
  for (const char* list : {"llvm.used", "llvm.compiler.used"}) {
    if (llvm::GlobalVariable* used = bitcode_->getNamedGlobal(list)) used->eraseFromParent();
  }
  if (llvm::Linker::linkModules(module, std::move(bitcode_), llvm::Linker::LinkOnlyNeeded)) {
    llvm::report_fatal_error("the kernels do not link into a stage");
  }
}

}  // namespace weir::codegen
