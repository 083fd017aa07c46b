// Arithmetic of windows. Windows start at k·slide + offset for every integer k; panes are slices of
// width gcd(size, slide), so a pane lies wholly inside or wholly outside of a window.
//
//     size 4, slide 3 (panes of 1):   [0 1 2 3]            pane 3 is in two windows, panes 1 and 2
//     in one
//                                           [3 4 5 6]
//
// A window *closes* when its end + grace ≤ watermark: it is final then, and rows are late for it.
#pragma once

#include <cstdint>

#include "runtime/contract/stage_abi.h"

namespace weir::runtime {

struct WindowTime {
  int64_t size = 0, slide = 0, offset = 0, grace = 0, pane = 0;

  static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
  }

  int64_t end(int64_t start) const { return start + size; }
  int64_t close(int64_t start) const { return start + size + grace; }
  // One pane is one window, and no row is in two.
  bool is_tumbling() const { return size == slide && size == pane; }

  // Starts of the first and last window that hold the pane; first > last: there is none.
  int64_t first_with(int64_t pane_start) const {
    return -floor_div(-(pane_start + pane - size - offset), slide) * slide + offset;
  }
  int64_t last_with(int64_t pane_start) const {
    return floor_div(pane_start - offset, slide) * slide + offset;
  }
  // The pane is needed no more when this window has closed.
  int64_t pane_close(int64_t pane_start) const { return close(last_with(pane_start)); }

  // The first pane that is needed when the watermark has come to here; INT64_MIN: all are.
  int64_t first_pane(int64_t watermark) const {
    if (watermark == INT64_MAX || watermark < INT64_MIN / 2)
      return watermark == INT64_MAX ? INT64_MAX : INT64_MIN;
    return next_to_close(watermark);
  }

  // The first window that closes behind `watermark`. Requires: watermark is a time, not one of the
  // ends of int64.
  int64_t next_to_close(int64_t watermark) const {
    return (floor_div(watermark - size - grace - offset, slide) + 1) * slide + offset;
  }
};

// Watermark minus what a keyed operator upstream holds rows back; the ends of int64 stay what they
// are.
inline int64_t hold_back(int64_t watermark, int64_t by) {
  if (watermark == INT64_MAX || watermark < INT64_MIN + by) return watermark;
  return watermark - by;
}

}  // namespace weir::runtime
