// The benchmark's events: made from a seed, the same on every machine, one behind the other in
// memory.
//
//     rides
//     {"event_id":"…36…","user_id":"u0012345","event_type":"start","amount":12.34,"ts":1735689600123}
//     130 B ads
//     {"user_id":"…36…","page_id":"…36…","ad_id":"…36…","ad_type":"banner","event_type":"view",…}
//     240 B users  as rides, with a million user ids that all occur about equally often
//
// Event times rise, with most events some milliseconds and a tenth up to five seconds out of order:
// less than any watermark delay here, so that no event is late however partitions are read. No
// record is broken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/result.h"

namespace weir::bench {

enum class Query : uint8_t { Rides, Ads, Users };
// Of the keys in a record: as the schema has them, in another order that is always the same, or
// shuffled for each record. The values don't depend on it.
enum class Order : uint8_t { Fixed, Other, Random };

// What parsers may read behind a record (simdjson: 64 bytes, 512-bit loads).
inline constexpr uint64_t kPadding = 256;

class EventSource {
 public:
  EventSource(Query query, Order order);

  // Appends the next event; no line end.
  void next(std::string& to);

 private:
  uint64_t draw();
  uint64_t below(uint64_t limit);
  void put_id(std::string& to);
  void ride(int64_t ts_ms);
  void ad(int64_t ts_ms);

  Query query_;
  Order order_;
  uint64_t state_[2];
  uint64_t shuffle_ = 0x9e3779b97f4a7c15;
  uint64_t number_ = 0;
  int64_t step_us_;
  std::vector<std::string> ad_ids_;
  std::vector<std::string> fields_;  // `"name":value` each, reused
};

// Events in one block of memory, each with a line end behind it.
class Events {
 public:
  Events(Query query, Order order, uint64_t count);
  Events(const Events&) = delete;

  uint64_t count() const { return offsets_.size() - 1; }
  std::string_view operator[](uint64_t i) const {
    return {text_.data() + offsets_[i], offsets_[i + 1] - offsets_[i] - 1};
  }
  std::string_view text() const {
    return {text_.data(), offsets_.back()};
  }  // all of them, as JSON lines

 private:
  std::string text_;  // kPadding bytes of room behind the last one
  std::vector<uint64_t> offsets_;
};

// "rides", "ads", "users"; "fixed", "other", "random". Ends the program if it is none of them.
Query query_of(std::string_view name);
Order order_of(std::string_view name);

// What the query groups by, unless told otherwise.
Window window_of(Query query);

}  // namespace weir::bench
