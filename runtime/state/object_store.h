// Where snapshots lie: objects that are written once, under names with `/` between their parts. A
// directory today; nothing here asks for more than an object store of a cloud gives.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/status.h"

namespace weir::runtime {

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // What went by on the way.
  struct Copied {
    uint64_t bytes = 0;
    uint32_t crc32c = 0;
  };
  // After them the object is there with all its bytes, and durable, or it is not there.
  virtual Result<Copied> put_file(const std::string& name, const std::string& path) = 0;
  virtual Status put(const std::string& name, std::string_view bytes) = 0;
  virtual Result<Copied> get_file(const std::string& name, const std::string& path) = 0;
  virtual Result<std::string> get(const std::string& name) = 0;

  struct Object {
    std::string name;
    uint64_t bytes = 0;
  };
  // Those whose names begin with `prefix`, in the order of their names. Some may be rests of `put`s
  // that were interrupted, under names that nobody put.
  virtual Result<std::vector<Object>> list(const std::string& prefix) = 0;
  // Fine if it is not there.
  virtual Status remove(const std::string& name) = 0;
};

// Makes the directory. Disk: it can't be made or written.
Result<std::unique_ptr<ObjectStore>> open_object_directory(const std::string& path);

}  // namespace weir::runtime
