#include "tools/bench/events.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weir::bench {
namespace {

constexpr int64_t kStartMs = 1735689600000;  // 2025-01-01T00:00:00Z
constexpr uint64_t kRideUsers = 100'000;
constexpr uint64_t kManyUsers = 1'000'000;
constexpr uint64_t kAds = 1'000;

struct Share {
  const char* name;
  uint64_t of_100;
};
constexpr std::array<Share, 8> kRideTypes{{{"heartbeat", 20},
                                           {"start", 25},
                                           {"end", 22},
                                           {"request", 15},
                                           {"cancel", 8},
                                           {"pay", 6},
                                           {"rate", 3},
                                           {"support", 1}}};
constexpr size_t kHeartbeat = 0;
constexpr std::array<Share, 3> kAdTypes{{{"view", 34}, {"click", 33}, {"purchase", 33}}};
constexpr const char* kAdForms[] = {"banner", "modal", "sponsored-search", "mail", "mobile"};

template <size_t n>
const Share& choose(const std::array<Share, n>& shares, uint64_t of_100) {
  for (const Share& share : shares) {
    if (of_100 < share.of_100) return share;
    of_100 -= share.of_100;
  }
  return shares[0];
}

void put_number(std::string& to, uint64_t number, int digits_min = 1) {
  char text[20];
  auto end = std::to_chars(text, text + sizeof text, number).ptr;
  for (auto missing = digits_min - (end - text); missing > 0; missing--) to += '0';
  to.append(text, end);
}

// Events per second of event time: a ride benchmark of 2 M events spans 200 s, one of users 30 s.
int64_t step_us_of(Query query) {
  switch (query) {
    case Query::Rides:
      return 100;
    case Query::Ads:
      return 100;
    case Query::Users:
      return 15;
  }
  __builtin_unreachable();
}

// Where each field goes in the order "other".
constexpr std::array<size_t, 5> kOtherRide{4, 3, 2, 1, 0};
constexpr std::array<size_t, 7> kOtherAd{5, 0, 4, 6, 2, 1, 3};

}  // namespace

EventSource::EventSource(Query query, Order order)
    : query_(query),
      order_(order),
      state_{0x2545f4914f6cdd1d, uint64_t(query) + 1},
      step_us_(step_us_of(query)) {
  fields_.resize(query == Query::Ads ? 7 : 5);
  for (uint64_t i = 0; query == Query::Ads && i < kAds; i++) put_id(ad_ids_.emplace_back());
}

// xorshift128+
uint64_t EventSource::draw() {
  uint64_t a = state_[0];
  const uint64_t b = state_[1];
  state_[0] = b;
  a ^= a << 23;
  state_[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
  return state_[1] + b;
}

uint64_t EventSource::below(uint64_t limit) {
  return uint64_t((static_cast<unsigned __int128>(draw()) * limit) >> 64);
}

void EventSource::put_id(std::string& to) {
  uint64_t bits[2] = {draw(), draw()};
  for (int i = 0; i < 32; i++) {
    if (i == 8 || i == 12 || i == 16 || i == 20) to += '-';
    to += "0123456789abcdef"[(bits[i / 16] >> (4 * (i % 16))) & 15];
  }
}

void EventSource::ride(int64_t ts_ms) {
  fields_[0] = "\"event_id\":\"";
  put_id(fields_[0]);
  fields_[0] += '"';

  uint64_t user;
  if (query_ == Query::Users) {
    user = below(kManyUsers);
  } else {  // a tenth of the users sends a third of the events
    user = below(kRideUsers);
    user = user * below(kRideUsers) / kRideUsers;
  }
  fields_[1] = "\"user_id\":\"u";
  put_number(fields_[1], user, 7);
  fields_[1] += '"';

  const Share& type = choose(kRideTypes, below(100));
  fields_[2] = "\"event_type\":\"";
  fields_[2] += type.name;
  fields_[2] += '"';

  fields_[3] = "\"amount\":";
  uint64_t cents = 150 + below(6000);
  bool none = below(20) == 0 || &type == &kRideTypes[kHeartbeat];
  if (none) {
    fields_[3] += "null";
  } else {
    put_number(fields_[3], cents / 100);
    fields_[3] += '.';
    put_number(fields_[3], cents % 100, 2);
  }

  fields_[4] = "\"ts\":";
  put_number(fields_[4], uint64_t(ts_ms));
}

void EventSource::ad(int64_t ts_ms) {
  fields_[0] = "\"user_id\":\"";
  put_id(fields_[0]);
  fields_[0] += '"';
  fields_[1] = "\"page_id\":\"";
  put_id(fields_[1]);
  fields_[1] += '"';
  fields_[2] = "\"ad_id\":\"" + ad_ids_[below(kAds)] + '"';
  fields_[3] = "\"ad_type\":\"";
  fields_[3] += kAdForms[below(5)];
  fields_[3] += '"';
  fields_[4] = "\"event_type\":\"";
  fields_[4] += choose(kAdTypes, below(100)).name;
  fields_[4] += '"';
  fields_[5] = "\"event_time\":";
  put_number(fields_[5], uint64_t(ts_ms));
  fields_[6] = "\"ip_address\":\"10.";
  for (int i = 0; i < 3; i++) {
    put_number(fields_[6], below(256));
    if (i < 2) fields_[6] += '.';
  }
  fields_[6] += '"';
}

void EventSource::next(std::string& to) {
  int64_t behind_ms = int64_t(below(10) == 0 ? below(5000) : below(50));
  int64_t ts_ms = kStartMs + 5000 + int64_t(number_++) * step_us_ / 1000 - behind_ms;
  query_ == Query::Ads ? ad(ts_ms) : ride(ts_ms);

  size_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  if (order_ == Order::Other) {
    for (size_t i = 0; i < fields_.size(); i++)
      order[i] = query_ == Query::Ads ? kOtherAd[i] : kOtherRide[i];
  } else if (order_ == Order::Random) {
    // A generator of its own: the values must be those of the other orders.
    for (size_t i = fields_.size() - 1; i > 0; i--) {
      shuffle_ = shuffle_ * 6364136223846793005 + 1442695040888963407;
      std::swap(order[i], order[(shuffle_ >> 33) % (i + 1)]);
    }
  }
  to += '{';
  for (size_t i = 0; i < fields_.size(); i++) {
    if (i > 0) to += ',';
    to += fields_[order[i]];
  }
  to += '}';
}

Events::Events(Query query, Order order, uint64_t count) {
  text_.reserve(count * (query == Query::Ads ? 256 : 144) + kPadding);
  offsets_.reserve(count + 1);
  EventSource source(query, order);
  for (uint64_t i = 0; i < count; i++) {
    offsets_.push_back(text_.size());
    source.next(text_);
    text_ += '\n';
  }
  offsets_.push_back(text_.size());
  text_.append(kPadding, '\0');
}

Query query_of(std::string_view name) {
  if (name == "rides") return Query::Rides;
  if (name == "ads") return Query::Ads;
  if (name == "users") return Query::Users;
  std::fprintf(stderr, "bench: `%.*s` is not rides, ads or users\n", int(name.size()), name.data());
  std::exit(2);
}

Order order_of(std::string_view name) {
  if (name == "fixed") return Order::Fixed;
  if (name == "other") return Order::Other;
  if (name == "random") return Order::Random;
  std::fprintf(stderr, "bench: `%.*s` is not fixed, other or random\n", int(name.size()),
               name.data());
  std::exit(2);
}

Window window_of(Query query) {
  switch (query) {
    case Query::Rides:
      return {60'000, 30'000};
    case Query::Ads:
      return {10'000, 10'000};
    case Query::Users:
      return {60'000, 60'000};
  }
  __builtin_unreachable();
}

}  // namespace weir::bench
