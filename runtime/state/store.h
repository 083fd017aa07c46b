// Where state lies when it is not in memory, and when the process is not running: an ordered map of
// bytes for each keyed operator, and the commit record that says which epoch all of them are at.
// Two implementations: RocksDB, and one in memory (`--dev`, tests, simulation).
//
// Threads: reading from any thread; `write` and `forget_before` from one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/value_merge.h"
#include "runtime/status.h"

namespace weir::runtime {

class Store {
 public:
  virtual ~Store() = default;

  struct Write {
    uint32_t store = 0;  // index of the operators that the store was opened for
    std::string_view key;
    std::string_view value;  // a part is merged with what is there
    bool removed = false;
  };
  // All of it or nothing, the commit record among it. Survives a crash of the process (not of the
  // machine: then the changelog is replayed).
  virtual Status write(const std::vector<Write>& writes, std::string_view commit_record) = 0;
  // Empty at the first start.
  virtual Result<std::string> commit_record() = 0;

  // Requires: `keys` are in order.
  virtual Status get(uint32_t store, const std::vector<std::string>& keys,
                     std::vector<std::optional<std::string>>* values) = 0;

  // Entries in the order of their keys from the first at or after `from`. Values are groups: parts
  // have been merged.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
    virtual void next() = 0;
    virtual void seek(std::string_view from) = 0;
    virtual Status status() const = 0;  // why `valid` is false, if not for the end
  };
  virtual std::unique_ptr<Cursor> cursor(uint32_t store) = 0;

  // Panes in front of `pane` may vanish, at once or some time, of all shards: nobody reads them any
  // more. Forgotten when the process ends; the caller says it again.
  virtual void forget_before(uint32_t store, int64_t pane) = 0;
  // Back to empty (before a full restore).
  virtual Status clear() = 0;

  // For snapshots; a store that does not outlive its process has none: NotSupported.
  struct CheckpointFile {
    std::string name;
    std::optional<uint32_t> crc32c;  // of a file that never changes, as it was when it was written
  };
  // What is in the store now, as files of a new directory that cost next to nothing (links). The
  // commit record that is in them has been read back. Requires: nobody writes meanwhile.
  virtual Result<std::vector<CheckpointFile>> checkpoint(const std::string& directory);
  // From now on what lies in such a directory, instead of what is here; its files are moved. A
  // crash meanwhile leaves an empty store. Requires: nobody reads, there is no cursor.
  virtual Status replace(const std::string& directory);
};

// A keyed operator, as the store sees it.
struct StoreOperator {
  std::string name;  // its identity
  ValueMerge merge;
  bool looks_up = false;  // single groups are read, not only all of a pane
};

// Those of a program, as in Program::keyed. NotSupported for what state can't hold yet.
Result<std::vector<StoreOperator>> store_operators(const Program& program);

// Locks the directory. `memory_bytes` bounds caches and write buffers. `lost`: who can get the
// state back from somewhere else is told there that it was damaged, and gets an empty store;
// without it damaged state is an error.
Result<std::unique_ptr<Store>> open_rocksdb_store(const std::string& directory,
                                                  std::vector<StoreOperator> operators,
                                                  uint64_t memory_bytes,
                                                  std::string* lost = nullptr);
std::unique_ptr<Store> make_memory_store(std::vector<StoreOperator> operators);

}  // namespace weir::runtime
