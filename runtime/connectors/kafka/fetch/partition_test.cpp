#include "runtime/connectors/kafka/fetch/partition.h"

#include <doctest/doctest.h>

#include "runtime/connectors/kafka/fetch/batch_for_tests.h"

namespace weir::runtime::kafka::fetch {
namespace {

struct Setting {
  std::shared_ptr<BufferPool> pool = BufferPool::make(1 << 20);
  Partition partition;

  explicit Setting(int64_t from = 0) : partition({"t", 3}, {from, -1}, pool, true) {}

  void put(const std::string& batches, std::vector<AbortedTransaction> aborted = {},
           bool at_end = false) {
    BufferRef buffer = pool->take(batches.size());
    batches.copy(buffer->data(), batches.size());
    buffer->size = batches.size();
    partition.put(
        {buffer, buffer->text(), std::move(aborted), measure(batches).next_offset, at_end});
  }
  struct Seen {
    std::string values;
    std::vector<int64_t> offsets;
    Fetched fetched;
    Status status;
  };
  Seen take(uint32_t rows_max = 1000) {
    Seen seen;
    bool drained = false;
    seen.status = partition.take(rows_max, &seen.fetched, &drained);
    for (uint32_t i = 0; seen.fetched.batch && i < seen.fetched.batch->count; i++) {
      const WeirRecord& record = seen.fetched.batch->records[i];
      seen.values.append(record.value, record.value_size);
      seen.offsets.push_back(record.offset);
    }
    return seen;
  }
};
std::string plain(int64_t offset, std::string value, int64_t producer = -1) {
  TestBatch batch;
  batch.base_offset = offset;
  batch.producer_id = producer;
  batch.transactional = producer >= 0;
  batch.leader_epoch = int32_t(offset / 100);
  for (char one : value) batch.records.push_back({std::nullopt, std::string(1, one)});
  return encode(batch);
}

}  // namespace

TEST_CASE("records of several answers come together, in pieces as asked for") {
  Setting setting;
  setting.put(plain(0, "abc") + plain(3, "de"));
  setting.put(plain(5, "fgh"), {}, true);
  CHECK(setting.partition.has_more());
  auto first = setting.take(4);
  CHECK(first.values == "abcd");
  CHECK(first.fetched.next_offset == 4);
  CHECK(!first.fetched.at_end);
  auto rest = setting.take();
  CHECK(rest.values == "efgh");
  CHECK(rest.fetched.at_end);
  CHECK(rest.fetched.batch->bytes == 4);
  CHECK(!setting.partition.has_more());
  auto nothing = setting.take();
  CHECK(!nothing.fetched.batch);
  CHECK(nothing.fetched.at_end);
  CHECK(nothing.fetched.next_offset == 8);
  setting.put(plain(8, "i"));
  CHECK(!setting.take().fetched.at_end);
  setting.partition.reach_end();
  CHECK(setting.partition.has_more());
  CHECK(setting.take().fetched.at_end);
}

TEST_CASE("a batch that begins in front of the position; gaps of compaction; an empty batch") {
  Setting setting(2);
  TestBatch gaps;
  gaps.base_offset = 10;
  gaps.last_offset_delta = 20;
  gaps.leader_epoch = 4;
  gaps.records = {{std::nullopt, "x", {}, 5}, {std::nullopt, "y", {}, 9}};
  TestBatch empty;
  empty.base_offset = 31;
  empty.last_offset_delta = 8;
  empty.leader_epoch = 5;
  setting.put(plain(0, "abcd") + encode(gaps) + encode(empty));
  auto seen = setting.take();
  CHECK(seen.values == "cdxy");
  CHECK(seen.offsets == std::vector<int64_t>{2, 3, 15, 19});
  CHECK(seen.fetched.next_offset == 40);
  CHECK(seen.fetched.next_leader_epoch == 5);
}

TEST_CASE("aborted transactions are hidden, also where they overlap") {
  Setting setting;
  // Producer 1 aborts 0…4 and commits 8, producer 2 commits 2…6, producer 3 is not transactional.
  setting.put(plain(0, "a", 1) + plain(1, "n") + plain(2, "b", 2) + plain(3, "c", 1) +
                  encode_marker(4, 1, false) + plain(5, "d", 2) + encode_marker(6, 2, true) +
                  plain(7, "e", 1) + encode_marker(8, 1, true),
              {{1, 0}}, true);
  auto seen = setting.take();
  CHECK(seen.values == "nbde");
  CHECK(seen.offsets == std::vector<int64_t>{1, 2, 5, 7});
  CHECK(seen.fetched.next_offset == 9);
  CHECK(seen.fetched.at_end);
}

TEST_CASE("the broker lists aborted transactions as they ended") {
  Setting setting;
  setting.put(plain(0, "a", 1) + plain(1, "b", 2) + encode_marker(2, 2, false) + plain(3, "c", 1) +
                  encode_marker(4, 1, false) + plain(5, "d", 2),
              {{2, 1}, {1, 0}}, true);
  CHECK(setting.take().values == "d");
}

TEST_CASE("one producer aborts twice in an answer; the next answer begins within its transaction") {
  Setting setting;
  setting.put(plain(0, "a", 1) + encode_marker(1, 1, false) + plain(2, "b", 1) +
                  encode_marker(3, 1, true) + plain(4, "c", 1),
              {{1, 0}, {1, 4}});
  setting.put(plain(5, "d", 1) + encode_marker(6, 1, false) + plain(7, "e", 1), {{1, 4}}, true);
  CHECK(setting.take().values == "be");
  // Nothing but aborted records: no batch, but the position moves.
  setting.put(plain(8, "f", 1) + encode_marker(9, 1, false), {{1, 8}}, true);
  auto seen = setting.take();
  CHECK(!seen.fetched.batch);
  CHECK(seen.fetched.next_offset == 10);
  CHECK(seen.fetched.at_end);
}

TEST_CASE("headers are read when asked for, and batches outlive their partition") {
  auto setting = std::make_unique<Setting>();
  for (Codec codec : {Codec::None, Codec::Zstd}) {
    TestBatch batch;
    batch.base_offset = codec == Codec::None ? 0 : 3;
    batch.codec = codec;
    batch.records = {{"k", "plain"},
                     {std::nullopt, std::nullopt, {{"why", "bad"}, {"why", "worse"}, {"none", {}}}},
                     {std::nullopt, "last", {{"h", ""}}}};
    setting->put(encode(batch));
  }
  auto seen = setting->take();
  setting.reset();
  REQUIRE(seen.fetched.batch);
  REQUIRE(seen.fetched.batch->count == 6);
  for (uint32_t i : {0u, 3u}) {
    const WeirRecord* records = seen.fetched.batch->records + i;
    CHECK(records[0].headers == nullptr);
    CHECK(std::string_view(records[0].value, records[0].value_size) == "plain");
    CHECK(records[1].value == nullptr);
    CHECK(*find_header(records[1], "why") == "worse");
    CHECK(headers_of(records[1]).count == 3);
    CHECK(find_header(records[1], "none")->data() == nullptr);
    CHECK(find_header(records[2], "h")->empty());
    CHECK(!find_header(records[2], "why"));
  }
}

TEST_CASE("damage ends the reading behind the good records, with its place") {
  Setting setting;
  std::string bad = plain(3, "xyz");
  bad.back() = char(bad.back() ^ 4);
  setting.put(plain(0, "abc") + bad + plain(6, "z"));
  auto first = setting.take();
  CHECK(first.values == "abc");
  CHECK(first.status.ok());
  CHECK(first.fetched.next_offset == 3);
  // It is wanted once more; what was asked for before that is not.
  CHECK(!setting.partition.has_more());
  setting.put(plain(7, "late"));
  CHECK(!setting.partition.has_more());
  auto wanted = setting.partition.wanted_again();
  REQUIRE(wanted);
  CHECK(wanted->offset == 3);
  CHECK(wanted->leader_epoch == 0);
  CHECK(!setting.partition.wanted_again());
  setting.put(bad + plain(6, "z"));
  auto seen = setting.take();
  CHECK(!setting.partition.wanted_again());
  CHECK(seen.values.empty());
  CHECK(seen.status.exit() == Exit::Failed);
  CHECK(seen.status.message().find("`t`[3]") != std::string::npos);
  CHECK(seen.status.message().find("offset 3 has a wrong checksum") != std::string::npos);
  CHECK(seen.fetched.next_offset == 3);
  auto again = setting.take();  // nothing goes on behind it
  CHECK(!again.fetched.batch);
  CHECK(again.fetched.next_offset == 3);
  CHECK(!again.status.ok());
}

TEST_CASE("answers are held as long as their records, and their memory is used again") {
  Setting setting;
  setting.put(plain(0, "abc"));
  auto seen = setting.take();
  CHECK(setting.pool->bytes_in_use() > 0);
  setting.take();  // lets go of the answer
  CHECK(setting.pool->bytes_in_use() > 0);
  const char* there = seen.fetched.batch->records[0].value;
  seen.fetched.batch.reset();
  CHECK(setting.pool->bytes_in_use() == 0);
  BufferRef again = setting.pool->take(100);
  CHECK((there > again->data() && there < again->data() + again->capacity()));
}

}  // namespace weir::runtime::kafka::fetch
