// What a row is made of, part by part: the kernels that stages are made of, as the natively
// compiled library has them (a stage inlines them, and is a little faster).
//
//     tools/bench/run --parts        a table; build/bench/parts.json
//
// Inputs are many and different, so that nothing learns them by heart; `items_per_second` counts
// values.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/connectors/kafka/partitioner.h"
#include "runtime/watermark.h"
#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/hash.h"
#include "stdlib/engine/json_value.h"
#include "stdlib/engine/json_write.h"
#include "stdlib/engine/key.h"
#include "stdlib/engine/pane_tables.h"

namespace {

constexpr size_t kValues = 4096;

uint64_t draw() {
  static uint64_t state = 88172645463325252;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

// JSON values behind each other, each followed by a comma; 128 bytes more may be read.
struct Values {
  std::string text;
  std::vector<size_t> places;

  template <typename Make>
  explicit Values(Make make) {
    for (size_t i = 0; i < kValues; i++) {
      places.push_back(text.size());
      text += make() + ",";
    }
    places.push_back(text.size());
    text.append(kJsonPadding, '\0');
  }
  const char* at(size_t i) const { return text.data() + places[i]; }
};

std::string integer() { return std::to_string(int64_t(draw() % 1'000'000) - 500'000); }
std::string milliseconds() { return std::to_string(1735689600000 + draw() % 100'000'000); }
std::string amount() {
  uint64_t cents = draw() % 100'000;
  char text[32];
  std::snprintf(text, sizeof text, "%d.%02d", int(cents / 100), int(cents % 100));
  return text;
}
std::string floating() { return std::to_string(double(draw() % 1'000'000) / 1000); }
std::string word() { return "\"" + std::string(3 + draw() % 12, char('a' + draw() % 26)) + "\""; }
std::string identifier() { return "\"" + std::string(36, char('a' + draw() % 26)) + "\""; }
std::string nested() { return R"({"a":[1,2,{"b":")" + amount() + R"("}],"c":null})"; }
std::string boolean() { return draw() % 2 ? "true" : "false"; }

void decoded(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * int64_t(kValues));
}

// ---- decoding a value of each kind

template <auto read, typename T>
void decode(benchmark::State& state, const Values& values) {
  weir::stdlib::ArenaBlocks blocks;
  WeirArena arena{};
  blocks.serve(&arena);
  WeirJsonType type{};
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++) {
      T value;
      WeirReason reason;
      benchmark::DoNotOptimize(
          read(values.at(i), values.at(i + 1), &arena, &type, &value, &reason));
      benchmark::DoNotOptimize(value);
    }
  }
  decoded(state);
}
const char* read_amount(const char* p, const char* end, WeirArena* arena, const WeirJsonType* type,
                        int64_t* value, WeirReason* reason) {
  return weir_json_decimal64(p, end, arena, type, value, reason, 12, 2);
}

void skip(benchmark::State& state, const Values& values) {
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++)
      benchmark::DoNotOptimize(weir_json_skip(values.at(i), values.at(i + 1)));
  }
  decoded(state);
}

// The whole value, by the strict grammar.
void check(benchmark::State& state, const Values& values) {
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++)
      benchmark::DoNotOptimize(weir_json_check(values.at(i), values.at(i + 1)));
  }
  decoded(state);
}

// ---- groups

void table_probe(benchmark::State& state) {
  constexpr uint32_t kGroupBytes = 32;
  const char initial[kGroupBytes] = {};
  auto groups = uint64_t(state.range(0));
  weir::stdlib::PaneTables tables(kGroupBytes, initial, 0, 0);
  WeirTable* table = tables.find_or_make(0);
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < groups; i++) keys.push_back("u" + std::to_string(10'000'000 + i));
  for (const std::string& key : keys) weir_table_upsert(table, key.data(), key.size());
  std::vector<uint32_t> order;
  for (size_t i = 0; i < kValues * 16; i++) order.push_back(uint32_t(draw() % groups));
  for (auto _ : state) {
    for (uint32_t i : order) {
      char* group = weir_table_upsert(table, keys[i].data(), keys[i].size());
      group[8]++;
    }
  }
  state.SetItemsProcessed(state.iterations() * int64_t(order.size()));
}

void key_text(benchmark::State& state) {
  Values values(word);
  char to[128];
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++) {
      uint64_t size = values.places[i + 1] - values.places[i];
      benchmark::DoNotOptimize(weir_key_put_text(to, values.at(i), size));
      benchmark::ClobberMemory();
    }
  }
  decoded(state);
}

template <typename Hash>
void hash(benchmark::State& state, Hash of) {
  Values values(word);
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++)
      benchmark::DoNotOptimize(of(values.at(i), values.places[i + 1] - values.places[i]));
  }
  decoded(state);
}

// ---- rows going out

struct Output {
  std::vector<char> memory = std::vector<char>(1 << 20);
  WeirOutput output{};
  Output() {
    output.data = output.at = memory.data();
    output.capacity = memory.size();
    output.grow = [](WeirOutput*, uint64_t) { return false; };
  }
};

void encode_text(benchmark::State& state) {
  Output to;
  Values values(word);
  for (auto _ : state) {
    for (size_t i = 0; i < kValues; i++) {
      uint64_t size = values.places[i + 1] - values.places[i] - 3;
      benchmark::DoNotOptimize(
          weir_json_write_string(&to.output, to.memory.data(), values.at(i) + 1, size, 0));
      benchmark::ClobberMemory();
    }
  }
  decoded(state);
}

void encode_int64(benchmark::State& state) {
  char to[64];
  std::vector<int64_t> values;
  for (size_t i = 0; i < kValues; i++) values.push_back(int64_t(draw() >> (draw() % 60)));
  for (auto _ : state) {
    for (int64_t value : values) {
      benchmark::DoNotOptimize(weir_write_int64(to, value));
      benchmark::ClobberMemory();
    }
  }
  decoded(state);
}

void encode_float64(benchmark::State& state) {
  char to[64];
  std::vector<double> values;
  for (size_t i = 0; i < kValues; i++) values.push_back(double(draw() % 1'000'000'000) / 1e4);
  for (auto _ : state) {
    for (double value : values) {
      benchmark::DoNotOptimize(weir_json_write_float64(to, value));
      benchmark::ClobberMemory();
    }
  }
  decoded(state);
}

// ---- time

// Once for each batch, not for each row.
void watermark(benchmark::State& state) {
  std::vector<weir::runtime::PartitionTime> partitions{size_t(state.range(0))};
  std::vector<weir::runtime::PartitionTime*> all;
  for (auto& partition : partitions) {
    partition.has_watermark = true;
    partition.delay_us = 10'000'000;
    partition.event_time_max = int64_t(draw() % 1'000'000'000);
    all.push_back(&partition);
  }
  weir::runtime::Watermarks watermarks(1);
  for (auto _ : state) {
    all[draw() % all.size()]->event_time_max += 1000;
    watermarks.advance(all, false);
    benchmark::DoNotOptimize(watermarks.floor(0));
  }
}

const bool registered = [] {
  static const Values integers(integer), times(milliseconds), amounts(amount), floats(floating),
      words(word), identifiers(identifier), objects(nested), flags(boolean);
  auto add = [](const char* name, auto function, const Values& values) {
    benchmark::RegisterBenchmark(
        name, [function, &values](benchmark::State& state) { function(state, values); });
  };
  add("decode/int64, 6 digits", decode<weir_json_int64, int64_t>, integers);
  add("decode/timestamp, 13 digits", decode<weir_json_int64, int64_t>, times);
  add("decode/decimal(12, 2)", decode<read_amount, int64_t>, amounts);
  add("decode/float64", decode<weir_json_float64, double>, floats);
  add("decode/string, 3 to 14 bytes", decode<weir_json_string, WeirBytes>, words);
  add("decode/string, 36 bytes", decode<weir_json_string, WeirBytes>, identifiers);
  add("decode/bool", decode<weir_json_bool, bool>, flags);
  add("skip/string, 36 bytes", skip, identifiers);
  add("skip/number", skip, amounts);
  add("skip/object", skip, objects);
  add("check/object, strict", check, objects);
  benchmark::RegisterBenchmark("groups/probe", table_probe)
      ->ArgName("keys")
      ->Arg(8)
      ->Arg(10'000)
      ->Arg(1'000'000);
  benchmark::RegisterBenchmark("keys/text with more behind it", key_text);
  benchmark::RegisterBenchmark("keys/shard hash", [](benchmark::State& state) {
    hash(state, [](const char* key, uint64_t size) { return weir_shard_hash(key, size); });
  });
  benchmark::RegisterBenchmark("keys/murmur2", [](benchmark::State& state) {
    hash(state, [](const char* key, uint64_t size) {
      return weir::runtime::murmur2(std::string_view(key, size));
    });
  });
  benchmark::RegisterBenchmark("encode/text", encode_text);
  benchmark::RegisterBenchmark("encode/int64", encode_int64);
  benchmark::RegisterBenchmark("encode/float64", encode_float64);
  benchmark::RegisterBenchmark("watermark/advance", watermark)->ArgName("partitions")->Arg(16);
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
