// Rows that are put aside: with everything that the owner of the data needs to find and repair
// them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/contract/stage_abi.h"
#include "runtime/program.h"

namespace weir::runtime {

struct AsideRow {
  uint32_t source = 0;  // index in Program::sources, whose on_error decides
  uint32_t stream = 0;  // index in Plan.streams
  WeirReason reason = 0;
  std::string detail;
  int32_t partition = -1;
  int64_t offset = -1;  // −1: a group's result, not a record
  int64_t timestamp_ms = -1;
  bool has_key = false, has_value = false;
  std::string key, value;
  std::vector<std::pair<std::string, std::string>> headers;
};

// "missing_field"; the number as text for one that is not in reason.def.
std::string reason_name(WeirReason reason);
// "W7002": what `weir explain-error` takes.
std::string reason_code(WeirReason reason);
AsideRow aside_record(uint32_t source, int32_t partition, const WeirRowError& error,
                      const WeirRecord& record);
AsideRow aside_group(uint32_t source, uint32_t stream, WeirReason reason, std::string detail,
                     const WeirFired& group);

// "topic/3 at offset 17, stream `rides`: W7002 missing_field (ts: …)"
std::string describe(const Program& program, const AsideRow& row);
// The headers of a dead letter: the record's own, then weir.reason, weir.code, weir.detail,
// weir.topic, …
std::vector<std::pair<std::string, std::string>> dead_letter_headers(const Program& program,
                                                                     const AsideRow& row);
// The same as one JSON object, without the line's end. Bytes that are not UTF-8 are shown as
// U+FFFD.
std::string dead_letter_json(const Program& program, const AsideRow& row);

}  // namespace weir::runtime
