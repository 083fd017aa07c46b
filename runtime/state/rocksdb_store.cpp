// RocksDB as the store: one database for each pipeline instance, a column family for each keyed
// operator, the commit record in the default family. What is used and what is avoided of 7.8.3
// follows its known faults:
//
// - Write-ahead log on, sync off: a killed process loses nothing, a crashed machine loses the tail
// of the log, which
//   the changelog has. Without the log, several families are not atomic in this version.
// - No DeleteRange (iterators were wrong after read errors until 8.7), no ingestion, no merge
// operator yet.
// - An I/O error is the end of the run: nothing is skipped.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <filesystem>

#include "runtime/state/store.h"

namespace weir::runtime {

namespace {

constexpr char kCommitRecordKey[] = "commit";
constexpr size_t kEraseStep = 4096;

Status disk_error(const std::string& what, const rocksdb::Status& status) {
  return Status::error(Exit::Disk, what + ": " + status.ToString());
}

rocksdb::Slice slice(std::string_view view) { return {view.data(), view.size()}; }

class RocksCursor final : public Store::Cursor {
 public:
  explicit RocksCursor(rocksdb::Iterator* iterator) : iterator_(iterator) {}
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return iterator_->key().ToStringView(); }
  std::string_view value() const override { return iterator_->value().ToStringView(); }
  void next() override { iterator_->Next(); }
  void seek(std::string_view from) override { iterator_->Seek(slice(from)); }
  Status status() const override {
    return iterator_->status().ok() ? Status() : disk_error("reading state", iterator_->status());
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksStore final : public Store {
 public:
  ~RocksStore() override {
    for (rocksdb::ColumnFamilyHandle* family : all_) (void)db_->DestroyColumnFamilyHandle(family);
    if (db_) (void)db_->Close();
  }

  Status open(const std::string& directory, const std::vector<std::string>& names,
              uint64_t memory_bytes) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
      return Status::error(
          Exit::Disk, "the state directory `" + directory + "` can't be made: " + error.message());
    directory_ = directory;

    // Keys are looked up in no order, so a cached block of groups is seldom used again; filters and
    // indexes always are. They come first.
    uint64_t cache_bytes = std::max<uint64_t>(memory_bytes / 2, 1 << 20);
    uint64_t buffers_bytes = std::max<uint64_t>(memory_bytes / 2, 1 << 20);
    int cache_shards = cache_bytes < (64 << 20) ? 0 : 4;  // a large filter has to fit into one
    auto cache = rocksdb::NewLRUCache(cache_bytes, cache_shards, false, 0.9);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.paranoid_checks = true;
    options.verify_sst_unique_id_in_manifest = true;
    options.flush_verify_memtable_count = true;
    options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(buffers_bytes);
    options.max_background_jobs = 2;
    options.max_open_files = 512;
    options.keep_log_file_num = 2;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.max_total_wal_size = std::max<uint64_t>(buffers_bytes, 16 << 20);
    rocksdb::ColumnFamilyOptions family;
    family.write_buffer_size = std::max<uint64_t>(buffers_bytes / 2, 256 << 10);
    family.max_write_buffer_number = 2;
    family.memtable_protection_bytes_per_key = 8;
    // One block for each key that is looked up: unpacking it would cost more than reading it does.
    family.compression = rocksdb::kNoCompression;
    family.bottommost_compression = rocksdb::kDisableCompressionOption;
    family.level_compaction_dynamic_level_bytes = true;
    family.max_bytes_for_level_base = std::max<uint64_t>(buffers_bytes * 4, 16 << 20);
    family.target_file_size_base = std::max<uint64_t>(buffers_bytes, 4 << 20);
    family.memtable_whole_key_filtering = true;
    family.memtable_prefix_bloom_size_ratio = 0.05;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;  // counted in the budget
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_top_level_index_and_filter = true;
    table.block_size = 2 << 10;
    table.format_version = 5;
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

    // Families of operators that the program no longer has stay: it may get them back.
    std::vector<std::string> families;
    if (rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options, directory, &families);
        !listed.ok()) {
      if (std::filesystem::exists(directory + "/CURRENT")) return refused(listed);
      families = {rocksdb::kDefaultColumnFamilyName};
    }
    for (const std::string& name : names) {
      if (std::find(families.begin(), families.end(), name) == families.end())
        families.push_back(name);
    }
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : families) descriptors.emplace_back(name, family);
    rocksdb::DB* db = nullptr;
    if (rocksdb::Status opened = rocksdb::DB::Open(options, directory, descriptors, &all_, &db);
        !opened.ok())
      return refused(opened);
    db_.reset(db);
    for (const std::string& name : names) {
      size_t at = size_t(std::find(families.begin(), families.end(), name) - families.begin());
      stores_.push_back(all_[at]);
    }
    write_options_.sync = false;
    write_options_.protection_bytes_per_key = 8;
    return {};
  }

  Status write(const std::vector<Write>& writes, std::string_view commit_record) override {
    constexpr size_t kEntryOverhead = 16;  // kind, family, sizes
    size_t bytes = commit_record.size() + 256;
    for (const Write& write : writes)
      bytes += write.key.size() + write.value.size() + kEntryOverhead;
    rocksdb::WriteBatch batch(bytes, 0, 8, 0);
    for (const Write& write : writes) {
      rocksdb::Status status =
          write.removed ? batch.Delete(stores_[write.store], slice(write.key))
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
      } else if (!statuses[i].IsNotFound()) {
        return failed("reading state", statuses[i]);
      }
    }
    return {};
  }

  std::unique_ptr<Cursor> cursor(uint32_t store) override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // scans must not push out what is looked up
    return std::make_unique<RocksCursor>(db_->NewIterator(options, stores_[store]));
  }

  Status erase(uint32_t store, std::string_view from, std::string_view to) override {
    auto cursor = this->cursor(store);
    cursor->seek(from);
    while (cursor->valid() && cursor->key() < to) {
      rocksdb::WriteBatch batch;
      for (size_t n = 0; n < kEraseStep && cursor->valid() && cursor->key() < to;
           ++n, cursor->next()) {
        if (rocksdb::Status status = batch.Delete(stores_[store], slice(cursor->key()));
            !status.ok())
          return failed("removing old state", status);
      }
      if (rocksdb::Status status = db_->Write(write_options_, &batch); !status.ok())
        return failed("removing old state", status);
    }
    return cursor->status();
  }

  Status clear() override {
    // The commit record goes first: without it what is left counts for nothing.
    if (rocksdb::Status status = db_->Delete(write_options_, kCommitRecordKey); !status.ok())
      return failed("clearing state", status);
    for (uint32_t i = 0; i < stores_.size(); ++i) {
      auto cursor = this->cursor(i);
      cursor->seek("");
      while (cursor->valid()) {
        std::string from(cursor->key());
        if (Status status = erase(i, from, std::string(64, '\xff')); !status.ok()) return status;
        cursor = this->cursor(i);
        cursor->seek("");
      }
    }
    return {};
  }

 private:
  Status refused(const rocksdb::Status& status) const {
    std::string text = status.ToString();
    if (text.find("lock") != std::string::npos) {
      return Status::error(Exit::Restart, "the state directory `" + directory_ +
                                              "` belongs to another running process (" + text +
                                              ")");
    }
    return Status::error(Exit::Disk,
                         "the state in `" + directory_ + "` can't be read: " + text +
                             "; remove the directory to have it restored from the changelog");
  }
  Status failed(const std::string& what, const rocksdb::Status& status) const {
    return disk_error(what + " in `" + directory_ + "`", status);
  }

  std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> all_, stores_;
  rocksdb::WriteOptions write_options_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb_store(const std::string& directory,
                                                  const std::vector<std::string>& names,
                                                  uint64_t memory_bytes) {
  auto store = std::make_unique<RocksStore>();
  if (Status status = store->open(directory, names, memory_bytes); !status.ok()) return status;
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace weir::runtime
