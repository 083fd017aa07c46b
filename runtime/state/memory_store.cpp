#include <map>
#include <mutex>
#include <shared_mutex>

#include "runtime/state/state_key.h"
#include "runtime/state/store.h"

namespace weir::runtime {

namespace {

using Map = std::map<std::string, std::string, std::less<>>;

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::vector<StoreOperator> operators)
      : operators_(std::move(operators)), stores_(operators_.size()) {}

  Status write(const std::vector<Write>& writes, std::string_view commit_record) override {
    std::unique_lock lock(mutex_);
    for (const Write& write : writes) {
      Map& map = stores_[write.store];
      if (write.removed) {
        if (auto it = map.find(write.key); it != map.end()) map.erase(it);
        continue;
      }
      std::string& value = map.try_emplace(std::string(write.key)).first->second;
      if (!is_part(write.value)) {
        value = write.value;
        continue;
      }
      ValueMerger merger(operators_[write.store].merge);
      if ((!value.empty() && !merger.add(value)) || !merger.add(write.value))
        return Status::error(Exit::Disk, "a value in memory is not one");
      merger.finish(false, &value);
    }
    commit_record_ = commit_record;
    return {};
  }

  Result<std::string> commit_record() override {
    std::shared_lock lock(mutex_);
    return commit_record_;
  }

  Status get(uint32_t store, const std::vector<std::string>& keys,
             std::vector<std::optional<std::string>>* values) override {
    std::shared_lock lock(mutex_);
    values->assign(keys.size(), std::nullopt);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (auto it = stores_[store].find(keys[i]); it != stores_[store].end())
        (*values)[i] = it->second;
    }
    return {};
  }

  // Looks each key up again, so that writes beside it do no harm.
  class MapCursor final : public Cursor {
   public:
    MapCursor(const Map& map, std::shared_mutex& mutex) : map_(map), mutex_(mutex) {}
    bool valid() const override { return valid_; }
    std::string_view key() const override { return key_; }
    std::string_view value() const override { return value_; }
    void next() override {
      std::shared_lock lock(mutex_);
      load(map_.upper_bound(key_));
    }
    void seek(std::string_view from) override {
      std::shared_lock lock(mutex_);
      load(map_.lower_bound(from));
    }
    Status status() const override { return {}; }

   private:
    void load(Map::const_iterator it) {
      valid_ = it != map_.end();
      if (!valid_) return;
      key_ = it->first;
      value_ = it->second;
    }
    const Map& map_;
    std::shared_mutex& mutex_;
    bool valid_ = false;
    std::string key_, value_;
  };
  std::unique_ptr<Cursor> cursor(uint32_t store) override {
    return std::make_unique<MapCursor>(stores_[store], mutex_);
  }

  void forget_before(uint32_t store, int64_t pane) override {
    std::unique_lock lock(mutex_);
    Map& map = stores_[store];
    StateKey key;
    for (auto it = map.begin(); it != map.end() && read_state_key(it->first, &key);) {
      auto live = map.lower_bound(state_prefix(key.shard, pane));
      map.erase(it, live);
      if (key.shard == UINT16_MAX) return;
      it = map.lower_bound(state_prefix(uint16_t(key.shard + 1), INT64_MIN));
    }
  }

  Status clear() override {
    std::unique_lock lock(mutex_);
    for (Map& map : stores_) map.clear();
    commit_record_.clear();
    return {};
  }

 private:
  std::shared_mutex mutex_;
  std::vector<StoreOperator> operators_;
  std::vector<Map> stores_;  // one for each
  std::string commit_record_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(std::vector<StoreOperator> operators) {
  return std::make_unique<MemoryStore>(std::move(operators));
}

}  // namespace weir::runtime
