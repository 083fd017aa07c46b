#include "codegen/cursors/cursor.h"

#include "codegen/key.h"
#include "codegen/stage.h"

namespace weir::codegen {

using compiler::TimeUnit;
using compiler::Type;

namespace {

// The row of a keyed operator is [window_start, window_end] keys…, aggregates…; of one that keeps
// rows all are aggregates.
class FiredCursor final : public Cursor {
 public:
  FiredCursor(const compiler::Graph& graph, const compiler::KeyedNode& keyed)
      : keyed_(keyed), layout_(state_layout(graph.types, keyed)) {}

  void prologue(Emit& emit, llvm::Value* batch) override {
    fired_ = emit.load(emit.ptr(), batch, offsetof(WeirBatch, fired), "fired");
  }

  void row(Emit& emit, Expressions& expressions, llvm::Value* index, llvm::BasicBlock*) override {
    llvm::IRBuilder<>& ir = emit.ir;
    emit_ = &emit;
    expressions_ = &expressions;
    group_ = emit.at(
        fired_, ir.CreateMul(ir.CreateZExt(index, ir.getInt64Ty()), emit.i64(sizeof(WeirFired))),
        "group");
    accumulator_ = emit.load(emit.ptr(), group_, offsetof(WeirFired, accumulator), "accumulator");
    time = emit.load(ir.getInt64Ty(), group_, offsetof(WeirFired, event_time), "event_time");
    if (keyed_.rows && keyed_.rows->scan)
      kept = emit.load(emit.ptr(), group_, offsetof(WeirFired, state), "kept");
    if (keyed_.rows) return;  // their keys are fields, if anything
    std::vector<Type> types;
    for (auto& key : keyed_.keys) types.push_back(key.value.type);
    keys_ = read_key(emit, types, emit.load(emit.ptr(), group_, offsetof(WeirFired, key), "key"),
                     emit.load(ir.getInt64Ty(), group_, offsetof(WeirFired, key_size), "key.size"));
  }

  Value path(const std::vector<uint32_t>& fields, bool presence_only) override {
    uint32_t i = fields[0];
    if (keyed_.rows) return aggregate(i);
    uint32_t bounds = keyed_.window ? 2 : 0;
    if (i < bounds) return window_bound(i == 1);
    if (i - bounds < keyed_.keys.size()) return key_field(i - bounds);
    return aggregate(i - bounds - uint32_t(keyed_.keys.size()));
  }

  Value event_time() override {
    return {time, nullptr, nullptr, compiler::timestamp_type(TimeUnit::Micro)};
  }
  Value key_field(uint32_t index) override { return keys_[index]; }
  Value window_bound(bool end) override {
    uint64_t offset = end ? offsetof(WeirFired, window_end) : offsetof(WeirFired, window_start);
    return {
        emit_->load(emit_->ir.getInt64Ty(), group_, offset, end ? "window_end" : "window_start"),
        nullptr, nullptr, compiler::timestamp_type(TimeUnit::Micro)};
  }
  Value state(uint32_t index) override {
    bool of_key = kept && index >= keyed_.rows->scan->state_begin;
    return emit_->load_value(keyed_.state[index].type, of_key ? kept : accumulator_,
                             layout_.slots[index], keyed_.state[index].name.c_str());
  }

 private:
  // What went wrong in a group's updates is found where its result is used.
  Value aggregate(uint32_t index) {
    Memo::Key key{this, index};
    if (const Value* known = expressions_->memo.find(key)) return *known;
    const compiler::AggregateUse& use = keyed_.aggregates[index];
    llvm::Value* error = emit_->load(emit_->ir.getInt32Ty(), accumulator_,
                                     offsetof(WeirGroupHeader, error), "group.error");
    emit_->fail_unless_ok(error, use.name + ": " + use.function);
    std::string outer = expressions_->subject;
    expressions_->subject = use.name;
    Value value = expressions_->eval(RowShape{}, *this, use.finish);
    expressions_->subject = outer;
    expressions_->memo.add(key, value);
    return value;
  }

  const compiler::KeyedNode& keyed_;
  compiler::Layout layout_;
  Emit* emit_ = nullptr;
  Expressions* expressions_ = nullptr;
  llvm::Value* fired_ = nullptr;
  llvm::Value* group_ = nullptr;
  llvm::Value* accumulator_ = nullptr;
  std::vector<Value> keys_;
};

}  // namespace

std::unique_ptr<Cursor> fired_cursor(const compiler::Graph& graph,
                                     const compiler::KeyedNode& keyed) {
  return std::make_unique<FiredCursor>(graph, keyed);
}

}  // namespace weir::codegen
