#include "runtime/connectors/kafka/partitioner.h"

#include <cstring>

namespace weir::runtime {

// Kafka's variant of MurmurHash2 (org.apache.kafka.common.utils.Utils.murmur2): 32 bits, its own
// seed, little endian.
uint32_t murmur2(std::string_view key) {
  constexpr uint32_t kSeed = 0x9747b28cu;
  constexpr uint32_t kM = 0x5bd1e995u;
  constexpr int kR = 24;
  auto size = static_cast<uint32_t>(key.size());
  uint32_t hash = kSeed ^ size;
  const char* at = key.data();
  for (uint32_t left = size / 4; left > 0; left--, at += 4) {
    uint32_t k;
    std::memcpy(&k, at, 4);
    k *= kM;
    k ^= k >> kR;
    k *= kM;
    hash = hash * kM ^ k;
  }
  switch (size % 4) {
    case 3:
      hash ^= static_cast<uint32_t>(static_cast<uint8_t>(at[2])) << 16;
      [[fallthrough]];
    case 2:
      hash ^= static_cast<uint32_t>(static_cast<uint8_t>(at[1])) << 8;
      [[fallthrough]];
    case 1:
      hash ^= static_cast<uint8_t>(at[0]);
      hash *= kM;
      break;
    default:
      break;
  }
  hash ^= hash >> 13;
  hash *= kM;
  hash ^= hash >> 15;
  return hash;
}

}  // namespace weir::runtime
