// A disk that can fail, and the store on it: the same atomic batches as the real one. Every write
// is one record of a log with a checksum, as in a write-ahead log; opening reads it from the
// beginning.
//
//     | size u32 | checksum u32 | kind u8, content … |
//
// A process that is killed leaves what it has written; of a machine that stops, everything behind
// `synced` may be missing or torn. A record whose checksum is wrong ends what is read: at the end
// of the log it is a torn one and forgotten; elsewhere the store may refuse to open, as RocksDB
// does for a damaged file, or go on with what is in front of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/state/store.h"

namespace weir::simulation {

class Process;

struct Disk {
  std::string bytes;
  size_t synced = 0;    // these survive when the machine stops
  bool locked = false;  // some process has it
  bool full = false;
  bool damaged = false;  // the last start was refused for it
};

runtime::Result<std::unique_ptr<runtime::Store>> open_store(
    Process& process, Disk& disk, std::vector<runtime::StoreOperator> operators);

// What a new process would find there, by store.
std::vector<std::map<std::string, std::string>> contents(
    const Disk& disk, std::vector<runtime::StoreOperator> operators);

}  // namespace weir::simulation
