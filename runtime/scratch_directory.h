// For tests: a directory of its own, gone with the object. In memory where there is such a place:
// much is synced there, and no machine will stop.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace weir::runtime {

struct ScratchDirectory {
  ScratchDirectory() {
    std::filesystem::path memory = "/dev/shm";
    path = (exists(memory) ? memory : std::filesystem::temp_directory_path()) / "weir_test_XXXXXX";
    if (!mkdtemp(path.data())) std::abort();
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace weir::runtime
