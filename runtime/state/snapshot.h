// What a snapshot says about itself, version 1 (golden bytes: state_format_test.cpp). A snapshot is
// a store's files as they were at the end of an epoch; the manifest is written when all of them are
// in their place, so that a snapshot without a manifest is none.
//
//     | "weirsnap" | format u8 = 1 | commit record, text | n u32 | file … | crc32c u32 of this |
//
//     file: | its name in the store, text | its object's name, text | bytes u64 | crc32c u32 |
//
// Objects, for a pipeline `p` and a snapshot `id`:
//
//     p/manifests/<id>               p/files/<id>/<file>
//
// Tables of RocksDB never change, so a manifest names objects of older snapshots, too. An id begins
// with the epoch and ends with the time, both in 20 digits: names are in the order of age.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/sentinel.h"
#include "runtime/state/store.h"
#include "runtime/status.h"

namespace weir::runtime {

struct SnapshotFile {
  std::string name;
  std::string object;
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
  bool operator==(const SnapshotFile&) const = default;
};

struct SnapshotManifest {
  CommitRecord record;  // the epoch, and where the changelogs were
  std::vector<SnapshotFile> files;
  bool operator==(const SnapshotManifest&) const = default;
};
std::string write_manifest(const SnapshotManifest& manifest);
// Disk: these are not all its bytes, or not its bytes. NotSupported: of a later version.
Result<SnapshotManifest> read_manifest(std::string_view bytes);

// A store at the end of an epoch, as files.
struct Checkpoint {
  CommitRecord record;
  std::vector<Store::CheckpointFile> files;
};

struct SnapshotId {
  uint64_t epoch = 0;
  int64_t wall_ms = 0;
};
std::string text_of(const SnapshotId& id);
// False: it is none.
bool read_snapshot_id(std::string_view text, SnapshotId* id);

std::string manifests_prefix(const std::string& pipeline);
std::string files_prefix(const std::string& pipeline);

}  // namespace weir::runtime
