#include "stdlib/engine/hash.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace {
uint64_t shard_hash(const std::string& key) { return weir_shard_hash(key.data(), key.size()); }
}  // namespace

// State on disk depends on these: they are XXH64's own test vectors, and never change.
TEST_CASE("the shard hash is XXH64 with seed 0") {
  CHECK(kShardHashVersion == 1);
  CHECK(shard_hash("") == 0xEF46DB3751D8E999ull);
  CHECK(shard_hash("a") == 0xD24EC4F1A98C6E5Bull);
  CHECK(shard_hash("abc") == 0x44BC2CF5AD770999ull);
  CHECK(shard_hash("Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1ull);
}

TEST_CASE("the table hash spreads counting keys over the low and high bits") {
  for (uint64_t size : {8, 12, 16, 20, 40}) {
    std::set<uint64_t> low, high;
    for (int i = 0; i < 4096; i++) {
      std::string key = std::to_string(i);
      key.insert(0, size - key.size(), 'k');
      std::string padded = key + std::string(16, '\0');
      uint64_t hash =
          size <= 16
              ? weir_hash_words(weir_load8(padded.data()),
                                size > 8 ? weir_load8(padded.data() + 8) &
                                               (size == 16 ? ~0ull : (1ull << 8 * (size - 8)) - 1)
                                         : 0,
                                size)
              : weir_hash_long(key.data(), size);
      low.insert(hash >> 5 & 4095);
      high.insert(hash >> 52);
    }
    // 4096 balls in 4096 bins hit 63 % of them if thrown at random.
    CHECK(low.size() > 2200);
    CHECK(high.size() > 2200);
  }
}
