// The instruction takes eight bytes, three cycles until its result can be used, and a new one can
// start in each cycle. So three stretches are summed at a time and then put together: a sum that
// goes on over n more zero bytes is a linear map of its 32 bits, here a table for each of its four
// bytes (after M. Adler's crc32c.c, https://stackoverflow.com/a/17646775).
#include "runtime/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace weir::runtime {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reflected

using Table = std::array<uint32_t, 256>;

constexpr std::array<Table, 8> make_byte_tables() {
  std::array<Table, 8> tables{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ (sum & 1 ? kPolynomial : 0);
    tables[0][i] = sum;
  }
  for (uint32_t i = 0; i < 256; i++) {
    for (size_t t = 1; t < 8; t++)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
  }
  return tables;
}
constexpr std::array<Table, 8> kByteTables = make_byte_tables();

uint64_t eight_bytes(const char* at) {
  uint64_t bytes;
  std::memcpy(&bytes, at, 8);
  return bytes;
}

#if defined(__x86_64__)

// A linear map of 32 bits, by columns.
using Matrix = std::array<uint32_t, 32>;

constexpr uint32_t times(const Matrix& matrix, uint32_t vector) {
  uint32_t sum = 0;
  for (size_t i = 0; vector != 0; vector >>= 1, i++) sum ^= vector & 1 ? matrix[i] : 0;
  return sum;
}
constexpr Matrix squared(const Matrix& matrix) {
  Matrix square{};
  for (size_t i = 0; i < 32; i++) square[i] = times(matrix, matrix[i]);
  return square;
}
// What so many zero bytes (a power of two) make of a sum.
constexpr std::array<Table, 4> make_zeros_tables(size_t zeros) {
  Matrix matrix{};  // of one bit
  matrix[0] = kPolynomial;
  for (size_t i = 1; i < 32; i++) matrix[i] = uint32_t{1} << (i - 1);
  for (size_t bits = 1; bits < zeros * 8; bits *= 2) matrix = squared(matrix);
  std::array<Table, 4> tables{};
  for (uint32_t i = 0; i < 256; i++) {
    for (uint32_t byte = 0; byte < 4; byte++) tables[byte][i] = times(matrix, i << (8 * byte));
  }
  return tables;
}

constexpr size_t kLong = 8192, kShort = 256;
const std::array<Table, 4> kLongZeros = make_zeros_tables(kLong);
const std::array<Table, 4> kShortZeros = make_zeros_tables(kShort);

uint32_t over_zeros(const std::array<Table, 4>& tables, uint32_t sum) {
  return tables[0][sum & 255] ^ tables[1][(sum >> 8) & 255] ^ tables[2][(sum >> 16) & 255] ^
         tables[3][sum >> 24];
}

template <size_t stretch>
__attribute__((target("sse4.2"))) void three_stretches(const std::array<Table, 4>& zeros,
                                                       uint64_t& sum, const char*& at,
                                                       const char* end) {
  while (size_t(end - at) >= 3 * stretch) {
    uint64_t second = 0, third = 0;
    for (const char* stop = at + stretch; at < stop; at += 8) {
      sum = _mm_crc32_u64(sum, eight_bytes(at));
      second = _mm_crc32_u64(second, eight_bytes(at + stretch));
      third = _mm_crc32_u64(third, eight_bytes(at + 2 * stretch));
    }
    sum = over_zeros(zeros, uint32_t(sum)) ^ second;
    sum = over_zeros(zeros, uint32_t(sum)) ^ third;
    at += 2 * stretch;
  }
}

__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t before, const char* at,
                                                          size_t size) {
  const char* end = at + size;
  uint64_t sum = ~before;
  three_stretches<kLong>(kLongZeros, sum, at, end);
  three_stretches<kShort>(kShortZeros, sum, at, end);
  for (; end - at >= 8; at += 8) sum = _mm_crc32_u64(sum, eight_bytes(at));
  for (; at < end; at++) sum = _mm_crc32_u8(uint32_t(sum), uint8_t(*at));
  return ~uint32_t(sum);
}

#endif

}  // namespace

static uint32_t by_tables(uint32_t before, const char* data, size_t size) {
  uint32_t sum = ~before;
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t bytes = eight_bytes(data) ^ sum;
    sum = 0;
    for (size_t i = 0; i < 8; i++) sum ^= kByteTables[7 - i][(bytes >> (8 * i)) & 255];
  }
  for (; size > 0; data++, size--) sum = (sum >> 8) ^ kByteTables[0][(sum ^ uint8_t(*data)) & 255];
  return ~sum;
}

uint32_t crc32c_by_tables(const char* data, size_t size) { return by_tables(0, data, size); }

uint32_t crc32c(const char* data, size_t size) { return crc32c_extend(0, data, size); }

uint32_t crc32c_extend(uint32_t before, const char* data, size_t size) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return by_instruction(before, data, size);
#endif
  return by_tables(before, data, size);
}

}  // namespace weir::runtime
