#include "runtime/connectors/kafka/fetch/record_batch.h"

#include "runtime/connectors/kafka/fetch/wire.h"
#include "runtime/crc32c.h"

namespace weir::runtime::kafka::fetch {
namespace {

constexpr size_t kMagicAt = 16, kCrcEnd = 21;
constexpr int8_t kMagic = 2;
constexpr uint16_t kCodecBits = 7, kAppendTimeBit = 8, kTransactionalBit = 16, kControlBit = 32;
// A record is at least its length and six fields of one byte.
constexpr size_t kRecordBytesMin = 7;

}  // namespace

const char* text_of(BatchFault fault) {
  switch (fault) {
    case BatchFault::None:
      break;
    case BatchFault::Cut:
      return "is cut off";
    case BatchFault::OldFormat:
      return "has a message format older than 2; `client = librdkafka` reads it";
    case BatchFault::Malformed:
      return "is malformed";
    case BatchFault::Checksum:
      return "has a wrong checksum";
    case BatchFault::UnknownCodec:
      return "has an unknown compression";
    case BatchFault::TooLarge:
      return "is too large when decompressed";
  }
  return "is whole";
}

BatchFault read_batch_header(std::string_view bytes, BatchHeader& header) {
  if (bytes.size() < kMagicAt + 1) return BatchFault::Cut;
  int32_t length = from_big_endian<int32_t>(bytes.data() + 8);
  int8_t magic = int8_t(bytes[kMagicAt]);
  if (magic >= 0 && magic < kMagic) return BatchFault::OldFormat;
  if (magic != kMagic || length < int32_t(kBatchHeaderBytes - kBatchLengthEnd))
    return BatchFault::Malformed;
  header.bytes = size_t(length) + kBatchLengthEnd;
  if (header.bytes > bytes.size()) return BatchFault::Cut;
  WireReader from(bytes.substr(0, kBatchHeaderBytes));
  header.base_offset = from.i64();
  from.i32();  // length
  header.leader_epoch = from.i32();
  from.i8();  // magic
  header.crc = uint32_t(from.i32());
  auto attributes = uint16_t(from.i16());
  int32_t last = from.i32();
  header.base_timestamp = from.i64();
  header.timestamp_max = from.i64();
  header.producer_id = from.i64();
  from.i16();  // producer epoch
  from.i32();  // sequence
  header.count = from.i32();
  header.codec = Codec(attributes & kCodecBits);
  header.append_time = attributes & kAppendTimeBit;
  header.transactional = attributes & kTransactionalBit;
  header.control = attributes & kControlBit;
  if (header.base_offset < 0 || last < 0 || header.base_offset > INT64_MAX - last - 1)
    return BatchFault::Malformed;
  header.last_offset = header.base_offset + last;
  // A compacted batch can be empty, or have fewer records than offsets; never more.
  if (header.count < 0 || header.count > int64_t(last) + 1) return BatchFault::Malformed;
  if (header.codec == Codec::None &&
      size_t(header.count) > (header.bytes - kBatchHeaderBytes) / kRecordBytesMin) {
    return BatchFault::Malformed;
  }
  return BatchFault::None;
}

bool checksum_is_right(std::string_view batch, const BatchHeader& header) {
  return crc32c(batch.data() + kCrcEnd, header.bytes - kCrcEnd) == header.crc;
}

BatchesExtent measure(std::string_view records) {
  BatchesExtent extent;
  BatchHeader header;
  while (extent.bytes < records.size()) {
    std::string_view rest = records.substr(extent.bytes);
    BatchFault fault = read_batch_header(rest, header);
    if (fault == BatchFault::Cut) {
      if (rest.size() >= kBatchLengthEnd) {
        int32_t length = from_big_endian<int32_t>(rest.data() + 8);
        if (length > 0) extent.bytes_wanted = size_t(length) + kBatchLengthEnd;
      }
      break;
    }
    // Offsets only go up.
    if (fault == BatchFault::None && header.last_offset + 1 <= extent.next_offset)
      fault = BatchFault::Malformed;
    if (fault != BatchFault::None) {
      extent.fault = fault;
      break;
    }
    extent.bytes += header.bytes;
    extent.next_offset = header.last_offset + 1;
    extent.leader_epoch = header.leader_epoch;
  }
  return extent;
}

bool detail::long_zigzag(const uint8_t*& at, const uint8_t* end, int64_t& number) {
  uint64_t bits = 0;
  for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
    uint8_t byte = *at++;
    bits |= uint64_t(byte & 127) << shift;
    if (byte < 128) {
      number = int64_t(bits >> 1) ^ -int64_t(bits & 1);
      return true;
    }
  }
  return false;
}

bool RecordCursor::skip_headers(const uint8_t*& at, const uint8_t* end, int64_t count) {
  using detail::zigzag;
  if (count < 0) return false;
  for (; count > 0; count--) {
    int64_t size;
    if (!zigzag(at, end, size) || size < 0 || size > end - at) return false;
    at += size;
    if (!zigzag(at, end, size) || size > end - at) return false;
    at += size > 0 ? size : 0;
  }
  return true;
}

EncodedHeader next_header(const char*& at) {
  const auto* byte = reinterpret_cast<const uint8_t*>(at);
  EncodedHeader header;
  int64_t size = 0;
  detail::zigzag(byte, byte + 10, size);
  header.name = {reinterpret_cast<const char*>(byte), size_t(size)};
  byte += size;
  detail::zigzag(byte, byte + 10, size);
  if (size >= 0) {
    header.value = {reinterpret_cast<const char*>(byte), size_t(size)};
    byte += size;
  }
  at = reinterpret_cast<const char*>(byte);
  return header;
}

Marker marker_of(const BatchHeader& header, std::string_view records) {
  RecordCursor cursor(header, records);
  WeirRecord record;
  const char* headers;
  if (cursor.left() == 0 || !cursor.next(record, headers) || record.key_size < 4)
    return Marker::None;
  // Its key: version i16, type i16.
  int16_t type = from_big_endian<int16_t>(record.key + 2);
  return type == 0 ? Marker::Abort : type == 1 ? Marker::Commit : Marker::None;
}

}  // namespace weir::runtime::kafka::fetch
