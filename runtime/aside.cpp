#include "runtime/aside.h"

#include <nlohmann/json.hpp>

#include "runtime/log.h"

namespace weir::runtime {

std::string reason_name(WeirReason reason) {
  switch (reason) {
#define REASON(number, name, text) \
  case number:                     \
    return #name;
#include "runtime/contract/reason.def"
#undef REASON
    default:
      return std::to_string(reason);
  }
}

std::string reason_code(WeirReason reason) { return "W" + std::to_string(reason); }

AsideRow aside_record(uint32_t source, int32_t partition, const WeirRowError& error,
                      const WeirRecord& record) {
  AsideRow row;
  row.source = source;
  row.stream = error.stream;
  row.reason = error.reason;
  row.detail.assign(error.detail.data, error.detail.size);
  row.partition = partition;
  row.offset = record.offset;
  row.timestamp_ms = record.timestamp_ms;
  row.has_key = record.key != nullptr;
  row.has_value = record.value != nullptr;
  if (row.has_key) row.key.assign(record.key, record.key_size);
  if (row.has_value) row.value.assign(record.value, record.value_size);
  HeaderList headers = headers_of(record);
  for (size_t i = 0; i < headers.count; ++i)
    row.headers.emplace_back(headers.headers[i].name, headers.headers[i].value);
  return row;
}

AsideRow aside_group(uint32_t source, uint32_t stream, WeirReason reason, std::string detail,
                     const WeirFired& group) {
  AsideRow row;
  row.source = source;
  row.stream = stream;
  row.reason = reason;
  row.detail = std::move(detail);
  row.has_key = true;
  row.key.assign(group.key, group.key_size);
  if (group.window_end != 0)
    row.detail += " (window_end " + std::to_string(group.window_end) + " us)";
  return row;
}

namespace {

std::string stream_name(const Program& program, uint32_t stream) {
  return stream < uint32_t(program.plan.streams_size()) ? program.plan.streams(int(stream))
                                                        : std::to_string(stream);
}

std::string topic_of(const Program& program, const AsideRow& row) {
  const contract::Source& source = *program.sources[row.source].source;
  return source.address().empty() ? source.name() : source.address();
}

}  // namespace

std::string describe(const Program& program, const AsideRow& row) {
  std::string where = row.offset < 0
                          ? "a group of"
                          : topic_of(program, row) + "/" + std::to_string(row.partition) +
                                " at offset " + std::to_string(row.offset) + ",";
  return where + " stream `" + stream_name(program, row.stream) + "`: " + reason_code(row.reason) +
         " " + reason_name(row.reason) + " (" + row.detail + ")";
}

std::vector<std::pair<std::string, std::string>> dead_letter_headers(const Program& program,
                                                                     const AsideRow& row) {
  auto headers = row.headers;
  headers.emplace_back("weir.reason", reason_name(row.reason));
  headers.emplace_back("weir.code", reason_code(row.reason));
  headers.emplace_back("weir.detail", row.detail);
  headers.emplace_back("weir.topic", topic_of(program, row));
  headers.emplace_back("weir.partition", std::to_string(row.partition));
  headers.emplace_back("weir.offset", std::to_string(row.offset));
  headers.emplace_back("weir.stream", stream_name(program, row.stream));
  return headers;
}

std::string dead_letter_json(const Program& program, const AsideRow& row) {
  nlohmann::ordered_json json;
  json["reason"] = reason_name(row.reason);
  json["code"] = reason_code(row.reason);
  json["detail"] = row.detail;
  json["stream"] = stream_name(program, row.stream);
  json["topic"] = topic_of(program, row);
  json["partition"] = row.partition;
  json["offset"] = row.offset;
  if (row.has_key) json["key"] = row.key;
  if (row.has_value) json["raw"] = row.value;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace weir::runtime
