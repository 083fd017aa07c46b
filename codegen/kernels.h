// The kernels as LLVM bitcode: embedded in this library, read lazily, linked into each module that
// calls them.
//
// One per LLVMContext. Only functions that are reachable from generated code are ever parsed.
#pragma once

#include <memory>
#include <string_view>

namespace llvm {
class Function;
class LLVMContext;
class Module;
}  // namespace llvm

namespace weir::codegen {

class Kernels {
 public:
  explicit Kernels(llvm::LLVMContext& context);
  ~Kernels();

  bool has(std::string_view name) const;
  // The kernel's declaration in `module`. Ends the process if there is none: the compiler checked
  // the name.
  llvm::Function* declare(llvm::Module& module, std::string_view name);
  // Moves what `module` needs of the kernels into it; the rest is gone afterwards. Ends this
  // object's life.
  void link_into(llvm::Module& module);

 private:
  std::unique_ptr<llvm::Module> bitcode_;
};

}  // namespace weir::codegen
