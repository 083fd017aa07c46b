// What an epoch says about itself, version 1 (golden bytes: state_format_test.cpp).
//
// A *sentinel* is written for each source partition into the topic `<name>.commits`, in the epoch's
// transaction; its record key is "<topic>-<partition>". A *commit record* is all of them with the
// places that the changelogs had reached; it lies in the store, in the same atomic write as the
// state that it describes.
//
//     sentinel: | format u8 = 1 | epoch u64 | topic, partition i32 | offset i64, leader_epoch i32
//               | event_time_max i64 | watermark i64 | idle u8 | shards u16 | source's name
//               | n u16: store, signature … | n u16: sink, position … |
//     commit record: | format u8 = 1 | epoch u64 | n u32: sentinel as text … | n u32: topic,
//     partition i32, next offset i64 … |
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/log.h"
#include "runtime/status.h"

namespace weir::runtime {

struct Sentinel {
  uint64_t epoch = 0;
  TopicPartition partition;
  Position position;
  int64_t event_time_max = 0;  // kNoEventTime: none yet
  int64_t watermark = 0;       // of its sources' time, the floor
  bool idle = false;
  uint16_t shards = 0;
  std::string source;
  std::map<std::string, std::string> signatures;      // of all stores
  std::map<std::string, std::string> sink_positions;  // of sinks that are not logs
  bool operator==(const Sentinel&) const = default;
};
std::string write_sentinel(const Sentinel& sentinel);
Result<Sentinel> read_sentinel(std::string_view bytes);
std::string sentinel_key(const TopicPartition& partition);

struct CommitRecord {
  uint64_t epoch = 0;
  std::map<TopicPartition, Sentinel> sentinels;
  std::map<TopicPartition, int64_t> changelogs;  // next offsets, the commits topic among them
  bool operator==(const CommitRecord&) const = default;
};
std::string write_commit_record(const CommitRecord& record);
Result<CommitRecord> read_commit_record(std::string_view bytes);

}  // namespace weir::runtime
