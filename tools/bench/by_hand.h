// The queries as a good programmer would write them by hand in C++, on simdjson On-Demand. This is
// what compiled pipelines are measured against, so it gets our best:
//
// - one parser for all records, which reads them where they lie: no copy, padding is the next
// record;
// - in the schema's order of keys `find_field` goes forward only, and a record that is filtered out
// is left at once;
// - texts are not unescaped: a key's token, quotes and all, is looked up as it stands, and only a
// token that was never
//   seen before is (KeyIds);
// - amounts become whole cents straight from their token;
// - one update per event, in panes; windows are added up at the end. There is no watermark, no
// lateness and no firing:
//   what a stream program has to do besides is not charged to this one.
//
// Rides: hop(1m, every 30s) by event_type, count and sum, without heartbeats. Ads: tumble(10s) by
// ad_id, count of views. Users: tumble(1m) by user_id, count and sum. One thread; partial results
// of several threads are merged.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tools/bench/events.h"
#include "tools/bench/result.h"

namespace weir::bench {

class ByHand {
 public:
  virtual ~ByHand() = default;

  // All events of a block. Returns how many it could not read.
  virtual uint64_t add(const Events& events) = 0;
  // The same through iterate_many, which finds the structure of many records in one go. Only for
  // JSON lines that lie behind each other, so not for what a Kafka client hands out.
  virtual uint64_t add_lines(const Events& events) = 0;
  // One event with 64 readable bytes behind it. False: can't be read.
  virtual bool add(std::string_view record) = 0;

  // Groups are added to what is there: so those of several threads come together.
  virtual void take_panes(Panes& into) const = 0;
  virtual Result result() const = 0;
};

std::unique_ptr<ByHand> make_by_hand(Query query, Order order);

}  // namespace weir::bench
