#include "runtime/state/snapshot.h"

#include <charconv>

#include "runtime/crc32c.h"
#include "runtime/names.h"
#include "runtime/state/bytes.h"

namespace weir::runtime {

namespace {

constexpr std::string_view kMagic = "weirsnap";
constexpr uint8_t kFormat = 1;
constexpr size_t kDigits = 20;

Status damaged(const std::string& how) {
  return Status::error(Exit::Disk, "a snapshot's manifest " + how);
}

std::string digits(uint64_t number) {
  std::string text = std::to_string(number);
  return std::string(kDigits - text.size(), '0') + text;
}

bool read_digits(std::string_view text, uint64_t* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string write_manifest(const SnapshotManifest& manifest) {
  std::string out(kMagic);
  put(out, kFormat);
  put_text(out, write_commit_record(manifest.record));
  put(out, uint32_t(manifest.files.size()));
  for (const SnapshotFile& file : manifest.files) {
    put_text(out, file.name);
    put_text(out, file.object);
    put(out, file.bytes);
    put(out, file.crc32c);
  }
  put(out, crc32c(out.data(), out.size()));
  return out;
}

Result<SnapshotManifest> read_manifest(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 1 + sizeof(uint32_t)) return damaged("is cut off");
  if (!bytes.starts_with(kMagic)) return damaged("does not begin as one");
  std::string_view content = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  ByteReader sum(bytes.substr(content.size()));
  if (sum.take<uint32_t>() != crc32c(content.data(), content.size()))
    return damaged("is damaged: its checksum is another");
  ByteReader in(content.substr(kMagic.size()));
  if (uint8_t format = in.take<uint8_t>(); format != kFormat) {
    return Status::error(Exit::NotSupported, "a snapshot has format " + std::to_string(format) +
                                                 ", this version reads 1");
  }
  SnapshotManifest manifest;
  Result<CommitRecord> record = read_commit_record(in.take_text());
  if (!record.ok()) return record.take_status();
  manifest.record = std::move(*record);
  for (uint32_t n = in.take<uint32_t>(); n > 0 && in.ok(); --n) {
    SnapshotFile file;
    file.name = std::string(in.take_text());
    file.object = std::string(in.take_text());
    file.bytes = in.take<uint64_t>();
    file.crc32c = in.take<uint32_t>();
    // They become names of files here: nothing may lead out of the directory.
    if (file.name.empty() || legal_name(file.name) != file.name || file.name.starts_with('.'))
      return damaged("names a file `" + file.name + "`");
    manifest.files.push_back(std::move(file));
  }
  if (!in.ok() || !in.at_end()) return damaged("has another size than it says");
  return manifest;
}

std::string text_of(const SnapshotId& id) {
  return digits(id.epoch) + "-" + digits(uint64_t(id.wall_ms));
}

bool read_snapshot_id(std::string_view text, SnapshotId* id) {
  if (text.size() != 2 * kDigits + 1 || text[kDigits] != '-') return false;
  uint64_t wall_ms = 0;
  if (!read_digits(text.substr(0, kDigits), &id->epoch) ||
      !read_digits(text.substr(kDigits + 1), &wall_ms))
    return false;
  id->wall_ms = int64_t(wall_ms);
  return true;
}

std::string manifests_prefix(const std::string& pipeline) {
  return legal_name(pipeline) + "/manifests/";
}
std::string files_prefix(const std::string& pipeline) { return legal_name(pipeline) + "/files/"; }

}  // namespace weir::runtime
