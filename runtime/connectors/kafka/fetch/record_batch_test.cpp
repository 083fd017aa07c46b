#include "runtime/connectors/kafka/fetch/record_batch.h"

#include <doctest/doctest.h>

#include <random>

#include "runtime/connectors/kafka/fetch/batch_for_tests.h"
#include "runtime/crc32c.h"

namespace weir::runtime::kafka::fetch {
namespace {

// Three records as librdkafka 2.0 wrote them to a broker 3.9.1: key k1, headers h = v and n without
// a value; no key, an empty value; key k3, no value.
struct Golden {
  Codec codec;
  const char* bytes;
};
constexpr Golden kGolden[] = {
    {Codec::None,
     "0000000000000000000000750000000002eec12dfa0000000000020000018bcfe568000000018bcfe5692cfffffff"
     "f"
     "ffffffffffffffffffff0000000364000000046b314668656c6c6f2068656c6c6f2068656c6c6f2068656c6c6f206"
     "8"
     "656c6c6f2068656c6c6f0402680276026e010c0002020100001200d80404046b330100"},
    {Codec::Snappy,
     "00000000000000000000005e00000000026be209d60002000000020000018bcfe568000000018bcfe5692cfffffff"
     "f"
     "ffffffffffffffffffff00000003443464000000046b314668656c6c6f20720600600402680276026e010c0002020"
     "1"
     "00001200d80404046b330100"},
    {Codec::Lz4,
     "00000000000000000000006d0000000002ceb619f60003000000020000018bcfe568000000018bcfe5692cfffffff"
     "f"
     "ffffffffffffffffffff0000000304224d186040822d000000ef64000000046b314668656c6c6f2006000af00a040"
     "2"
     "680276026e010c0002020100001200d80404046b33010000000000"},
    {Codec::Zstd,
     "000000000000000000000068000000000267698a480004000000020000018bcfe568000000018bcfe5692cfffffff"
     "f"
     "ffffffffffffffffffff0000000328b52ffd0058750100740264000000046b314668656c6c6f200402680276026e0"
     "1"
     "0c0002020100001200d80404046b3301000100b98b12"},
};
constexpr const char* kGoldenGzip =  // its first record alone
    "00000000000000000000005d0000000002bec7a17b0001000000000000018bcfe568000000018bcfe56800ffffffff"
    "ffffffffffffffffffff000000011f8b08000000000000034b61606060c93674cb48cdc9c957c04bb23065309531e5"
    "310200277343ed33000000";

struct Walked {
  std::vector<WeirRecord> records;
  std::vector<const char*> headers;
  BufferRef buffer;
  bool good = true;
};
Walked walk(std::string_view batch) {
  static auto pool = BufferPool::make(1 << 20);
  Walked walked;
  BatchHeader header;
  REQUIRE(read_batch_header(batch, header) == BatchFault::None);
  CHECK(checksum_is_right(batch, header));
  std::string_view records = batch.substr(kBatchHeaderBytes);
  if (header.codec != Codec::None) {
    REQUIRE(decompress(header.codec, records, 1 << 20, *pool, walked.buffer) == Decompressed::Done);
    records = walked.buffer->text();
  }
  RecordCursor cursor(header, records);
  while (cursor.left() > 0 && walked.good) {
    WeirRecord record{};
    const char* headers = nullptr;
    walked.good = cursor.next(record, headers);
    walked.records.push_back(record);
    walked.headers.push_back(headers);
  }
  walked.good = walked.good && cursor.at_end();
  return walked;
}
std::string_view value_of(const WeirRecord& record) { return {record.value, record.value_size}; }

}  // namespace

TEST_CASE("checksums: the standard's example, and both ways agree on every size and place") {
  CHECK(crc32c("123456789", 9) == 0xe3069283);
  CHECK(crc32c_by_tables("123456789", 9) == 0xe3069283);
  CHECK(crc32c("", 0) == 0);
  std::mt19937 random(1);
  std::string bytes(100'000, '\0');
  for (char& byte : bytes) byte = char(random());
  for (size_t size = 0; size < 1000; size++)
    CHECK(crc32c(bytes.data() + size % 9, size) == crc32c_by_tables(bytes.data() + size % 9, size));
  for (size_t size : {24'575, 24'576, 24'577, 60'000, 99'999})
    CHECK(crc32c(bytes.data(), size) == crc32c_by_tables(bytes.data(), size));
}

TEST_CASE("golden batches of a broker, in each compression") {
  for (const Golden& golden : kGolden) {
    CAPTURE(int(golden.codec));
    std::string bytes = from_hex(golden.bytes);
    BatchesExtent extent = measure(bytes);
    CHECK(extent.fault == BatchFault::None);
    CHECK(extent.next_offset == 3);
    CHECK(extent.bytes == bytes.size());
    Walked walked = walk(bytes);
    CHECK(walked.good);
    REQUIRE(walked.records.size() == 3);
    const WeirRecord *one = &walked.records[0], *two = one + 1, *three = one + 2;
    CHECK(value_of(*one) == "hello hello hello hello hello hello");
    CHECK(std::string_view(one->key, one->key_size) == "k1");
    CHECK(one->timestamp_ms == 1700000000000);
    CHECK(one->timestamp_type == 1);
    const char* at = walked.headers[0];
    REQUIRE(at != nullptr);
    EncodedHeader first = next_header(at), second = next_header(at);
    CHECK(first.name == "h");
    CHECK(first.value == "v");
    CHECK(second.name == "n");
    CHECK(second.value.data() == nullptr);
    CHECK(two->key == nullptr);
    CHECK(two->value != nullptr);
    CHECK(two->value_size == 0);
    CHECK(two->timestamp_ms == 1700000000001);
    CHECK(walked.headers[1] == nullptr);
    CHECK(three->value == nullptr);
    CHECK(three->offset == 2);
    CHECK(three->timestamp_ms == 1700000000300);
  }
  Walked gzip = walk(from_hex(kGoldenGzip));
  CHECK(gzip.good);
  CHECK(value_of(gzip.records[0]) == "hello hello hello hello hello hello");
}

TEST_CASE("what we write for tests is read as it was written: compressions, sizes, append time") {
  std::mt19937 random(2);
  for (Codec codec : {Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd}) {
    TestBatch batch;
    batch.codec = codec;
    batch.base_offset = 1'000'000'000'000;
    batch.append_time = true;
    batch.leader_epoch = 7;
    for (int i = 0; i < 200; i++) {
      std::string value(random() % 2000, 'x');
      for (size_t k = 0; k < value.size(); k += 3) value[k] = char(random());
      batch.records.push_back({std::nullopt, value, {}, i * 3, -5});
    }
    std::string bytes = encode(batch);
    Walked walked = walk(bytes);
    CHECK(walked.good);
    REQUIRE(walked.records.size() == batch.records.size());
    for (size_t i = 0; i < walked.records.size(); i++) {
      CHECK(value_of(walked.records[i]) == *batch.records[i].value);
      CHECK(walked.records[i].offset == 1'000'000'000'000 + int64_t(i) * 3);
      CHECK(walked.records[i].timestamp_ms == 2000);
      CHECK(walked.records[i].timestamp_type == 2);
      CHECK(walked.records[i].leader_epoch == 7);
    }
  }
}

TEST_CASE("every cut and every flipped bit is noticed; nothing is read outside") {
  TestBatch batch;
  batch.records = {{"key", "value", {{"a", "b"}}}, {std::nullopt, "second"}, {"k", std::nullopt}};
  std::string whole = encode(batch);
  BatchHeader header;
  for (size_t size = 0; size < whole.size(); size++) {
    std::string cut = whole.substr(0, size);  // its own memory: the sanitizer sees what is behind
    CHECK(read_batch_header(cut, header) != BatchFault::None);
    CHECK(measure(cut).next_offset == -1);
    CHECK(measure(cut).fault == BatchFault::None);
    if (size >= kBatchLengthEnd) CHECK(measure(cut).bytes_wanted == whole.size());
  }
  for (size_t bit = 17 * 8; bit < whole.size() * 8; bit++) {
    std::string flipped = whole;
    flipped[bit / 8] = char(flipped[bit / 8] ^ (1 << bit % 8));
    BatchFault fault = read_batch_header(flipped, header);
    CHECK((fault != BatchFault::None || !checksum_is_right(flipped, header)));
  }
  // Without a checksum a wrong record is still found where it does not fit.
  for (size_t at = kBatchHeaderBytes; at < whole.size(); at++) {
    for (int byte : {0, 1, 2, 127, 128, 255}) {
      std::string wrong = whole;
      wrong[at] = char(byte);
      REQUIRE(read_batch_header(wrong, header) == BatchFault::None);
      RecordCursor cursor(header, std::string_view(wrong).substr(kBatchHeaderBytes));
      WeirRecord record;
      const char* headers;
      while (cursor.left() > 0 && cursor.next(record, headers)) {
        CHECK(record.value_size <= wrong.size());
        if (headers) next_header(headers);
      }
    }
  }
}

TEST_CASE("headers that can't be are refused") {
  TestBatch batch;
  batch.records = {{std::nullopt, "v"}};
  std::string good = encode(batch);
  BatchHeader header;
  auto with = [&](size_t at, std::string bytes) {
    std::string changed = good;
    changed.replace(at, bytes.size(), bytes);
    return read_batch_header(changed, header);
  };
  CHECK(with(16, "\1") == BatchFault::OldFormat);
  CHECK(with(16, "\3") == BatchFault::Malformed);
  CHECK(with(8, std::string("\0\0\0\x30", 4)) == BatchFault::Malformed);  // shorter than a header
  CHECK(with(8, std::string("\x7f\xff\xff\xff")) == BatchFault::Cut);
  CHECK(with(0, std::string("\xff")) == BatchFault::Malformed);               // negative offset
  CHECK(with(57, std::string("\x7f\xff\xff\xff")) == BatchFault::Malformed);  // records
  CHECK(with(23, std::string("\xff\xff\xff\xff")) == BatchFault::Malformed);  // last offset
  std::string twice = good + good;  // offsets do not go up
  CHECK(measure(twice).fault == BatchFault::Malformed);
  CHECK(measure(twice).bytes == good.size());
}

TEST_CASE("compressions: damage is found, and what is too large is not made") {
  auto pool = BufferPool::make(0);
  TestBatch batch;
  batch.records = {{std::nullopt, std::string(3'000'000, 'z')}};
  for (Codec codec : {Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd}) {
    CAPTURE(int(codec));
    batch.codec = codec;
    std::string bytes = encode(batch).substr(kBatchHeaderBytes);
    BufferRef to;
    CHECK(decompress(codec, bytes, 4'000'000, *pool, to) == Decompressed::Done);
    CHECK(to->size > 3'000'000);
    CHECK(decompress(codec, bytes, 2'000'000, *pool, to) == Decompressed::TooLarge);
    CHECK(pool->bytes_in_use() < 8'000'000);
    CHECK(decompress(codec, bytes.substr(0, bytes.size() - 12), 4'000'000, *pool, to) ==
          Decompressed::Damaged);
    CHECK(decompress(codec, "", 4'000'000, *pool, to) != Decompressed::Done);
    std::string noise(100, '\x5a');
    CHECK(decompress(codec, noise, 4'000'000, *pool, to) != Decompressed::Done);
  }
  BufferRef to;
  CHECK(decompress(Codec(5), "x", 100, *pool, to) == Decompressed::UnknownCodec);
  CHECK(decompress(Codec::Snappy, std::string_view("\x82SNAPPY\0\0\0", 10), 100, *pool, to) ==
        Decompressed::Damaged);
  to.reset();
  CHECK(pool->bytes_in_use() == 0);
}

}  // namespace weir::runtime::kafka::fetch
