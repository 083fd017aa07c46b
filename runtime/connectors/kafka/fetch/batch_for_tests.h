// Record batches as a producer writes them, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/fetch/decompress.h"

namespace weir::runtime::kafka::fetch {

struct TestRecord {
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
  int32_t offset_delta = -1;  // −1: one more than the record before
  int64_t timestamp_delta = 0;
};
struct TestBatch {
  int64_t base_offset = 0;
  std::vector<TestRecord> records;
  Codec codec = Codec::None;
  bool transactional = false, control = false, append_time = false;
  int64_t producer_id = -1, base_timestamp = 1000, timestamp_max = 2000;
  int32_t leader_epoch = 0;
  int32_t last_offset_delta = -1;  // −1: that of the last record
};

std::string zigzag_of(int64_t number);
std::string encode(const TestBatch& batch);
// The end of a producer's transaction.
std::string encode_marker(int64_t offset, int64_t producer_id, bool commits);
std::string from_hex(std::string_view text);

}  // namespace weir::runtime::kafka::fetch
