// Records, lists and maps: values in the stage's scratch memory, laid out by Layout.
#include "codegen/expr.h"
#include "codegen/key.h"

namespace weir::codegen {

using compiler::Expr;
using compiler::Layout;
using compiler::Op;
using compiler::Type;
using compiler::TypeKind;

static llvm::Value* scratch(Emit& emit, llvm::Value* bytes) {
  return emit.call("weir_arena_take", {emit.arena, bytes}, "scratch");
}

Value Expressions::make_record(Place place, const Expr& expr) {
  std::vector<Type> fields;
  for (auto& field : graph_.types.record(expr.type).fields) fields.push_back(field.type);
  Layout layout = compiler::layout_of(graph_.types, fields);
  std::vector<Value> values;
  for (const Expr& argument : expr.args) values.push_back(eval(place, argument));
  llvm::Value* memory = scratch(emit_, emit_.i64(std::max<uint32_t>(1, layout.size)));
  for (size_t i = 0; i < values.size(); i++) emit_.store_value(values[i], memory, layout.slots[i]);
  return {memory, nullptr, nullptr, expr.type};
}

// A map's arguments are its keys and values in turn.
Value Expressions::make_list(Place place, const Expr& expr) {
  std::vector<Type> fields{graph_.types.element(expr.type)};
  if (expr.type.is(TypeKind::Map))
    fields.insert(fields.begin(), compiler::type_of(TypeKind::String));
  Layout layout = compiler::layout_of(graph_.types, fields);
  std::vector<Value> values;
  for (const Expr& argument : expr.args) values.push_back(eval(place, argument));
  uint64_t count = values.size() / fields.size();
  llvm::Value* memory = scratch(emit_, emit_.i64(std::max<uint64_t>(1, layout.size * count)));
  for (size_t i = 0; i < values.size(); i++)
    emit_.store_value(values[i], emit_.at(memory, i / fields.size() * layout.size),
                      layout.slots[i % fields.size()]);
  return {memory, emit_.i64(count), nullptr, expr.type};
}

Value Expressions::index(const Expr& expr, const Value& container, const Value& at) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Type element = graph_.types.element(container.type);
  if (container.type.is(TypeKind::List)) {
    Layout layout = compiler::layout_of(graph_.types, {element});
    fail_if(ir.CreateICmpUGE(at.v, container.size), k_index_out_of_range);
    return emit_.load_value(element,
                            emit_.at(container.v, ir.CreateMul(at.v, emit_.i64(layout.size))),
                            layout.slots[0]);
  }
  // The first entry with the key; null if there is none.
  Type text = compiler::type_of(TypeKind::String);
  Layout layout = compiler::layout_of(graph_.types, {text, element});
  llvm::Value* found = emit_.local(emit_.ptr(), "found");
  ir.CreateStore(llvm::ConstantPointerNull::get(emit_.ptr()), found);
  llvm::BasicBlock* done = emit_.block("map.done");
  emit_.loop(container.size, "map", [&](llvm::Value* i) {
    llvm::Value* entry = emit_.at(container.v, ir.CreateMul(i, emit_.i64(layout.size)));
    llvm::Value* same = equal_values(emit_.load_value(text, entry, layout.slots[0]), at);
    llvm::BasicBlock* hit = emit_.block("map.hit");
    llvm::BasicBlock* next = emit_.block("map.next");
    emit_.branch(same, hit, next);
    emit_.enter(hit);
    ir.CreateStore(entry, found);
    emit_.jump(done);
    emit_.enter(next);
  });
  emit_.enter(done);
  llvm::Value* entry = ir.CreateLoad(emit_.ptr(), found);
  return emit_.choose(
      ir.CreateICmpNE(entry, llvm::ConstantPointerNull::get(emit_.ptr())), "map.value",
      [&] {
        Value value = emit_.load_value(element, entry, layout.slots[1]);
        if (!value.present) value.present = emit_.i1(true);
        value.type = expr.type;
        return value;
      },
      [&] { return emit_.null(expr.type); });
}

Value Expressions::key_bytes(Place place, const Expr& expr) {
  std::vector<Value> values;
  for (const Expr& argument : expr.args) values.push_back(eval(place, argument));
  return write_key(emit_, values);
}

// Of each key the last value. Texts stay where the keys lie.
Value Expressions::key_values(Place place, const Expr& expr) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Value keys = eval(place, expr.args[0]);
  std::vector<Type> types;
  for (size_t i = 1; i < expr.args.size(); i++) types.push_back(expr.args[i].type);
  Layout layout = compiler::layout_of(graph_.types, {graph_.types.element(expr.type)});
  llvm::Value* memory = scratch(emit_, ir.CreateMul(keys.size, emit_.i64(layout.size)));
  emit_.loop(keys.size, "values", [&](llvm::Value* i) {
    llvm::Value* key = emit_.at(keys.v, ir.CreateMul(i, emit_.i64(sizeof(WeirBytes))));
    std::vector<Value> values = read_key(emit_, types, emit_.load(emit_.ptr(), key, 0),
                                         emit_.load(ir.getInt64Ty(), key, 8));
    emit_.store_value(values.back(), emit_.at(memory, ir.CreateMul(i, emit_.i64(layout.size))),
                      layout.slots[0]);
  });
  return {memory, keys.size, nullptr, expr.type};
}

// args: the list, the body; the element is local `index`.
Value Expressions::lists(Place place, const Expr& expr) {
  llvm::IRBuilder<>& ir = emit_.ir;
  Value list = eval(place, expr.args[0]);
  Type element = graph_.types.element(list.type);
  Layout in = compiler::layout_of(graph_.types, {element});
  const Expr& body = expr.args[1];
  size_t mark = memo.mark();
  auto element_at = [&](llvm::Value* i) {
    return emit_.at(list.v, ir.CreateMul(i, emit_.i64(in.size)));
  };
  Value result{nullptr, nullptr, nullptr, expr.type};
  if (expr.op == Op::ListAny || expr.op == Op::ListAll) {
    bool any = expr.op == Op::ListAny;
    llvm::Value* answer = emit_.local(ir.getInt1Ty(), any ? "any" : "all");
    ir.CreateStore(emit_.i1(!any), answer);
    llvm::BasicBlock* done = emit_.block("list.done");
    emit_.loop(list.size, any ? "any" : "all", [&](llvm::Value* i) {
      locals_[expr.index] = emit_.load_value(element, element_at(i), in.slots[0]);
      llvm::Value* is_true = truth(place.row, place.leaves, body);
      llvm::BasicBlock* decided = emit_.block("list.decided");
      llvm::BasicBlock* next = emit_.block("list.next");
      emit_.branch(any ? is_true : ir.CreateNot(is_true), decided, next);
      emit_.enter(decided);
      ir.CreateStore(emit_.i1(any), answer);
      emit_.jump(done);
      emit_.enter(next);
    });
    emit_.enter(done);
    result.v = ir.CreateLoad(ir.getInt1Ty(), answer);
  } else {
    bool filters = expr.op == Op::ListFilter;
    Layout out = filters ? in : compiler::layout_of(graph_.types, {body.type});
    llvm::Value* bytes = ir.CreateMul(list.size, emit_.i64(out.size));
    result.v = scratch(emit_, bytes);
    llvm::Value* count = emit_.local(ir.getInt64Ty(), "count");
    ir.CreateStore(emit_.i64(0), count);
    emit_.loop(list.size, filters ? "filter" : "map", [&](llvm::Value* i) {
      Value item = emit_.load_value(element, element_at(i), in.slots[0]);
      locals_[expr.index] = item;
      llvm::Value* at = ir.CreateLoad(ir.getInt64Ty(), count);
      auto keep = [&](const Value& value) {
        emit_.store_value(value, emit_.at(result.v, ir.CreateMul(at, emit_.i64(out.size))),
                          out.slots[0]);
        ir.CreateStore(ir.CreateAdd(at, emit_.i64(1)), count);
      };
      if (filters) {
        emit_.if_(truth(place.row, place.leaves, body), "keep", [&] { keep(item); });
      } else {
        keep(eval(place, body));
      }
    });
    result.size = ir.CreateLoad(ir.getInt64Ty(), count);
  }
  memo.rewind(mark);
  return result;
}

}  // namespace weir::codegen
