// The only source of chance in a simulation (splitmix64: Steele, Lea, Flood, 2014).
#pragma once

#include <cstdint>

namespace weir::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // 0 … n − 1. Requires: n > 0.
  uint64_t below(uint64_t n) { return uint64_t((__uint128_t(next()) * n) >> 64); }
  int64_t between(int64_t least, int64_t most) {
    return least + int64_t(below(uint64_t(most - least + 1)));
  }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace weir::simulation
