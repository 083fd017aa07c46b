#include "runtime/connectors/kafka/fetch/batch_for_tests.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "runtime/connectors/kafka/fetch/wire.h"
#include "runtime/crc32c.h"

namespace weir::runtime::kafka::fetch {
namespace {

std::string compressed(Codec codec, const std::string& from) {
  std::string to;
  size_t size = 0;
  switch (codec) {
    case Codec::Gzip: {
      z_stream stream{};
      deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
      to.resize(deflateBound(&stream, from.size()));
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
      stream.avail_in = uInt(from.size());
      stream.next_out = reinterpret_cast<Bytef*>(to.data());
      stream.avail_out = uInt(to.size());
      deflate(&stream, Z_FINISH);
      to.resize(stream.total_out);
      deflateEnd(&stream);
      return to;
    }
    case Codec::Snappy: {  // as Java clients do: blocks of 32 KiB behind a header
      WireWriter blocks;
      for (char c : std::string_view("\x82SNAPPY\0", 8)) blocks.i8(int8_t(c));
      blocks.i32(1);
      blocks.i32(1);
      to = blocks.take();
      for (size_t at = 0; at < from.size(); at += 32768) {
        size_t part = std::min<size_t>(32768, from.size() - at);
        std::string block(snappy_max_compressed_length(part), '\0');
        size = block.size();
        snappy_compress(from.data() + at, part, block.data(), &size);
        WireWriter length;
        length.i32(int32_t(size));
        to += length.take() + block.substr(0, size);
      }
      return to;
    }
    case Codec::Lz4:
      to.resize(LZ4F_compressFrameBound(from.size(), nullptr));
      to.resize(LZ4F_compressFrame(to.data(), to.size(), from.data(), from.size(), nullptr));
      return to;
    case Codec::Zstd:
      to.resize(ZSTD_compressBound(from.size()));
      to.resize(ZSTD_compress(to.data(), to.size(), from.data(), from.size(), 3));
      return to;
    case Codec::None:
      break;
  }
  return from;
}

}  // namespace

std::string zigzag_of(int64_t number) {
  uint64_t bits = (uint64_t(number) << 1) ^ uint64_t(number >> 63);
  std::string bytes;
  for (; bits >= 128; bits >>= 7) bytes.push_back(char(bits | 128));
  bytes.push_back(char(bits));
  return bytes;
}

std::string encode(const TestBatch& batch) {
  auto sized = [](const std::optional<std::string>& text) {
    return text ? zigzag_of(int64_t(text->size())) + *text : zigzag_of(-1);
  };
  std::string records;
  int32_t delta = -1;
  for (const TestRecord& record : batch.records) {
    delta = record.offset_delta < 0 ? delta + 1 : record.offset_delta;
    std::string one = std::string(1, '\0') + zigzag_of(record.timestamp_delta) + zigzag_of(delta) +
                      sized(record.key) + sized(record.value) +
                      zigzag_of(int64_t(record.headers.size()));
    for (const auto& [name, value] : record.headers) one += sized(name) + sized(value);
    records += zigzag_of(int64_t(one.size())) + one;
  }
  WireWriter summed;
  summed.i16(int16_t(int(batch.codec) | (batch.append_time ? 8 : 0) |
                     (batch.transactional ? 16 : 0) | (batch.control ? 32 : 0)));
  summed.i32(batch.last_offset_delta < 0 ? std::max(delta, 0) : batch.last_offset_delta);
  summed.i64(batch.base_timestamp);
  summed.i64(batch.timestamp_max);
  summed.i64(batch.producer_id);
  summed.i16(0);
  summed.i32(-1);
  summed.i32(int32_t(batch.records.size()));
  std::string behind_sum = summed.take() + compressed(batch.codec, records);
  WireWriter to;
  to.i64(batch.base_offset);
  to.i32(int32_t(behind_sum.size() + 9));
  to.i32(batch.leader_epoch);
  to.i8(2);
  to.i32(int32_t(crc32c_by_tables(behind_sum.data(), behind_sum.size())));
  return to.take() + behind_sum;
}

std::string encode_marker(int64_t offset, int64_t producer_id, bool commits) {
  TestBatch batch;
  batch.base_offset = offset;
  batch.transactional = batch.control = true;
  batch.producer_id = producer_id;
  batch.records = {{std::string("\0\0\0", 3) + char(commits), std::string(6, '\0')}};
  return encode(batch);
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(char(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

}  // namespace weir::runtime::kafka::fetch
