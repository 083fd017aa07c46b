#include "tools/weir/image.h"

#include "codegen/codegen.h"

namespace weir::tools {

using runtime::Exit;
using runtime::Result;
using runtime::Status;

namespace {

class Jitted : public LoadedImage {
 public:
  explicit Jitted(codegen::JitPipeline pipeline) : pipeline_(std::move(pipeline)) {}
  const WeirPipelineImage& image() const override { return pipeline_.image(); }

 private:
  codegen::JitPipeline pipeline_;
};

Result<std::unique_ptr<LoadedImage>> take(codegen::Result<codegen::JitPipeline> compiled) {
  if (!compiled) return Status::error(Exit::Bug, "code generation: " + compiled.error());
  return std::unique_ptr<LoadedImage>(std::make_unique<Jitted>(std::move(*compiled)));
}

}  // namespace

Result<std::unique_ptr<LoadedImage>> load_just_in_time(const compiler::Compiled& compiled) {
  return take(codegen::jit(compiled));
}

Result<std::unique_ptr<LoadedImage>> load_ahead_of_time(const compiler::Compiled& compiled) {
  return take(codegen::load_object(compiled));
}

}  // namespace weir::tools
