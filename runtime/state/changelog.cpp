#include "runtime/state/changelog.h"

#include "runtime/state/bytes.h"

namespace weir::runtime {

namespace {
constexpr uint8_t kFormat = 1;
constexpr uint32_t kRemoved = ~0u;
}  // namespace

ChangelogWriter::ChangelogWriter(std::string_view store, uint16_t shard, uint64_t epoch) {
  put(header_, kFormat);
  put(header_, epoch);
  put(header_, shard);
  put_text(header_, store);
}

std::string& ChangelogWriter::record() {
  if (records_.empty() || records_.back().size() >= kChangelogRecordBytes)
    records_.push_back(header_);
  return records_.back();
}

void ChangelogWriter::remove(std::string_view key) {
  std::string& to = record();
  put(to, uint32_t(key.size()));
  put(to, kRemoved);
  to.append(key);
}

void ChangelogWriter::add(std::string_view key_prefix, std::string_view key,
                          const std::function<void(std::string*)>& fill_value) {
  std::string& record = this->record();
  put(record, uint32_t(key_prefix.size() + key.size()));
  size_t value_size_at = record.size();
  put(record, uint32_t(0));
  record.append(key_prefix).append(key);
  size_t value_at = record.size();
  fill_value(&record);
  uint32_t size = uint32_t(record.size() - value_at);
  memcpy(record.data() + value_size_at, &size, sizeof size);
}

Status read_changelog(std::string_view record, ChangelogHeader* header,
                      std::vector<ChangelogEntry>* entries) {
  ByteReader in(record);
  uint8_t format = in.take<uint8_t>();
  if (format != kFormat) {
    return Status::error(Exit::NotSupported, "a changelog record has format " +
                                                 std::to_string(format) + ", this version reads 1");
  }
  header->epoch = in.take<uint64_t>();
  header->shard = in.take<uint16_t>();
  header->store = in.take_text();
  entries->clear();
  while (in.ok() && !in.at_end()) {
    uint32_t key_size = in.take<uint32_t>(), value_size = in.take<uint32_t>();
    ChangelogEntry entry;
    entry.key = in.take_bytes(key_size);
    entry.removed = value_size == kRemoved;
    if (!entry.removed) entry.value = in.take_bytes(value_size);
    entries->push_back(entry);
  }
  if (!in.ok()) return Status::error(Exit::Disk, "a changelog record is cut off");
  return {};
}

}  // namespace weir::runtime
