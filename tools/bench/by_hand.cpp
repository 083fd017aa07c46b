#include "tools/bench/by_hand.h"

#include <deque>

#include <simdjson.h>

#include "tools/bench/key_ids.h"
#include "tools/bench/token_table.h"

namespace weir::bench {
namespace {

namespace json = simdjson::ondemand;

// The panes of a query in the order of time, the last one used at hand. `Pane` is default
// constructed.
template <typename Pane>
class PaneRow {
 public:
  explicit PaneRow(int64_t width_ms) : width_ms_(width_ms) {}

  Pane& at(int64_t ts_ms) {
    if (uint64_t(ts_ms - last_start_) < uint64_t(width_ms_)) [[likely]]
      return *last_;
    return find(ts_ms);
  }

  template <typename Visit>
  void each(Visit visit) const {
    for (size_t i = 0; i < panes_.size(); i++) visit((first_ + int64_t(i)) * width_ms_, panes_[i]);
  }

 private:
  Pane& find(int64_t ts_ms) {
    int64_t number = ts_ms / width_ms_;
    if (panes_.empty()) first_ = number;
    for (; number < first_; first_--) panes_.emplace_front();
    while (number - first_ >= int64_t(panes_.size())) panes_.emplace_back();
    last_start_ = number * width_ms_;
    last_ = &panes_[size_t(number - first_)];
    return *last_;
  }

  int64_t width_ms_;
  int64_t first_ = 0;
  int64_t last_start_ = INT64_MIN / 2;
  Pane* last_ = nullptr;
  std::deque<Pane> panes_;  // does not move what is in it when it grows at its ends
};

// `12.34`, `7`, `-0.5` → whole cents. False: not a number, or with more digits than cents have.
bool cents_of(std::string_view token, int64_t& cents) {
  const char* at = token.data();
  const char* end = at + token.size();
  bool negative = *at == '-';
  if (negative) at++;
  const char* digits = at;
  int64_t value = 0;
  while (at < end && uint8_t(*at - '0') < 10) value = value * 10 + (*at++ - '0');
  if (at == digits || at - digits > 10) return false;
  value *= 100;
  if (at < end && *at == '.') {
    at++;
    if (at == end || uint8_t(*at - '0') >= 10) return false;
    value += (*at++ - '0') * 10;
    if (at < end && uint8_t(*at - '0') < 10) value += *at++ - '0';
    while (at < end && *at == '0') at++;
  }
  if (at < end && *at != ' ' && *at != '\t' && *at != '\n' && *at != '\r') return false;
  cents = negative ? -value : value;
  return true;
}

// A key's number by its token. False: not a text.
bool key_id_of(KeyIds& ids, json::value& value, uint32_t& id) {
  std::string_view token = value.raw_json_token();
  id = ids.find(token);
  if (id != KeyIds::kUnknown) [[likely]]
    return true;
  std::string_view text;
  if (value.get_string().get(text)) return false;
  id = ids.add(token, std::string(text));
  return true;
}

bool amount_of(json::value& value, int64_t& cents) {
  std::string_view token = value.raw_json_token();
  if (token[0] == 'n') {
    cents = 0;
    return !value.is_null().error();
  }
  return cents_of(token, cents);
}

bool is_key(const char* raw, std::string_view name) {
  return std::memcmp(raw, name.data(), name.size()) == 0 && raw[name.size()] == '"';
}

// hop(1m, every 30s) by event_type: panes of 30 s.
struct Rides {
  struct Pane {
    std::vector<Group> groups = std::vector<Group>(16);
  };
  static constexpr uint32_t kHeartbeat = 0;

  KeyIds types;
  PaneRow<Pane> panes{30'000};

  Rides() { types.add("\"heartbeat\"", "heartbeat"); }

  template <Order order, typename Document>
  bool add(Document& document) {
    json::object object;
    if (document.get_object().get(object)) return false;
    uint32_t type = 0;
    int64_t cents = 0, ts_ms = 0;
    if constexpr (order == Order::Fixed) {
      json::value value;
      if (object.find_field("event_type").get(value) || !key_id_of(types, value, type))
        return false;
      if (type == kHeartbeat) return true;
      if (object.find_field("amount").get(value) || !amount_of(value, cents)) return false;
      if (object.find_field("ts").get(value) || value.get_int64().get(ts_ms)) return false;
    } else {
      unsigned found = 0;
      for (auto field_or_error : object) {
        json::field field;
        if (std::move(field_or_error).get(field)) return false;
        const char* key = field.key().raw();
        if (is_key(key, "event_type")) {
          if (!key_id_of(types, field.value(), type)) return false;
          if (type == kHeartbeat) return true;
          found++;
        } else if (is_key(key, "amount")) {
          if (!amount_of(field.value(), cents)) return false;
          found++;
        } else if (is_key(key, "ts")) {
          if (field.value().get_int64().get(ts_ms)) return false;
          found++;
        }
        if (found == 3) break;
      }
      if (found != 3) return false;
    }
    Pane& pane = panes.at(ts_ms);
    if (type >= pane.groups.size()) [[unlikely]]
      pane.groups.resize(type * 2);
    pane.groups[type].count++;
    pane.groups[type].cents += cents;
    return true;
  }

  void take_panes(Panes& into) const {
    panes.each([&](int64_t start_ms, const Pane& pane) {
      for (size_t id = 0; id < pane.groups.size(); id++) {
        if (pane.groups[id].count == 0) continue;
        Group& group = into[{start_ms, types.names()[id]}];
        group.count += pane.groups[id].count;
        group.cents += pane.groups[id].cents;
      }
    });
  }
  Result result() const {
    Panes all;
    take_panes(all);
    return windows_of(window_of(Query::Rides), all);
  }
};

// Views, tumble(10s) by ad_id.
struct Ads {
  struct Pane {
    std::vector<uint64_t> views = std::vector<uint64_t>(1024);
  };
  KeyIds ids;
  PaneRow<Pane> panes{10'000};

  static bool is_view(json::value& value, bool& view) {
    std::string_view token = value.raw_json_token();
    if (token[0] != '"') return false;
    view = token == "\"view\"";
    return true;
  }

  template <Order order, typename Document>
  bool add(Document& document) {
    json::object object;
    if (document.get_object().get(object)) return false;
    bool view = false;
    uint32_t id = 0;
    int64_t ts_ms = 0;
    json::value value;
    if constexpr (order == Order::Fixed) {
      // The key comes before what decides: its token is kept, and looked up only if needed.
      json::value ad;
      if (object.find_field("ad_id").get(ad)) return false;
      std::string_view token = ad.raw_json_token();
      id = ids.find(token);
      if (id == KeyIds::kUnknown && !key_id_of(ids, ad, id)) return false;
      if (object.find_field("event_type").get(value) || !is_view(value, view)) return false;
      if (!view) return true;
      if (object.find_field("event_time").get(value) || value.get_int64().get(ts_ms)) return false;
    } else {
      unsigned found = 0;
      for (auto field_or_error : object) {
        json::field field;
        if (std::move(field_or_error).get(field)) return false;
        const char* key = field.key().raw();
        if (is_key(key, "event_type")) {
          if (!is_view(field.value(), view)) return false;
          if (!view) return true;
          found++;
        } else if (is_key(key, "ad_id")) {
          if (!key_id_of(ids, field.value(), id)) return false;
          found++;
        } else if (is_key(key, "event_time")) {
          if (field.value().get_int64().get(ts_ms)) return false;
          found++;
        }
        if (found == 3) break;
      }
      if (found != 3) return false;
    }
    Pane& pane = panes.at(ts_ms);
    if (id >= pane.views.size()) [[unlikely]]
      pane.views.resize(id * 2);
    pane.views[id]++;
    return true;
  }

  void take_panes(Panes& into) const {
    panes.each([&](int64_t start_ms, const Pane& pane) {
      for (size_t id = 0; id < pane.views.size(); id++) {
        if (pane.views[id] != 0) into[{start_ms, ids.names()[id]}].count += pane.views[id];
      }
    });
  }
  Result result() const {
    Result rows;
    panes.each([&](int64_t start_ms, const Pane& pane) {
      for (size_t id = 0; id < pane.views.size(); id++) {
        if (pane.views[id] != 0)
          rows.push_back({start_ms * 1000, ids.names()[id], pane.views[id], 0});
      }
    });
    return rows;
  }
};

// tumble(1m) by user_id, count and sum.
struct Users {
  PaneRow<TokenTable> panes{60'000};

  template <Order order, typename Document>
  bool add(Document& document) {
    json::object object;
    if (document.get_object().get(object)) return false;
    std::string_view user;
    int64_t cents = 0, ts_ms = 0;
    if constexpr (order == Order::Fixed) {
      json::value value;
      if (object.find_field("user_id").get(value)) return false;
      user = value.raw_json_token();
      if (object.find_field("amount").get(value) || !amount_of(value, cents)) return false;
      if (object.find_field("ts").get(value) || value.get_int64().get(ts_ms)) return false;
    } else {
      unsigned found = 0;
      for (auto field_or_error : object) {
        json::field field;
        if (std::move(field_or_error).get(field)) return false;
        const char* key = field.key().raw();
        if (is_key(key, "user_id")) {
          user = field.value().raw_json_token();
          found++;
        } else if (is_key(key, "amount")) {
          if (!amount_of(field.value(), cents)) return false;
          found++;
        } else if (is_key(key, "ts")) {
          if (field.value().get_int64().get(ts_ms)) return false;
          found++;
        }
        if (found == 3) break;
      }
      if (found != 3) return false;
    }
    if (user[0] != '"') return false;
    TokenTable::Slot& slot = panes.at(ts_ms).find_or_add(user);
    slot.count++;
    slot.cents += cents;
    return true;
  }

  // Equal texts that were written in different ways come together here.
  template <typename Visit>
  void each(Visit visit) const {
    json::parser parser;
    panes.each([&](int64_t start_ms, const TokenTable& table) {
      std::string user;
      for (const TokenTable::Slot& slot : table.slots()) {
        if (slot.size == 0) continue;
        std::string_view token(slot.token(), slot.size);
        while (token.back() != '"') token.remove_suffix(1);
        if (token.find('\\') == token.npos) {
          user = token.substr(1, token.size() - 2);
        } else {
          simdjson::padded_string padded(token);
          user = std::string_view(parser.iterate(padded).get_string());
        }
        visit(start_ms, user, slot);
      }
    });
  }
  void take_panes(Panes& into) const {
    each([&](int64_t start_ms, const std::string& user, const TokenTable::Slot& slot) {
      Group& group = into[{start_ms, user}];
      group.count += slot.count;
      group.cents += slot.cents;
    });
  }
  // Here every text has one form, so groups need not be put together.
  Result result() const {
    Result rows;
    each([&](int64_t start_ms, const std::string& user, const TokenTable::Slot& slot) {
      rows.push_back({start_ms * 1000, user, slot.count, slot.cents});
    });
    return rows;
  }
};

template <typename Each, Order order>
class ByHandOf final : public ByHand {
 public:
  uint64_t add(const Events& events) override {
    uint64_t bad = 0;
    for (uint64_t i = 0; i < events.count(); i++) bad += !add_one(events[i]);
    return bad;
  }
  uint64_t add_lines(const Events& events) override {
#ifdef SIMDJSON_THREADS_ENABLED
    parser_.threaded = false;  // one thread, as all others here
#endif
    json::document_stream lines;
    if (parser_.iterate_many(events.text().data(), events.text().size(), 1 << 20).get(lines))
      return events.count();
    uint64_t bad = 0;
    for (auto line = lines.begin(); line != lines.end(); ++line) {
      json::document_reference document;
      bad += (*line).get(document) || !query_.template add<order>(document);
    }
    return bad;
  }
  bool add(std::string_view record) override { return add_one(record); }
  void take_panes(Panes& into) const override { query_.take_panes(into); }
  Result result() const override { return query_.result(); }

 private:
  bool add_one(std::string_view record) {
    json::document document;
    if (parser_.iterate(record.data(), record.size(), record.size() + simdjson::SIMDJSON_PADDING)
            .get(document))
      return false;
    return query_.template add<order>(document);
  }

  json::parser parser_;
  Each query_;
};

template <typename Each>
std::unique_ptr<ByHand> make(Order order) {
  if (order == Order::Fixed) return std::make_unique<ByHandOf<Each, Order::Fixed>>();
  return std::make_unique<ByHandOf<Each, Order::Random>>();
}

}  // namespace

std::unique_ptr<ByHand> make_by_hand(Query query, Order order) {
  switch (query) {
    case Query::Rides:
      return make<Rides>(order);
    case Query::Ads:
      return make<Ads>(order);
    case Query::Users:
      return make<Users>(order);
  }
  __builtin_unreachable();
}

}  // namespace weir::bench
