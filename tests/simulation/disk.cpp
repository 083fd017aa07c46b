#include "tests/simulation/disk.h"

#include "runtime/state/bytes.h"
#include "tests/simulation/process.h"

namespace weir::simulation {

using namespace weir::runtime;

namespace {

enum class RecordKind : uint8_t { Batch, Erase, Clear, Entries };

uint32_t checksum(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : bytes) hash = (hash ^ uint8_t(c)) * 0x100000001b3;
  return uint32_t(hash ^ hash >> 32);
}

void seal(std::string& to, const std::string& payload) {
  put(to, uint32_t(payload.size()));
  put(to, checksum(payload));
  to += payload;
}

void put_entries(std::string& to, const std::vector<Store::Write>& writes) {
  for (const Store::Write& write : writes) {
    put(to, uint8_t(write.store));
    put(to, uint8_t(write.removed));
    put_text(to, write.key);
    put_text(to, write.value);
  }
}

// Brings `store` to what the disk's log says. Returns where the good part ends.
size_t replay(const Disk& disk, size_t stores, bool checks, Store& store) {
  std::string_view all = disk.bytes;
  size_t at = 0;
  std::string record_of_epoch;
  while (at + 8 <= all.size()) {
    ByteReader header(all.substr(at, 8));
    uint32_t size = header.take<uint32_t>(), sum = header.take<uint32_t>();
    bool whole = size <= all.size() - at - 8;
    if (!whole && checks) return at;
    std::string_view payload = all.substr(at + 8, size);
    if (checks && (checksum(payload) != sum || payload.empty())) return at;
    ByteReader in(payload);
    auto kind = in.take<RecordKind>();
    if (kind == RecordKind::Batch) record_of_epoch = std::string(in.take_text());
    std::vector<Store::Write> writes;
    if (kind == RecordKind::Erase) {
      uint8_t number = in.take<uint8_t>();
      auto pane = in.take<int64_t>();
      if (number < stores) store.forget_before(number, pane);
    } else if (kind == RecordKind::Clear) {
      (void)store.clear();
      record_of_epoch.clear();
    } else {
      while (in.ok() && !in.at_end()) {
        Store::Write write;
        write.store = in.take<uint8_t>();
        write.removed = in.take<uint8_t>() != 0;
        write.key = in.take_text();
        write.value = in.take_text();
        // Without checksums anything may stand there.
        if (in.ok() && write.store < stores) writes.push_back(write);
      }
      (void)store.write(writes, record_of_epoch);
    }
    if (!whole) return all.size();
    at += 8 + size;
  }
  return at;
}

class SimulatedStore final : public Store {
 public:
  SimulatedStore(Process& process, Disk& disk, std::vector<StoreOperator> operators)
      : process_(process),
        disk_(disk),
        stores_(operators.size()),
        now_(make_memory_store(std::move(operators))) {}

  Status open() {
    bool checks = !process_.mutated(Mutation::no_checksums);
    size_t good = replay(disk_, stores_, checks, *now_);
    if (good < disk_.bytes.size()) {
      ByteReader header(std::string_view(disk_.bytes).substr(good));
      uint32_t size = disk_.bytes.size() - good >= 8 ? header.take<uint32_t>() : 0;
      bool at_end = disk_.bytes.size() - good < 8 || size >= disk_.bytes.size() - good - 8;
      if (!at_end && process_.chance().one_in(2)) {
        disk_.damaged = true;
        return Status::error(Exit::Disk, "the state can't be read: a checksum is wrong");
      }
      disk_.bytes.resize(good);
      disk_.synced = std::min(disk_.synced, good);
    }
    return {};
  }

  Status write(const std::vector<Write>& writes, std::string_view commit_record) override {
    std::string record, payload;
    if (process_.mutated(Mutation::torn_batches)) {
      put(payload, RecordKind::Batch);
      put_text(payload, commit_record);
      seal(record, payload);
      payload.clear();
      put(payload, RecordKind::Entries);
      put_entries(payload, writes);
    } else {
      put(payload, RecordKind::Batch);
      put_text(payload, commit_record);
      put_entries(payload, writes);
    }
    seal(record, payload);
    Status status = append(Point::write, record);
    if (!status.ok()) return status;
    if (status = now_->write(writes, commit_record); !status.ok()) return status;
    return process_.run_deferred();
  }

  // Is allowed not to happen, as on a full disk.
  void forget_before(uint32_t store, int64_t pane) override {
    std::string record, payload;
    put(payload, RecordKind::Erase);
    put(payload, uint8_t(store));
    put(payload, pane);
    seal(record, payload);
    if (append(Point::erase, record).ok()) now_->forget_before(store, pane);
  }

  Status clear() override {
    std::string record, payload;
    put(payload, RecordKind::Clear);
    seal(record, payload);
    Status status = append(Point::write, record);
    return status.ok() ? now_->clear() : status;
  }

  Result<std::string> commit_record() override {
    process_.after(process_.at(Point::commit_record));
    return now_->commit_record();
  }
  Status get(uint32_t store, const std::vector<std::string>& keys,
             std::vector<std::optional<std::string>>* values) override {
    process_.after(process_.at(Point::get));
    return now_->get(store, keys, values);
  }
  std::unique_ptr<Cursor> cursor(uint32_t store) override {
    process_.after(process_.at(Point::cursor));
    return now_->cursor(store);
  }

 private:
  Status append(Point point, const std::string& record) {
    FaultKind fault = process_.at(point);
    if (disk_.full) {
      disk_.bytes.append(record, 0, process_.chance().below(record.size()));
      return Status::error(Exit::Disk, "writing state: no space left on device");
    }
    if (fault == FaultKind::torn) {
      disk_.bytes.append(record, 0, process_.chance().below(record.size()));
      process_.die();
    }
    disk_.bytes += record;
    if (process_.chance().one_in(8)) disk_.synced = disk_.bytes.size();
    process_.after(fault);
    return {};
  }

  Process& process_;
  Disk& disk_;
  size_t stores_;
  std::unique_ptr<Store> now_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_store(Process& process, Disk& disk,
                                          std::vector<StoreOperator> operators) {
  process.after(process.at(Point::open));
  auto store = std::make_unique<SimulatedStore>(process, disk, std::move(operators));
  if (Status status = store->open(); !status.ok()) return status;
  return std::unique_ptr<Store>(std::move(store));
}

std::vector<std::map<std::string, std::string>> contents(const Disk& disk,
                                                         std::vector<StoreOperator> operators) {
  size_t stores = operators.size();
  std::unique_ptr<Store> store = make_memory_store(std::move(operators));
  replay(disk, stores, true, *store);
  std::vector<std::map<std::string, std::string>> all(stores);
  for (uint32_t i = 0; i < stores; ++i) {
    auto cursor = store->cursor(i);
    for (cursor->seek(""); cursor->valid(); cursor->next())
      all[i][std::string(cursor->key())] = std::string(cursor->value());
  }
  return all;
}

}  // namespace weir::simulation
