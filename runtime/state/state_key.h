// The key of a group in a store and in the changelog, version 1 (golden bytes:
// state_format_test.cpp):
//
//     | shard u16 BE | pane i64 BE, sign bit flipped | canonical key bytes (stdlib/engine/key.h) |
//
// Byte order is shard, then time, then key: the panes of a shard lie together, oldest first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::runtime {

inline constexpr uint64_t kStateKeyPrefix = 10;

inline void put_state_prefix(std::string& to, uint16_t shard, int64_t pane) {
  uint64_t time = uint64_t(pane) ^ (uint64_t{1} << 63);
  to.push_back(char(shard >> 8));
  to.push_back(char(shard));
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(char(time >> shift));
}
inline std::string state_prefix(uint16_t shard, int64_t pane) {
  std::string key;
  put_state_prefix(key, shard, pane);
  return key;
}

struct StateKey {
  uint16_t shard = 0;
  int64_t pane = 0;
  std::string_view key;
};
// False: too short to be one.
inline bool read_state_key(std::string_view bytes, StateKey* out) {
  if (bytes.size() < kStateKeyPrefix) return false;
  auto byte = [&](int i) { return uint64_t(uint8_t(bytes[size_t(i)])); };
  out->shard = uint16_t(byte(0) << 8 | byte(1));
  uint64_t time = 0;
  for (int i = 2; i < 10; ++i) time = time << 8 | byte(i);
  out->pane = int64_t(time ^ (uint64_t{1} << 63));
  out->key = bytes.substr(kStateKeyPrefix);
  return true;
}

}  // namespace weir::runtime
