// From a compiled program to machine code: in this process (`jit`), or an executable
// (`build_binary`).
//
// Both give the runtime the same WeirPipelineImage. Without LLVM in its includes; one thread at a
// time per call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/result.h"
#include "compiler/compile.h"
#include "runtime/contract/stage_abi.h"

namespace weir::codegen {

struct Formats;  // stage.h; tests bring their own

struct Options {
  const Formats* formats = nullptr;  // null: those of formats.def
  std::string cpu;                   // "x86-64-v3"; empty: this machine
  // 0 to 3, as clang's -O: all must give the same. What is deployed is 2.
  unsigned optimization = 2;
};

// Owns the code that `image` points to.
class JitPipeline {
 public:
  struct Code;
  JitPipeline(std::unique_ptr<Code> code, const WeirPipelineImage* image);
  JitPipeline(JitPipeline&&) noexcept;
  JitPipeline& operator=(JitPipeline&&) noexcept;
  ~JitPipeline();
  const WeirPipelineImage& image() const { return *image_; }

 private:
  std::unique_ptr<Code> code_;
  const WeirPipelineImage* image_;
};

Result<JitPipeline> jit(const compiler::Compiled& compiled, const Options& options = {});

// The way of `build_binary` (objects for the CPU levels, the best that this machine can run),
// loaded into this process: for tests that run a program in both ways. `options.cpu` names one
// level; empty: the best.
Result<JitPipeline> load_object(const compiler::Compiled& compiled, const Options& options = {});

// `weir explain`: LLVM IR as generated, or after the optimiser, and the machine code.
Result<std::string> ir_text(const compiler::Compiled& compiled, const Options& options,
                            bool optimized);
Result<std::string> asm_text(const compiler::Compiled& compiled, const Options& options);

struct BuildOptions {
  std::string output;   // the executable
  std::string library;  // directory with what weir ships for linking (README, "Binaries")
  std::vector<std::string> system_libraries = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                               "/lib64", "/usr/lib64", "/usr/lib"};
  std::vector<std::string> cpus = {"x86-64-v4", "x86-64-v3", "x86-64-v2"};  // best first
  const Formats* formats = nullptr;
};
// Nothing, or why it failed.
std::optional<std::string> build_binary(const compiler::Compiled& compiled,
                                        const BuildOptions& options);

}  // namespace weir::codegen
