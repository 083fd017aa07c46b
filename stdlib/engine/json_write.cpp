#include "stdlib/engine/json_write.h"

char* weir_json_write(WeirOutput* output, char* to, const WeirJsonType* type, const char* from,
                      uint64_t rest) {
  auto load = [&]<typename T>(T) {
    T value;
    memcpy(&value, from, sizeof value);
    return value;
  };
  // A field or an element with its presence.
  auto field = [&](const WeirJsonField* field, const char* base) {
    if (field->presence < 0 || base[field->presence]) {
      return weir_json_write(output, to, field->type, base + field->offset, rest);
    }
    return weir_json_write_raw(output, to, "null", 4, rest);
  };
  to = weir_json_room(output, to, kJsonScalarBytes + rest);
  switch (type->kind) {
    case kWeirBool:
      return weir_json_write_bool(to, *from != 0);
    case kWeirInt8:
      return weir_write_int64(to, load(int8_t{}));
    case kWeirInt16:
      return weir_write_int64(to, load(int16_t{}));
    case kWeirInt32:
      return weir_write_int64(to, load(int32_t{}));
    case kWeirInt64:
    case kWeirTimestamp:
    case kWeirDuration:
      return weir_write_int64(to, load(int64_t{}));
    case kWeirUInt8:
      return weir_write_uint64(to, load(uint8_t{}));
    case kWeirUInt16:
      return weir_write_uint64(to, load(uint16_t{}));
    case kWeirUInt32:
      return weir_write_uint64(to, load(uint32_t{}));
    case kWeirUInt64:
      return weir_write_uint64(to, load(uint64_t{}));
    case kWeirFloat32:
      return weir_json_write_float32(to, load(float{}));
    case kWeirFloat64:
      return weir_json_write_float64(to, load(double{}));
    case kWeirDecimal: {
      weir_i128 value = type->precision <= 18 ? weir_i128(load(int64_t{})) : load(weir_i128{});
      return weir_write_decimal(to, value, type->scale);
    }
    case kWeirDate:
      return weir_json_write_date(to, load(int32_t{}));
    case kWeirUuid:
      return weir_json_write_uuid(to, load(weir_i128{}));
    case kWeirEnum: {
      WeirBytes text = type->cases[load(int32_t{})];
      return weir_json_write_string(output, to, text.data, text.size, rest);
    }
    case kWeirString: {
      WeirBytes text = load(WeirBytes{});
      return weir_json_write_string(output, to, text.data, text.size, rest);
    }
    case kWeirBytes: {
      WeirBytes bytes = load(WeirBytes{});
      return weir_json_write_bytes(output, to, bytes.data, bytes.size, rest);
    }
    case kWeirJson: {
      WeirBytes text = load(WeirBytes{});
      return weir_json_write_raw(output, to, text.data, text.size, rest);
    }
    case kWeirRecord: {
      *to++ = '{';
      for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0) to = weir_json_write_raw(output, to, ",", 1, rest);
        WeirBytes key = type->fields[i].written;
        to = weir_json_write_raw(output, to, key.data, key.size, rest);
        to = field(&type->fields[i], from);
        if (to == nullptr) return nullptr;
      }
      return weir_json_write_raw(output, to, "}", 1, rest);
    }
    default: {
      bool map = type->kind == kWeirMap;
      WeirList list = load(WeirList{});
      const char* element = static_cast<const char*>(list.data);
      *to++ = map ? '{' : '[';
      for (uint64_t i = 0; i < list.count; i++, element += type->element_size) {
        if (i > 0) to = weir_json_write_raw(output, to, ",", 1, rest);
        if (map) {
          WeirBytes key;
          memcpy(&key, element, sizeof key);
          to = weir_json_write_string(output, to, key.data, key.size, 1 + rest);
          *to++ = ':';
        }
        to = field(type->fields, element);
        if (to == nullptr) return nullptr;
      }
      return weir_json_write_raw(output, to, map ? "}" : "]", 1, rest);
    }
  }
}
