// RocksDB as the store: one database for each pipeline instance, a column family for each keyed
// operator, the commit record in the default family. What is used and what is avoided of 7.8.3
// follows its known faults:
//
// - Write-ahead log on, sync off: a killed process loses nothing, a crashed machine loses the tail
//   of the log, which the changelog has. Without the log, several families are not atomic in this
//   version.
// - No DeleteRange (iterators were wrong after read errors until 8.7), no ingestion. Closed panes
//   are left out when a table is written (a compaction filter): most of them never reach one.
// - Groups that are not in memory are changed by merge operands; nothing is read for that.
// - An I/O error is the end of the run: nothing is skipped.
// - Damage that is found while reading leaves a mark in the directory: the next start knows.
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include "runtime/state/state_key.h"
#include "runtime/state/store.h"

namespace weir::runtime {

namespace {

constexpr char kCommitRecordKey[] = "commit";
constexpr char kDamaged[] = "/DAMAGED";
constexpr size_t kEraseStep = 4096;

Status disk_error(const std::string& what, const rocksdb::Status& status) {
  return Status::error(Exit::Disk, what + ": " + status.ToString());
}

rocksdb::Slice slice(std::string_view view) { return {view.data(), view.size()}; }

std::string_view view(const rocksdb::Slice& slice) { return slice.ToStringView(); }

class GroupMerge final : public rocksdb::MergeOperator {
 public:
  explicit GroupMerge(const ValueMerge& merge) : merge_(merge) {}
  const char* Name() const override { return "weir.group"; }
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    ValueMerger merger(merge_);
    if (in.existing_value && !merger.add(view(*in.existing_value))) return false;
    for (const rocksdb::Slice& operand : in.operand_list) {
      if (!merger.add(view(operand))) return false;
    }
    merger.finish(false, &out->new_value);
    return true;
  }
  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* value, rocksdb::Logger* /*log*/) const override {
    ValueMerger merger(merge_);
    for (const rocksdb::Slice& operand : operands) {
      if (!merger.add(view(operand))) return false;
    }
    merger.finish(true, value);
    return true;
  }

 private:
  const ValueMerge& merge_;
};

// Of an operator that the program does not have: nobody knows how to merge, so all is kept.
class ListMerge final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "weir.group"; }
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    out->new_value.clear();
    if (in.existing_value) add_to_value_list(view(*in.existing_value), &out->new_value);
    for (const rocksdb::Slice& operand : in.operand_list)
      add_to_value_list(view(operand), &out->new_value);
    return true;
  }
};

// Leaves out groups of panes that nobody reads any more.
class ClosedPanes final : public rocksdb::CompactionFilter {
 public:
  explicit ClosedPanes(int64_t first_live) : first_live_(first_live) {}
  const char* Name() const override { return "weir.closed"; }
  Decision FilterV2(int /*level*/, const rocksdb::Slice& key, ValueType /*type*/,
                    const rocksdb::Slice& /*value*/, std::string* /*new_value*/,
                    std::string* skip_until) const override {
    StateKey read;
    if (!read_state_key(view(key), &read) || read.pane >= first_live_) return Decision::kKeep;
    // An older entry that this uncovers is left out when its turn comes.
    *skip_until = state_prefix(read.shard, first_live_);
    return Decision::kRemoveAndSkipUntil;
  }

 private:
  int64_t first_live_;
};

class ClosedPanesFactory final : public rocksdb::CompactionFilterFactory {
 public:
  const char* Name() const override { return "weir.closed"; }
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason reason) const override {
    return reason == rocksdb::TableFileCreationReason::kCompaction ||
           reason == rocksdb::TableFileCreationReason::kFlush;
  }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    int64_t first_live = first_live_.load(std::memory_order_relaxed);
    if (first_live == INT64_MIN) return nullptr;
    return std::make_unique<ClosedPanes>(first_live);
  }
  void forget_before(int64_t pane) { first_live_.store(pane, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> first_live_ = INT64_MIN;
};

class RocksCursor final : public Store::Cursor {
 public:
  using Failed = std::function<Status(const rocksdb::Status&)>;
  RocksCursor(rocksdb::Iterator* iterator, const ValueMerge& merge, Failed failed)
      : iterator_(iterator), merge_(merge), failed_(std::move(failed)) {}
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override {
    std::string_view value = view(iterator_->value());
    if (!is_value_list(value)) return value;
    ValueMerger merger(merge_);
    if (!merger.add(value)) return value;  // who reads it finds that it is none
    merger.finish(false, &merged_);
    return merged_;
  }
  void next() override { iterator_->Next(); }
  void seek(std::string_view from) override { iterator_->Seek(slice(from)); }
  Status status() const override {
    return iterator_->status().ok() ? Status() : failed_(iterator_->status());
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
  const ValueMerge& merge_;
  Failed failed_;
  mutable std::string merged_;
};

class RocksStore final : public Store {
 public:
  ~RocksStore() override { close(); }

  Status open(const std::string& directory, std::vector<StoreOperator> operators,
              uint64_t memory_bytes, std::string* lost) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
      return Status::error(
          Exit::Disk, "the state directory `" + directory + "` can't be made: " + error.message());
    directory_ = directory;
    operators_ = std::move(operators);
    memory_bytes_ = memory_bytes;
    write_options_.sync = false;
    write_options_.protection_bytes_per_key = 8;

    std::string damage;
    bool is_marked = std::filesystem::exists(directory_ + kDamaged);
    Status status = is_marked ? Status::error(Exit::Disk, "the state in `" + directory_ +
                                                              "` was found damaged while reading")
                              : open_database(&damage);
    if (status.ok() || !lost || (!is_marked && damage.empty())) return status;
    *lost = status.message();
    if (status = destroy(); !status.ok()) return status;
    return open_database(&damage);
  }

 private:
  // `damage`: the error is that of bytes that are not what was written.
  Status open_database(std::string* damage) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.paranoid_checks = true;
    options.verify_sst_unique_id_in_manifest = true;
    options.flush_verify_memtable_count = true;
    options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    // Half of it for what has been written lately; a batch may go beyond the limit of a buffer, and
    // one is written out while the next is filled. An epoch's write comes on top.
    uint64_t memory_bytes = memory_bytes_;
    uint64_t buffers_bytes = std::max<uint64_t>(memory_bytes / 2, 1 << 20);
    options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(buffers_bytes);
    options.max_background_jobs = 2;
    options.max_open_files = 512;
    options.writable_file_max_buffer_size =
        std::clamp<uint64_t>(memory_bytes / 32, 64 << 10, 1 << 20);
    options.keep_log_file_num = 2;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.max_total_wal_size = std::max<uint64_t>(buffers_bytes, 16 << 20);
    rocksdb::ColumnFamilyOptions family;
    family.write_buffer_size = std::max<uint64_t>(buffers_bytes / 2, 512 << 10);
    family.max_write_buffer_number = 2;
    family.memtable_protection_bytes_per_key = 8;
    // A batch comes in the order of keys: each finds its place behind the one before it.
    family.memtable_insert_with_hint_prefix_extractor.reset(
        rocksdb::NewFixedPrefixTransform(kStateKeyPrefix));
    // Much is written, and read once, in order, when a window closes: tables are merged seldom and
    // many at a time.
    family.compaction_style = rocksdb::kCompactionStyleUniversal;
    family.level0_file_num_compaction_trigger = 10;
    family.level0_slowdown_writes_trigger = 40;
    family.level0_stop_writes_trigger = 60;
    family.compaction_options_universal.size_ratio = 20;
    family.compaction_options_universal.min_merge_width = 8;
    family.compaction_options_universal.max_merge_width = 24;
    family.compaction_options_universal.max_size_amplification_percent = 300;
    family.compression = rocksdb::kNoCompression;
    family.bottommost_compression = rocksdb::kDisableCompressionOption;
    family.target_file_size_base = std::clamp<uint64_t>(memory_bytes * 8, 4 << 20, 64 << 20);
    rocksdb::BlockBasedTableOptions table;
    uint64_t cache_bytes = std::max<uint64_t>(memory_bytes / 4, 512 << 10);
    int cache_shards = cache_bytes < (64 << 20) ? 0 : 4;  // a large filter has to fit into one
    table.block_cache = rocksdb::NewLRUCache(cache_bytes, cache_shards, false, 0.9);
    // Counted in the budget, and before blocks of groups: keys are looked up in no order, so these
    // are seldom used again.
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_top_level_index_and_filter = true;
    table.block_size = 8 << 10;
    table.max_auto_readahead_size = 32 << 10;  // of each table that is walked
    table.format_version = 5;
    auto table_factory = [&table](bool looks_up) {
      using Options = rocksdb::BlockBasedTableOptions;
      table.data_block_index_type =
          looks_up ? Options::kDataBlockBinaryAndHash : Options::kDataBlockBinarySearch;
      table.filter_policy.reset(looks_up ? rocksdb::NewBloomFilterPolicy(10) : nullptr);
      return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
    };

    // Families of operators that the program no longer has stay: it may get them back.
    std::vector<std::string> families;
    if (rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options, directory_, &families);
        !listed.ok()) {
      if (std::filesystem::exists(directory_ + "/CURRENT")) return refused(listed, damage);
      families = {rocksdb::kDefaultColumnFamilyName};
    }
    for (const StoreOperator& op : operators_) {
      if (std::find(families.begin(), families.end(), op.name) == families.end())
        families.push_back(op.name);
    }
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : families) {
      family.merge_operator = std::make_shared<ListMerge>();
      family.table_factory = table_factory(false);
      descriptors.emplace_back(name, family);
    }
    for (const StoreOperator& op : operators_) {
      size_t at = size_t(std::find(families.begin(), families.end(), op.name) - families.begin());
      closed_.push_back(std::make_shared<ClosedPanesFactory>());
      descriptors[at].options.merge_operator = std::make_shared<GroupMerge>(op.merge);
      descriptors[at].options.compaction_filter_factory = closed_.back();
      descriptors[at].options.table_factory = table_factory(op.looks_up);
    }
    rocksdb::DB* db = nullptr;
    if (rocksdb::Status opened = rocksdb::DB::Open(options, directory_, descriptors, &all_, &db);
        !opened.ok())
      return refused(opened, damage);
    db_.reset(db);
    for (const StoreOperator& op : operators_) {
      size_t at = size_t(std::find(families.begin(), families.end(), op.name) - families.begin());
      stores_.push_back(all_[at]);
    }
    return {};
  }

  void close() {
    for (rocksdb::ColumnFamilyHandle* family : all_) (void)db_->DestroyColumnFamilyHandle(family);
    all_.clear();
    stores_.clear();
    closed_.clear();
    if (db_) (void)db_->Close();
    db_.reset();
  }

  // The directory holds no state then. Requires: closed.
  Status destroy() {
    std::error_code error;
    // Without it there is no database, whatever else is left by a crash.
    std::filesystem::remove(directory_ + "/CURRENT", error);
    if (error) return not_removed(error);
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
      if (is_of_database(entry.path().filename().string()))
        std::filesystem::remove(entry.path(), error);
      if (error) break;
    }
    if (!error) std::filesystem::remove(directory_ + kDamaged, error);
    return error ? not_removed(error) : Status();
  }
  Status not_removed(const std::error_code& error) const {
    return Status::error(Exit::Disk,
                         "the state in `" + directory_ + "` can't be removed: " + error.message());
  }

  // Dead letters and snapshots on their way lie in the same directory.
  static bool is_of_database(const std::string& name) {
    size_t dot = name.find('.');
    bool is_numbered = dot > 0 && name.find_first_not_of("0123456789") == dot;
    return (is_numbered &&
            (name.ends_with(".sst") || name.ends_with(".log") || name.ends_with(".dbtmp"))) ||
           name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") || name == "IDENTITY" ||
           name == "LOG" || name.starts_with("LOG.old");
  }

 public:
  Status write(const std::vector<Write>& writes, std::string_view commit_record) override {
    constexpr size_t kEntryOverhead = 16;  // kind, family, sizes
    size_t bytes = commit_record.size() + 256;
    for (const Write& write : writes)
      bytes += write.key.size() + write.value.size() + kEntryOverhead;
    rocksdb::WriteBatch batch(bytes, 0, 8, 0);
    for (const Write& write : writes) {
      rocksdb::Status status =
          write.removed ? batch.Delete(stores_[write.store], slice(write.key))
          : is_part(write.value)
              ? batch.Merge(stores_[write.store], slice(write.key), slice(write.value))
              : batch.Put(stores_[write.store], slice(write.key), slice(write.value));
      if (!status.ok()) return failed("writing state", status);
    }
    if (rocksdb::Status status = batch.Put(kCommitRecordKey, slice(commit_record)); !status.ok())
      return failed("writing state", status);
    rocksdb::Status status = db_->Write(write_options_, &batch);
    return status.ok() ? Status() : failed("writing state", status);
  }

  Result<std::string> commit_record() override {
    std::string value;
    rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), kCommitRecordKey, &value);
    if (status.IsNotFound()) return std::string();
    if (!status.ok()) return failed("reading the commit record", status);
    return value;
  }

  Status get(uint32_t store, const std::vector<std::string>& keys,
             std::vector<std::optional<std::string>>* values) override {
    std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> found(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(rocksdb::ReadOptions(), stores_[store], keys.size(), slices.data(), found.data(),
                  statuses.data(), true);
    values->assign(keys.size(), std::nullopt);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].ok()) {
        (*values)[i] = found[i].ToString();
        if (!is_value_list(*(*values)[i])) continue;
        ValueMerger merger(operators_[store].merge);
        if (merger.add(*(*values)[i])) merger.finish(false, &*(*values)[i]);
      } else if (!statuses[i].IsNotFound()) {
        return failed("reading state", statuses[i]);
      }
    }
    return {};
  }

  std::unique_ptr<Cursor> cursor(uint32_t store) override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // scans must not push out what is looked up
    return std::make_unique<RocksCursor>(
        db_->NewIterator(options, stores_[store]), operators_[store].merge,
        [this](const rocksdb::Status& status) { return failed("reading state", status); });
  }

  void forget_before(uint32_t store, int64_t pane) override { closed_[store]->forget_before(pane); }

  Status clear() override {
    // The commit record goes first: without it what is left counts for nothing.
    if (rocksdb::Status status = db_->Delete(write_options_, kCommitRecordKey); !status.ok())
      return failed("clearing state", status);
    for (uint32_t i = 0; i < stores_.size(); ++i) {
      auto cursor = this->cursor(i);
      cursor->seek("");
      while (cursor->valid()) {
        rocksdb::WriteBatch batch;
        for (size_t n = 0; n < kEraseStep && cursor->valid(); ++n, cursor->next()) {
          if (rocksdb::Status status = batch.Delete(stores_[i], slice(cursor->key())); !status.ok())
            return failed("clearing state", status);
        }
        if (rocksdb::Status status = db_->Write(write_options_, &batch); !status.ok())
          return failed("clearing state", status);
      }
      if (Status status = cursor->status(); !status.ok()) return status;
    }
    return {};
  }

  Result<std::vector<CheckpointFile>> checkpoint(const std::string& to) override {
    std::string directory = std::filesystem::absolute(to).string();
    std::error_code error;
    std::filesystem::remove_all(directory, error);
    rocksdb::Checkpoint* made = nullptr;
    if (rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made); !status.ok())
      return failed("making a checkpoint", status);
    std::unique_ptr<rocksdb::Checkpoint> owned(made);
    // Everything is flushed first: the files are complete without the write-ahead log.
    if (rocksdb::Status status = made->CreateCheckpoint(directory, 0); !status.ok())
      return failed("making a checkpoint", status);
    std::vector<rocksdb::LiveFileMetaData> tables;
    db_->GetLiveFilesMetaData(&tables);
    std::vector<CheckpointFile> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      std::string name = entry.path().filename().string();
      if (name.ends_with(".log")) {
        std::filesystem::remove(entry.path(), error);
        continue;
      }
      CheckpointFile& file = files.emplace_back(CheckpointFile{name, std::nullopt});
      for (const rocksdb::LiveFileMetaData& table : tables) {
        if (table.relative_filename != name || table.file_checksum.size() != sizeof(uint32_t))
          continue;
        uint32_t sum = 0;  // big endian
        for (char byte : table.file_checksum) sum = sum << 8 | uint8_t(byte);
        file.crc32c = sum;
      }
    }
    if (error)
      return Status::error(Exit::Disk, "the checkpoint `" + directory + "`: " + error.message());
    if (Status status = read_back(directory); !status.ok()) return status;
    return files;
  }

  Status replace(const std::string& from) override {
    close();
    if (Status status = destroy(); !status.ok()) return status;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
      std::string name = entry.path().filename().string();
      if (name != "CURRENT") std::filesystem::rename(entry.path(), directory_ + "/" + name, error);
      if (error) break;
    }
    // The last one makes a database of them.
    if (!error) std::filesystem::rename(from + "/CURRENT", directory_ + "/CURRENT", error);
    std::string damage;
    Status status = open_database(&damage);
    if (error || !status.ok()) {
      close();
      if (Status emptied = destroy(); !emptied.ok()) return emptied;
      if (Status opened = open_database(&damage); !opened.ok()) return opened;
    }
    if (error)
      return Status::error(
          Exit::Disk, "`" + from + "` can't be moved to `" + directory_ + "`: " + error.message());
    return status;
  }

 private:
  // What the directory of a checkpoint says to who opens it is what we are at.
  Status read_back(const std::string& directory) {
    rocksdb::DB* opened = nullptr;
    rocksdb::Options options;
    options.info_log_level = rocksdb::FATAL_LEVEL;
    options.paranoid_checks = true;
    if (rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, directory, &opened);
        !status.ok())
      return failed("reading a checkpoint back", status);
    std::unique_ptr<rocksdb::DB> owned(opened);
    std::string found;
    rocksdb::Status status = opened->Get(rocksdb::ReadOptions(), kCommitRecordKey, &found);
    (void)opened->Close();
    owned.reset();
    std::error_code error;
    std::filesystem::remove(directory + "/LOG", error);
    Result<std::string> wanted = commit_record();
    if (!wanted.ok()) return wanted.take_status();
    if (!status.ok() || found != *wanted)
      return Status::error(Exit::Disk, "the checkpoint `" + directory +
                                           "` does not hold the commit record that was written");
    return {};
  }

  Status refused(const rocksdb::Status& status, std::string* damage) const {
    std::string text = status.ToString();
    if (status.IsIOError() && (text.find("lock file") != std::string::npos ||
                               text.find("lock hold") != std::string::npos)) {
      return Status::error(Exit::Restart, "the state directory `" + directory_ +
                                              "` belongs to another running process (" + text +
                                              ")");
    }
    // A file that is missing comes as an I/O error with the path.
    if (status.IsCorruption() || status.IsPathNotFound() ||
        text.find("No such file") != std::string::npos)
      *damage = text;
    return Status::error(Exit::Disk,
                         "the state in `" + directory_ + "` can't be read: " + text +
                             "; remove the directory to have it restored from the changelog");
  }
  Status failed(const std::string& what, const rocksdb::Status& status) const {
    if (status.IsCorruption()) std::ofstream(directory_ + kDamaged) << status.ToString() << "\n";
    return disk_error(what + " in `" + directory_ + "`", status);
  }

  std::string directory_;
  uint64_t memory_bytes_ = 0;
  std::vector<StoreOperator> operators_;
  std::vector<std::shared_ptr<ClosedPanesFactory>> closed_;  // one for each
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> all_, stores_;
  rocksdb::WriteOptions write_options_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb_store(const std::string& directory,
                                                  std::vector<StoreOperator> operators,
                                                  uint64_t memory_bytes, std::string* lost) {
  auto store = std::make_unique<RocksStore>();
  if (Status status = store->open(directory, std::move(operators), memory_bytes, lost);
      !status.ok())
    return status;
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace weir::runtime
