#include "codegen/formats/json_types.h"

#include "stdlib/engine/json_type.h"

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

std::string json_written_key(const std::string& name) {
  static const char* const kHex = "0123456789abcdef";
  std::string text = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (uint8_t(c) < 0x20) {
      text += "\\u00";
      text += kHex[uint8_t(c) >> 4];
      text += kHex[c & 15];
    } else {
      text += c;
    }
  }
  return text + "\":";
}

llvm::GlobalVariable* json_global(Emit& emit, llvm::Constant* value, const llvm::Twine& name) {
  return new llvm::GlobalVariable(emit.module, value->getType(), true,
                                  llvm::GlobalValue::PrivateLinkage, value, name);
}

llvm::Constant* json_bytes(Emit& emit, std::string_view text) {
  auto* pair = llvm::StructType::get(emit.ptr(), emit.ir.getInt64Ty());
  return llvm::ConstantStruct::get(pair, {emit.text(text), emit.i64(text.size())});
}

llvm::GlobalVariable* json_texts(Emit& emit, const std::vector<std::string>& texts,
                                 const llvm::Twine& name) {
  std::vector<llvm::Constant*> entries;
  for (const std::string& text : texts) entries.push_back(json_bytes(emit, text));
  auto* pair = llvm::StructType::get(emit.ptr(), emit.ir.getInt64Ty());
  return json_global(
      emit, llvm::ConstantArray::get(llvm::ArrayType::get(pair, entries.size()), entries), name);
}

llvm::Constant* json_constant_in_memory(Emit& emit, const compiler::Constant& constant,
                                        const Type& type) {
  if (type.is(TypeKind::Record) || type.is(TypeKind::List) || type.is(TypeKind::Map))
    return nullptr;
  Value value = emit.constant(constant, type.required());
  auto* v = llvm::cast<llvm::Constant>(value.v);
  if (type.is(TypeKind::Bool)) return emit.i8(v->isOneValue());
  if (!value.size) return v;
  return llvm::ConstantStruct::getAnon({v, llvm::cast<llvm::Constant>(value.size)});
}

llvm::Constant* JsonTypes::field(Emit& emit, const compiler::Field* field, const Type& type,
                                 compiler::Slot slot) {
  llvm::Constant* none = llvm::ConstantPointerNull::get(emit.ptr());
  llvm::Constant* initial = none;
  if (field && field->initial && !field->initial->is_null()) {
    if (llvm::Constant* value = json_constant_in_memory(emit, *field->initial, type))
      initial = json_global(emit, value, "json.default");
  }
  return llvm::ConstantStruct::getAnon(
      {json_bytes(emit, field ? field->wire_name : ""),
       json_bytes(emit, field ? json_written_key(field->wire_name) : ""), of(emit, type), initial,
       emit.i32(slot.offset), emit.i32(uint32_t(slot.presence))});
}

llvm::Constant* JsonTypes::of(Emit& emit, const Type& type) {
  for (auto& [known, constant] : made_) {
    if (known == type.required()) return constant;
  }
  llvm::Constant* none = llvm::ConstantPointerNull::get(emit.ptr());
  uint32_t count = 0, element_size = 0;
  llvm::Constant *fields = none, *cases = none;
  auto array = [&](const std::vector<llvm::Constant*>& items, const char* name) -> llvm::Constant* {
    if (items.empty()) return none;
    return json_global(
        emit,
        llvm::ConstantArray::get(llvm::ArrayType::get(items[0]->getType(), items.size()), items),
        name);
  };
  if (type.is(TypeKind::Record)) {
    const compiler::RecordType& record = emit.types.record(type);
    std::vector<Type> types;
    for (auto& field : record.fields) types.push_back(field.type);
    compiler::Layout layout = compiler::layout_of(emit.types, types);
    std::vector<llvm::Constant*> items;
    for (size_t i = 0; i < types.size(); i++)
      items.push_back(field(emit, &record.fields[i], types[i], layout.slots[i]));
    count = uint32_t(items.size());
    fields = array(items, "json.fields");
  } else if (type.is(TypeKind::List) || type.is(TypeKind::Map)) {
    Type element = emit.types.element(type);
    std::vector<Type> types;
    if (type.is(TypeKind::Map)) types.push_back(compiler::type_of(TypeKind::String));
    types.push_back(element);
    compiler::Layout layout = compiler::layout_of(emit.types, types);
    count = 1;
    element_size = layout.size;
    fields = array({field(emit, nullptr, element, layout.slots.back())}, "json.element");
  } else if (type.is(TypeKind::Enum)) {
    std::vector<std::string> texts;
    for (auto& item : emit.types.enumeration(type).cases) texts.push_back(item.wire_name);
    count = uint32_t(texts.size());
    cases = json_texts(emit, texts, "json.cases");
  }
  auto* made = json_global(
      emit,
      llvm::ConstantStruct::getAnon({emit.i8(uint8_t(type.kind)), emit.i8(type.precision),
                                     emit.i8(type.scale), emit.i8(uint8_t(type.unit)),
                                     emit.i32(count), emit.i32(compiler::size_of(emit.types, type)),
                                     emit.i32(element_size), fields, cases}),
      "json.type");
  made_.emplace_back(type.required(), made);
  return made;
}

}  // namespace weir::codegen
