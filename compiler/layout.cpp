#include "compiler/layout.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace weir::compiler {
namespace {

struct Extent {
  uint32_t size;
  uint32_t align;
};

Extent extent_of(const Types& types, Type type) {
  switch (type.kind) {
    case TypeKind::Bool:
    case TypeKind::Int8:
    case TypeKind::UInt8:
      return {1, 1};
    case TypeKind::Int16:
    case TypeKind::UInt16:
      return {2, 2};
    case TypeKind::Int32:
    case TypeKind::UInt32:
    case TypeKind::Float32:
    case TypeKind::Date:
    case TypeKind::Enum:
      return {4, 4};
    case TypeKind::Int64:
    case TypeKind::UInt64:
    case TypeKind::Float64:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
      return {8, 8};
    case TypeKind::Decimal:
      return type.is_wide_decimal() ? Extent{16, 16} : Extent{8, 8};
    case TypeKind::Uuid:
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
    case TypeKind::List:
    case TypeKind::Map:
      return {16, 8};
    case TypeKind::Record: {
      std::vector<Type> fields;
      for (const Field& field : types.record(type).fields) fields.push_back(field.type);
      Layout layout = layout_of(types, fields);
      return {layout.size, layout.align};
    }
    case TypeKind::Null:
    case TypeKind::Error:
      return {0, 1};
  }
  return {0, 1};
}

uint32_t aligned(uint32_t offset, uint32_t align) { return (offset + align - 1) / align * align; }

}  // namespace

uint32_t size_of(const Types& types, Type type) { return extent_of(types, type).size; }
uint32_t align_of(const Types& types, Type type) { return extent_of(types, type).align; }

Layout layout_of(const Types& types, const std::vector<Type>& fields, uint32_t header) {
  Layout layout;
  layout.slots.resize(fields.size());
  std::vector<Extent> extents;
  for (Type field : fields) extents.push_back(extent_of(types, field));

  std::vector<uint32_t> order(fields.size());
  std::iota(order.begin(), order.end(), 0u);
  // By alignment first: an inner record may be large and yet need little of it. Equal ones in their
  // order.
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tuple(extents[b].align, extents[b].size, a) <
           std::tuple(extents[a].align, extents[a].size, b);
  });

  uint32_t offset = header;
  layout.align = header ? 8 : 1;
  for (uint32_t field : order) {
    offset = aligned(offset, extents[field].align);
    layout.slots[field].offset = offset;
    layout.align = std::max(layout.align, extents[field].align);
    offset += extents[field].size;
  }
  for (uint32_t field = 0; field < fields.size(); ++field) {
    if (fields[field].optional) layout.slots[field].presence = int32_t(offset++);
  }
  layout.size = aligned(offset, layout.align);
  return layout;
}

}  // namespace weir::compiler
