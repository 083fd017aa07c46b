// Records of a store's changelog topic, version 1 (golden bytes: state_format_test.cpp). The topic
// has one partition for each shard; a record carries many entries, as a message costs more in the
// client than the query does:
//
//     | format u8 = 1 | epoch u64 | shard u16 | store's identity, text | entry … |
//     entry: | key_size u32 | value_size u32, ~0: removed | state key | state value |
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/status.h"

namespace weir::runtime {

inline constexpr uint64_t kChangelogRecordBytes =
    512 << 10;  // a record ends behind the entry that reaches this

// The entries of one shard of one store in one epoch, as records.
class ChangelogWriter {
 public:
  ChangelogWriter(std::string_view store, uint16_t shard, uint64_t epoch);
  // `fill_value` appends the value.
  void add(std::string_view key_prefix, std::string_view key,
           const std::function<void(std::string*)>& fill_value);
  void remove(std::string_view key);
  std::vector<std::string> take() { return std::move(records_); }

 private:
  std::string& record();
  std::string header_;
  std::vector<std::string> records_;
};

struct ChangelogEntry {
  std::string_view key;
  std::string_view value;
  bool removed = false;
};
struct ChangelogHeader {
  uint64_t epoch = 0;
  uint16_t shard = 0;
  std::string_view store;
};
// Views into `record`. The status says what does not fit.
Status read_changelog(std::string_view record, ChangelogHeader* header,
                      std::vector<ChangelogEntry>* entries);

}  // namespace weir::runtime
