#include "stdlib/engine/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stdlib/reasons.h"

namespace {

using weir::stdlib::bag_header;
using weir::stdlib::bag_with_room;

constexpr uint64_t kHeader = sizeof(WeirBagHeader);

// Bins in the order of their values: those of negative numbers, 0, those of positive ones.
constexpr int32_t kMiddle = 1 << 24;
constexpr int32_t kLeast = -(1 << 30), kGreatest = 1 << 30, kNan = kGreatest + 1;
constexpr uint64_t kBinBytes = 12;

struct Bin {
  int32_t bin;
  uint64_t count;
};

double gamma_of(int64_t millionths) {
  double error = double(millionths) / 1e6;
  return (1 + error) / (1 - error);
}

int32_t bin_of(double value, double log_gamma) {
  if (std::isnan(value)) return kNan;
  if (std::isinf(value)) return value < 0 ? kLeast : kGreatest;
  if (value == 0) return 0;
  auto bin = int32_t(std::ceil(std::log(std::fabs(value)) / log_gamma)) + kMiddle;
  return value < 0 ? -bin : bin;
}

double value_of(int32_t bin, double gamma) {
  if (bin == kNan) return std::numeric_limits<double>::quiet_NaN();
  if (bin == kGreatest || bin == kLeast) return bin < 0 ? -INFINITY : INFINITY;
  if (bin == 0) return 0;
  // 2 γ^bin / (γ + 1), in logarithms: the power alone may be too large.
  double value = std::exp(std::log(gamma) * (std::abs(bin) - kMiddle) + std::log(2 / (gamma + 1)));
  value = std::min(value, std::numeric_limits<double>::max());
  return bin < 0 ? -value : value;
}

uint64_t bins_of(WeirBytes state) {
  return bag_header(state).kind == kBins ? (bag_header(state).used - kHeader) / kBinBytes : 0;
}
Bin load_bin(WeirBytes state, uint64_t index) {
  Bin bin;
  const char* at = state.data + kHeader + index * kBinBytes;
  memcpy(&bin.bin, at, sizeof bin.bin);
  memcpy(&bin.count, at + 4, sizeof bin.count);
  return bin;
}
void store_bin(WeirBytes state, uint64_t index, const Bin& bin) {
  char* at = const_cast<char*>(state.data) + kHeader + index * kBinBytes;
  memcpy(at, &bin.bin, sizeof bin.bin);
  memcpy(at + 4, &bin.count, sizeof bin.count);
}
double load_number(WeirBytes state, uint64_t index) {
  double number;
  memcpy(&number, state.data + kHeader + index * 8, sizeof number);
  return number;
}
void store_header(WeirBytes state, const WeirBagHeader& header) {
  memcpy(const_cast<char*>(state.data), &header, sizeof header);
}

// These change `state`, or leave it as it is and say why.
WeirReason add_to_bin(WeirArena* arena, const Bin& added, WeirBytes* state) {
  uint64_t bins = bins_of(*state);
  uint64_t low = weir::stdlib::place_among(
      bins, [&](uint64_t i) { return load_bin(*state, i).bin < added.bin; });
  if (low < bins) {
    if (Bin held = load_bin(*state, low); held.bin == added.bin) {
      held.count += added.count;
      store_bin(*state, low, held);
      return 0;
    }
  }
  if (bag_header(*state).used + kBinBytes > kBagBytesMax) return kReasonTooLarge;
  WeirBytes made = bag_with_room(arena, *state, kBins, kBinBytes);
  if (!made.data) return kReasonTooLarge;
  char* at = const_cast<char*>(made.data) + kHeader + low * kBinBytes;
  memmove(at + kBinBytes, at, (bins - low) * kBinBytes);
  store_bin(made, low, added);
  WeirBagHeader header = bag_header(made);
  header.used += uint32_t(kBinBytes);
  store_header(made, header);
  *state = made;
  return 0;
}

WeirReason make_bins(WeirArena* arena, int64_t millionths, WeirBytes* state) {
  WeirBagHeader numbers = bag_header(*state);
  if (numbers.kind == kBins) return 0;
  WeirBytes made = bag_with_room(arena, {nullptr, 0}, kBins, 64 * kBinBytes);
  if (!made.data) return kReasonTooLarge;
  WeirBagHeader header = bag_header(made);
  header.mark = uint32_t(millionths);
  store_header(made, header);
  double log_gamma = std::log(gamma_of(millionths));
  for (uint64_t i = 0; i < numbers.count; ++i) {
    if (WeirReason reason =
            add_to_bin(arena, {bin_of(load_number(*state, i), log_gamma), 1}, &made))
      return reason;
  }
  *state = made;
  return 0;
}

WeirReason add_number(WeirArena* arena, int64_t millionths, double value, WeirBytes* state) {
  WeirBagHeader header = bag_header(*state);
  if (header.kind != kBins && header.count < kNumbersMax) {
    WeirBytes made = bag_with_room(arena, *state, kNumbers, 8);
    if (!made.data) return kReasonTooLarge;
    header = bag_header(made);
    memcpy(const_cast<char*>(made.data) + header.used, &value, sizeof value);
    header.used += 8;
    header.count++;
    header.mark = uint32_t(millionths);
    store_header(made, header);
    *state = made;
    return 0;
  }
  if (WeirReason reason = make_bins(arena, millionths, state)) return reason;
  return add_to_bin(arena, {bin_of(value, std::log(gamma_of(millionths))), 1}, state);
}

}  // namespace

extern "C" {

WeirReason weir_quantile_add(WeirArena* arena, int64_t millionths, WeirBytes state, double value,
                             WeirBytes* result) {
  *result = state;
  return add_number(arena, millionths, value, result);
}

WeirReason weir_quantile_merge(WeirArena* arena, int64_t millionths, WeirBytes state,
                               WeirBytes other, WeirBytes* result) {
  *result = state;
  WeirBagHeader from = bag_header(other);
  WeirReason reason = 0;
  if (from.kind == kNumbers) {
    for (uint64_t i = 0; i < from.count && reason == 0; ++i)
      reason = add_number(arena, millionths, load_number(other, i), result);
  } else if (from.kind == kBins) {
    reason = make_bins(arena, millionths, result);
    for (uint64_t i = 0; i < bins_of(other) && reason == 0; ++i)
      reason = add_to_bin(arena, load_bin(other, i), result);
  }
  return reason;
}

int64_t weir_quantile_count(WeirBytes state) {
  WeirBagHeader header = bag_header(state);
  if (header.kind != kBins) return header.count;
  uint64_t all = 0;
  for (uint64_t i = 0; i < bins_of(state); ++i) all += load_bin(state, i).count;
  return int64_t(all);
}

double weir_quantile_value(WeirBytes state, double q) {
  auto all = uint64_t(weir_quantile_count(state));
  if (all == 0) return 0;
  auto place = std::clamp<uint64_t>(uint64_t(std::ceil(q * double(all) * (1 - 1e-12))), 1, all);
  WeirBagHeader header = bag_header(state);
  if (header.kind == kBins) {
    double gamma = gamma_of(header.mark);
    for (uint64_t i = 0;; ++i) {
      Bin bin = load_bin(state, i);
      if (bin.count >= place) return value_of(bin.bin, gamma);
      place -= bin.count;
    }
  }
  std::vector<double> numbers;
  for (uint64_t i = 0; i < header.count; ++i) numbers.push_back(load_number(state, i));
  auto before = [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
  std::nth_element(numbers.begin(), numbers.begin() + int64_t(place - 1), numbers.end(), before);
  return numbers[place - 1];
}
}
