#include "compiler/type.h"

#include <iterator>

namespace weir::compiler {
namespace {

const char* unit_text(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Milli:
      return "ms";
    case TimeUnit::Micro:
      return "us";
    case TimeUnit::Nano:
      return "ns";
  }
  return "?";
}

// The index of `element`: a new one only if there is none yet, so that equal types have equal
// references.
uint32_t element_index(std::vector<Type>& elements, Type element) {
  for (uint32_t i = 0; i < elements.size(); ++i) {
    if (elements[i] == element) return i;
  }
  elements.push_back(element);
  return uint32_t(elements.size() - 1);
}

std::string record_text(const Types& types, const RecordType& record) {
  if (!record.name.empty()) return record.name;
  std::string text = "{";
  for (const Field& field : record.fields) {
    text += (text.size() > 1 ? ", " : " ") + field.name + ": " + to_text(types, field.type);
    if (text.size() > 200) return text + ", … }";
  }
  return text + " }";
}

// In the order of TypeKind.
constexpr const char* kKindNames[] = {
    "bool",    "int8",    "int16",   "int32",  "int64", "uint8", "uint16", "uint32",    "uint64",
    "float32", "float64", "decimal", "string", "bytes", "uuid",  "date",   "timestamp", "duration",
    "json",    "enum",    "record",  "list",   "map",   "",      "",
};
static_assert(std::size(kKindNames) == size_t(TypeKind::Error) + 1);

std::string required_text(const Types& types, Type type) {
  std::string name = kind_name(type.kind);
  switch (type.kind) {
    case TypeKind::Decimal:
      return name + "(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
    case TypeKind::Timestamp:
      return name + "(" + unit_text(type.unit) + ")";
    case TypeKind::Enum:
      return types.enumeration(type).name;
    case TypeKind::Record:
      return record_text(types, types.record(type));
    case TypeKind::List:
      return name + "<" + to_text(types, types.element(type)) + ">";
    case TypeKind::Map:
      return name + "<string, " + to_text(types, types.element(type)) + ">";
    case TypeKind::Null:
      return "null";
    case TypeKind::Error:
      return "?";
    default:
      return name;
  }
}

}  // namespace

Type Types::list_of(Type element) {
  Type type = type_of(TypeKind::List);
  type.ref = element_index(elements, element);
  return type;
}

Type Types::map_of(Type element) {
  Type type = type_of(TypeKind::Map);
  type.ref = element_index(elements, element);
  return type;
}

const char* kind_name(TypeKind kind) { return kKindNames[size_t(kind)]; }

std::optional<TypeKind> plain_kind(std::string_view name) {
  for (auto kind = TypeKind::Bool; kind <= TypeKind::Json; kind = TypeKind(uint8_t(kind) + 1)) {
    bool has_arguments = kind == TypeKind::Decimal || kind == TypeKind::Timestamp;
    if (!has_arguments && name == kind_name(kind)) return kind;
  }
  return std::nullopt;
}

std::string to_text(const Types& types, Type type) {
  bool mark = type.optional && type.kind != TypeKind::Null && type.kind != TypeKind::Error;
  return required_text(types, type) + (mark ? "?" : "");
}

}  // namespace weir::compiler
