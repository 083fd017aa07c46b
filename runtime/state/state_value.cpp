#include "runtime/state/state_value.h"

#include "runtime/state/bytes.h"
#include "stdlib/engine/bag.h"

namespace weir::runtime {

namespace {
constexpr uint8_t kGroup = 1;
constexpr uint8_t kPart = 2;
}  // namespace

bool is_part(std::string_view value) { return !value.empty() && uint8_t(value.front()) == kPart; }

int32_t value_width(const contract::Type& type) {
  using T = contract::Type;
  switch (type.kind()) {
    case T::BOOL:
    case T::INT8:
    case T::UINT8:
      return 1;
    case T::INT16:
    case T::UINT16:
      return 2;
    case T::INT32:
    case T::UINT32:
    case T::FLOAT32:
    case T::DATE:
    case T::ENUM:
      return 4;
    case T::INT64:
    case T::UINT64:
    case T::FLOAT64:
    case T::TIMESTAMP:
    case T::DURATION:
      return 8;
    case T::DECIMAL:
      return type.precision() > 18 ? 16 : 8;
    case T::UUID:
      return 16;
    case T::STRING:
    case T::BYTES:
    case T::JSON:
      return 0;
    default:
      return -1;
  }
}

Result<StateValueCodec> StateValueCodec::make(const contract::Keyed& keyed) {
  StateValueCodec codec;
  codec.changed_mask_ = uint32_t((uint64_t{1} << keyed.emissions_size()) - 1);
  for (const contract::StateField& field : keyed.state()) {
    int32_t width = value_width(field.type());
    if (width < 0) {
      return Status::error(Exit::NotSupported, "not supported yet: `" + keyed.identity() +
                                                   "` keeps `" + field.name() +
                                                   "`, a record, list or map, in its state");
    }
    bool grows = field.type().kind() == contract::Type::BYTES && field.type().precision() != 0;
    codec.fields_.push_back({field.offset(), field.presence(), uint32_t(width), grows});
    codec.grows_ |= grows;
  }
  return codec;
}

void StateValueCodec::encode(const char* group, std::string* out, bool part) const {
  WeirGroupHeader header;
  memcpy(&header, group, sizeof header);
  put(*out, part ? kPart : kGroup);
  put(*out, header.changed & changed_mask_);
  put(*out, header.error);
  for (const Field& field : fields_) {
    if (field.presence >= 0) {
      out->push_back(group[field.presence] ? 1 : 0);
      if (!group[field.presence]) continue;
    }
    if (field.width > 0) {
      out->append(group + field.offset, field.width);
    } else {
      WeirBytes text;
      memcpy(&text, group + field.offset, sizeof text);
      put_text(*out, {text.data, field.grows ? weir_bag_used(text.data, text.size) : text.size});
    }
  }
}

bool StateValueCodec::decode(std::string_view bytes, char* group, WeirArena* texts) const {
  ByteReader in(bytes);
  auto version = in.take<uint8_t>();
  if (version != kGroup && version != kPart) return false;
  WeirGroupHeader header{in.take<uint32_t>(), in.take<uint32_t>()};
  memcpy(group, &header, sizeof header);
  for (const Field& field : fields_) {
    if (field.presence >= 0) {
      bool there = in.take<uint8_t>() != 0;
      group[field.presence] = there;
      if (!there) continue;
    }
    if (field.width > 0) {
      std::string_view value = in.take_bytes(field.width);
      if (!in.ok()) return false;
      memcpy(group + field.offset, value.data(), field.width);
    } else {
      std::string_view value = in.take_text();
      WeirBytes text{weir_arena_take(texts, value.size()), value.size()};
      if (!value.empty()) memcpy(const_cast<char*>(text.data), value.data(), value.size());
      memcpy(group + field.offset, &text, sizeof text);
    }
  }
  return in.ok() && in.at_end();
}

}  // namespace weir::runtime
