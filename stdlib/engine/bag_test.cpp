#include "stdlib/engine/bag.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/distinct.h"
#include "stdlib/engine/quantile.h"
#include "stdlib/reasons.h"

using weir::stdlib::ArenaBlocks;

namespace {

struct Memory {
  Memory() { blocks.serve(&arena); }
  ArenaBlocks blocks;
  WeirArena arena{};
};

WeirBytes bytes(const std::string& text) { return {text.data(), text.size()}; }

std::string used(WeirBytes bag) { return {bag.data, weir_bag_used(bag.data, bag.size)}; }
std::string hex(WeirBytes bag) {
  std::string text;
  for (char c : used(bag)) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", uint8_t(c));
    text += digits;
  }
  return text;
}

std::vector<std::string> entries(Memory& memory, WeirBytes bag, int64_t greatest = 0) {
  WeirList list = weir_bag_entries(&memory.arena, bag, greatest);
  std::vector<std::string> found;
  for (uint64_t i = 0; i < list.count; ++i) {
    auto& entry = static_cast<const WeirBytes*>(list.data)[i];
    found.emplace_back(entry.data, entry.size);
  }
  return found;
}

// As state is after it was stored: no room, no index.
WeirBytes stored(Memory& memory, WeirBytes bag) {
  std::string copy = used(bag);
  char* at = weir_arena_take(&memory.arena, copy.size());
  memcpy(at, copy.data(), copy.size());
  return {at, copy.size()};
}

using Add = WeirReason (*)(WeirArena*, WeirBytes, WeirBytes, WeirBytes*);

WeirBytes all_of(Memory& memory, Add add, const std::vector<std::string>& values) {
  WeirBytes bag{nullptr, 0};
  for (const std::string& value : values) REQUIRE(add(&memory.arena, bag, bytes(value), &bag) == 0);
  return bag;
}

}  // namespace

TEST_CASE("the bytes of each kind, which are stored") {
  Memory memory;
  const std::vector<std::string> values{"b", "a", "b"};
  CHECK(hex(all_of(memory, weir_bag_add, values)) ==
        "1f00000003000000010100000000000001000000620100000061"
        "0100000062");
  CHECK(hex(all_of(memory, weir_set_add, values)) ==
        "1a00000002000000010200000000000001000000620100000061");
  WeirBytes top{nullptr, 0};
  for (const std::string& value : values)
    REQUIRE(weir_top_add(&memory.arena, 1, top, bytes(value), &top) == 0);
  CHECK(hex(top) ==
        "1f00000003000000010300000000000001000000620100000061"
        "0100000062");
  WeirBytes hashes{nullptr, 0};
  REQUIRE(weir_distinct_add(&memory.arena, 10, hashes, bytes(values[0]), &hashes) == 0);
  CHECK(hex(hashes) == "180000000100000001040a00000000009b9ff31aa12a4578");
  WeirBytes numbers{nullptr, 0};
  REQUIRE(weir_quantile_add(&memory.arena, 10'000, numbers, 1.5, &numbers) == 0);
  CHECK(hex(numbers) == "18000000010000000106000010270000000000000000f83f");
  for (uint32_t i = 0; i < kNumbersMax; ++i)
    REQUIRE(weir_quantile_add(&memory.arena, 10'000, numbers, 1.0, &numbers) == 0);
  CHECK(hex(numbers) ==
        "28000000000000000107000010270000"
        "000000010001000000000000"
        "150000010100000000000000");
}

TEST_CASE("a set holds each value once, however it came and whether or not it was stored") {
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    Memory memory;
    std::set<std::string> model;
    WeirBytes set{nullptr, 0}, other{nullptr, 0};
    int count = 1 << (round % 14);
    for (int i = 0; i < count; ++i) {
      std::string value = std::to_string(random() % uint32_t(count));
      value.resize(value.size() + random() % 3, 'x');
      model.insert(value);
      WeirBytes& into = random() % 4 ? set : other;
      REQUIRE(weir_set_add(&memory.arena, into, bytes(value), &into) == 0);
      if (random() % 100 == 0) into = stored(memory, into);
    }
    std::string before = used(other);
    REQUIRE(weir_set_merge(&memory.arena, set, other, &set) == 0);
    CHECK(used(other) == before);
    CHECK(weir_bag_count(set) == int64_t(model.size()));
    CHECK(entries(memory, set) == std::vector<std::string>(model.begin(), model.end()));
  }
}

TEST_CASE("a bag keeps all, a top the greatest, in any order of merging") {
  std::mt19937 random(2);
  for (int round = 0; round < 30; ++round) {
    Memory memory;
    std::vector<std::string> model;
    std::vector<WeirBytes> bags(3, {nullptr, 0}), tops(3, {nullptr, 0});
    int64_t n = 1 + int64_t(random() % 20);
    for (uint32_t i = 0; i < random() % 300; ++i) {
      std::string value = std::to_string(random() % 1000);
      model.push_back(value);
      size_t at = random() % 3;
      REQUIRE(weir_bag_add(&memory.arena, bags[at], bytes(value), &bags[at]) == 0);
      REQUIRE(weir_top_add(&memory.arena, n, tops[at], bytes(value), &tops[at]) == 0);
      if (random() % 20 == 0) tops[at] = stored(memory, tops[at]);
    }
    std::shuffle(bags.begin(), bags.end(), random);
    for (size_t i = 1; i < 3; ++i) {
      REQUIRE(weir_bag_merge(&memory.arena, bags[0], bags[i], &bags[0]) == 0);
      REQUIRE(weir_top_merge(&memory.arena, n, tops[0], tops[i], &tops[0]) == 0);
    }
    std::sort(model.begin(), model.end());
    CHECK(entries(memory, bags[0]) == model);
    std::reverse(model.begin(), model.end());
    model.resize(std::min(model.size(), size_t(n)));
    CHECK(entries(memory, tops[0], n) == model);
  }
}

TEST_CASE("a group that would keep too much has a reason") {
  Memory memory;
  std::string big(1 << 20, 'x');
  WeirBytes bag{nullptr, 0};
  WeirReason reason = 0;
  int added = 0;
  for (; reason == 0 && added < 100; ++added)
    reason = weir_bag_add(&memory.arena, bag, bytes(big), &bag);
  CHECK(reason == kReasonTooLarge);
  CHECK(added == 64);
  CHECK(weir_bag_count(bag) == 63);
}

TEST_CASE("distinct values are counted within three standard errors, the same in any order") {
  for (int64_t digits : {10, 14}) {
    for (int64_t count : {0, 1, 300, 5'000, 200'000}) {
      Memory memory;
      WeirBytes forward{nullptr, 0}, parts[2] = {{nullptr, 0}, {nullptr, 0}};
      for (int64_t i = 0; i < count; ++i) {
        std::string value = std::to_string(i);
        REQUIRE(weir_distinct_add(&memory.arena, digits, forward, bytes(value), &forward) == 0);
        value = std::to_string(count - 1 - i);
        WeirBytes& part = parts[i % 2];
        REQUIRE(weir_distinct_add(&memory.arena, digits, part, bytes(value), &part) == 0);
      }
      REQUIRE(weir_distinct_merge(&memory.arena, digits, parts[0], parts[1], &parts[0]) == 0);
      CHECK(used(forward) == used(parts[0]));
      double error = 1.04 / std::sqrt(double(1 << digits));
      CHECK(std::fabs(double(weir_distinct_count(forward) - count)) <= 3 * error * double(count));
      if (count <= (int64_t{1} << digits) / 32) CHECK(weir_distinct_count(forward) == count);
    }
  }
}

TEST_CASE("a quantile of too many bins has a reason and changes nothing") {
  Memory memory;
  // As many bins as fit, every other one.
  std::string full(kBagBytesMax, 0);
  uint32_t bins = uint32_t((kBagBytesMax - sizeof(WeirBagHeader)) / 12);
  WeirBagHeader header{uint32_t(sizeof header + bins * 12), 0, kBagVersion, kBins, 0, 100};
  memcpy(full.data(), &header, sizeof header);
  for (uint32_t i = 0; i < bins; ++i) {
    int32_t bin = int32_t(2 * i) - int32_t(bins);
    uint64_t one = 1;
    memcpy(full.data() + sizeof header + i * 12, &bin, sizeof bin);
    memcpy(full.data() + sizeof header + i * 12 + 4, &one, sizeof one);
  }
  WeirBytes state = bytes(full);
  CHECK(weir_quantile_add(&memory.arena, 100, state, 1e300, &state) == kReasonTooLarge);
  CHECK(state.data == full.data());
  CHECK(weir_quantile_count(state) == bins);
  CHECK(weir_quantile_add(&memory.arena, 100, state, -1e300, &state) == kReasonTooLarge);
  // What falls into a bin that is there is counted; nothing moves.
  CHECK(weir_quantile_merge(&memory.arena, 100, state, state, &state) == 0);
  CHECK(weir_quantile_count(state) == 2 * int64_t(bins));
  WeirBytes few{nullptr, 0};
  REQUIRE(weir_quantile_add(&memory.arena, 100, few, 1e300, &few) == 0);
  CHECK(weir_quantile_merge(&memory.arena, 100, few, state, &few) == kReasonTooLarge);
}

TEST_CASE("quantiles are exact of few, within the error of many, the same in any order") {
  std::mt19937_64 random(3);
  for (uint32_t count : {1u, 7u, 256u, 257u, 20'000u}) {
    for (int shape = 0; shape < 3; ++shape) {
      Memory memory;
      std::vector<double> model;
      WeirBytes whole{nullptr, 0}, parts[3] = {{nullptr, 0}, {nullptr, 0}, {nullptr, 0}};
      for (uint32_t i = 0; i < count; ++i) {
        double value = double(random() % 100'000) / 7;
        if (shape == 1) value -= 5'000;
        if (shape == 2) value = std::exp(value / 500) * (i % 5 ? 1 : -1);
        model.push_back(value);
        REQUIRE(weir_quantile_add(&memory.arena, 10'000, whole, value, &whole) == 0);
        WeirBytes& part = parts[random() % 3];
        REQUIRE(weir_quantile_add(&memory.arena, 10'000, part, value, &part) == 0);
      }
      REQUIRE(weir_quantile_merge(&memory.arena, 10'000, parts[2], parts[1], &parts[2]) == 0);
      REQUIRE(weir_quantile_merge(&memory.arena, 10'000, parts[2], parts[0], &parts[2]) == 0);
      std::sort(model.begin(), model.end());
      CHECK(weir_quantile_count(parts[2]) == count);
      for (double q : {0.0, 0.01, 0.5, 0.95, 0.999, 1.0}) {
        double exact = model[size_t(std::max(1.0, std::ceil(q * count - 1e-6))) - 1];
        double found = weir_quantile_value(parts[2], q);
        CHECK(found == weir_quantile_value(whole, q));
        CHECK(std::fabs(found - exact) <=
              (count <= kNumbersMax ? 0 : std::fabs(exact) * 0.0100001));
      }
    }
  }
  Memory memory;
  WeirBytes odd{nullptr, 0};
  for (double value :
       std::initializer_list<double>{-INFINITY, INFINITY, 0.0, NAN, 5e-324, -1.7e308}) {
    for (int i = 0; i < 100; ++i)
      REQUIRE(weir_quantile_add(&memory.arena, 10'000, odd, value, &odd) == 0);
  }
  CHECK(weir_quantile_value(odd, 0.1) == -INFINITY);
  CHECK(weir_quantile_value(odd, 0.3) == doctest::Approx(-1.7e308).epsilon(0.01));
  CHECK(weir_quantile_value(odd, 0.5) == 0);
  CHECK(weir_quantile_value(odd, 0.8) == INFINITY);
  CHECK(std::isnan(weir_quantile_value(odd, 1)));
}
