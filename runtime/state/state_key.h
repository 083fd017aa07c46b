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

#include "runtime/state/bytes.h"

namespace weir::runtime {

inline constexpr uint64_t kStateKeyPrefix = 10;

inline void put_state_prefix(std::string& to, uint16_t shard, int64_t pane) {
  put_big_endian(to, shard);
  put_big_endian(to, uint64_t(pane) ^ kSignBit);
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
  out->shard = take_big_endian<uint16_t>(bytes);
  out->pane = int64_t(take_big_endian<uint64_t>(bytes) ^ kSignBit);
  out->key = bytes;
  return true;
}

}  // namespace weir::runtime
