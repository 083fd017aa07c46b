// Which partition a key belongs to, as Java's default partitioner says, so that our output lies
// where every other producer would put it.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::runtime {

uint32_t murmur2(std::string_view key);

// Requires: partitions > 0.
inline int32_t partition_of_key(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>((murmur2(key) & 0x7fffffffu) % static_cast<uint32_t>(partitions));
}

}  // namespace weir::runtime
