// Decoding JSON: the keys of an object, specialised to the fields that are used. First, in a
// straight line, as long as they come in the schema's order; the rest in a loop:
//
//     steps: what stood between the values the last time (stdlib/engine/json_order.h)
//
//     next:   if the text at p is the step's          → its action          (one masked comparison)
//             else look the key up (weir_json_key)    → the key's action
//             (a record in no order: the next value that weir_json_flat has found)
//     switch (action)
//       a used field:         read the value by its kernel; a bad one sets its bit in `bad`  → next
//       one with used fields: the same loop, inside                                         → next
//       another key:          find the end of its value                                     → next
//       the end:              what was not `seen` is missing
//
// Between two keys, as soon as the fields of a condition are known, it is tested (json_early.cpp).
// Values live in locals that become registers. Every key with used fields is a JsonNode: a tree, as
// the objects are. json_keys.cpp goes from key to key, json_values.cpp reads values.
#include "codegen/formats/json_decoder.h"

#include "stdlib/engine/json_text.h"

namespace weir::codegen {

JsonDecoder::JsonDecoder(const DecoderRequest& request)
    : source_(request.source), used_(request.used), tree_(request) {}

bool JsonDecoder::supported() const {
  for (const JsonNode& node : tree_.nodes) {
    if (node.field && node.field->initial &&
        std::holds_alternative<compiler::Constant::List>(node.field->initial->value))
      return false;
  }
  return tree_.learned_bytes <= kLearnedBytes;
}

// Of the bits that are `numbers`, those in this word.
static uint64_t mask_of(const std::vector<uint32_t>& numbers, size_t word) {
  uint64_t mask = 0;
  for (uint32_t number : numbers) mask |= number / 64 == word ? 1ull << number % 64 : 0;
  return mask;
}

void JsonDecoder::prologue(Emit& emit) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* learned = emit.load(emit.ptr(), emit.stage, offsetof(WeirStage, learned), "learned");
  for (JsonNode& node : tree_.nodes) {
    if (node.parent) {
      llvm::Type* type = emit.type(node.type);
      node.value =
          emit.local(type->isIntegerTy(1) ? ir.getInt8Ty() : type, node.field->name.c_str());
      if (has_size(node.type)) node.size = emit.local(ir.getInt64Ty(), "size");
      if (node.type.optional) node.present = emit.local(ir.getInt8Ty(), "present");
    }
    if (!node.by_parts) continue;
    node.order = emit.at(learned, node.order_offset, "order");
    std::vector<std::string> names;
    for (JsonNode* child : node.children) names.push_back(child->field->wire_name);
    node.keys = json_global(
        emit,
        llvm::ConstantStruct::getAnon({json_texts(emit, names, "json.names"),
                                       emit.i32(uint32_t(names.size())), emit.i32(node.steps_max)}),
        "json.keys");
  }
  for (size_t word = 0; word <= (tree_.nodes.size() - 1) / 64; word++) {
    seen_.push_back(emit.local(ir.getInt64Ty(), "seen"));
    bad_.push_back(emit.local(ir.getInt64Ty(), "bad"));
  }
  reasons_ = emit.local_bytes(4 * tree_.nodes.size(), "reasons");
  positions_ = emit.local_bytes(4 * tree_.nodes.size(), "positions");
  p_ = emit.local(emit.ptr(), "p");
  length_ = emit.local(emit.ptr(), "length");
  missed_ = emit.local(ir.getInt8Ty(), "missed");
  flat_at_ = emit.local(ir.getInt32Ty(), "flat_at");
  flat_values_ = emit.local_bytes(8 * (tree_.root().children.size() + 2), "flat_values", 8);
  passed_ = emit.local(ir.getInt32Ty(), "passed");
  dropped_ = emit.local(ir.getInt8Ty(), "dropped");
  reason_ = emit.local(ir.getInt32Ty(), "reason");
  detail_ = emit.local_bytes(sizeof(WeirBytes), "detail");
}

DecodedRecord JsonDecoder::record(Emit& emit, llvm::Value* data, llvm::Value* size,
                                  const EarlyTest& test) {
  llvm::IRBuilder<>& ir = emit.ir;
  begin_ = emit.call("weir_json_begin", {emit.arena, data, size}, "begin");
  end_ = emit.at(begin_, size, "end");
  ir.CreateStore(begin_, p_);
  ir.CreateStore(emit.i8(0), missed_);
  for (llvm::Value* word : seen_) ir.CreateStore(emit.i64(0), word);
  for (llvm::Value* word : bad_) ir.CreateStore(emit.i64(0), word);
  for (JsonNode& node : tree_.nodes) reset(emit, node);
  test_ = &test;
  ir.CreateStore(emit.i32(0), passed_);
  ir.CreateStore(emit.i8(0), dropped_);

  if (source_.validation == compiler::Validation::Strict) {
    llvm::Value* place = emit.call("weir_json_strict", {begin_, end_}, "place");
    emit.if_unlikely(ir.CreateNot(is_null(emit, place)), "strict", [&] {
      llvm::Value* reason = emit.call("weir_json_explain_strict",
                                      {emit.arena, begin_, end_, place, detail_}, "reason");
      emit.fail(
          {reason, emit.load(emit.ptr(), detail_, 0), emit.load(ir.getInt64Ty(), detail_, 8)});
    });
  }
  malformed_ = emit.block("json.malformed");
  done_ = emit.block("json.done");
  object(emit, tree_.root(), true);
  finish(emit);

  emit.enter(malformed_);
  llvm::Value* reason =
      emit.call("weir_json_explain", {emit.arena, begin_, end_, detail_}, "reason");
  emit.fail({reason, emit.load(emit.ptr(), detail_, 0), emit.load(ir.getInt64Ty(), detail_, 8)});

  emit.enter(done_);
  DecodedRecord record;
  for (uint32_t i = 0; i < used_.size(); i++) record.fields.push_back(decoded(emit, i));
  if (!tree_.tests.empty()) {
    record.dropped =
        ir.CreateICmpNE(ir.CreateLoad(ir.getInt8Ty(), dropped_), emit.i8(0), "dropped");
    record.passed = ir.CreateICmpEQ(ir.CreateLoad(ir.getInt32Ty(), passed_),
                                    emit.i32(uint32_t(tree_.tests.size())), "passed");
  }
  return record;
}

// The first of the objects around it that failed is the reason, else the field itself.
Failure JsonDecoder::why(Emit& emit, uint32_t path) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* number = emit.i64(tree_.leaves[path]->number);
  llvm::Value* was_seen = bit(emit, seen_, *tree_.leaves[path]);
  for (JsonNode* node = tree_.leaves[path]->parent; node && node->parent; node = node->parent) {
    llvm::Value* failed = bit(emit, bad_, *node);
    number = ir.CreateSelect(failed, emit.i64(node->number), number);
    was_seen = ir.CreateSelect(failed, bit(emit, seen_, *node), was_seen);
  }
  llvm::Value* at = ir.CreateMul(number, emit.i64(4));
  llvm::Value* reason =
      ir.CreateSelect(was_seen, emit.load(ir.getInt32Ty(), emit.at(reasons_, at), 0),
                      emit.i32(kReasonMissingField));
  llvm::Value* position = ir.CreateSelect(
      was_seen, emit.load(ir.getInt32Ty(), emit.at(positions_, at), 0), emit.i32(~0u));
  llvm::Value* name = emit.at(node_names(emit), ir.CreateMul(number, emit.i64(sizeof(WeirBytes))));
  emit.call("weir_json_detail", {emit.arena, name, reason_names(emit), reason, position, detail_});
  return {reason, emit.load(emit.ptr(), detail_, 0), emit.load(ir.getInt64Ty(), detail_, 8)};
}

// Behind the record nothing may stand but white space.
void JsonDecoder::finish(Emit& emit) {
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Value* p = ir.CreateLoad(emit.ptr(), p_);
  emit.if_unlikely(ir.CreateICmpNE(p, end_), "trailing", [&] {
    llvm::BasicBlock* clean = emit.block("trailing.space");
    llvm::Value* behind = emit.call("weir_json_space", {p, end_});
    emit.branch(ir.CreateICmpEQ(behind, end_), clean, malformed_);
    emit.enter(clean);
  });
  llvm::Value* missed = ir.CreateZExt(ir.CreateLoad(ir.getInt8Ty(), missed_), ir.getInt64Ty());
  emit.if_unlikely(ir.CreateICmpNE(missed, emit.i64(0)), "slow", [&] {
    uint64_t counter = offsetof(WeirStage, counters) + offsetof(WeirCounters, json_slow);
    emit.store(ir.CreateAdd(emit.load(ir.getInt64Ty(), emit.stage, counter), emit.i64(1)),
               emit.stage, counter);
  });
  emit.jump(done_);
}

llvm::Value* JsonDecoder::bit(Emit& emit, const std::vector<llvm::Value*>& words,
                              const JsonNode& node) {
  llvm::Value* word = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[node.number / 64]);
  return emit.ir.CreateICmpNE(emit.ir.CreateAnd(word, emit.i64(1ull << node.number % 64)),
                              emit.i64(0));
}

llvm::Value* JsonDecoder::all_of(Emit& emit, const std::vector<llvm::Value*>& words,
                                 const std::vector<uint32_t>& numbers) {
  llvm::Value* all = emit.i1(true);
  for (size_t word = 0; word < words.size(); word++) {
    uint64_t mask = mask_of(numbers, word);
    if (mask == 0) continue;
    llvm::Value* bits = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[word]);
    bits = emit.ir.CreateAnd(bits, emit.i64(mask));
    all = emit.ir.CreateAnd(all, emit.ir.CreateICmpEQ(bits, emit.i64(mask)));
  }
  return all;
}

llvm::Value* JsonDecoder::any_of(Emit& emit, const std::vector<llvm::Value*>& words,
                                 const std::vector<uint32_t>& numbers) {
  llvm::Value* any = emit.i1(false);
  for (size_t word = 0; word < words.size(); word++) {
    uint64_t mask = mask_of(numbers, word);
    if (mask == 0) continue;
    llvm::Value* bits = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[word]);
    bits = emit.ir.CreateAnd(bits, emit.i64(mask));
    any = emit.ir.CreateOr(any, emit.ir.CreateICmpNE(bits, emit.i64(0)));
  }
  return any;
}

void JsonDecoder::mark(Emit& emit, const std::vector<llvm::Value*>& words,
                       const std::vector<uint32_t>& numbers) {
  for (size_t word = 0; word < words.size(); word++) {
    uint64_t mask = mask_of(numbers, word);
    if (mask == 0) continue;
    llvm::Value* old = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[word]);
    emit.ir.CreateStore(emit.ir.CreateOr(old, emit.i64(mask)), words[word]);
  }
}

llvm::Constant* JsonDecoder::node_names(Emit& emit) {
  if (!node_names_) {
    std::vector<std::string> names;
    for (const JsonNode& node : tree_.nodes) names.push_back(node.name);
    node_names_ = json_texts(emit, names, "json.nodes");
  }
  return node_names_;
}

llvm::Constant* JsonDecoder::reason_names(Emit& emit) {
  if (!reason_names_) {
    std::vector<std::string> names;
#define REASON(number, name, text) names.resize(number - 7000 + 1), names.back() = #name;
#include "runtime/contract/reason.def"
#undef REASON
    reason_names_ = json_texts(emit, names, "json.reasons");
  }
  return reason_names_;
}

std::unique_ptr<Decoder> make_json_decoder(const DecoderRequest& request) {
  auto decoder = std::make_unique<JsonDecoder>(request);
  if (!decoder->supported()) return nullptr;
  return decoder;
}

}  // namespace weir::codegen
