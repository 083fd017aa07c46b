// Record batches, format 2 (KIP-98), walked where they lie:
//
//     | base offset | length | leader epoch | magic | crc | attributes | last offset − base |
//       i64           i32      i32            i8      u32   i16          i32
//     | base timestamp | greatest timestamp | producer id | its epoch | sequence | count | records
//     …
//       i64              i64                  i64           i16         i32        i32
//
// The length counts what is behind it, the CRC-32C what is behind itself. A record:
//
//     | length | attributes | timestamp − base | offset − base | key | value | headers |
//       zigzag   i8           zigzag             zigzag          length and bytes, −1: null
//
// Nothing in it is trusted: a cursor never leaves its batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/connectors/kafka/fetch/decompress.h"
#include "runtime/contract/stage_abi.h"

namespace weir::runtime::kafka::fetch {

inline constexpr size_t kBatchHeaderBytes = 61;
inline constexpr size_t kBatchLengthEnd = 12;  // base offset and length: all formats have them

struct BatchHeader {
  int64_t base_offset, last_offset;
  size_t bytes;  // with its header
  int32_t leader_epoch;
  uint32_t crc;
  Codec codec;
  bool append_time;  // timestamps are the broker's: all of them the greatest one
  bool transactional, control;
  int64_t base_timestamp, timestamp_max, producer_id;
  int32_t count;
};

enum class BatchFault : uint8_t {
  None,
  Cut,  // the answer ends within it
  OldFormat,
  Malformed,
  Checksum,
  UnknownCodec,
  TooLarge,  // decompressed
};
const char* text_of(BatchFault fault);

// Of the batch at the beginning of `bytes`.
BatchFault read_batch_header(std::string_view bytes, BatchHeader& header);
bool checksum_is_right(std::string_view batch, const BatchHeader& header);

// What the records of an answer amount to without looking at any of them.
struct BatchesExtent {
  size_t bytes = 0;                     // of whole batches
  int64_t next_offset = -1;             // behind the last whole batch; −1: there is none
  int32_t leader_epoch = -1;            // of the last whole batch
  size_t bytes_wanted = 0;              // of the batch that is cut off, if its length could be read
  BatchFault fault = BatchFault::None;  // behind the whole ones; Cut is none
};
BatchesExtent measure(std::string_view records);

namespace detail {
bool long_zigzag(const uint8_t*& at, const uint8_t* end, int64_t& number);
// A zigzag number of up to ten bytes; nearly all have one to three. The lengths of a field are
// alike from record to record, so that branches on them are foreseen.
__attribute__((always_inline)) inline bool zigzag(const uint8_t*& at, const uint8_t* end,
                                                  int64_t& number) {
  if (__builtin_expect(end - at < 3, 0)) return long_zigzag(at, end, number);
  uint32_t bits = at[0];
  if (bits < 128) {
    at += 1;
  } else if (at[1] < 128) {
    bits = (bits & 127) | uint32_t(at[1]) << 7;
    at += 2;
  } else if (__builtin_expect(at[2] < 128, 1)) {
    bits = (bits & 127) | uint32_t(at[1] & 127) << 7 | uint32_t(at[2]) << 14;
    at += 3;
  } else {
    return long_zigzag(at, end, number);
  }
  number = int32_t(bits >> 1) ^ -int32_t(bits & 1);
  return true;
}
}  // namespace detail

// Goes through a batch's records.
class RecordCursor {
 public:
  RecordCursor() = default;
  // `records`: what is behind the header, decompressed.
  RecordCursor(const BatchHeader& header, std::string_view records)
      : at_(reinterpret_cast<const uint8_t*>(records.data())),
        end_(at_ + records.size()),
        left_(uint32_t(header.count)),
        base_offset_(header.base_offset),
        offsets_(header.last_offset - header.base_offset),
        base_timestamp_(header.append_time ? header.timestamp_max : header.base_timestamp),
        leader_epoch_(header.leader_epoch),
        append_time_(header.append_time) {}

  // Records that are still to come, as the header claims.
  uint32_t left() const { return left_; }
  // Fills the view of the next one, all but `headers`; false: it is damaged. Requires: left() > 0.
  // `headers` are its encoded headers behind their count, null if there are none.
  __attribute__((always_inline)) bool next(WeirRecord& record, const char*& headers) {
    using detail::zigzag;
    int64_t size, timestamp, offset, key_size, value_size, header_count;
    const uint8_t* at = at_;
    if (!zigzag(at, end_, size) || size < 1 || size > end_ - at) return false;
    const uint8_t* end = at + size;
    at++;  // attributes: none are defined
    if (!zigzag(at, end, timestamp) || !zigzag(at, end, offset) || !zigzag(at, end, key_size))
      return false;
    if (offset < 0 || offset > offsets_) return false;
    const uint8_t* key = at;
    if (key_size > end - at) return false;
    at += key_size > 0 ? key_size : 0;
    if (!zigzag(at, end, value_size) || value_size > end - at) return false;
    const uint8_t* value = at;
    at += value_size > 0 ? value_size : 0;
    headers = nullptr;
    if (__builtin_expect(end - at == 1 && *at == 0, 1)) {  // no headers
      at = end;
    } else {
      if (!zigzag(at, end, header_count)) return false;
      if (header_count != 0) headers = reinterpret_cast<const char*>(at);
      if (!skip_headers(at, end, header_count)) return false;
    }
    if (at != end) return false;
    at_ = end;
    left_--;
    record.value = value_size < 0 ? nullptr : reinterpret_cast<const char*>(value);
    record.key = key_size < 0 ? nullptr : reinterpret_cast<const char*>(key);
    record.value_size = value_size < 0 ? 0 : uint32_t(value_size);
    record.key_size = key_size < 0 ? 0 : uint32_t(key_size);
    record.offset = base_offset_ + offset;
    record.timestamp_ms =
        append_time_ ? base_timestamp_ : int64_t(uint64_t(base_timestamp_) + uint64_t(timestamp));
    record.leader_epoch = leader_epoch_;
    record.timestamp_type = append_time_ ? 2 : 1;
    return true;
  }
  // Where the last record ended.
  const char* behind() const { return reinterpret_cast<const char*>(at_); }
  // All bytes have been read: so it must be behind the last record.
  bool at_end() const { return at_ == end_; }

 private:
  static bool skip_headers(const uint8_t*& at, const uint8_t* end, int64_t count);

  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  uint32_t left_ = 0;
  int64_t base_offset_ = 0, offsets_ = 0, base_timestamp_ = 0;
  int32_t leader_epoch_ = -1;
  bool append_time_ = false;
};

// The next header at `at`, which is moved behind it. Only for headers that a cursor has gone over.
struct EncodedHeader {
  std::string_view name;
  std::string_view value;  // data() null: it has none
};
EncodedHeader next_header(const char*& at);

// The marker that a control batch is: what became of its producer's transaction. None: damaged, or
// another kind of marker.
enum class Marker : uint8_t { None, Abort, Commit };
Marker marker_of(const BatchHeader& header, std::string_view records);

}  // namespace weir::runtime::kafka::fetch
