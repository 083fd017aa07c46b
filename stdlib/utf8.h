// Characters (code points) of UTF-8 text, and texts and lists made in an arena. For kernels that
// are compiled natively only.
#pragma once

#include <string_view>

#include "stdlib/call.h"

namespace weir::stdlib {

// No text that a function makes is longer: a larger one is an error of the row.
inline constexpr uint64_t kTextBytesMax = 16 << 20;

// Not a byte in the middle of a character.
inline bool begins_character(char c) { return (c & 0xC0) != 0x80; }

// Requires: p < end. Bytes that are no UTF-8 go with the character before them.
inline const char* behind_character(const char* p, const char* end) {
  do p++;
  while (p < end && !begins_character(*p));
  return p;
}
inline const char* before_character(const char* begin, const char* p) {
  do p--;
  while (p > begin && !begins_character(*p));
  return p;
}

// The code point at p, which is moved behind it. Requires: p < end.
inline uint32_t read_character(const char*& p, const char* end) {
  const char* next = behind_character(p, end);
  auto first = uint8_t(*p);
  uint32_t code = first < 0x80 ? first : first & (first < 0xE0 ? 0x1F : first < 0xF0 ? 0x0F : 0x07);
  for (p++; p < next; p++) code = code << 6 | (uint8_t(*p) & 0x3F);
  return code;
}

// At most 4 bytes; how many.
inline uint64_t write_character(char* to, uint32_t code) {
  if (code < 0x80) {
    to[0] = char(code);
    return 1;
  }
  uint64_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (uint64_t i = size - 1; i > 0; i--, code >>= 6) to[i] = char(0x80 | (code & 0x3F));
  to[0] = char((size == 2 ? 0xC0 : size == 3 ? 0xE0 : 0xF0) | code);
  return size;
}

inline std::string_view view(WeirBytes text) { return {text.data, text.size}; }
inline WeirBytes bytes(std::string_view text) { return {text.data(), text.size()}; }

inline WeirBytes keep(WeirArena* arena, std::string_view text) {
  char* copy = weir_arena_take(arena, text.size());
  memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

// A list that grows in an arena.
template <typename Item>
class ListBuilder {
 public:
  explicit ListBuilder(WeirArena* arena) : arena_(arena) {}
  void add(Item item) {
    if (count_ == capacity_) {
      capacity_ = capacity_ == 0 ? 8 : 2 * capacity_;
      auto* larger = reinterpret_cast<Item*>(weir_arena_take(arena_, capacity_ * sizeof(Item)));
      if (count_ > 0) memcpy(larger, items_, count_ * sizeof(Item));
      items_ = larger;
    }
    items_[count_++] = item;
  }
  uint64_t count() const { return count_; }
  Item* items() { return items_; }
  WeirList list() const { return {count_ == 0 ? static_cast<const void*>("") : items_, count_}; }

 private:
  WeirArena* arena_;
  Item* items_ = nullptr;
  uint64_t count_ = 0, capacity_ = 0;
};

}  // namespace weir::stdlib
