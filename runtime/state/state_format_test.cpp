// The bytes of every stored format. They are what disks and topics hold: never rewrite an
// expectation. A new form gets a new version number, a new case, and a reader that still takes the
// old one.
#include <doctest/doctest.h>

#include "runtime/state/changelog.h"
#include "runtime/state/sentinel.h"
#include "runtime/state/snapshot.h"
#include "runtime/state/state_key.h"
#include "runtime/state/state_value.h"
#include "runtime/state/value_merge.h"
#include "stdlib/engine/arena_blocks.h"
#include "stdlib/engine/bag.h"

using namespace weir;
using namespace weir::runtime;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes)
    out += "0123456789abcdef"[c >> 4], out += "0123456789abcdef"[c & 15];
  return out;
}

Sentinel some_sentinel() {
  Sentinel s;
  s.epoch = 7;
  s.partition = {"rides", 3};
  s.position = {1000, 5};
  s.event_time_max = 1'000'000;
  s.watermark = -2;
  s.idle = true;
  s.shards = 16;
  s.source = "r";
  s.signatures = {{"c.window.0", "v1"}};
  s.sink_positions = {{"f", "42"}};
  return s;
}

constexpr char kManifestHex[] =
    "77656972736e6170"
    "01"
    "2e00000001070000000000000000000000010000000d000000702e632e6368616e67656c6f67030000002c03000000"
    "000000"
    "02000000"
    "0a0000003030303031322e73737414000000702f66696c65732f372f30303030"
    "31322e7373740000010000000000efbeadde0700000043555252454e54110000"
    "00702f66696c65732f372f43555252454e54100000000000000001000000be5c"
    "a92c";
constexpr char kSentinelHex[] =
    "01"
    "0700000000000000"
    "05000000"
    "7269646573"
    "03000000"
    "e803000000000000"
    "05000000"
    "40420f0000000000"
    "feffffffffffffff"
    "01"
    "1000"
    "01000000"
    "72"
    "0100"
    "0a000000"
    "632e77696e646f772e30"
    "02000000"
    "7631"
    "0100"
    "01000000"
    "66"
    "02000000"
    "3432";

}  // namespace

TEST_CASE("golden: state key, version 1") {
  std::string key = state_prefix(258, -1) + "ab";
  CHECK(hex(key) ==
        "0102"
        "7fffffffffffffff"
        "6162");
  CHECK(hex(state_prefix(0, 0)) ==
        "0000"
        "8000000000000000");
  StateKey read;
  REQUIRE(read_state_key(key, &read));
  CHECK(read.shard == 258);
  CHECK(read.pane == -1);
  CHECK(read.key == "ab");
  CHECK_FALSE(read_state_key("short", &read));
  CHECK(state_prefix(1, -5) < state_prefix(1, 5));
}

TEST_CASE("golden: state value, version 1") {
  contract::Keyed keyed;
  auto add = [&](contract::Type::Kind kind, uint32_t offset, int32_t presence,
                 uint32_t precision = 0) {
    auto* field = keyed.add_state();
    field->mutable_type()->set_kind(kind);
    field->mutable_type()->set_precision(precision);
    field->set_offset(offset);
    field->set_presence(presence);
  };
  struct Group {
    WeirGroupHeader header;
    int64_t count;
    weir_i128 sum;
    WeirBytes name;
    int32_t day;
    uint8_t name_there, day_there;
  };
  add(contract::Type::INT64, offsetof(Group, count), -1);
  add(contract::Type::DECIMAL, offsetof(Group, sum), -1, 38);
  add(contract::Type::STRING, offsetof(Group, name), offsetof(Group, name_there));
  add(contract::Type::DATE, offsetof(Group, day), offsetof(Group, day_there));
  keyed.add_emissions();
  keyed.add_emissions();
  Result<StateValueCodec> codec = StateValueCodec::make(keyed);
  REQUIRE(codec.ok());
  Group group{};
  group.header = {~0u, 7010};
  group.count = -2;
  group.sum = weir_i128(1) << 64;
  group.name = {"xyz", 3};
  group.name_there = 1;
  std::string bytes;
  codec->encode(reinterpret_cast<const char*>(&group), &bytes);
  // Of `changed` only the bits of the two emissions are kept.
  CHECK(hex(bytes) ==
        "01"
        "03000000"
        "621b0000"
        "feffffffffffffff"
        "00000000000000000100000000000000"
        "01"
        "03000000"
        "78797a"
        "00");

  WeirArena texts;
  stdlib::ArenaBlocks blocks;
  blocks.serve(&texts);
  Group read{};
  REQUIRE(codec->decode(bytes, reinterpret_cast<char*>(&read), &texts));
  CHECK(read.count == -2);
  CHECK(read.sum == group.sum);
  CHECK(std::string(read.name.data, read.name.size) == "xyz");
  CHECK(read.day_there == 0);
  CHECK(read.header.error == 7010);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_FALSE(codec->decode(bytes.substr(0, cut), reinterpret_cast<char*>(&read), &texts));
}

TEST_CASE("golden: what is used of state that grows") {
  contract::Keyed keyed;
  auto* field = keyed.add_state();
  field->mutable_type()->set_kind(contract::Type::BYTES);
  field->mutable_type()->set_precision(1);
  field->set_offset(sizeof(WeirGroupHeader));
  field->set_presence(-1);
  Result<StateValueCodec> codec = StateValueCodec::make(keyed);
  REQUIRE(codec.ok());
  CHECK(codec->grows());
  struct Group {
    WeirGroupHeader header;
    WeirBytes set;
  } group{};
  std::string bytes;
  codec->encode(reinterpret_cast<const char*>(&group), &bytes);
  CHECK(hex(bytes) ==
        "01"
        "00000000"
        "00000000"
        "00000000");
  WeirArena arena{};
  stdlib::ArenaBlocks blocks;
  blocks.serve(&arena);
  REQUIRE(weir_set_add(&arena, group.set, {"xyz", 3}, &group.set) == 0);
  CHECK(group.set.size > 23);  // it has room
  bytes.clear();
  codec->encode(reinterpret_cast<const char*>(&group), &bytes);
  CHECK(hex(bytes) ==
        "01"
        "00000000"
        "00000000"
        "17000000"
        "1700000001000000"
        "0102000000000000"
        "03000000"
        "78797a");
  Group read{};
  REQUIRE(codec->decode(bytes, reinterpret_cast<char*>(&read), &arena));
  REQUIRE(weir_set_add(&arena, read.set, {"xyz", 3}, &read.set) == 0);
  CHECK(weir_bag_count(read.set) == 1);
}

TEST_CASE("golden: a part of a group, version 2 of a value; several, version 3") {
  contract::Keyed keyed;
  auto* field = keyed.add_state();
  field->mutable_type()->set_kind(contract::Type::INT64);
  field->set_offset(sizeof(WeirGroupHeader));
  field->set_presence(-1);
  keyed.add_emissions();
  Result<StateValueCodec> codec = StateValueCodec::make(keyed);
  REQUIRE(codec.ok());
  struct Group {
    WeirGroupHeader header;
    int64_t count;
  };
  auto encoded = [&](Group group, bool part) {
    std::string bytes;
    codec->encode(reinterpret_cast<const char*>(&group), &bytes, part);
    return bytes;
  };
  std::string part = encoded({{~0u, 0}, 5}, true), group = encoded({{0, 7010}, 2}, false);
  CHECK(hex(part) ==
        "02"
        "01000000"
        "00000000"
        "0500000000000000");
  CHECK(is_part(part));
  CHECK_FALSE(is_part(group));

  std::string list;
  add_to_value_list(group, &list);
  add_to_value_list(part, &list);
  CHECK(hex(list) ==
        "03"
        "11000000" +
            hex(group) +
            "11000000"
            "02"
            "01000000"
            "00000000"
            "0500000000000000");
  std::string longer;
  add_to_value_list(list, &longer);
  CHECK(longer == list);

  Group initial{};
  keyed.set_group_initial(std::string(reinterpret_cast<const char*>(&initial), sizeof initial));
  KeyedInfo info{};
  info.keyed = &keyed;
  info.merge = [](char* into, const char* from, WeirArena*) {
    reinterpret_cast<Group*>(into)->count += reinterpret_cast<const Group*>(from)->count;
  };
  ValueMerge merge{&info, *codec};
  auto merged = [&](std::vector<std::string> values, bool as_part) {
    ValueMerger merger(merge);
    for (const std::string& value : values) REQUIRE(merger.add(value));
    std::string out;
    merger.finish(as_part, &out);
    return hex(out);
  };
  CHECK(merged({list, part}, false) == hex(encoded({{1, 7010}, 12}, false)));
  CHECK(merged({part, part}, true) == hex(encoded({{1, 0}, 10}, true)));
  CHECK_FALSE(ValueMerger(merge).add("\x04"));
  CHECK_FALSE(ValueMerger(merge).add(list.substr(0, list.size() - 1)));
}

TEST_CASE("golden: changelog record, format 1") {
  ChangelogWriter writer("c", 2, 9);
  writer.add("PRE", "k", [](std::string* out) { out->append("val"); });
  writer.add("PRE", "", [](std::string*) {});
  std::vector<std::string> records = writer.take();
  REQUIRE(records.size() == 1);
  CHECK(hex(records[0]) ==
        "01"
        "0900000000000000"
        "0200"
        "01000000"
        "63"
        "04000000"
        "03000000"
        "5052456b"
        "76616c"
        "03000000"
        "00000000"
        "505245");
  ChangelogHeader header;
  std::vector<ChangelogEntry> entries;
  // Behind it a removal, as a later version may write it.
  std::string longer = records[0] + std::string(
                                        "\x01\0\0\0\xff\xff\xff\xff"
                                        "k",
                                        9);
  REQUIRE(read_changelog(longer, &header, &entries).ok());
  CHECK(header.epoch == 9);
  CHECK(header.shard == 2);
  CHECK(header.store == "c");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].key == "PREk");
  CHECK(entries[0].value == "val");
  CHECK(entries[2].removed);
  CHECK(read_changelog("\x02", &header, &entries).exit() == Exit::NotSupported);
  CHECK(read_changelog(records[0].substr(0, records[0].size() - 1), &header, &entries).exit() ==
        Exit::Disk);
}

TEST_CASE("a changelog record ends behind the entry that makes it large") {
  ChangelogWriter writer("c", 0, 1);
  for (int i = 0; i < 3; ++i)
    writer.add("p", std::to_string(i), [](std::string* out) { out->append(300 << 10, 'v'); });
  CHECK(writer.take().size() == 2);
}

TEST_CASE("golden: sentinel, format 1") {
  CHECK(hex(write_sentinel(some_sentinel())) == kSentinelHex);
  CHECK(*read_sentinel(write_sentinel(some_sentinel())) == some_sentinel());
  CHECK(sentinel_key({"rides", 3}) == "rides-3");
  CHECK(read_sentinel("\x02").status().exit() == Exit::NotSupported);
}

TEST_CASE("golden: commit record, format 1") {
  CommitRecord record;
  record.epoch = 7;
  record.sentinels[{"rides", 3}] = some_sentinel();
  record.changelogs[{"c", 1}] = 12;
  std::string bytes = write_commit_record(record);
  CHECK(hex(bytes) == std::string("01"
                                  "0700000000000000"
                                  "01000000"
                                  "5d000000") +
                          kSentinelHex +
                          "01000000"
                          "01000000"
                          "63"
                          "01000000"
                          "0c00000000000000");
  CHECK(*read_commit_record(bytes) == record);
  CHECK(read_commit_record(bytes.substr(0, bytes.size() - 1)).status().exit() == Exit::Disk);
}

TEST_CASE("a snapshot's manifest: bytes, and no other bytes are one") {
  SnapshotManifest manifest;
  manifest.record.epoch = 7;
  manifest.record.changelogs = {{{"p.c.changelog", 3}, 812}};
  manifest.files = {{"000012.sst", "p/files/7/000012.sst", 65536, 0xdeadbeef},
                    {"CURRENT", "p/files/7/CURRENT", 16, 1}};
  std::string bytes = write_manifest(manifest);
  CHECK(hex(bytes) == kManifestHex);
  Result<SnapshotManifest> read = read_manifest(bytes);
  REQUIRE(read.ok());
  CHECK(*read == manifest);
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK(!read_manifest(std::string_view(bytes).substr(0, size)).ok());
  CHECK(!read_manifest(bytes + '\0').ok());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = char(flipped[bit / 8] ^ (1 << bit % 8));
    CHECK(!read_manifest(flipped).ok());
  }
}

TEST_CASE("a manifest can't name files outside of its directory") {
  for (const char* name : {"../x", "a/b", "", ".."}) {
    SnapshotManifest manifest;
    manifest.files = {{name, "o", 1, 1}};
    CHECK(!read_manifest(write_manifest(manifest)).ok());
  }
}

TEST_CASE("names of snapshots are in the order of their age") {
  SnapshotId id{7, 1'700'000'000'000}, later{12, 5}, read;
  CHECK(text_of(id) == "00000000000000000007-00000001700000000000");
  CHECK(text_of(id) < text_of(later));
  REQUIRE(read_snapshot_id(text_of(id), &read));
  CHECK(read.epoch == 7);
  CHECK(read.wall_ms == 1'700'000'000'000);
  CHECK(!read_snapshot_id(text_of(id) + ".unfinished", &read));
}
