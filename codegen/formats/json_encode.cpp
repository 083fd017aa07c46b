// Encoding JSON: one object for each row, its keys in the order of the fields.
//
// The bytes that never change (`{"event_type":`) are stores of constants. Room for them and for all
// scalars is made once; texts make their own.
#include "codegen/formats/format.h"
#include "codegen/formats/json_types.h"
#include "stdlib/engine/json_write.h"

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

namespace {

class JsonEncoder final : public Encoder {
 public:
  void prologue(Emit& emit) override {}

  void row(Emit& emit, llvm::Value* output, const compiler::RecordType& record,
           const std::vector<Value>& values) override {
    llvm::IRBuilder<>& ir = emit.ir;
    uint64_t room = 2;
    for (const compiler::Field& field : record.fields)
      room += json_written_key(field.wire_name).size() + 1 + kJsonScalarBytes;
    llvm::Value* to = emit.local(emit.ptr(), "to");
    ir.CreateStore(emit.call("weir_output_room", {output, emit.i64(room)}, "to"), to);
    std::string text = "{";
    for (size_t i = 0; i < values.size(); i++) {
      const compiler::Field& field = record.fields[i];
      text += json_written_key(field.wire_name);
      piece(emit, to, text);
      if (values[i].present) {
        emit.if_(
            values[i].present, field.name.c_str(),
            [&] { value(emit, output, to, field, values[i], room); },
            [&] { piece(emit, to, "null"); });
      } else {
        value(emit, output, to, field, values[i], room);
      }
      text = ",";
    }
    piece(emit, to, values.empty() ? "{}" : "}");
    emit.store(ir.CreateLoad(emit.ptr(), to), output, offsetof(WeirOutput, at));
  }

 private:
  void piece(Emit& emit, llvm::Value* to, const std::string& text) {
    llvm::Value* at = emit.ir.CreateLoad(emit.ptr(), to);
    emit.ir.CreateMemCpy(at, llvm::Align(1), emit.text(text), llvm::Align(1),
                         emit.i64(text.size()));
    emit.ir.CreateStore(emit.at(at, text.size()), to);
  }

  void value(Emit& emit, llvm::Value* output, llvm::Value* to, const compiler::Field& field,
             const Value& value, uint64_t rest) {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::Value* at = ir.CreateLoad(emit.ptr(), to);
    const Type& type = field.type;
    auto wide = [&](bool is_signed) {
      return is_signed ? ir.CreateSExt(value.v, ir.getInt64Ty())
                       : ir.CreateZExt(value.v, ir.getInt64Ty());
    };
    llvm::Value* behind = nullptr;
    bool may_fail = false;
    switch (type.kind) {
      case TypeKind::Bool:
        behind = emit.call("weir_json_write_bool", {at, value.v});
        break;
      case TypeKind::Int8:
      case TypeKind::Int16:
      case TypeKind::Int32:
      case TypeKind::Int64:
      case TypeKind::Timestamp:
      case TypeKind::Duration:
        behind = emit.call("weir_write_int64", {at, wide(true)});
        break;
      case TypeKind::UInt8:
      case TypeKind::UInt16:
      case TypeKind::UInt32:
      case TypeKind::UInt64:
        behind = emit.call("weir_write_uint64", {at, wide(false)});
        break;
      case TypeKind::Float32:
      case TypeKind::Float64:
        behind = emit.call(
            type.is(TypeKind::Float32) ? "weir_json_write_float32" : "weir_json_write_float64",
            {at, value.v});
        may_fail = true;
        break;
      case TypeKind::Decimal:
        behind = emit.call("weir_write_decimal",
                           {at, ir.CreateSExt(value.v, ir.getInt128Ty()), emit.i32(type.scale)});
        break;
      case TypeKind::Date:
        behind = emit.call("weir_json_write_date", {at, value.v});
        break;
      case TypeKind::Uuid:
        behind = emit.call("weir_json_write_uuid", {at, value.v});
        break;
      case TypeKind::String:
        behind =
            emit.call("weir_json_write_string", {output, at, value.v, value.size, emit.i64(rest)});
        break;
      case TypeKind::Bytes:
        behind =
            emit.call("weir_json_write_bytes", {output, at, value.v, value.size, emit.i64(rest)});
        break;
      case TypeKind::Json:
        behind =
            emit.call("weir_json_write_raw", {output, at, value.v, value.size, emit.i64(rest)});
        break;
      default: {
        llvm::Value* from = value.v;
        if (!type.is(TypeKind::Record)) {
          from = emit.local_bytes(16, "value");
          emit.store_value(Value{value.v, value.size, nullptr, type.required()}, from,
                           compiler::Slot{});
        }
        behind = emit.call("weir_json_write",
                           {output, at, json_types_.of(emit, type), from, emit.i64(rest)});
        may_fail = true;
      }
    }
    if (may_fail) {
      llvm::Value* failed = ir.CreateICmpEQ(behind, llvm::ConstantPointerNull::get(emit.ptr()));
      emit.fail_if(failed, kReasonOutOfRange,
                   field.name + ": JSON has no number for an infinite or undefined float");
    }
    ir.CreateStore(behind, to);
  }

  static constexpr WeirReason kReasonOutOfRange = 7005;
  JsonTypes json_types_;
};

}  // namespace

std::unique_ptr<Encoder> make_json_encoder(const compiler::Types&, const compiler::SinkNode&) {
  return std::make_unique<JsonEncoder>();
}

}  // namespace weir::codegen
