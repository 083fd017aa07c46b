#include "runtime/state/sentinel.h"

#include "runtime/state/bytes.h"

namespace weir::runtime {

namespace {

constexpr uint8_t kFormat = 1;

Status wrong_format(const char* what, uint8_t format) {
  return Status::error(Exit::NotSupported, std::string(what) + " has format " +
                                               std::to_string(format) + ", this version reads 1");
}

void put_texts(std::string& to, const std::map<std::string, std::string>& texts) {
  put(to, uint16_t(texts.size()));
  for (const auto& [name, value] : texts) {
    put_text(to, name);
    put_text(to, value);
  }
}
std::map<std::string, std::string> take_texts(ByteReader& in) {
  std::map<std::string, std::string> texts;
  for (uint16_t n = in.take<uint16_t>(); n > 0 && in.ok(); --n) {
    std::string name(in.take_text());
    texts[name] = std::string(in.take_text());
  }
  return texts;
}

}  // namespace

std::string write_sentinel(const Sentinel& sentinel) {
  std::string out;
  put(out, kFormat);
  put(out, sentinel.epoch);
  put_text(out, sentinel.partition.topic);
  put(out, sentinel.partition.partition);
  put(out, sentinel.position.offset);
  put(out, sentinel.position.leader_epoch);
  put(out, sentinel.event_time_max);
  put(out, sentinel.watermark);
  put(out, uint8_t(sentinel.idle));
  put(out, sentinel.shards);
  put_text(out, sentinel.source);
  put_texts(out, sentinel.signatures);
  put_texts(out, sentinel.sink_positions);
  return out;
}

Result<Sentinel> read_sentinel(std::string_view bytes) {
  ByteReader in(bytes);
  if (uint8_t format = in.take<uint8_t>(); format != kFormat)
    return wrong_format("a sentinel", format);
  Sentinel sentinel;
  sentinel.epoch = in.take<uint64_t>();
  sentinel.partition.topic = std::string(in.take_text());
  sentinel.partition.partition = in.take<int32_t>();
  sentinel.position.offset = in.take<int64_t>();
  sentinel.position.leader_epoch = in.take<int32_t>();
  sentinel.event_time_max = in.take<int64_t>();
  sentinel.watermark = in.take<int64_t>();
  sentinel.idle = in.take<uint8_t>() != 0;
  sentinel.shards = in.take<uint16_t>();
  sentinel.source = std::string(in.take_text());
  sentinel.signatures = take_texts(in);
  sentinel.sink_positions = take_texts(in);
  if (!in.ok()) return Status::error(Exit::Disk, "a sentinel is cut off");
  return sentinel;
}

std::string sentinel_key(const TopicPartition& partition) {
  return partition.topic + "-" + std::to_string(partition.partition);
}

std::string write_commit_record(const CommitRecord& record) {
  std::string out;
  put(out, kFormat);
  put(out, record.epoch);
  put(out, uint32_t(record.sentinels.size()));
  for (const auto& [partition, sentinel] : record.sentinels)
    put_text(out, write_sentinel(sentinel));
  put(out, uint32_t(record.changelogs.size()));
  for (const auto& [partition, next] : record.changelogs) {
    put_text(out, partition.topic);
    put(out, partition.partition);
    put(out, next);
  }
  return out;
}

Result<CommitRecord> read_commit_record(std::string_view bytes) {
  ByteReader in(bytes);
  if (uint8_t format = in.take<uint8_t>(); format != kFormat)
    return wrong_format("the store's commit record", format);
  CommitRecord record;
  record.epoch = in.take<uint64_t>();
  for (uint32_t n = in.take<uint32_t>(); n > 0 && in.ok(); --n) {
    Result<Sentinel> sentinel = read_sentinel(in.take_text());
    if (!sentinel.ok()) return sentinel.take_status();
    record.sentinels[sentinel->partition] = *sentinel;
  }
  for (uint32_t n = in.take<uint32_t>(); n > 0 && in.ok(); --n) {
    TopicPartition partition{std::string(in.take_text()), 0};
    partition.partition = in.take<int32_t>();
    record.changelogs[partition] = in.take<int64_t>();
  }
  if (!in.ok()) return Status::error(Exit::Disk, "the store's commit record is cut off");
  return record;
}

}  // namespace weir::runtime
