#include "codegen/cursors/cursor.h"

namespace weir::codegen {

using compiler::TimeUnit;
using compiler::Type;
using compiler::TypeKind;

namespace {

// The years 1 to 9999, in microseconds.
constexpr int64_t kTimeMin = -62135596800000000;
constexpr int64_t kTimeMax = 253402300799999999;

// Beside the numbers of paths.
constexpr uint32_t kHeadersKey = ~0u;

class RecordsCursor final : public Cursor {
 public:
  RecordsCursor(const compiler::Graph& graph, const compiler::SourceNode& source,
                std::vector<UsedPath> used, EarlyConditions early, std::unique_ptr<Decoder> decoder)
      : graph_(graph),
        source_(source),
        used_(std::move(used)),
        early_(std::move(early)),
        decoder_(std::move(decoder)) {}

  void prologue(Emit& emit, llvm::Value* batch) override {
    batch_ = batch;
    records_ = emit.load(emit.ptr(), batch, offsetof(WeirBatch, records), "records");
    decoder_->prologue(emit);
  }

  void row(Emit& emit, Expressions& expressions, llvm::Value* index,
           llvm::BasicBlock* skip) override {
    llvm::IRBuilder<>& ir = emit.ir;
    emit_ = &emit;
    expressions_ = &expressions;
    record_ = emit.at(
        records_, ir.CreateMul(ir.CreateZExt(index, ir.getInt64Ty()), emit.i64(sizeof(WeirRecord))),
        "record");
    llvm::Value* data = emit.load(emit.ptr(), record_, offsetof(WeirRecord, value), "value");
    llvm::Value* is_null = ir.CreateICmpEQ(data, llvm::ConstantPointerNull::get(emit.ptr()));
    if (source_.null_value_skipped) {
      llvm::BasicBlock* there = emit.block("value.there");
      emit.branch_unlikely(is_null, skip, there);
      emit.enter(there);
    } else {
      emit.fail_if(is_null, k_null_value);
    }
    llvm::Value* size =
        ir.CreateZExt(emit.load(ir.getInt32Ty(), record_, offsetof(WeirRecord, value_size)),
                      ir.getInt64Ty(), "value.size");
    expressions.subject = "where";
    DecodedRecord record = decoder_->record(
        emit, data, size, [&](size_t test, const std::vector<DecodedField>& fields) {
          fields_ = fields;
          size_t mark = expressions.memo.mark();
          llvm::Value* is_true = expressions.truth(RowShape{}, *this, *early_.tests[test]);
          expressions.memo.rewind(mark);
          return is_true;
        });
    fields_ = std::move(record.fields);
    dropped = record.dropped;
    passed_ = record.passed;
    // Strict: every field has to be good, whether somebody uses it or not.
    for (uint32_t i = 0; i < fields_.size(); i++) {
      if (source_.validation == compiler::Validation::Strict) good(i);
    }
    if (source_.event_time) read_time();
  }

  Value path(const std::vector<uint32_t>& fields, bool presence_only) override {
    for (uint32_t i = 0; i < used_.size(); i++) {
      if (used_[i].fields == fields && (presence_only || !used_[i].presence_only)) return good(i);
    }
    return of_parts(fields);
  }

  llvm::Value* passed(const compiler::Expr& condition) const override {
    bool whole =
        std::find(early_.whole.begin(), early_.whole.end(), &condition) != early_.whole.end();
    return whole ? passed_ : nullptr;
  }

  Value event_time() override {
    return {time, nullptr, nullptr, compiler::timestamp_type(TimeUnit::Micro)};
  }

  Value meta(compiler::MetaField field) override {
    Emit& emit = *emit_;
    llvm::IRBuilder<>& ir = emit.ir;
    using compiler::MetaField;
    switch (field) {
      case MetaField::Topic:
        return {emit.load(emit.ptr(), batch_, offsetof(WeirBatch, topic), "topic"),
                emit.load(ir.getInt64Ty(), batch_, offsetof(WeirBatch, topic) + 8), nullptr,
                compiler::type_of(TypeKind::String)};
      case MetaField::Partition:
        return {emit.load(ir.getInt32Ty(), batch_, offsetof(WeirBatch, partition), "partition"),
                nullptr, nullptr, compiler::type_of(TypeKind::Int32)};
      case MetaField::Offset:
        return {emit.load(ir.getInt64Ty(), record_, offsetof(WeirRecord, offset), "offset"),
                nullptr, nullptr, compiler::type_of(TypeKind::Int64)};
      case MetaField::Timestamp:
        return {
            emit.load(ir.getInt64Ty(), record_, offsetof(WeirRecord, timestamp_ms), "timestamp"),
            nullptr, nullptr, compiler::timestamp_type(TimeUnit::Milli)};
      case MetaField::Key: {
        llvm::Value* data = emit.load(emit.ptr(), record_, offsetof(WeirRecord, key), "key");
        llvm::Value* size = ir.CreateZExt(
            emit.load(ir.getInt32Ty(), record_, offsetof(WeirRecord, key_size)), ir.getInt64Ty());
        return {data, size, ir.CreateICmpNE(data, llvm::ConstantPointerNull::get(emit.ptr())),
                compiler::type_of(TypeKind::Bytes).nullable()};
      }
      case MetaField::Headers:
        break;
    }
    return headers();
  }

 private:
  // The field's value; a bad one fails here, where it is used for the first time.
  Value good(uint32_t path) {
    Memo::Key key{this, path};
    if (const Value* known = expressions_->memo.find(key)) return *known;
    const DecodedField& field = fields_[path];
    if (field.bad)
      emit_->if_unlikely(field.bad, "bad", [&] { emit_->fail(decoder_->why(*emit_, path)); });
    expressions_->memo.add(key, field.value);
    return field.value;
  }

  // The log makes a map of them, when somebody asks.
  Value headers() {
    Memo::Key key{this, kHeadersKey};
    if (const Value* known = expressions_->memo.find(key)) return *known;
    Emit& emit = *emit_;
    llvm::IRBuilder<>& ir = emit.ir;
    Type type = compiler::type_of(TypeKind::Map);
    llvm::Value* list = emit.load(emit.ptr(), record_, offsetof(WeirRecord, headers), "headers");
    Value value = emit.choose(
        ir.CreateICmpNE(list, llvm::ConstantPointerNull::get(emit.ptr())), "headers",
        [&] {
          llvm::Value* entries = emit.load(emit.ptr(), list, offsetof(WeirHeaders, entries));
          auto* pair = llvm::StructType::get(emit.ptr(), ir.getInt64Ty());
          auto* prototype =
              llvm::FunctionType::get(pair, {emit.ptr(), emit.ptr(), emit.ptr()}, false);
          return emit.pair(ir.CreateCall(prototype, entries, {list, record_, emit.arena}), type);
        },
        [&] { return emit.zero(type); });
    expressions_->memo.add(key, value);
    return value;
  }

  // A record that used_paths has split, put together in the stage's memory.
  Value of_parts(const std::vector<uint32_t>& fields) {
    Type type = compiler::type_of(TypeKind::Record);
    type.ref = source_.record;
    for (uint32_t field : fields) type = graph_.types.record(type).fields[field].type;
    auto together = [&] {
      std::vector<Type> types;
      std::vector<Value> values;
      for (auto& field : graph_.types.record(type).fields) {
        std::vector<uint32_t> part = fields;
        part.push_back(uint32_t(types.size()));
        types.push_back(field.type);
        values.push_back(path(part, false));
      }
      compiler::Layout layout = compiler::layout_of(graph_.types, types);
      llvm::Value* memory =
          emit_->call("weir_arena_take",
                      {emit_->arena, emit_->i64(std::max<uint32_t>(1, layout.size))}, "record");
      for (size_t i = 0; i < values.size(); i++)
        emit_->store_value(values[i], memory, layout.slots[i]);
      return Value{memory, nullptr, nullptr, type.required()};
    };
    if (!type.optional) return together();
    llvm::Value* present = path(fields, true).present;
    Value value = emit_->choose(
        present, "record",
        [&] {
          size_t mark = expressions_->memo.mark();
          Value whole = together();
          expressions_->memo.rewind(mark);
          return whole;
        },
        [&] { return emit_->zero(type.required()); });
    value.present = present;
    value.type = type;
    return value;
  }

  void read_time() {
    llvm::IRBuilder<>& ir = emit_->ir;
    expressions_->subject = "event_time";
    RowShape row;
    Value value = expressions_->eval(row, *this, *source_.event_time);
    if (value.present)
      emit_->fail_if(ir.CreateNot(value.present), k_null_field, "event_time: null_field");
    int64_t per_micro = value.type.unit == TimeUnit::Nano ? 1000 : 1;
    int64_t per_unit = value.type.unit == TimeUnit::Milli ? 1000 : 1;
    llvm::Value* micros = value.v;
    if (per_micro > 1) {
      // Towards the past, also before 1970. Every int64 of nanoseconds lies inside the years.
      llvm::Value* negative = ir.CreateAShr(value.v, emit_->i64(63));
      micros =
          ir.CreateXor(ir.CreateSDiv(ir.CreateXor(value.v, negative), emit_->i64(1000)), negative);
    } else {
      int64_t least = kTimeMin / per_unit, most = (kTimeMax - per_unit + 1) / per_unit;
      llvm::Value* shifted = ir.CreateSub(value.v, emit_->i64(uint64_t(least)));
      emit_->fail_if(ir.CreateICmpUGT(shifted, emit_->i64(uint64_t(most - least))),
                     k_time_out_of_range, "event_time: time_out_of_range");
      if (per_unit > 1) micros = ir.CreateNSWMul(value.v, emit_->i64(uint64_t(per_unit)));
    }
    micros->setName("event_time");
    time = micros;
  }

  const compiler::Graph& graph_;
  const compiler::SourceNode& source_;
  std::vector<UsedPath> used_;
  EarlyConditions early_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<DecodedField> fields_;
  Emit* emit_ = nullptr;
  Expressions* expressions_ = nullptr;
  llvm::Value* batch_ = nullptr;
  llvm::Value* records_ = nullptr;
  llvm::Value* record_ = nullptr;
  llvm::Value* passed_ = nullptr;
};

}  // namespace

std::unique_ptr<Cursor> records_cursor(const compiler::Graph& graph,
                                       const compiler::SourceNode& source,
                                       std::vector<UsedPath> used, EarlyConditions early,
                                       std::unique_ptr<Decoder> decoder) {
  return std::make_unique<RecordsCursor>(graph, source, std::move(used), std::move(early),
                                         std::move(decoder));
}

}  // namespace weir::codegen
