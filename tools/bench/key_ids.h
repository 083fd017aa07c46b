// Small numbers for keys, by their JSON token: `"start"` with its quotes, as it stands in the
// record. A table with open addressing; tokens are compared exactly. Two tokens that mean the same
// text (escapes) get the same number.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::bench {

// Of a token with at least 8 readable bytes behind its start.
inline uint64_t hash_of(const char* data, size_t size) {
  uint64_t head, tail;
  std::memcpy(&head, data, 8);
  if (size >= 8) {
    std::memcpy(&tail, data + size - 8, 8);
  } else {
    head &= (uint64_t{1} << (8 * size)) - 1;
    tail = 0;
  }
  uint64_t mixed = (head ^ (tail << 29 | tail >> 35)) * 0x9e3779b97f4a7c15 + size;
  return mixed ^ mixed >> 32;
}

class KeyIds {
 public:
  static constexpr uint32_t kUnknown = ~0u;

  KeyIds() : slots_(64) {}

  uint32_t find(std::string_view token) const {
    for (uint64_t at = hash_of(token.data(), token.size());; at++) {
      const Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.size == token.size() && std::memcmp(slot.data, token.data(), token.size()) == 0)
        return slot.id;
      if (slot.data == nullptr) return kUnknown;
    }
  }

  uint32_t add(std::string_view token, const std::string& text) {
    auto [found, is_new] = ids_.try_emplace(text, uint32_t(names_.size()));
    if (is_new) names_.push_back(text);
    if (tokens_.size() * 2 >= slots_.size()) grow();
    std::string& kept = tokens_.emplace_back(token);
    size_t size = kept.size();
    kept.append(8, '\0');
    put({kept.data(), uint32_t(size), found->second});
    return found->second;
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Slot {
    const char* data = nullptr;
    uint32_t size = 0;
    uint32_t id = 0;
  };

  void put(Slot slot) {
    uint64_t at = hash_of(slot.data, slot.size);
    while (slots_[at & (slots_.size() - 1)].data != nullptr) at++;
    slots_[at & (slots_.size() - 1)] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.data != nullptr) put(slot);
    }
  }

  std::vector<Slot> slots_;
  std::deque<std::string> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string> names_;
};

}  // namespace weir::bench
