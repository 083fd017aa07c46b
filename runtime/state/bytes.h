// Writing and reading the stored formats byte by byte: little endian unless the name says
// otherwise, so that the bytes are the same on every machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::runtime {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

template <class T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}
// A text with its length in 32 bits.
inline void put_text(std::string& to, std::string_view text) {
  put(to, uint32_t(text.size()));
  to.append(text);
}

// So that numbers without a sign are ordered as their bytes are.
template <class T>
void put_big_endian(std::string& to, T value) {
  for (int shift = int(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    to.push_back(char(value >> shift));
}
// Requires: there are as many bytes.
template <class T>
T take_big_endian(std::string_view& from) {
  T value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = T(value << 8 | uint8_t(from[i]));
  from.remove_prefix(sizeof value);
  return value;
}
// And numbers with one, by flipping it.
inline constexpr uint64_t kSignBit = uint64_t{1} << 63;

// Reads what `put` wrote. After a read past the end everything reads as zero and `ok` is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T take() {
    T value{};
    std::string_view bytes = take_bytes(sizeof value);
    if (bytes.size() == sizeof value) memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string_view take_bytes(uint64_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view take_text() { return take_bytes(take<uint32_t>()); }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace weir::runtime
