#include "compiler/type.h"

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

std::string required_text(const Types& types, Type type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return "bool";
    case TypeKind::Int8:
      return "int8";
    case TypeKind::Int16:
      return "int16";
    case TypeKind::Int32:
      return "int32";
    case TypeKind::Int64:
      return "int64";
    case TypeKind::UInt8:
      return "uint8";
    case TypeKind::UInt16:
      return "uint16";
    case TypeKind::UInt32:
      return "uint32";
    case TypeKind::UInt64:
      return "uint64";
    case TypeKind::Float32:
      return "float32";
    case TypeKind::Float64:
      return "float64";
    case TypeKind::Decimal:
      return "decimal(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
    case TypeKind::String:
      return "string";
    case TypeKind::Bytes:
      return "bytes";
    case TypeKind::Uuid:
      return "uuid";
    case TypeKind::Date:
      return "date";
    case TypeKind::Timestamp:
      return std::string("timestamp(") + unit_text(type.unit) + ")";
    case TypeKind::Duration:
      return "duration";
    case TypeKind::Json:
      return "json";
    case TypeKind::Enum:
      return types.enumeration(type).name;
    case TypeKind::Record:
      return record_text(types, types.record(type));
    case TypeKind::List:
      return "list<" + to_text(types, types.element(type)) + ">";
    case TypeKind::Map:
      return "map<string, " + to_text(types, types.element(type)) + ">";
    case TypeKind::Null:
      return "null";
    case TypeKind::Error:
      return "?";
  }
  return "?";
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

std::string to_text(const Types& types, Type type) {
  bool mark = type.optional && type.kind != TypeKind::Null && type.kind != TypeKind::Error;
  return required_text(types, type) + (mark ? "?" : "");
}

}  // namespace weir::compiler
