#include "tests/differential/records.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tests/differential/interpreter.h"

namespace weir::differential {

using compiler::Type;
using compiler::TypeKind;

namespace {

class Maker {
 public:
  Maker(const compiler::Types& types, Random& random) : types_(types), random_(random) {}

  // A value, and its JSON in `part`; nothing there: the key is absent.
  Value field(const compiler::Field& field, Record::Part* part) {
    part->key = field.wire_name;
    if (random_.one_in(30)) {
      if (field.type.optional) return no_value();
      return failure(Reason::missing_field);
    }
    return value(field.type, part);
  }

  Value value(Type type, Record::Part* part) {
    std::string* json = &part->json;
    if (random_.one_in(type.optional ? 5 : 60)) {
      *json = "null";
      return type.optional ? no_value() : failure(Reason::null_field);
    }
    if (random_.one_in(25)) return bad(type, json);
    if (!type.is(TypeKind::Record)) return good(type, json);
    Value value;
    for (const compiler::Field& inner : types_.record(type).fields) {
      Record::Part item;
      value.items.push_back(field(inner, &item));
      if (item.there()) part->inside.push_back(item);
    }
    if (part->inside.empty()) *json = "{}";
    return value;
  }

 private:
  Value wrong(const char* text, std::string* json, Reason reason = Reason::wrong_type) {
    *json = text;
    return failure(reason);
  }

  Value bad(Type type, std::string* json) {
    bool other = random_.one_in(2);
    switch (type.kind) {
      case TypeKind::String:
        return other ? wrong("17", json) : wrong("\"\\ud800\"", json, Reason::bad_text);
      case TypeKind::Enum:
        return other ? wrong("17", json) : wrong("\"nobody\"", json, Reason::unknown_case);
      case TypeKind::Timestamp:
        return wrong("true", json);
      case TypeKind::Uuid:
      case TypeKind::Date:
      case TypeKind::List:
      case TypeKind::Map:
      case TypeKind::Record:
        return wrong("17", json);
      case TypeKind::Bool:
        return wrong("\"true\"", json);
      default:
        if (other && type.is_integer()) {
          *json =
              digits_of(random_.one_in(2) ? most_of(type.kind) + 1 : least_of(type.kind) - 1, 0);
          return failure(Reason::out_of_range);
        }
        if (other && type.is(TypeKind::Decimal) && type.precision < 38) {
          *json = digits_of(power_of_ten(type.precision), type.scale);
          return failure(Reason::out_of_range);
        }
        return wrong("\"x y\"", json);
    }
  }

  Wide number(TypeKind kind) {
    switch (random_.below(6)) {
      case 0:
        return most_of(kind) - Wide(random_.below(3));
      case 1:
        return least_of(kind) + Wide(random_.below(3));
      case 2:
        return Wide(random_.below(3));
      case 3: {
        Wide span = most_of(kind) - least_of(kind) + 1;
        return least_of(kind) + Wide(random_.next()) % span;
      }
      default:
        return std::max<Wide>(least_of(kind), Wide(random_.between(-20, 100)));
    }
  }

  Value real(Type type, std::string* json) {
    static const double kValues[] = {0,    -0.0,  1,     -1,      0.1,   0.5,    1.5,
                                     2.5,  -7.25, 100,   1e10,    1e-10, 1e15,   16777217,
                                     3e38, 1e300, 1e-40, 5e-324,  1e18,  9.3e18, 123.456,
                                     1e22, 255,   256,   65535.5, 1e6,   4.35,   -1e300};
    double value = random_.one_in(3) ? double(random_.between(-100000, 100000)) / 64
                                     : kValues[random_.below(std::size(kValues))];
    if (type.is(TypeKind::Float32) && std::abs(value) > 3e38) value = 7;
    char text[64];
    char* end = std::to_chars(text, text + sizeof text, value).ptr;
    *json = std::string(text, end);
    return of_real(type.is(TypeKind::Float32) ? double(float(value)) : value);
  }

  Value good(Type type, std::string* json) {
    switch (type.kind) {
      case TypeKind::Bool: {
        bool value = random_.one_in(2);
        *json = value ? "true" : "false";
        return of_number(value);
      }
      case TypeKind::Float32:
      case TypeKind::Float64:
        return real(type, json);
      case TypeKind::Decimal: {
        Wide limit = power_of_ten(type.precision);
        Wide all = (Wide(random_.next() >> 1) << 62 | Wide(random_.next() >> 2)) % limit;
        Wide value = random_.one_in(4)   ? limit - 1 - Wide(random_.below(2))
                     : random_.one_in(3) ? all
                                         : Wide(random_.below(3000)) % limit;
        if (random_.one_in(3)) value = -value;
        *json = digits_of(value, type.scale);
        return of_number(value);
      }
      case TypeKind::String: {
        static const char* kTexts[] = {
            "",    "a",   "abc", "AbC",  "x%y", "true", "12",    "-7",  "1.50", "漢字",      "a漢b",
            "300", "red", "B-1", "0012", "+5",  "a_c",  "hello", " a ", "-",    "2147483648"};
        std::string text = kTexts[random_.below(std::size(kTexts))];
        *json = "\"" + text + "\"";
        return of_text(text);
      }
      case TypeKind::Uuid: {
        std::string bytes;
        for (int i = 0; i < 16; ++i) bytes += char(random_.one_in(2) ? 0xff : random_.below(256));
        *json = differential::json_of(types_, of_text(bytes), type).text;
        return of_text(bytes);
      }
      case TypeKind::Date: {
        Value value = of_number(random_.between(-30000, 40000));
        *json = differential::json_of(types_, value, type).text;
        return value;
      }
      case TypeKind::Enum: {
        Value value = of_number(Wide(random_.below(types_.enumeration(type).cases.size())));
        *json = differential::json_of(types_, value, type).text;
        return value;
      }
      case TypeKind::List:
      case TypeKind::Map: {
        bool map = type.is(TypeKind::Map);
        Value value;
        *json = map ? "{" : "[";
        for (uint64_t i = 0, count = random_.below(4); i < count; ++i) {
          std::string item;
          Value element = good(types_.element(type), &item);
          *json += i > 0 ? ", " : "";
          if (map) {
            value.items.push_back(of_text(std::string(1, char('a' + i))));
            *json += "\"" + value.items.back().text + "\":";
          }
          *json += item;
          value.items.push_back(element);
        }
        *json += map ? "}" : "]";
        return value;
      }
      default: {
        // Instants and durations are seldom at the limits: nearly all is an overflow there.
        bool time = type.is(TypeKind::Timestamp) || type.is(TypeKind::Duration);
        Wide value = number(type.kind);
        if (time && !random_.one_in(10)) {
          value = random_.between(-5'000'000'000, 2'000'000'000'000);
          if (random_.one_in(2)) value = value / 1'000'000 * 1'000'000;
        }
        *json = digits_of(value, 0);
        return of_number(value);
      }
    }
  }

  const compiler::Types& types_;
  Random& random_;
};

}  // namespace

Record random_record(const compiler::Types& types, const compiler::RecordType& schema, int64_t id,
                     Random& random) {
  Record record;
  Maker maker(types, random);
  for (const compiler::Field& field : schema.fields) {
    Record::Part part{field.wire_name, std::to_string(id), {}};
    if (record.fields.empty()) {
      record.fields.push_back(of_number(id));
    } else {
      part = {};
      record.fields.push_back(maker.field(field, &part));
    }
    if (part.there()) record.parts.push_back(part);
  }
  return record;
}

static std::string object(std::vector<Record::Part> parts, int order, Random& random) {
  if (order == 1) std::reverse(parts.begin(), parts.end());
  if (order > 1) {
    for (size_t i = parts.size(); i > 1; --i) std::swap(parts[i - 1], parts[random.below(i)]);
    if (random.one_in(2))
      parts.insert(parts.begin() + int64_t(random.below(parts.size())),
                   Record::Part{"nobody", "[{\"id\":1}, \"}\"]", {}});
    // Of a key that stands twice the first counts.
    if (random.one_in(4)) {
      Record::Part again = parts[random.below(parts.size())];
      again = {again.key, random.one_in(2) ? "7" : "null", {}};
      parts.push_back(again);
    }
  }
  const char* space = order > 1 && random.one_in(3) ? " " : "";
  std::string json = "{";
  for (size_t i = 0; i < parts.size(); ++i)
    json += std::string(i > 0 ? "," : "") + space + "\"" + parts[i].key + "\":" + space +
            (parts[i].inside.empty() ? parts[i].json : object(parts[i].inside, order, random));
  return json + space + "}";
}

std::string json_of(const Record& record, int order, Random& random) {
  return object(record.parts, order, random);
}

}  // namespace weir::differential
