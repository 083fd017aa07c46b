#include "runtime/connectors/generate/row_writer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir::runtime {
namespace {

char* put_text(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_integer(char* to, int64_t value) { return std::to_chars(to, to + 20, value).ptr; }

// Digits of a fixed width, zeros in front.
char* put_digits(char* to, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; i--) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + width;
}

char* put_decimal(char* to, int64_t unscaled, int64_t divisor, int digits) {
  if (digits == 0) return put_integer(to, unscaled);
  if (unscaled < 0) {
    *to++ = '-';
    unscaled = -unscaled;
  }
  to = put_integer(to, unscaled / divisor);
  *to++ = '.';
  return put_digits(to, static_cast<uint64_t>(unscaled % divisor), digits);
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Howard Hinnant, "chrono-compatible low-level date algorithms".
char* put_date(char* to, int64_t days) {
  days += 719468;
  int64_t era = floor_div(days, 146097);
  auto day_of_era = static_cast<unsigned>(days - era * 146097);
  unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted = (5 * day_of_year + 2) / 153;
  unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  auto year = static_cast<uint64_t>(static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2));
  to = put_digits(to, year, 4);
  *to++ = '-';
  to = put_digits(to, month, 2);
  *to++ = '-';
  return put_digits(to, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
}

char* put_instant(char* to, int64_t us) {
  constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
  int64_t days = floor_div(us, kDayUs);
  auto ms = static_cast<uint64_t>(us - days * kDayUs) / 1000;
  to = put_date(to, days);
  *to++ = 'T';
  to = put_digits(to, ms / 3'600'000, 2);
  *to++ = ':';
  to = put_digits(to, ms / 60'000 % 60, 2);
  *to++ = ':';
  to = put_digits(to, ms / 1000 % 60, 2);
  *to++ = '.';
  to = put_digits(to, ms % 1000, 3);
  *to++ = 'Z';
  return to;
}

char* put_uuid(char* to, uint64_t high, uint64_t low) {
  high = (high & ~uint64_t{0xf000}) | 0x4000;                // version 4
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{1} << 63);  // its variant
  for (int i = 0; i < 32; i++) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *to++ = '-';
    uint64_t& half = i < 16 ? high : low;
    *to++ = "0123456789abcdef"[half >> 60];
    half <<= 4;
  }
  return to;
}

// 2^(u · log2(n + 1)) with the curve between powers of two as a straight line: ranks as rare as
// they are large, in whole numbers only.
int64_t zipf(uint64_t random, uint64_t log2) {
  auto at = static_cast<uint64_t>((static_cast<unsigned __int128>(random) * log2) >> 64);
  uint64_t octave = at >> 32;
  return static_cast<int64_t>((((uint64_t{1} << 32) | (at & 0xffffffffu)) << octave) >> 32);
}

}  // namespace

char* RowWriter::write(char* to, const GeneratedRow& row, RowRandom& random) const {
  return run(0, pieces_.size(), to, row, random);
}

char* RowWriter::run(size_t from, size_t to, char* out, const GeneratedRow& row,
                     RowRandom& random) const {
  for (size_t i = from; i < to; i++) {
    const Piece& piece = pieces_[i];
    switch (piece.kind) {
      case Piece::Kind::Text:
        out = put_text(out, piece.text);
        break;
      case Piece::Kind::Choice: {
        uint64_t at = random.below(piece.bound);
        size_t chosen = 0;
        while (piece.choices[chosen].first <= at) chosen++;
        out = put_text(out, piece.choices[chosen].second);
        break;
      }
      case Piece::Kind::Uniform:
        out = put_decimal(out, piece.low + static_cast<int64_t>(random.below(piece.bound)),
                          piece.divisor, piece.digits);
        break;
      case Piece::Kind::Zipf:
        out = put_integer(out, std::min(zipf(random.next(), piece.bound), piece.low));
        break;
      case Piece::Kind::Uuid: {
        uint64_t high = random.next();
        out = put_uuid(out, high, random.next());
        break;
      }
      case Piece::Kind::Row:
        out = put_integer(out, row.row);
        break;
      case Piece::Kind::Partition:
        out = put_integer(out, row.partition);
        break;
      case Piece::Kind::Clock:
        out = put_integer(out, piece.divisor > 0 ? floor_div(row.event_time_us, piece.divisor)
                                                 : row.event_time_us * 1000);
        break;
      case Piece::Kind::ClockDate:
        out = put_date(out, floor_div(row.event_time_us, int64_t{86'400} * 1'000'000));
        break;
      case Piece::Kind::ClockText:
        out = put_instant(out, row.event_time_us);
        break;
      case Piece::Kind::Unless:
        if (random.happens(piece.share)) {
          out = put_text(out, piece.text);
          i = piece.end - 1;
        }
        break;
      case Piece::Kind::Repeat: {
        for (uint64_t n = random.below(piece.bound + 1); n > 0; n--)
          out = run(i + 1, piece.end, out, row, random);
        i = piece.end - 1;
        break;
      }
      case Piece::Kind::Close:
        if (out[-1] == ',') out--;
        out = put_text(out, piece.text);
        break;
    }
  }
  return out;
}

}  // namespace weir::runtime
