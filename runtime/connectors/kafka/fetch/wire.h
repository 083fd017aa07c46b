// Kafka's wire format: big-endian numbers; strings, bytes and arrays behind their lengths. What is
// read comes from outside: no length and no count is trusted, and a reader that has once met
// something that can't be gives zeros from there on and says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::runtime::kafka::fetch {

template <class Number>
Number from_big_endian(const char* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  if constexpr (sizeof number == 2) number = Number(__builtin_bswap16(uint16_t(number)));
  if constexpr (sizeof number == 4) number = Number(__builtin_bswap32(uint32_t(number)));
  if constexpr (sizeof number == 8) number = Number(__builtin_bswap64(uint64_t(number)));
  return number;
}

class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Everything up to here could be read.
  bool ok() const { return ok_; }
  size_t left() const { return size_t(end_ - at_); }

  int8_t i8() { return number<int8_t>(); }
  int16_t i16() { return number<int16_t>(); }
  int32_t i32() { return number<int32_t>(); }
  int64_t i64() { return number<int64_t>(); }
  bool boolean() { return i8() != 0; }
  std::string_view string() { return take(i16()); }  // also a nullable one: null is empty
  std::string_view bytes() { return take(i32()); }
  // The count of an array whose elements have at least so many bytes; null is empty.
  uint32_t array(size_t element_bytes_min) {
    int32_t count = i32();
    if (count <= 0) return 0;
    if (size_t(count) > left() / element_bytes_min) {
      fail();
      return 0;
    }
    return uint32_t(count);
  }

 private:
  template <class Number>
  Number number() {
    if (left() < sizeof(Number)) {
      fail();
      return 0;
    }
    Number read = from_big_endian<Number>(at_);
    at_ += sizeof(Number);
    return read;
  }
  std::string_view take(int64_t size) {
    if (size <= 0) return {};
    if (left() < size_t(size)) {
      fail();
      return {};
    }
    std::string_view taken(at_, size_t(size));
    at_ += size;
    return taken;
  }
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

class WireWriter {
 public:
  void i8(int8_t value) { number(value); }
  void i16(int16_t value) { number(value); }
  void i32(int32_t value) { number(value); }
  void i64(int64_t value) { number(value); }
  void string(std::string_view text) {
    i16(int16_t(text.size()));
    bytes_.append(text);
  }
  void bytes(std::string_view text) {
    i32(int32_t(text.size()));
    bytes_.append(text);
  }
  void array(size_t count) { i32(int32_t(count)); }
  // Overwrites a number written earlier.
  void patch_i32(size_t at, int32_t value) {
    value = from_big_endian<int32_t>(reinterpret_cast<const char*>(&value));
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  size_t size() const { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  template <class Number>
  void number(Number value) {
    value = from_big_endian<Number>(reinterpret_cast<const char*>(&value));
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes_;
};

}  // namespace weir::runtime::kafka::fetch
