#include "runtime/snapshots.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "runtime/names.h"

namespace weir::runtime {

namespace {

namespace fs = std::filesystem;

bool is_table(const std::string& name) { return name.ends_with(".sst"); }

}  // namespace

Snapshots::Snapshots(const std::string& pipeline, const std::string& state_dir,
                     SnapshotOptions options, std::unique_ptr<ObjectStore> objects, Log& log,
                     Machine& machine)
    : pipeline_(pipeline),
      checkpoint_(state_dir + "/checkpoint"),
      incoming_(state_dir + "/incoming"),
      options_(std::move(options)),
      objects_(std::move(objects)),
      log_(log),
      machine_(machine),
      worker_(machine.worker()) {}

Status Snapshots::open() {
  Result<std::vector<std::string>> all = ids();
  if (!all.ok()) return all.take_status();
  SnapshotId newest;
  if (!all->empty() && read_snapshot_id(all->front(), &newest)) last_ms_ = newest.wall_ms;
  return {};
}

Result<std::vector<std::string>> Snapshots::ids() {
  std::string prefix = manifests_prefix(pipeline_);
  Result<std::vector<ObjectStore::Object>> listed = objects_->list(prefix);
  if (!listed.ok()) return listed.take_status().within("snapshots");
  std::vector<std::string> ids;
  SnapshotId id;
  for (const ObjectStore::Object& object : *listed) {
    std::string text = object.name.substr(prefix.size());
    if (read_snapshot_id(text, &id)) ids.push_back(text);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

Result<SnapshotManifest> Snapshots::read(const std::string& id) {
  Result<std::string> bytes = objects_->get(manifests_prefix(pipeline_) + id);
  if (!bytes.ok()) return bytes.take_status();
  return read_manifest(*bytes);
}

// ---------------------------------------------------------------- restoring

Result<Snapshots::Restored> Snapshots::restore(Store& store, Failpoints& failpoints) {
  Machine::Time begin = machine_.now();
  Result<std::vector<std::string>> all = ids();
  if (!all.ok()) return all.take_status();
  Result<Restored> restored = restore_from(*all, store, failpoints);
  std::error_code ignored;
  fs::remove_all(incoming_, ignored);
  if (restored.ok())
    restored->seconds = std::chrono::duration<double>(machine_.now() - begin).count();
  return restored;
}

Result<Snapshots::Restored> Snapshots::restore_from(const std::vector<std::string>& ids,
                                                    Store& store, Failpoints& failpoints) {
  Restored restored;
  for (const std::string& id : ids) {
    auto step_over = [&](const Status& status) {
      restored.damaged += (restored.damaged.empty() ? "" : "; ") + id + ": " + status.message();
    };
    Result<SnapshotManifest> manifest = read(id);
    Status status = manifest.ok() ? Status() : manifest.take_status();
    if (status.ok()) status = fetch(*manifest, failpoints, &restored);
    if (!status.ok()) {
      step_over(status);
      continue;
    }
    if (status = failpoints.reach("R1"); !status.ok()) return status;
    status = store.replace(incoming_);
    Result<std::string> record = store.commit_record();
    if (!record.ok()) return record.take_status();
    if (status.ok() && *record != write_commit_record(manifest->record))
      status = Status::error(Exit::Disk, "its files are of another epoch than its manifest");
    if (!status.ok()) {
      step_over(status);
      if (status = store.clear(); !status.ok()) return status;
      continue;
    }
    restored.installed = true;
    restored.epoch = manifest->record.epoch;
    return restored;
  }
  return restored;
}

// Its files into `incoming`, each compared with what the manifest says.
Status Snapshots::fetch(const SnapshotManifest& manifest, Failpoints& failpoints,
                        Restored* restored) {
  std::error_code error;
  fs::remove_all(incoming_, error);
  fs::create_directories(incoming_, error);
  if (error)
    return Status::error(Exit::Disk, "`" + incoming_ + "` can't be made: " + error.message());
  restored->bytes = 0;
  for (const SnapshotFile& file : manifest.files) {
    if (Status status = failpoints.reach("R0"); !status.ok()) return status;
    Result<ObjectStore::Copied> copied =
        objects_->get_file(file.object, incoming_ + "/" + file.name);
    if (!copied.ok()) return copied.take_status();
    if (copied->bytes != file.bytes || copied->crc32c != file.crc32c)
      return Status::error(Exit::Disk,
                           "`" + file.object + "` is damaged: " + std::to_string(copied->bytes) +
                               " bytes of " + std::to_string(file.bytes) + ", or another checksum");
    restored->bytes += copied->bytes;
  }
  return {};
}

// ---------------------------------------------------------------- taking one

bool Snapshots::due() const {
  if (busy_) return false;
  int64_t now = machine_.wall_ms();
  // A clock that was set back must not stop snapshots.
  return last_ms_ < 0 || now - last_ms_ >= options_.every_ms || now < last_ms_;
}

void Snapshots::missed() { last_ms_ = machine_.wall_ms(); }

void Snapshots::begin(Checkpoint checkpoint, Failpoints* failpoints) {
  WEIR_CHECK(!busy_, "one snapshot is made at a time");
  busy_ = true;
  failpoints_ = failpoints;
  job_ = std::move(checkpoint);
  SnapshotId id{job_.record.epoch, machine_.wall_ms()};
  last_ms_ = id.wall_ms;
  worker_->start([this, id] {
    Machine::Time begin = machine_.now();
    result_ = {};
    result_.epoch = id.epoch;
    result_.status = copy(id, &result_);
    if (result_.status.ok()) result_.status = prune(id);
    std::error_code ignored;
    fs::remove_all(checkpoint_, ignored);
    result_.seconds = std::chrono::duration<double>(machine_.now() - begin).count();
  });
}

std::optional<SnapshotResult> Snapshots::result() {
  if (!busy_ || !worker_->wait(0)) return std::nullopt;
  busy_ = false;
  return result_;
}

void Snapshots::wait() {
  while (busy_ && !worker_->wait(1000)) {
  }
}

Status Snapshots::go_on(const char* step) {
  if (given_up_) return Status::error(Exit::Unavailable, "the process ends");
  return failpoints_->reach(step);
}

Result<std::map<std::string, uint64_t>> Snapshots::stored_files() {
  Result<std::vector<ObjectStore::Object>> listed = objects_->list(files_prefix(pipeline_));
  if (!listed.ok()) return listed.take_status();
  std::map<std::string, uint64_t> bytes;
  for (const ObjectStore::Object& object : *listed) bytes[object.name] = object.bytes;
  return bytes;
}

Status Snapshots::copy(const SnapshotId& own, SnapshotResult* result) {
  // Tables that some snapshot has already, by name. The same name with the same checksum is the
  // same table: names are given once, but a store that went back to an older snapshot gives them
  // again.
  std::map<std::string, SnapshotFile> there;
  Result<std::vector<std::string>> all = ids();
  if (!all.ok()) return all.take_status();
  for (const std::string& id : *all) {
    Result<SnapshotManifest> manifest = read(id);
    if (!manifest.ok()) continue;  // damaged; its turn to be removed comes
    for (const SnapshotFile& file : manifest->files) there.emplace(file.name, file);
    break;
  }
  Result<std::map<std::string, uint64_t>> sizes = stored_files();
  if (!sizes.ok()) return sizes.take_status();

  std::string id = text_of(own);
  SnapshotManifest manifest;
  manifest.record = job_.record;
  for (const Store::CheckpointFile& file : job_.files) {
    if (Status status = go_on("S1"); !status.ok()) return status;
    std::string path = checkpoint_ + "/" + file.name;
    std::error_code error;
    uint64_t bytes = fs::file_size(path, error);
    if (error) return Status::error(Exit::Disk, "`" + path + "`: " + error.message());
    result->bytes += bytes;
    auto known = there.find(file.name);
    if (is_table(file.name) && file.crc32c && known != there.end() &&
        known->second.bytes == bytes && known->second.crc32c == *file.crc32c) {
      auto size = sizes->find(known->second.object);
      if (size != sizes->end() && size->second == bytes) {
        manifest.files.push_back(known->second);
        continue;
      }
    }
    std::string object = files_prefix(pipeline_) + id + "/" + file.name;
    Result<ObjectStore::Copied> copied = objects_->put_file(object, path);
    if (!copied.ok()) return copied.take_status();
    if (copied->bytes != bytes || (file.crc32c && copied->crc32c != *file.crc32c))
      return Status::error(Exit::Disk, "`" + path + "` is not what was written there");
    manifest.files.push_back({file.name, object, bytes, copied->crc32c});
    result->copied += bytes;
  }
  if (Status status = go_on("S2"); !status.ok()) return status;
  return objects_->put(manifests_prefix(pipeline_) + id, write_manifest(manifest));
}

bool Snapshots::is_complete(const SnapshotManifest& manifest,
                            const std::map<std::string, uint64_t>& there) {
  return std::all_of(manifest.files.begin(), manifest.files.end(), [&](const SnapshotFile& file) {
    auto object = there.find(file.object);
    return object != there.end() && object->second == file.bytes;
  });
}

// Only complete snapshots count as kept. What another process of this name may be writing now has a
// later id than ours: it is left alone.
Status Snapshots::prune(const SnapshotId& own) {
  Result<std::map<std::string, uint64_t>> there = stored_files();
  if (!there.ok()) return there.take_status();
  Result<std::vector<std::string>> all = ids();
  if (!all.ok()) return all.take_status();
  std::vector<std::string> goes;
  std::set<std::string> needed;
  uint32_t kept = 0;
  std::optional<CommitRecord> oldest;
  for (const std::string& id : *all) {
    Result<SnapshotManifest> manifest = read(id);
    // Behind ours nothing is removed, and nothing counts.
    bool later = id > text_of(own);
    if (manifest.ok() && (later || (kept < options_.kept && is_complete(*manifest, *there)))) {
      if (!later) {
        ++kept;
        oldest = manifest->record;
      }
      for (const SnapshotFile& file : manifest->files) needed.insert(file.object);
    } else if (!later) {
      goes.push_back(id);
    }
  }
  if (!oldest)
    return Status::error(Exit::Disk, "the snapshot that has just been written is not complete");
  if (Status status = go_on("S3"); !status.ok()) return status;
  for (const std::string& id : goes) {
    if (Status status = objects_->remove(manifests_prefix(pipeline_) + id); !status.ok())
      return status;
  }
  if (Status status = go_on("S4"); !status.ok()) return status;
  std::string end = files_prefix(pipeline_) + text_of(own) + "/~";
  for (const auto& [name, bytes] : *there) {
    if (needed.contains(name) || name >= end) continue;
    if (Status status = objects_->remove(name); !status.ok()) return status;
  }
  // While fewer are there than are to be kept, the changelogs are what would be gone back to.
  if (kept < options_.kept) return {};
  if (Status status = go_on("S5"); !status.ok()) return status;
  Positions before;
  for (const auto& [partition, next] : oldest->changelogs) {
    if (partition.topic != commits_topic(pipeline_)) before[partition] = {next, -1};
  }
  return log_.delete_records(before);
}

}  // namespace weir::runtime
