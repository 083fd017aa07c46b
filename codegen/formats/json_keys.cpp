// JSON: from key to key of an object, in the order that is expected or in any.
#include <algorithm>

#include "codegen/formats/json_decoder.h"

namespace weir::codegen {

// Begins at the object's brace, ends behind the other one, in an open block. `straight`: by the
// keys of the schema in their order first.
void JsonDecoder::object(Emit& emit, JsonNode& node, bool straight) {
  llvm::IRBuilder<>& ir = emit.ir;
  std::string prefix = node.parent ? node.name : "json";
  Walk walk{};
  walk.steps = emit.at(node.order, weir_json_steps_offset(uint32_t(node.children.size())), "steps");
  walk.step_at = emit.local(emit.ptr(), "step");
  walk.action_at = emit.local(ir.getInt32Ty(), "action");
  walk.begin = ir.CreateLoad(emit.ptr(), p_);
  walk.next = emit.block(prefix + ".next");
  walk.end = emit.block(prefix + ".end");
  ir.CreateStore(walk.steps, walk.step_at);
  bool is_tested = !node.parent && !tree_.tests.empty();
  if (is_tested) {
    between_ = emit.block("json.between");
    drop_ = emit.block("json.drop");
  }
  try_flat(emit, node, walk);
  if (straight) straight_keys(emit, node, walk);
  loop_over_keys(emit, node, walk);
  if (is_tested) tests_between(emit, walk.next);
  emit.enter(walk.end);
  missing(emit, node);
}

// One key after the other, whatever they are.
void JsonDecoder::loop_over_keys(Emit& emit, JsonNode& node, const Walk& walk) {
  llvm::IRBuilder<>& ir = emit.ir;
  std::string prefix = node.parent ? node.name : "json";
  llvm::BasicBlock* expected = emit.block(prefix + ".expected");
  llvm::BasicBlock* other = emit.block(prefix + ".other");
  llvm::BasicBlock* found = emit.block(prefix + ".found");
  llvm::BasicBlock* act = emit.block(prefix + ".act");
  llvm::BasicBlock* skip = emit.block(prefix + ".skip");

  emit.enter(walk.next);
  llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
  llvm::Value* step = ir.CreateLoad(emit.ptr(), walk.step_at, "step");
  llvm::Value* matches = emit.call("weir_json_step", {p, end_, step}, "matches");
  ir.CreateCondBr(matches, expected, other);

  emit.enter(expected);
  llvm::Value* size = ir.CreateZExt(emit.load(ir.getInt32Ty(), step, offsetof(WeirJsonStep, size)),
                                    ir.getInt64Ty());
  ir.CreateStore(emit.at(p, size), p_);
  ir.CreateStore(emit.load(ir.getInt32Ty(), step, offsetof(WeirJsonStep, action)), walk.action_at);
  ir.CreateStore(emit.at(step, offsetof(WeirJsonStep, length)), length_);
  ir.CreateStore(emit.at(step, sizeof(WeirJsonStep)), walk.step_at);
  emit.jump(act);

  emit.enter(other);
  ir.CreateStore(emit.at(node.order, offsetof(WeirJsonOrder, length)), length_);
  take_flat(emit, node, walk, act);
  ir.CreateStore(emit.i8(1), missed_);
  llvm::Value* key =
      emit.call("weir_json_key", {node.order, node.keys, p, walk.begin, end_, step}, "key");
  llvm::Value* value = ir.CreateExtractValue(key, 0);
  emit.branch_unlikely(is_null(emit, value), malformed_, found);
  emit.enter(found);
  llvm::Value* rest = ir.CreateExtractValue(key, 1);  // action and next step in one register
  ir.CreateStore(value, p_);
  ir.CreateStore(ir.CreateTrunc(rest, ir.getInt32Ty()), walk.action_at);
  llvm::Value* place = ir.CreateMul(ir.CreateLShr(rest, 32), emit.i64(sizeof(WeirJsonStep)));
  ir.CreateStore(emit.at(walk.steps, place), walk.step_at);
  emit.jump(act);

  emit.enter(act);
  auto keys = unsigned(node.children.size());
  llvm::SwitchInst* actions =
      ir.CreateSwitch(ir.CreateLoad(ir.getInt32Ty(), walk.action_at, "action"), skip, keys + 1);
  actions->addCase(ir.getInt32(kJsonEnd), walk.end);
  for (uint32_t i = 0; i < keys; i++) {
    JsonNode& child = *node.children[i];
    llvm::BasicBlock* read = emit.block(child.name);
    actions->addCase(ir.getInt32(i + 1), read);
    emit.enter(read);
    // Of a key that stands twice the first counts; a dropped record has seen what it does without.
    llvm::BasicBlock* first = emit.block(child.name + ".first");
    emit.branch_unlikely(bit(emit, seen_, child), skip, first);
    emit.enter(first);
    mark(emit, seen_, {child.number});
    llvm::BasicBlock* behind = is_tested(child) ? between_ : walk.next;
    value_of(emit, child, false, behind);
    if (emit.open()) stop_early(emit, behind);
  }

  emit.enter(skip);
  skip_value(emit, prefix);
  emit.jump(walk.next);
}

// The way of records that have the schema's keys in the schema's order, written as compact as
// can be: one comparison with a constant for each key, no loop. Where a key is not the next one,
// the loop goes on behind as many steps as there were keys. An order that was learned holds for
// all other records.
void JsonDecoder::straight_keys(Emit& emit, JsonNode& node, const Walk& walk) {
  llvm::IRBuilder<>& ir = emit.ir;
  std::string prefix = node.parent ? node.name : "json";
  uint32_t taken = 0;
  const std::vector<compiler::Field>& fields = tree_.record_of(node).fields;
  for (size_t i = 0; i < fields.size(); i++) {
    const compiler::Field& field = fields[i];
    std::string text = (taken == 0 ? "{" : ",") + json_written_key(field.wire_name);
    if (taken == node.steps_max || text.size() > kJsonStepText) break;
    llvm::Value* step = emit.at(walk.steps, taken * sizeof(WeirJsonStep));
    ir.CreateStore(step, walk.step_at);
    llvm::BasicBlock* here = emit.block(prefix + ".straight." + field.name);
    llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
    std::string padded = text;
    padded.resize(text.size() <= 32 ? 32 : kJsonStepText);
    emit.branch(emit.call("weir_json_text",
                          {p, end_, emit.text(padded), emit.i32(uint32_t(text.size()))}, "is"),
                here, walk.next);
    emit.enter(here);
    ir.CreateStore(emit.at(p, text.size()), p_);
    ir.CreateStore(emit.at(step, offsetof(WeirJsonStep, length)), length_);
    taken++;
    ir.CreateStore(emit.at(walk.steps, taken * sizeof(WeirJsonStep)), walk.step_at);
    llvm::BasicBlock* behind = emit.block(prefix + ".behind." + field.name);
    auto child = std::find_if(node.children.begin(), node.children.end(),
                              [&](const JsonNode* c) { return c->field == &field; });
    if (child == node.children.end()) {
      skip_value(emit, prefix + "." + field.name);
    } else {
      mark(emit, seen_, {(*child)->number});
      value_of(emit, **child, true, behind);
      if (emit.open()) stop_early(emit, behind);
    }
    emit.enter(behind);
    if (!node.parent) tests_behind(emit, i);
  }
  llvm::BasicBlock* closed = emit.block(prefix + ".closed");
  llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
  llvm::Value* closes = ir.CreateAnd(ir.CreateICmpEQ(emit.load(ir.getInt8Ty(), p, 0), emit.i8('}')),
                                     ir.CreateICmpULT(p, end_), "closes");
  emit.branch(closes, closed, walk.next);
  emit.enter(closed);
  ir.CreateStore(emit.at(p, 1), p_);
  emit.jump(walk.end);
}

// p goes behind a value that nobody reads.
void JsonDecoder::skip_value(Emit& emit, const std::string& name) {
  llvm::Value* value = emit.ir.CreateLoad(emit.ptr(), p_);
  llvm::Value* behind = emit.call("weir_json_skip", {value, end_}, "behind");
  llvm::BasicBlock* closed = emit.block(name + ".skipped");
  emit.branch_unlikely(is_null(emit, behind), malformed_, closed);
  emit.enter(closed);
  go_behind(emit, value, behind);
}

// Where orders don't hold, the record's values are found all at once. Then no step matches, and
// take_flat goes on.
void JsonDecoder::try_flat(Emit& emit, JsonNode& node, const Walk& walk) {
  llvm::IRBuilder<>& ir = emit.ir;
  auto keys = uint32_t(node.children.size());
  if (node.parent || keys == 0) return;
  ir.CreateStore(emit.i32(0), flat_at_);
  emit.if_unlikely(emit.call("weir_json_unordered", {node.order}), "unordered", [&] {
    ir.CreateMemSet(flat_values_, emit.i8(0), 8 * (keys + 2), llvm::MaybeAlign(8));
    llvm::Value* flat =
        emit.call("weir_json_flat", {node.order, node.keys, begin_, end_, flat_values_}, "flat");
    emit.if_(flat, "flat", [&] {
      ir.CreateStore(emit.i32(1), flat_at_);
      ir.CreateStore(emit.i8(1), missed_);
      // The last step is always one of zeros.
      uint64_t last = weir_json_steps_offset(keys) + node.steps_max * sizeof(WeirJsonStep);
      ir.CreateStore(emit.at(node.order, last), walk.step_at);
      emit.jump(walk.next);
    });
  });
}

// No step matched: the next value that was found, if values were; else the code behind goes on.
// `flat_at_` is the place to look at.
void JsonDecoder::take_flat(Emit& emit, JsonNode& node, const Walk& walk, llvm::BasicBlock* act) {
  llvm::IRBuilder<>& ir = emit.ir;
  if (node.parent || node.children.empty()) return;
  llvm::BasicBlock* take = emit.block("json.flat");
  llvm::BasicBlock* miss = emit.block("json.miss");
  llvm::Value* at = ir.CreateLoad(ir.getInt32Ty(), flat_at_, "flat_at");
  emit.branch(ir.CreateICmpNE(at, emit.i32(0)), take, miss);
  emit.enter(take);
  llvm::Value* found = emit.call("weir_json_flat_next", {node.keys, flat_values_, at}, "found");
  llvm::Value* rest = ir.CreateExtractValue(found, 1);
  ir.CreateStore(ir.CreateExtractValue(found, 0), p_);
  ir.CreateStore(ir.CreateTrunc(rest, ir.getInt32Ty()), walk.action_at);
  ir.CreateStore(ir.CreateTrunc(ir.CreateLShr(rest, 32), ir.getInt32Ty()), flat_at_);
  emit.jump(act);
  emit.enter(miss);
}

// `projected`: behind the last value that is wanted nothing is looked at.
void JsonDecoder::stop_early(Emit& emit, llvm::BasicBlock* next) {
  if (source_.validation != compiler::Validation::Projected) return emit.jump(next);
  emit.branch(all_of(emit, seen_, tree_.root().descendants), done_, next);
}

// Behind an object: its required keys must have been seen.
void JsonDecoder::missing(Emit& emit, JsonNode& node) {
  std::vector<JsonNode*> required;
  std::vector<uint32_t> numbers;
  for (JsonNode* child : node.children) {
    if (!child->is_required()) continue;
    required.push_back(child);
    numbers.push_back(child->number);
  }
  if (required.empty()) return;
  emit.if_unlikely(emit.ir.CreateNot(all_of(emit, seen_, numbers)), "missing", [&] {
    for (JsonNode* child : required)
      emit.if_(emit.ir.CreateNot(bit(emit, seen_, *child)), "missing",
               [&] { spoil(emit, *child); });
  });
}

}  // namespace weir::codegen
