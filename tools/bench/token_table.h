// Groups of one window by their key's JSON token, for many keys: open addressing, keys of up to 24 bytes in the slot so
// that an update touches one or two cache lines; longer ones lie elsewhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/key_ids.h"

namespace weir::bench {

class TokenTable {
 public:
  struct Slot {
    union {
      char key[24];
      const char* data;
    };
    uint32_t size;       // 0: empty
    uint32_t count;
    int64_t cents;

    const char* token() const { return size <= sizeof key ? key : data; }
  };

  TokenTable() : slots_(1024) {}

  Slot& find_or_add(std::string_view token) {
    if (used_ * 2 >= slots_.size()) grow();
    for (uint64_t at = hash_of(token.data(), token.size());; at++) {
      Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.size == token.size() && std::memcmp(slot.token(), token.data(), token.size()) == 0) return slot;
      if (slot.size == 0) return add(slot, token);
    }
  }

  const std::vector<Slot>& slots() const { return slots_; }   // the empty ones too

 private:
  Slot& add(Slot& slot, std::string_view token) {
    used_++;
    slot.size = uint32_t(token.size());
    if (token.size() <= sizeof slot.key) {
      std::memcpy(slot.key, token.data(), token.size());
    } else {
      slot.data = long_keys_.emplace_back(token).data();
    }
    return slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.size == 0) continue;
      uint64_t at = hash_of(slot.token(), slot.size);
      while (slots_[at & (slots_.size() - 1)].size != 0) at++;
      slots_[at & (slots_.size() - 1)] = slot;
    }
  }

  std::vector<Slot> slots_;
  uint64_t used_ = 0;
  std::deque<std::string> long_keys_;
};

}  // namespace weir::bench
