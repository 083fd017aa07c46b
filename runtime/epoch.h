// An epoch that has ended, as the commit thread gets it: bytes that nobody changes any more.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/aside.h"
#include "runtime/lane.h"
#include "runtime/log.h"
#include "runtime/stage_memory.h"
#include "runtime/state/sentinel.h"

namespace weir::runtime {

struct FrozenEpoch {
  uint64_t number = 0;
  bool part =
      false;  // only outputs, of an epoch that goes on: they leave before the memory is full
  struct Rows {
    uint32_t sink;
    EncodedRows rows;
  };  // index in Program::sinks
  std::vector<Rows> outputs;
  std::vector<AsideRow> aside;
  struct Change {
    uint32_t keyed;
    uint16_t shard;
    std::string record;
  };
  std::vector<Change> changes;  // changelog records
  struct Closed {
    uint32_t keyed;
    int64_t before;
  };
  std::vector<Closed>
      closed;           // panes in front of `before`: the store forgets them after the commit
  CommitRecord record;  // without changelog offsets and sink positions: the commit fills them in
  Positions offsets;    // of the group's partitions
  std::unique_ptr<GroupMetadata> group;  // null: no log source
  std::vector<TimestampSample> timestamps;
  std::string checkpoint;  // directory: behind the commit the store makes one there
  // What messages point to until they are delivered.
  std::deque<std::string> texts;
  std::deque<std::vector<std::pair<std::string, std::string>>> header_texts;
  std::deque<std::vector<Header>> headers;

  uint64_t bytes() const {
    uint64_t bytes = 0;
    for (const Rows& rows : outputs) bytes += rows.rows.size;
    for (const Change& change : changes) bytes += change.record.size();
    return bytes;
  }
};

}  // namespace weir::runtime
