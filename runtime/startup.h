// The start of a run from what is durable (the first start, after a crash, after an epoch that
// failed), in this order:
//
//     1. older producers are fenced and their transactions ended        (the caller:
//     LogProducer::init_transactions)
//     2. the group's committed offsets are read, stable ones only
//     3. the store says which epoch it is at; another state signature is refused
//     4. the changelogs are applied from there to their ends; where they begin behind it, or it is
//     lost, the newest snapshot takes its place first
//     5. the sentinels must name the group's committed offsets, else the start is refused with both
//     numbers (if the offsets have not moved meanwhile: then another process has our place, and the
//     start begins again)
//     6. partitions that were never read begin where `start` says
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/inputs.h"
#include "runtime/state/sentinel.h"
#include "runtime/state/store.h"

namespace weir::runtime {

struct DurableState {
  CommitRecord record;  // sentinels by partition, changelog offsets; empty at the first start
  Positions positions;  // of all partitions of this run
  uint32_t shards = 0;
  uint64_t restored_entries = 0, restored_bytes = 0;  // from changelogs
  bool first_start = false;
};

// The number of shards that the store's state has been written with; `wanted` if it has none.
Result<uint32_t> stored_shards(Store& store, uint32_t wanted);
// Makes the internal topics if they are not there.
Status ensure_internal_topics(const Program& program, Log& log, uint32_t shards);

// `from_snapshot` makes the newest snapshot the store; false: there is none. May be empty.
Result<DurableState> read_durable_state(const Program& program, Store& store, Log* log,
                                        Inputs& inputs,
                                        const std::vector<InputPartition>& partitions,
                                        const RunOptions& options,
                                        const std::function<Result<bool>()>& from_snapshot = {});

}  // namespace weir::runtime
