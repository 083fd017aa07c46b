// A compiled pipeline in this process, however it was compiled.
#pragma once

#include <memory>

#include "compiler/compile.h"
#include "runtime/contract/stage_abi.h"
#include "runtime/status.h"

namespace weir::tools {

class LoadedImage {
 public:
  virtual ~LoadedImage() = default;
  virtual const WeirPipelineImage& image() const = 0;
};

runtime::Result<std::unique_ptr<LoadedImage>> load_just_in_time(const compiler::Compiled& compiled);
// Through the same object code as `weir build`, linked as a shared library and loaded.
runtime::Result<std::unique_ptr<LoadedImage>> load_ahead_of_time(
    const compiler::Compiled& compiled);

}  // namespace weir::tools
