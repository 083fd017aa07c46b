#include "stdlib/engine/panes.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <unordered_map>

#include "stdlib/engine/pane_tables.h"

using weir::stdlib::PaneTables;

namespace {
struct Group {
  WeirGroupHeader header;
  int64_t count;
};
constexpr Group kInitial{{0, 0}, 100};

Group* upsert(PaneTables& tables, int64_t pane, const std::string& key) {
  return reinterpret_cast<Group*>(weir_panes_upsert(tables.panes(), pane, key.data(), key.size()));
}
}  // namespace

TEST_CASE("groups are found again by pane and exact key, whatever the key's size") {
  PaneTables tables(sizeof(Group), reinterpret_cast<const char*>(&kInitial), 1000, 0);
  std::unordered_map<std::string, int64_t> model;
  std::mt19937 random(1);
  for (int i = 0; i < 200000; i++) {
    std::string key(random() % 40, 'x');
    for (char& c : key) c = char('a' + random() % (key.size() > 3 ? 2 : 26));
    if (key.size() > 3 && random() % 2) key.resize(key.size() % 20), key += std::string(1, '\0');
    int64_t pane = int64_t(random() % 20) * 1000 - 5000;
    upsert(tables, pane, key)->count++;
    model[std::to_string(pane) + "/" + key]++;
  }
  uint64_t seen = 0;
  tables.for_each([&](WeirTable* table) {
    for (uint64_t at = 0; WeirSlot* slot = weir_table_next(table, &at);) {
      WeirBytes key = weir_slot_key(slot);
      std::string name = std::to_string(table->pane) + "/" + std::string(key.data, key.size);
      REQUIRE(model.contains(name));
      CHECK(reinterpret_cast<Group*>(weir_slot_accumulator(slot))->count == 100 + model[name]);
      CHECK(weir_table_find(table, key.data, key.size) == slot);
      seen++;
    }
  });
  CHECK(seen == model.size());
  CHECK(tables.panes()->groups == seen);
  CHECK(weir_table_find(tables.find(0), "not there", 9) == nullptr);
}

TEST_CASE("a key at the end of a page is read without touching the next one") {
  // The sanitizer's red zone plays the next page for the slow way; the value is what counts.
  PaneTables tables(sizeof(Group), reinterpret_cast<const char*>(&kInitial), 0, 0);
  alignas(4096) static char pages[8192];
  memcpy(pages + 4096 - 3, "abc", 3);
  char* at_end = weir_panes_upsert(tables.panes(), 0, pages + 4096 - 3, 3);
  CHECK(at_end == reinterpret_cast<char*>(upsert(tables, 0, "abc")));
}

TEST_CASE("erasing keeps the other groups reachable") {
  PaneTables tables(sizeof(Group), reinterpret_cast<const char*>(&kInitial), 0, 0);
  for (int i = 0; i < 1000; i++) upsert(tables, 0, "key" + std::to_string(i))->count = i;
  WeirTable* table = tables.find(0);
  for (int i = 0; i < 1000; i += 3) {
    std::string key = "key" + std::to_string(i);
    tables.erase(table, weir_table_find(table, key.data(), key.size()));
  }
  for (int i = 0; i < 1000; i++) {
    std::string key = "key" + std::to_string(i);
    WeirSlot* slot = weir_table_find(table, key.data(), key.size());
    if (i % 3 == 0) {
      CHECK(slot == nullptr);
    } else {
      REQUIRE(slot != nullptr);
      CHECK(reinterpret_cast<Group*>(weir_slot_accumulator(slot))->count == i);
    }
  }
  CHECK(tables.panes()->groups == 666);
  tables.remove(0);
  CHECK(tables.panes()->groups == 0);
  CHECK(tables.find(0) == nullptr);
  CHECK(upsert(tables, 0, "key1")->count == 100);
}

TEST_CASE("texts live with their pane") {
  PaneTables tables(sizeof(Group), reinterpret_cast<const char*>(&kInitial), 1000, 0);
  WeirBytes kept = weir_panes_keep_text(tables.panes(), 3000, "hello", 5);
  for (int i = 0; i < 100; i++)
    upsert(tables, 3000, "a key that is long enough to be outside " + std::to_string(i));
  CHECK(std::string(kept.data, kept.size) == "hello");
  CHECK(tables.bytes() > 0);
}
