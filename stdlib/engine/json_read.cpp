#include "stdlib/engine/json_read.h"

#include "stdlib/engine/civil.h"
#include "stdlib/engine/float_text.h"
#include "stdlib/engine/json_scan.h"

WEIR_JSON_NATIVE const char* weir_json_scan_number(const char* p, const char* end,
                                                   WeirJsonNumber* number) {
  auto digit = [&] { return p < end && *p >= '0' && *p <= '9'; };
  number->negative = p < end && *p == '-';
  p += number->negative;
  number->digits = p;
  number->exponent = 0;
  if (!digit()) return nullptr;
  if (*p == '0') {
    p++;
  } else {
    while (digit()) p++;
  }
  if (p < end && *p == '.') {
    p++;
    if (!digit()) return nullptr;
    while (digit()) p++;
  }
  number->end = p;
  if (p < end && (*p | 0x20) == 'e') {
    p++;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (!digit()) return nullptr;
    for (; digit(); p++) {
      if (number->exponent < 1'000'000) number->exponent = number->exponent * 10 + (*p - '0');
    }
    if (negative) number->exponent = -number->exponent;
  }
  return p == end || weir_json_is_delimiter(*p) ? p : nullptr;
}

WEIR_JSON_NATIVE bool weir_json_scale_number(const WeirJsonNumber* number, int32_t scale,
                                             weir_i128* value) {
  // Without the zeros at both ends; they only move the point.
  const char *first = number->digits, *last = number->end, *point = number->end;
  for (const char* p = first; p < last; p++) {
    if (*p == '.') point = p;
  }
  int64_t exponent = number->exponent + scale;
  while (last > first && (last[-1] == '0' || last[-1] == '.')) {
    if (last <= point && last[-1] == '0') exponent++;
    last--;
  }
  if (point < last) exponent -= last - point - 1;
  weir_i128 sum = 0;
  int digits = 0;
  for (const char* p = first; p < last; p++) {
    if (*p == '.') continue;
    digits += sum != 0 || *p != '0';
    if (digits > 38) return false;
    sum = sum * 10 + (*p - '0');
  }
  if (sum != 0) {
    if (exponent < 0 || digits + exponent > 38) return false;
    for (; exponent > 0; exponent--) sum *= 10;
  }
  *value = number->negative ? -sum : sum;
  return true;
}

static weir_i128 weir_power_of_ten(uint32_t exponent) {
  weir_i128 power = 1;
  for (uint32_t i = 0; i < exponent; i++) power *= 10;
  return power;
}

WEIR_JSON_NATIVE int64_t weir_base64_read(const char* text, uint64_t size, char* to) {
  if (size % 4 == 0 && size > 0 && text[size - 1] == '=') size -= text[size - 2] == '=' ? 2 : 1;
  if (size % 4 == 1) return -1;
  char* at = to;
  uint32_t bits = 0;
  int held = 0;
  for (uint64_t i = 0; i < size; i++) {
    char c = text[i];
    int six = c >= 'A' && c <= 'Z'   ? c - 'A'
              : c >= 'a' && c <= 'z' ? c - 'a' + 26
              : c >= '0' && c <= '9' ? c - '0' + 52
              : c == '+'             ? 62
              : c == '/'             ? 63
                                     : -1;
    if (six < 0) return -1;
    bits = bits << 6 | uint32_t(six);
    held += 6;
    if (held >= 8) {
      held -= 8;
      *at++ = char(bits >> held);
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return -1;  // bits that no byte took
  return at - to;
}

WEIR_JSON_NATIVE bool weir_uuid_read(const char* text, uint64_t size, char* to) {
  if (size != 36) return false;
  int nibbles = 0;
  uint8_t byte = 0;
  for (int i = 0; i < 36; i++) {
    char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return false;
      continue;
    }
    int digit = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : -1;
    if (digit < 0) return false;
    byte = uint8_t(byte << 4 | digit);
    if (++nibbles % 2 == 0) to[nibbles / 2 - 1] = char(byte);
  }
  return true;
}

// As weir_json_check; `place` is then where the text ceased to be a value.
static WEIR_JSON_OVERREAD const char* weir_json_check_at(const char* p, const char* end,
                                                         const char*& place) {
  uint64_t kinds[kJsonDepthMax / 64];
  uint32_t depth = 0;
  auto string = [&](const char* at) -> const char* {
    const char* behind = weir_json_skip_string(at, end);
    if (behind == nullptr || behind > end || !weir_utf8_valid(at + 1, uint64_t(behind - at - 2)))
      return nullptr;
    for (const char* c = at + 1; c < behind - 1; c++) {
      if (uint8_t(*c) < 0x20) return nullptr;
      if (*c != '\\') continue;
      c++;
      if (*c == 'u') {
        if (weir_hex4(c + 1, behind - 1) < 0) return nullptr;
      } else if (memchr("\"\\/bfnrt", *c, 8) == nullptr) {
        return nullptr;
      }
    }
    return behind;
  };
  // `p` is where a value begins; in an object, its key comes first.
  while (true) {
    bool in_object = depth > 0 && (kinds[(depth - 1) / 64] >> (depth - 1) % 64 & 1) == 0;
    place = p = weir_json_space(p, end);
    if (p >= end) return nullptr;
    if (in_object) {
      if (*p != '"' || (p = string(p)) == nullptr) return nullptr;
      place = p = weir_json_space(p, end);
      if (p >= end || *p != ':') return nullptr;
      place = p = weir_json_space(p + 1, end);
      if (p >= end) return nullptr;
    }
    char c = *p;
    WeirJsonNumber number;
    if (c == '{' || c == '[') {
      if (depth == kJsonDepthMax) return nullptr;
      uint64_t& word = kinds[depth / 64];
      word = (word & ~(1ull << depth % 64)) | uint64_t(c == '[') << depth % 64;
      depth++;
      const char* inside = weir_json_space(p + 1, end);
      if (inside >= end || *inside != c + 2) {
        p++;
        continue;
      }
      p = inside;  // empty: its closing bracket is taken below
    } else if (c == '"') {
      p = string(p);
    } else if (c == 't' && end - p >= 4 && memcmp(p, "true", 4) == 0) {
      p += 4;
    } else if (c == 'f' && end - p >= 5 && memcmp(p, "false", 5) == 0) {
      p += 5;
    } else if (c == 'n' && end - p >= 4 && memcmp(p, "null", 4) == 0) {
      p += 4;
    } else {
      p = weir_json_scan_number(p, end, &number);
    }
    if (p == nullptr) return nullptr;
    // Behind a value: close brackets, or go on behind a comma.
    while (true) {
      if (depth == 0) return p;
      place = p = weir_json_space(p, end);
      if (p >= end) return nullptr;
      bool square = kinds[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
      if (*p == (square ? ']' : '}')) {
        depth--;
        p++;
        continue;
      }
      if (*p != ',') return nullptr;
      p++;
      break;
    }
  }
}

WEIR_JSON_NATIVE const char* weir_json_check(const char* p, const char* end) {
  const char* place;
  return weir_json_check_at(p, end, place);
}

WEIR_JSON_NATIVE const char* weir_json_strict(const char* begin, const char* end) {
  const char* place = weir_json_space(begin, end);
  if (place >= end || *place != '{') return place;
  const char* behind = weir_json_check_at(place, end, place);
  if (behind == nullptr) return place;
  behind = weir_json_space(behind, end);
  return behind == end ? nullptr : behind;
}

namespace weir::stdlib {
namespace {

template <typename Integer>
WeirReason json_store_integer(weir_i128 value, char* to) {
  auto narrow = static_cast<Integer>(value);
  if (narrow != value) return kReasonOutOfRange;
  memcpy(to, &narrow, sizeof narrow);
  return 0;
}

WeirReason json_store_number(const WeirJsonNumber* number, const WeirJsonType* type, char* to) {
  weir_i128 value;
  if (!weir_json_scale_number(number, type->kind == kWeirDecimal ? type->scale : 0, &value))
    return kReasonOutOfRange;
  switch (type->kind) {
    case kWeirInt8:
      return json_store_integer<int8_t>(value, to);
    case kWeirInt16:
      return json_store_integer<int16_t>(value, to);
    case kWeirInt32:
      return json_store_integer<int32_t>(value, to);
    case kWeirUInt8:
      return json_store_integer<uint8_t>(value, to);
    case kWeirUInt16:
      return json_store_integer<uint16_t>(value, to);
    case kWeirUInt32:
      return json_store_integer<uint32_t>(value, to);
    case kWeirUInt64:
      return json_store_integer<uint64_t>(value, to);
    case kWeirDecimal: {
      weir_i128 limit = weir_power_of_ten(type->precision);
      if (value >= limit || value <= -limit) return kReasonOutOfRange;
      if (type->precision <= 18) return json_store_integer<int64_t>(value, to);
      memcpy(to, &value, sizeof value);
      return 0;
    }
    default:
      return json_store_integer<int64_t>(value, to);
  }
}

// What a value of text means for types that are read from text.
WeirReason json_store_text(WeirBytes text, WeirArena* arena, const WeirJsonType* type, char* to) {
  switch (type->kind) {
    case kWeirString:
      memcpy(to, &text, sizeof text);
      return 0;
    case kWeirEnum:
      for (uint32_t i = 0; i < type->count; i++) {
        if (type->cases[i].size == text.size &&
            memcmp(type->cases[i].data, text.data, text.size) == 0) {
          auto place = int32_t(i);
          memcpy(to, &place, sizeof place);
          return 0;
        }
      }
      return kReasonUnknownCase;
    case kWeirDecimal: {
      WeirJsonNumber number;
      const char* end = text.data + text.size;
      if (weir_json_scan_number(text.data, end, &number) != end) return kReasonWrongType;
      return json_store_number(&number, type, to);
    }
    case kWeirTimestamp: {
      int64_t seconds, value;
      uint32_t nanos;
      if (!weir_read_rfc3339(text.data, text.size, &seconds, &nanos)) return kReasonBadTime;
      if (!weir_time_in_unit(seconds, nanos, type->unit, &value)) return kReasonOutOfRange;
      memcpy(to, &value, sizeof value);
      return 0;
    }
    case kWeirDate: {
      int64_t days;
      if (!weir_read_date(text.data, text.size, &days)) return kReasonBadTime;
      auto narrow = int32_t(days);
      memcpy(to, &narrow, sizeof narrow);
      return 0;
    }
    case kWeirUuid:
      return weir_uuid_read(text.data, text.size, to) ? 0 : kReasonWrongType;
    case kWeirBytes: {
      char* bytes = weir_arena_take(arena, text.size / 4 * 3 + 3);
      int64_t size = weir_base64_read(text.data, text.size, bytes);
      if (size < 0) return kReasonBadText;
      WeirBytes value{bytes, uint64_t(size)};
      memcpy(to, &value, sizeof value);
      return 0;
    }
    default:
      return kReasonWrongType;
  }
}

struct JsonReader {
  const char* end;
  WeirArena* arena;

  // Reads a value that is not null into `to` and moves `p` behind it. After a failure `p` is
  // anywhere.
  WeirReason value(const char*& p, const WeirJsonType* type, char* to);
  // … with its presence byte and `null`.
  WeirReason field(const char*& p, const WeirJsonField* field, char* base);
  WeirReason record(const char*& p, const WeirJsonType* type, char* to);
  WeirReason list(const char*& p, const WeirJsonType* type, char* to);
  WeirReason map(const char*& p, const WeirJsonType* type, char* to);

  bool space(const char*& p) {
    p = weir_json_space(p, end);
    return p < end;
  }
};

WeirReason JsonReader::field(const char*& p, const WeirJsonField* field, char* base) {
  if (!space(p)) return kReasonWrongType;
  bool null = weir_json_is_null(p, end);
  if (field->presence >= 0) base[field->presence] = !null;
  if (!null) return value(p, field->type, base + field->offset);
  if (field->presence < 0) return kReasonNullField;
  p += 4;
  return 0;
}

// An element for `list` and `map`: room in memory that doubles.
struct JsonElements {
  char* memory = nullptr;
  uint64_t count = 0, capacity = 0;

  char* add(WeirArena* arena, uint64_t element_size) {
    if (count == capacity) {
      uint64_t more = capacity == 0 ? 8 : capacity * 2;
      // 16 bytes more, to align decimals of 16 bytes.
      char* moved = weir_arena_take(arena, more * element_size + 16);
      moved += -reinterpret_cast<uintptr_t>(moved) & 15;
      if (count > 0) memcpy(moved, memory, count * element_size);
      memory = moved;
      capacity = more;
    }
    char* element = memory + count++ * element_size;
    memset(element, 0, element_size);
    return element;
  }
};

WeirReason JsonReader::list(const char*& p, const WeirJsonType* type, char* to) {
  if (*p != '[') return kReasonWrongType;
  JsonElements elements;
  p++;
  if (!space(p)) return kReasonWrongType;
  if (*p == ']') {
    p++;
  } else {
    while (true) {
      if (WeirReason reason = field(p, type->fields, elements.add(arena, type->element_size)))
        return reason;
      if (!space(p)) return kReasonWrongType;
      char c = *p++;
      if (c == ']') break;
      if (c != ',') return kReasonWrongType;
    }
  }
  WeirList list{elements.memory, elements.count};
  memcpy(to, &list, sizeof list);
  return 0;
}

// Keys that were there: a table of 1 + the element's number, twice as large as needed.
struct JsonKeySet {
  uint32_t* slots = nullptr;
  uint64_t mask = 0;

  static uint64_t hash(WeirBytes key) {
    return key.size > 16 ? weir_hash_long(key.data, key.size) : short_hash(key);
  }
  static uint64_t short_hash(WeirBytes key) {
    uint64_t words[2] = {0, 0};
    memcpy(words, key.data, key.size);
    return weir_hash_words(words[0], words[1], key.size);
  }
  static WeirBytes key(const JsonElements& elements, uint64_t size, uint64_t i) {
    WeirBytes key;
    memcpy(&key, elements.memory + i * size, sizeof key);
    return key;
  }
  // The last element of `elements` has this key; true if an earlier one has it too.
  bool add(WeirArena* arena, const JsonElements& elements, uint64_t element_size) {
    if (slots == nullptr || elements.count * 2 > mask) {
      uint64_t size = mask == 0 ? 32 : (mask + 1) * 2;
      slots = reinterpret_cast<uint32_t*>(weir_arena_take(arena, size * 4));
      memset(slots, 0, size * 4);
      mask = size - 1;
      for (uint64_t i = 0; i + 1 < elements.count; i++) put(elements, element_size, i);
    }
    return put(elements, element_size, elements.count - 1);
  }
  bool put(const JsonElements& elements, uint64_t element_size, uint64_t i) {
    WeirBytes own = key(elements, element_size, i);
    for (uint64_t at = hash(own) >> 7 & mask;; at = (at + 1) & mask) {
      if (slots[at] == 0) {
        slots[at] = uint32_t(i + 1);
        return false;
      }
      WeirBytes other = key(elements, element_size, slots[at] - 1);
      if (other.size == own.size && memcmp(other.data, own.data, own.size) == 0) return true;
    }
  }
};

WeirReason JsonReader::map(const char*& p, const WeirJsonType* type, char* to) {
  if (*p != '{') return kReasonWrongType;
  JsonElements elements;
  JsonKeySet keys;
  p++;
  if (!space(p)) return kReasonWrongType;
  if (*p == '}') {
    p++;
  } else {
    while (true) {
      char* element = elements.add(arena, type->element_size);
      if (!space(p) || *p != '"') return kReasonWrongType;
      WeirBytes key;
      WeirReason reason = 0;
      p = weir_json_read_string(p, end, arena, &key, &reason);
      if (p == nullptr) return kReasonWrongType;
      if (reason != 0) return reason;
      memcpy(element, &key, sizeof key);
      if (!space(p) || *p != ':') return kReasonWrongType;
      p++;
      if (keys.add(arena, elements, type->element_size)) {
        elements.count--;  // the first counts
        p = weir_json_skip(weir_json_space(p, end), end);
        if (p == nullptr) return kReasonWrongType;
      } else {
        reason = field(p, type->fields, element);
        if (reason != 0) return reason;
      }
      if (!space(p)) return kReasonWrongType;
      char c = *p++;
      if (c == '}') break;
      if (c != ',') return kReasonWrongType;
      if (!space(p)) return kReasonWrongType;
    }
  }
  WeirList list{elements.memory, elements.count};
  memcpy(to, &list, sizeof list);
  return 0;
}

// All keys are read even after a failure: of several bad fields the record's first one is the
// reason, whatever their order in the text.
WeirReason JsonReader::record(const char*& p, const WeirJsonType* type, char* to) {
  if (*p != '{') return kReasonWrongType;
  char* seen = weir_arena_take(arena, type->count);
  memset(seen, 0, type->count);
  uint32_t worst = type->count;
  WeirReason worst_reason = 0;
  p++;
  if (!space(p)) return kReasonWrongType;
  if (*p == '}') {
    p++;
  } else {
    while (true) {
      if (*p != '"') return kReasonWrongType;
      const char* behind = weir_json_skip_string(p, end);
      if (behind == nullptr || behind >= end) return kReasonWrongType;
      WeirBytes key{p + 1, uint64_t(behind - p - 2)};
      if (memchr(key.data, '\\', key.size) != nullptr) {
        char* plain = weir_arena_take(arena, key.size);
        int64_t size = weir_json_unescape(key.data, behind - 1, plain);
        key = {plain, size < 0 ? 0 : uint64_t(size)};
      }
      p = behind;
      if (!space(p) || *p != ':') return kReasonWrongType;
      p++;
      if (!space(p)) return kReasonWrongType;
      uint32_t index = 0;
      while (index < type->count &&
             (type->fields[index].name.size != key.size ||
              memcmp(type->fields[index].name.data, key.data, key.size) != 0)) {
        index++;
      }
      const char* start = p;
      if (index < type->count && !seen[index]) {
        seen[index] = 1;
        WeirReason reason = field(p, &type->fields[index], to);
        if (reason != 0) {
          if (index < worst) worst = index, worst_reason = reason;
          p = weir_json_skip(start, end);
        }
      } else {
        p = weir_json_skip(start, end);
      }
      if (p == nullptr || p >= end || !space(p)) return kReasonWrongType;
      char c = *p++;
      if (c == '}') break;
      if (c != ',' || !space(p)) return kReasonWrongType;
    }
  }
  for (uint32_t i = 0; i < type->count; i++) {
    if (seen[i]) continue;
    const WeirJsonField& field = type->fields[i];
    if (field.presence >= 0) to[field.presence] = field.initial != nullptr;
    if (field.initial != nullptr) {
      memcpy(to + field.offset, field.initial, field.type->size);
    } else if (field.presence < 0 && i < worst) {
      worst = i;
      worst_reason = kReasonMissingField;
    }
  }
  return worst_reason;
}

WeirReason JsonReader::value(const char*& p, const WeirJsonType* type, char* to) {
  switch (type->kind) {
    case kWeirRecord:
      return record(p, type, to);
    case kWeirList:
      return list(p, type, to);
    case kWeirMap:
      return map(p, type, to);
    case kWeirJson: {
      const char* behind = weir_json_check(p, end);
      if (behind == nullptr) return kReasonWrongType;
      WeirBytes text{p, uint64_t(behind - p)};
      memcpy(to, &text, sizeof text);
      p = behind;
      return 0;
    }
    case kWeirBool: {
      *to = *p == 't';
      uint64_t size = *to ? 4 : 5;
      if (uint64_t(end - p) < size || memcmp(p, *to ? "true" : "false", size) != 0)
        return kReasonWrongType;
      p += size;
      return p == end || weir_json_is_delimiter(*p) ? 0 : kReasonWrongType;
    }
    default:
      break;
  }
  if (*p == '"') {
    WeirBytes text;
    WeirReason reason = 0;
    p = weir_json_read_string(p, end, arena, &text, &reason);
    if (p == nullptr) return kReasonWrongType;
    return reason != 0 ? reason : json_store_text(text, arena, type, to);
  }
  bool from_number = (type->kind >= kWeirInt8 && type->kind <= kWeirDecimal) ||
                     type->kind == kWeirTimestamp || type->kind == kWeirDuration;
  WeirJsonNumber number;
  const char* behind = weir_json_scan_number(p, end, &number);
  if (!from_number || behind == nullptr) return kReasonWrongType;
  const char* text = p;
  p = behind;
  auto size = uint64_t(behind - text);
  if (type->kind == kWeirFloat64) {
    double value;
    if (!weir_float64_parse(text, size, &value)) return kReasonOutOfRange;
    memcpy(to, &value, sizeof value);
    return 0;
  }
  if (type->kind == kWeirFloat32) {
    float value;
    if (!weir_float32_parse(text, size, &value)) return kReasonOutOfRange;
    memcpy(to, &value, sizeof value);
    return 0;
  }
  return json_store_number(&number, type, to);
}

}  // namespace
}  // namespace weir::stdlib

WEIR_JSON_NATIVE const char* weir_json_read(const char* p, const char* end, WeirArena* arena,
                                            const WeirJsonType* type, char* to,
                                            WeirReason* reason) {
  *reason = kReasonMalformed;
  p = weir_json_space(p, end);
  if (p >= end) return nullptr;
  weir::stdlib::JsonReader reader{end, arena};
  const char* behind = p;
  *reason = weir_json_is_null(p, end) ? kJsonNull : reader.value(behind, type, to);
  // Structure is judged in one way only, so that it does not depend on which fields are used.
  return *reason == 0 ? behind : weir_json_skip(p, end);
}
