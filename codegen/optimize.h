// LLVM's passes over a pipeline's module, for one CPU.
#pragma once

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace weir::codegen {

class Kernels;

// What code is made for: "x86-64-v2", "x86-64-v3", "x86-64-v4", or this machine.
struct Cpu {
  std::string name;
  std::string features;
  std::string tune;  // whose costs count; empty: those of `name`
};
Cpu host_cpu();
Cpu level_cpu(const std::string& level);
std::string host_level();  // the best level that this machine can run

std::unique_ptr<llvm::TargetMachine> target_machine(const Cpu& cpu, unsigned optimization = 2);

// Links the kernels that `module` calls, hides everything but `stage_…` and `merge_…`, and
// optimises for `machine`, as clang's -O0 … -O3.
void optimize(llvm::Module& module, Kernels& kernels, const Cpu& cpu, llvm::TargetMachine& machine,
              unsigned optimization = 2);

}  // namespace weir::codegen
