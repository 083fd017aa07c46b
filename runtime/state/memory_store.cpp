#include <map>
#include <mutex>
#include <shared_mutex>

#include "runtime/state/store.h"

namespace weir::runtime {

namespace {

using Map = std::map<std::string, std::string, std::less<>>;

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(size_t stores) : stores_(stores) {}

  Status write(const std::vector<Write>& writes, std::string_view commit_record) override {
    std::unique_lock lock(mutex_);
    for (const Write& write : writes) {
      Map& map = stores_[write.store];
      if (write.removed) {
        if (auto it = map.find(write.key); it != map.end()) map.erase(it);
      } else {
        map.insert_or_assign(std::string(write.key), std::string(write.value));
      }
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

  Status erase(uint32_t store, std::string_view from, std::string_view to) override {
    std::unique_lock lock(mutex_);
    Map& map = stores_[store];
    map.erase(map.lower_bound(from), map.lower_bound(to));
    return {};
  }

  Status clear() override {
    std::unique_lock lock(mutex_);
    for (Map& map : stores_) map.clear();
    commit_record_.clear();
    return {};
  }

 private:
  std::shared_mutex mutex_;
  std::vector<Map> stores_;
  std::string commit_record_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(const std::vector<std::string>& names) {
  return std::make_unique<MemoryStore>(names.size());
}

}  // namespace weir::runtime
