// A row leaves: key and encoded value go to the sink's output.
#include "codegen/stage.h"

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

void prepare_emit(StageEmitter& to, compiler::NodeId sink) {
  const auto& node = std::get<compiler::SinkNode>(to.pipeline.graph.nodes[sink].is);
  for (const auto& planned : to.pipeline.plan.sinks()) {
    if (planned.id() != sink) continue;
    llvm::Value* outputs = to.emit.load(to.emit.ptr(), to.emit.stage, offsetof(WeirStage, outputs));
    to.outputs[sink] =
        to.emit.load(to.emit.ptr(), outputs, planned.output() * sizeof(void*), "output");
  }
  auto encoder = to.pipeline.formats.encoder(node.format, to.emit.types, node);
  if (!encoder || !to.outputs.contains(sink)) {
    to.expressions.unsupported = "not supported yet: writing the format " + node.format;
    return;
  }
  encoder->prologue(to.emit);
  to.encoders[sink] = std::move(encoder);
}

static void append(Emit& emit, llvm::Value* output, llvm::Value* data, llvm::Value* size) {
  llvm::Value* at = emit.call("weir_output_room", {output, size}, "at");
  emit.ir.CreateMemCpy(at, llvm::Align(1), data, llvm::Align(1), size);
  emit.store(emit.at(at, size), output, offsetof(WeirOutput, at));
}

// As Java's serialisers write a key of one field: texts as UTF-8, integers and floats big endian,
// the rest as text.
static void write_key(StageEmitter& to, llvm::Value* output, const Value& key, Encoder& encoder) {
  Emit& emit = to.emit;
  llvm::IRBuilder<>& ir = emit.ir;
  if (key.type.is_text()) {
    append(emit, output, key.v, key.size);
  } else if (key.type.is(TypeKind::Record)) {
    const compiler::RecordType& record = emit.types.record(key.type);
    std::vector<Type> types;
    for (auto& field : record.fields) types.push_back(field.type);
    compiler::Layout layout = compiler::layout_of(emit.types, types);
    std::vector<Value> values;
    for (size_t i = 0; i < types.size(); i++)
      values.push_back(emit.load_value(types[i], key.v, layout.slots[i]));
    encoder.row(emit, output, record, values);
  } else {
    llvm::Value* bits = key.v;
    if (key.type.is(TypeKind::Float64)) bits = ir.CreateBitCast(bits, ir.getInt64Ty());
    if (key.type.is(TypeKind::Float32)) bits = ir.CreateBitCast(bits, ir.getInt32Ty());
    unsigned width = bits->getType()->getIntegerBitWidth();
    if (width > 8 && !key.type.is(TypeKind::Uuid))
      bits = ir.CreateUnaryIntrinsic(llvm::Intrinsic::bswap, bits);
    if (width == 1) bits = ir.CreateZExt(bits, ir.getInt8Ty());
    uint64_t bytes = std::max(1u, width / 8);
    llvm::Value* at = emit.call("weir_output_room", {output, emit.i64(bytes)}, "at");
    ir.CreateAlignedStore(bits, at, llvm::Align(1));
    emit.store(emit.at(at, bytes), output, offsetof(WeirOutput, at));
  }
}

static bool is_written_as_text(const Type& type) {
  return type.is(TypeKind::Decimal) || type.is(TypeKind::Uuid) || type.is(TypeKind::Date) ||
         type.is(TypeKind::Enum) || type.is(TypeKind::Bool);
}

void emit_step(StageEmitter& to, const RowShape& row, const compiler::StageStep::Emit& step,
               const compiler::StageStep&) {
  if (!to.encoders.contains(step.sink)) return;
  Emit& emit = to.emit;
  const compiler::Node& node = to.pipeline.graph.nodes[step.sink];
  const auto& sink = std::get<compiler::SinkNode>(node.is);
  const compiler::RecordType& record = emit.types.records[node.row];
  llvm::Value* output = to.outputs.at(step.sink);
  Encoder& encoder = *to.encoders.at(step.sink);

  // Everything is computed before the first byte is written: a row that fails leaves nothing
  // behind.
  std::vector<Value> values;
  for (uint32_t i = 0; i < record.fields.size(); i++) {
    to.expressions.subject = record.fields[i].name;
    values.push_back(to.expressions.field(row, to.cursor, i, record.fields[i].type));
  }
  std::optional<Value> key;
  if (sink.key) {
    to.expressions.subject = "key";
    if (is_written_as_text(sink.key->type)) {
      compiler::Expr text;
      text.op = compiler::Op::Cast;
      text.type = compiler::type_of(TypeKind::String);
      text.type.optional = sink.key->type.optional;
      text.args = {*sink.key};
      key = to.expressions.eval(row, to.cursor, text);
    } else {
      key = to.expressions.eval(row, to.cursor, *sink.key);
    }
  }
  llvm::Value* time =
      to.cursor.time ? to.cursor.time : static_cast<llvm::Value*>(emit.i64(uint64_t(kNoEventTime)));
  emit.call("weir_output_begin", {output, time});
  if (key) {
    auto write = [&] {
      write_key(to, output, *key, encoder);
      emit.call("weir_output_key_done", {output});
    };
    key->present ? emit.if_(key->present, "key", write) : write();
  }
  encoder.row(emit, output, record, values);
  emit.call("weir_output_end", {output});
  emit.ir.CreateStore(
      emit.ir.CreateAdd(emit.ir.CreateLoad(emit.ir.getInt64Ty(), to.rows_out), emit.i64(1)),
      to.rows_out);
}

}  // namespace weir::codegen
