// Groups of one window by their key's JSON token, for many keys: open addressing, keys of up to 16
// bytes in the slot so that an update touches one cache line; longer ones lie elsewhere.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/key_ids.h"

namespace weir::bench {

// Zeroed memory in pages of 2 MB, if the system has some: probes of a large table miss the TLB
// otherwise.
template <typename T>
struct LargePages {
  using value_type = T;
  T* allocate(size_t count) {
    size_t bytes = count * sizeof(T);
    if (bytes >= kPage) bytes = (bytes + kPage - 1) & ~(kPage - 1);
    void* memory = std::aligned_alloc(bytes < kPage ? 64 : kPage, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    if (bytes >= kPage) madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t) { std::free(memory); }
  bool operator==(const LargePages&) const { return true; }

 private:
  static constexpr size_t kPage = 2 << 20;
};

class TokenTable {
 public:
  struct Slot {
    union {
      char key[16];
      const char* data;
    };
    uint32_t size;  // 0: empty
    uint32_t count;
    int64_t cents;

    const char* token() const { return size <= sizeof key ? key : data; }
  };

  using Slots = std::vector<Slot, LargePages<Slot>>;

  TokenTable() : slots_(1024) {}

  Slot& find_or_add(std::string_view token) {
    if (used_ * 2 >= slots_.size()) grow();
    for (uint64_t at = hash_of(token.data(), token.size());; at++) {
      Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.size == token.size() && std::memcmp(slot.token(), token.data(), token.size()) == 0)
        return slot;
      if (slot.size == 0) return add(slot, token);
    }
  }

  const Slots& slots() const { return slots_; }  // the empty ones too

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
    Slots old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.size == 0) continue;
      uint64_t at = hash_of(slot.token(), slot.size);
      while (slots_[at & (slots_.size() - 1)].size != 0) at++;
      slots_[at & (slots_.size() - 1)] = slot;
    }
  }

  Slots slots_;
  uint64_t used_ = 0;
  std::deque<std::string> long_keys_;
};

}  // namespace weir::bench
