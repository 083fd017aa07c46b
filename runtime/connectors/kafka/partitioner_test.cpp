#include "runtime/connectors/kafka/partitioner.h"

#include <doctest/doctest.h>

namespace weir::runtime {

// Values of Kafka's own UtilsTest.testMurmur2.
TEST_CASE("murmur2 is Kafka's") {
  CHECK(static_cast<int32_t>(murmur2("21")) == -973932308);
  CHECK(static_cast<int32_t>(murmur2("foobar")) == -790332482);
  CHECK(static_cast<int32_t>(murmur2("a-little-bit-long-string")) == -985981536);
  CHECK(static_cast<int32_t>(murmur2("a-little-bit-longer-string")) == -1486304829);
  CHECK(static_cast<int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")) ==
        -58897971);
  CHECK(static_cast<int32_t>(murmur2("abc")) == 479470107);
}

TEST_CASE("a negative hash loses its sign, not its other bits") {
  CHECK(partition_of_key("21", 4) == ((-973932308) & 0x7fffffff) % 4);
}

}  // namespace weir::runtime
