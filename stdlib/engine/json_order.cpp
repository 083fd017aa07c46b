#include "stdlib/engine/json_order.h"

#include "stdlib/engine/json_text.h"

static WeirJsonKeyWords weir_json_words_of(const char* key, uint64_t size) {
  WeirJsonKeyWords words{0, 0};
  char bytes[16] = {};
  memcpy(bytes, key, size < 16 ? size : 16);
  if (size < 16) bytes[size] = '"';
  memcpy(&words, bytes, 16);
  return words;
}

// Tries seeds until no two keys meet; with very many keys there may be none.
static void weir_json_fill_index(WeirJsonOrder* order, const WeirJsonKeys* keys) {
  constexpr uint64_t kSeeds = 1000;
  WeirJsonKeyWords* words = weir_json_words(order);
  words[0] = {0, 0};  // of no key: a key has a quote behind it
  for (uint32_t k = 1; k <= keys->count; k++)
    words[k] = weir_json_words_of(keys->names[k - 1].data, keys->names[k - 1].size);
  uint16_t* index = weir_json_places(order, keys->count) + keys->count;
  uint64_t size = weir_json_index_size(keys->count);
  order->index_shift = uint32_t(64 - __builtin_ctzll(size));
  for (uint64_t seed = 0; !order->perfect && seed < kSeeds; seed++) {
    order->seeds[0] = weir_mix(seed ^ kTableHash0, kTableHash1) | 1;
    order->seeds[1] = weir_mix(seed ^ kTableHash1, kTableHash0) | 1;
    memset(index, 0, size * sizeof *index);
    order->perfect = 1;
    for (uint32_t k = 1; k <= keys->count; k++) {
      uint64_t at = weir_json_place(order, words[k].low, words[k].high);
      for (; index[at] != 0; at = (at + 1) & (size - 1)) order->perfect = 0;
      index[at] = uint16_t(k);
    }
  }
  order->direct = order->perfect;
  for (uint32_t k = 0; k < keys->count; k++) {
    if (keys->names[k].size >= sizeof(WeirJsonKeyWords)) order->direct = 0;
  }
}

WEIR_JSON_NATIVE uint32_t weir_json_look_up(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                            const char* key, uint64_t size) {
  if (order->index_shift == 0) weir_json_fill_index(order, keys);
  const uint16_t* index = weir_json_places(order, keys->count) + keys->count;
  WeirJsonKeyWords words = weir_json_words_of(key, size);
  for (uint64_t at = weir_json_place(order, words.low, words.high);; at++) {
    uint32_t k = index[at & (weir_json_index_size(keys->count) - 1)];
    if (k == 0) return 0;
    const WeirBytes& name = keys->names[k - 1];
    if (name.size == size && memcmp(name.data, key, size) == 0) return k;
  }
}

// What to do with the value of a key.
static uint32_t weir_json_action(uint32_t looked_up) {
  return looked_up == 0 ? kJsonSkip : looked_up;
}

// A key with escapes is compared by what it means, if that has up to so many bytes.
constexpr uint64_t kJsonEscapedKeyBytes = 256;

// Between values: `p` is behind a value, or at the object's first byte. Finds the next key and its
// value; does not learn.
static WEIR_JSON_OVERREAD WeirJsonFound weir_json_find_key(WeirJsonOrder* order,
                                                           const WeirJsonKeys* keys, const char* p,
                                                           bool first, const char* end) {
  constexpr WeirJsonFound malformed{nullptr, kJsonEnd, 0};
  // `,"key":` without white space or escapes, up to 32 bytes of it: the way of records in no
  // particular order.
  if (p[0] == (first ? '{' : ',') && p[1] == '"') {
    const char* key = p + 2;
    WeirVector32 bytes = WEIR_LOAD32(key);
    uint32_t found = WEIR_MASK32((bytes == '"') | (bytes == '\\'));
    if (__builtin_expect(found != 0, 1)) {
      uint64_t size = uint64_t(__builtin_ctz(found));
      const char* value = key + size + 2;
      if (__builtin_expect(
              key[size] == '"' && key[size + 1] == ':' && uint8_t(*value) > ' ' && value < end,
              1)) {
        return {value, weir_json_action(weir_json_lookup(order, keys, key, size)), 0};
      }
    }
  }
  p = weir_json_space(p, end);
  if (p >= end) return malformed;
  if (first) {
    if (*p != '{') return malformed;
    p = weir_json_space(p + 1, end);
    if (p < end && *p == '}') return {p + 1, kJsonEnd, 0};
  } else {
    if (*p == '}') return {p + 1, kJsonEnd, 0};
    if (*p != ',') return malformed;
    p = weir_json_space(p + 1, end);
  }
  if (p >= end || *p != '"') return malformed;
  const char* behind = weir_json_skip_string(p, end);
  if (behind == nullptr || behind >= end) return malformed;
  const char* key = p + 1;
  uint64_t size = uint64_t(behind - 1 - key);
  p = behind;
  if (__builtin_expect(*p != ':', 0)) {
    p = weir_json_space(p, end);
    if (p >= end || *p != ':') return malformed;
  }
  p++;
  if (__builtin_expect(p >= end || uint8_t(*p) <= ' ', 0)) {
    p = weir_json_space(p, end);
    if (p >= end) return malformed;
  }
  uint32_t action;
  if (__builtin_expect(memchr(key, '\\', size) != nullptr, 0)) {
    char plain[kJsonEscapedKeyBytes + 16] = {};
    int64_t plain_size =
        size > kJsonEscapedKeyBytes ? -1 : weir_json_unescape(key, behind - 1, plain);
    action = plain_size < 0
                 ? kJsonSkip
                 : weir_json_action(weir_json_look_up(order, keys, plain, uint64_t(plain_size)));
  } else {
    action = weir_json_action(weir_json_look_up(order, keys, key, size));
  }
  return {p, action, 0};
}

// Takes the order of the object at `begin`. Keys beyond the capacity, or with a text that is too
// long, end it.
static WEIR_JSON_OVERREAD void weir_json_learn(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                               const char* begin, const char* end) {
  WeirJsonStep* steps = weir_json_steps(order, keys->count);
  uint16_t* place = weir_json_places(order, keys->count);
  memset(steps, 0, keys->steps_max * sizeof(WeirJsonStep));
  for (uint32_t k = 0; k < keys->count; k++) place[k] = 0xFFFF;
  order->steps = 0;
  const char* p = begin;
  while (order->steps < keys->steps_max) {
    WeirJsonFound found = weir_json_find_key(order, keys, p, p == begin, end);
    if (found.value == nullptr) break;
    const char* text_end = found.value;
    // What stands behind the record, a line's end perhaps, belongs to the last text.
    if (found.action == kJsonEnd && weir_json_space(text_end, end) == end) text_end = end;
    uint64_t size = uint64_t(text_end - p);
    if (size > kJsonStepText) break;
    WeirJsonStep& step = steps[order->steps];
    memcpy(step.text, p, size);
    step.free = size >= 32 ? 0 : ~0u << size;
    step.size = uint32_t(size);
    step.action = found.action;
    if (found.action - 1 < keys->count && place[found.action - 1] == 0xFFFF)
      place[found.action - 1] = uint16_t(order->steps);
    order->steps++;
    if (found.action == kJsonEnd) break;
    p = weir_json_skip(found.value, end);
    if (p == nullptr || p >= end) break;
  }
}

WEIR_JSON_NATIVE WeirJsonFound weir_json_key(WeirJsonOrder* order, const WeirJsonKeys* keys,
                                             const char* p, const char* begin, const char* end,
                                             const WeirJsonStep* now) {
  if (++order->misses > order->misses_max) {
    weir_json_learn(order, keys, begin, end);
    order->misses = 0;
    order->streak = 0;
    order->misses_max = order->misses_max == 0     ? 16
                        : order->misses_max < 4096 ? order->misses_max * 2
                                                   : 4096;
  }
  if (order->missed_in == begin && order->streak < kJsonStreakLong) order->streak += 2;
  order->missed_in = begin;
  WeirJsonFound found = weir_json_find_key(order, keys, p, p == begin, end);
  found.next = uint32_t(now - weir_json_steps(order, keys->count));
  if (found.action - 1 < keys->count) {
    uint32_t place = weir_json_places(order, keys->count)[found.action - 1];
    if (place != 0xFFFF) found.next = place + 1;
  }
  // The first step holds the opening brace: behind a value it must not match again.
  if (found.next == 0 && order->steps > 0) found.next = 1;
  return found;
}
