// Writes JSON rows of a record from random numbers: a record's fields and how their values are to
// be made are compiled once into a list of pieces, which then writes a row without any decision
// about types.
//
// How a field's value is made (option `fields.<name>`; nested ones `fields.http.status`):
//
//     clock                      the row's event time, in the field's unit
//     uniform 1.00 60.00         numbers of that range, with as many digits behind the point
//     zipf 1000                  1 to 1000, n about n times as rare as 1
//     start:40 stop:30 idle:30   one of these, by weight
//     uuid | row | partition     random; the row's number in its partition; the partition's
//     user-{zipf 100000}         text around any of the above
//     anything else              just that
//
// and behind it `null:0.1`, `absent:0.05`: shares of nulls and of rows without the field. Without a
// rule the type decides. The same numbers give the same row on every machine: there is no floating
// point in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/status.h"

namespace weir::runtime {

// splitmix64: each row has its own, seeded by its place, so that it can be made again alone.
class RowRandom {
 public:
  RowRandom(uint64_t seed, uint64_t partition, uint64_t row)
      : state_(mix(mix(seed + partition) + row)) {}
  uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }
  // Below `bound`; as even as 64 bits are.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  // True in `share` of all cases, given by share_of.
  bool happens(uint64_t share) { return share != 0 && next() >> 1 < share; }
  static uint64_t share_of(double share) {
    return static_cast<uint64_t>(share * 9223372036854775808.0);
  }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

struct GeneratedRow {
  int64_t event_time_us = 0;
  int64_t row = 0;
  int32_t partition = 0;
};

class RowWriter {
 public:
  // `rules`: by the field's name. `null_share`: of optional fields whose rule does not say it.
  static Result<RowWriter> compile(const contract::Plan& plan, uint32_t record,
                                   const std::map<std::string, std::string>& rules,
                                   double null_share);

  // No row is longer.
  size_t row_bytes_max() const { return row_bytes_max_; }
  // Returns its end. Requires: row_bytes_max() bytes at `to`.
  char* write(char* to, const GeneratedRow& row, RowRandom& random) const;

 private:
  friend class RowCompiler;
  struct Piece {
    enum class Kind : uint8_t {
      Text,
      Choice,
      Uniform,
      Zipf,
      Uuid,
      Row,
      Partition,
      Clock,
      ClockDate,
      ClockText,
      Unless,  // in `share` of all cases writes `text` and goes on at `end`
      Repeat,  // the pieces up to `end`, 0 to `bound` times
      Close,   // the comma in front becomes `text`
    } kind = Kind::Text;
    std::string text;
    std::vector<std::pair<uint64_t, std::string>> choices;  // with the sum of weights up to here
    int64_t low = 0;
    uint64_t bound = 0;   // how many values; the sum of weights; zipf: log2 in 32.32
    int64_t divisor = 1;  // of the clock; 10^digits of a number
    int digits = 0;
    uint64_t share = 0;
    size_t end = 0;
  };
  char* run(size_t from, size_t to, char* out, const GeneratedRow& row, RowRandom& random) const;

  std::vector<Piece> pieces_;
  size_t row_bytes_max_ = 0;
};

}  // namespace weir::runtime
