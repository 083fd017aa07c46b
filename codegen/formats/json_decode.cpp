// Decoding JSON: the keys of an object, specialised to the fields that are used. First, in a
// straight line, as long as they come in the schema's order; the rest in a loop:
//
//     steps: what stood between the values the last time (stdlib/engine/json_order.h)
//
//     next:   if the text at p is the step's          → its action          (one masked comparison)
//             else look the key up (weir_json_key)    → the key's action
//             (a record in no order: the next value that weir_json_flat has found)
//     switch (action)
//       a used field:  read the value by its kernel; a bad one sets its bit in `bad`, and its
//       reason  → next an object with used fields: the same loop, inside → next another key:   find
//       the end of its value                                                     → next the end:
//       what was not `seen` is missing
//
// Values live in locals that become registers. Every key with used fields is a `Node`: a tree, as
// the objects are.
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "codegen/formats/format.h"
#include "codegen/formats/json_types.h"
#include "stdlib/engine/json_flat.h"
#include "stdlib/engine/json_text.h"

namespace weir::codegen {

using compiler::Type;
using compiler::TypeKind;

namespace {

// A key that is read, or (the root) the record.
struct Node {
  uint32_t number = 0;  // its bit in `seen` and `bad`, in the order of the fields
  std::string name;     // "user.address": for details
  const compiler::Field* field = nullptr;
  Type type;
  Node* parent = nullptr;
  std::vector<Node*> children;  // an object that is read by its parts; else the value is wanted
  std::vector<uint32_t> descendants;  // numbers

  // Locals: the value, as Value has it (bool and presence as bytes).
  llvm::Value* value = nullptr;
  llvm::Value* size = nullptr;
  llvm::Value* present = nullptr;

  // Objects: where its order lies in WeirStage::learned, its keys (WeirJsonKeys).
  uint64_t order_offset = 0;
  uint32_t steps_max = 0;
  llvm::Value* order = nullptr;
  llvm::Constant* keys = nullptr;
};

bool is_required(const Node& node) { return !node.field->type.optional && !node.field->initial; }

// The kernel that reads a value of this type the short way; null: weir_json_read does.
const char* kernel_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::Bool:
      return "weir_json_bool";
    case TypeKind::Int8:
      return "weir_json_int8";
    case TypeKind::Int16:
      return "weir_json_int16";
    case TypeKind::Int32:
      return "weir_json_int32";
    case TypeKind::Int64:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
      return "weir_json_int64";
    case TypeKind::UInt8:
      return "weir_json_uint8";
    case TypeKind::UInt16:
      return "weir_json_uint16";
    case TypeKind::UInt32:
      return "weir_json_uint32";
    case TypeKind::UInt64:
      return "weir_json_uint64";
    case TypeKind::Float32:
      return "weir_json_float32";
    case TypeKind::Float64:
      return "weir_json_float64";
    case TypeKind::Decimal:
      return type.is_wide_decimal() ? "weir_json_decimal128" : "weir_json_decimal64";
    case TypeKind::String:
      return "weir_json_string";
    case TypeKind::Enum:
      return "weir_json_enum";
    default:
      return nullptr;
  }
}

class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(const DecoderRequest& request)
      : types_(request.types), source_(request.source), used_(request.used) {
    nodes_.emplace_back();
    for (const UsedPath& path : used_) {
      Node* node = &nodes_.front();
      const compiler::RecordType* record = &types_.records[source_.record];
      for (uint32_t field : path.fields) {
        node = child(*node, record->fields[field]);
        if (node->type.is(TypeKind::Record)) record = &types_.record(node->type);
      }
      leaves_.push_back(node);
    }
    for (Node& node : nodes_) place_order(node);
  }

  // False: something in the request is not supported yet.
  bool supported() const {
    for (const Node& node : nodes_) {
      if (node.field && node.field->initial &&
          std::holds_alternative<compiler::Constant::List>(node.field->initial->value))
        return false;
    }
    return learned_bytes_ <= kLearnedBytes;
  }

  void prologue(Emit& emit) override {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::Value* learned =
        emit.load(emit.ptr(), emit.stage, offsetof(WeirStage, learned), "learned");
    for (Node& node : nodes_) {
      if (node.parent) {
        llvm::Type* type = emit.type(node.type);
        node.value =
            emit.local(type->isIntegerTy(1) ? ir.getInt8Ty() : type, node.field->name.c_str());
        if (has_size(node.type)) node.size = emit.local(ir.getInt64Ty(), "size");
        if (node.type.optional) node.present = emit.local(ir.getInt8Ty(), "present");
      }
      if (!reads_parts(node)) continue;
      node.order = emit.at(learned, node.order_offset, "order");
      std::vector<std::string> names;
      for (Node* child : node.children) names.push_back(child->field->wire_name);
      node.keys = json_global(emit,
                              llvm::ConstantStruct::getAnon({json_texts(emit, names, "json.names"),
                                                             emit.i32(uint32_t(names.size())),
                                                             emit.i32(node.steps_max)}),
                              "json.keys");
    }
    for (size_t word = 0; word <= (nodes_.size() - 1) / 64; word++) {
      seen_.push_back(emit.local(ir.getInt64Ty(), "seen"));
      bad_.push_back(emit.local(ir.getInt64Ty(), "bad"));
    }
    reasons_ = emit.local_bytes(4 * nodes_.size(), "reasons");
    positions_ = emit.local_bytes(4 * nodes_.size(), "positions");
    p_ = emit.local(emit.ptr(), "p");
    length_ = emit.local(emit.ptr(), "length");
    missed_ = emit.local(ir.getInt8Ty(), "missed");
    flat_at_ = emit.local(ir.getInt32Ty(), "flat_at");
    flat_values_ = emit.local_bytes(8 * (nodes_.front().children.size() + 2), "flat_values", 8);
    reason_ = emit.local(ir.getInt32Ty(), "reason");
    detail_ = emit.local_bytes(sizeof(WeirBytes), "detail");
  }

  std::vector<DecodedField> record(Emit& emit, llvm::Value* data, llvm::Value* size) override {
    llvm::IRBuilder<>& ir = emit.ir;
    begin_ = emit.call("weir_json_begin", {emit.arena, data, size}, "begin");
    end_ = emit.at(begin_, size, "end");
    ir.CreateStore(begin_, p_);
    ir.CreateStore(emit.i8(0), missed_);
    for (llvm::Value* word : seen_) ir.CreateStore(emit.i64(0), word);
    for (llvm::Value* word : bad_) ir.CreateStore(emit.i64(0), word);
    for (Node& node : nodes_) reset(emit, node);

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
    object(emit, nodes_.front(), true);
    finish(emit);

    emit.enter(malformed_);
    llvm::Value* reason =
        emit.call("weir_json_explain", {emit.arena, begin_, end_, detail_}, "reason");
    emit.fail({reason, emit.load(emit.ptr(), detail_, 0), emit.load(ir.getInt64Ty(), detail_, 8)});

    emit.enter(done_);
    std::vector<DecodedField> fields;
    for (size_t i = 0; i < used_.size(); i++)
      fields.push_back(decoded(emit, *leaves_[i], used_[i].presence_only));
    return fields;
  }

  // The first of the objects around it that failed is the reason, else the field itself.
  Failure why(Emit& emit, uint32_t path) override {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::Value* number = emit.i64(leaves_[path]->number);
    llvm::Value* was_seen = bit(emit, seen_, *leaves_[path]);
    for (Node* node = leaves_[path]->parent; node && node->parent; node = node->parent) {
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
    llvm::Value* name =
        emit.at(node_names(emit), ir.CreateMul(number, emit.i64(sizeof(WeirBytes))));
    emit.call("weir_json_detail",
              {emit.arena, name, reason_names(emit), reason, position, detail_});
    return {reason, emit.load(emit.ptr(), detail_, 0), emit.load(ir.getInt64Ty(), detail_, 8)};
  }

 private:
  Node* child(Node& parent, const compiler::Field& field) {
    for (Node* child : parent.children) {
      if (child->field == &field) return child;
    }
    nodes_.emplace_back();
    Node* node = &nodes_.back();
    node->number = uint32_t(nodes_.size() - 1);
    node->field = &field;
    node->type = field.type;
    node->parent = &parent;
    node->name = parent.parent ? parent.name + "." + field.name : field.name;
    parent.children.push_back(node);
    for (Node* above = &parent; above; above = above->parent)
      above->descendants.push_back(node->number);
    return node;
  }

  // Read by its parts: the root, and objects with used fields. A record of which only the presence
  // is asked for, too.
  bool reads_parts(const Node& node) const {
    if (!node.parent || !node.children.empty()) return true;
    for (size_t i = 0; i < used_.size(); i++) {
      if (leaves_[i] == &node && !used_[i].presence_only) return false;
    }
    return node.type.is(TypeKind::Record);
  }

  void place_order(Node& node) {
    if (!reads_parts(node)) return;
    size_t fields = record_of(node).fields.size();
    auto keys = uint32_t(node.children.size());
    node.steps_max = uint32_t(std::min<size_t>(64, fields + fields / 2 + 8));
    // Objects that come late in a wide schema do without an order: every key is looked up.
    if (learned_bytes_ + weir_json_order_bytes(keys, node.steps_max) > kLearnedBytes)
      node.steps_max = 0;
    node.order_offset = learned_bytes_;
    learned_bytes_ += (weir_json_order_bytes(keys, node.steps_max) + 63) & ~uint64_t{63};
  }

  // ---- the loop over an object's keys: begins at its brace, ends behind the other one, in an open
  // block

  // `straight`: by the keys of the schema in their order first.
  void object(Emit& emit, Node& node, bool straight) {
    llvm::IRBuilder<>& ir = emit.ir;
    auto keys = uint32_t(node.children.size());
    llvm::Value* steps = emit.at(node.order, weir_json_steps_offset(keys), "steps");
    llvm::Value* step_at = emit.local(emit.ptr(), "step");
    llvm::Value* action_at = emit.local(ir.getInt32Ty(), "action");
    llvm::Value* object_begin = ir.CreateLoad(emit.ptr(), p_);
    ir.CreateStore(steps, step_at);
    std::string prefix = node.parent ? node.name : "json";
    llvm::BasicBlock* next = emit.block(prefix + ".next");
    llvm::BasicBlock* expected = emit.block(prefix + ".expected");
    llvm::BasicBlock* other = emit.block(prefix + ".other");
    llvm::BasicBlock* found = emit.block(prefix + ".found");
    llvm::BasicBlock* act = emit.block(prefix + ".act");
    llvm::BasicBlock* skip = emit.block(prefix + ".skip");
    llvm::BasicBlock* end = emit.block(prefix + ".end");
    bool may_be_flat = !node.parent && keys > 0;
    if (may_be_flat) try_flat(emit, node, step_at, next);
    if (straight) straight_keys(emit, node, steps, step_at, next, end);

    emit.enter(next);
    llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
    llvm::Value* step = ir.CreateLoad(emit.ptr(), step_at, "step");
    llvm::Value* matches = emit.call("weir_json_step", {p, end_, step}, "matches");
    ir.CreateCondBr(matches, expected, other);

    emit.enter(expected);
    llvm::Value* size = ir.CreateZExt(
        emit.load(ir.getInt32Ty(), step, offsetof(WeirJsonStep, size)), ir.getInt64Ty());
    ir.CreateStore(emit.at(p, size), p_);
    ir.CreateStore(emit.load(ir.getInt32Ty(), step, offsetof(WeirJsonStep, action)), action_at);
    ir.CreateStore(emit.at(step, offsetof(WeirJsonStep, length)), length_);
    ir.CreateStore(emit.at(step, sizeof(WeirJsonStep)), step_at);
    emit.jump(act);

    emit.enter(other);
    ir.CreateStore(emit.at(node.order, offsetof(WeirJsonOrder, length)), length_);
    if (may_be_flat) take_flat(emit, node, action_at, act);
    ir.CreateStore(emit.i8(1), missed_);
    llvm::Value* key =
        emit.call("weir_json_key", {node.order, node.keys, p, object_begin, end_, step}, "key");
    llvm::Value* value = ir.CreateExtractValue(key, 0);
    emit.branch_unlikely(is_null(emit, value), malformed_, found);
    emit.enter(found);
    llvm::Value* rest = ir.CreateExtractValue(key, 1);  // action and next step in one register
    ir.CreateStore(value, p_);
    ir.CreateStore(ir.CreateTrunc(rest, ir.getInt32Ty()), action_at);
    llvm::Value* place = ir.CreateMul(ir.CreateLShr(rest, 32), emit.i64(sizeof(WeirJsonStep)));
    ir.CreateStore(emit.at(steps, place), step_at);
    emit.jump(act);

    emit.enter(act);
    llvm::SwitchInst* actions =
        ir.CreateSwitch(ir.CreateLoad(ir.getInt32Ty(), action_at, "action"), skip, keys + 1);
    actions->addCase(ir.getInt32(kJsonEnd), end);
    for (uint32_t i = 0; i < keys; i++) {
      Node& child = *node.children[i];
      llvm::BasicBlock* read = emit.block(child.name);
      actions->addCase(ir.getInt32(i + 1), read);
      emit.enter(read);
      // Of a key that stands twice the first counts.
      llvm::BasicBlock* first = emit.block(child.name + ".first");
      emit.branch_unlikely(bit(emit, seen_, child), skip, first);
      emit.enter(first);
      mark(emit, seen_, {child.number});
      value_of(emit, child, false, next);
      if (emit.open()) stop_early(emit, next);
    }

    emit.enter(skip);
    skip_value(emit, prefix);
    emit.jump(next);

    emit.enter(end);
    missing(emit, node);
  }

  // The way of records that have the schema's keys in the schema's order, written as compact as
  // can be: one comparison with a constant for each key, no loop. Where a key is not the next one,
  // the loop goes on behind as many steps as there were keys. An order that was learned holds for
  // all other records.
  void straight_keys(Emit& emit, Node& node, llvm::Value* steps, llvm::Value* step_at,
                     llvm::BasicBlock* next, llvm::BasicBlock* end) {
    llvm::IRBuilder<>& ir = emit.ir;
    std::string prefix = node.parent ? node.name : "json";
    uint32_t taken = 0;
    for (const compiler::Field& field : record_of(node).fields) {
      std::string text = (taken == 0 ? "{" : ",") + json_written_key(field.wire_name);
      if (taken == node.steps_max || text.size() > kJsonStepText) break;
      ir.CreateStore(emit.at(steps, taken * sizeof(WeirJsonStep)), step_at);
      llvm::BasicBlock* here = emit.block(prefix + ".straight." + field.name);
      llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
      std::string padded = text;
      padded.resize(text.size() <= 32 ? 32 : kJsonStepText);
      emit.branch(emit.call("weir_json_text",
                            {p, end_, emit.text(padded), emit.i32(uint32_t(text.size()))}, "is"),
                  here, next);
      emit.enter(here);
      ir.CreateStore(emit.at(p, text.size()), p_);
      ir.CreateStore(emit.at(steps, taken * sizeof(WeirJsonStep) + offsetof(WeirJsonStep, length)),
                     length_);
      taken++;
      ir.CreateStore(emit.at(steps, taken * sizeof(WeirJsonStep)), step_at);
      llvm::BasicBlock* behind = emit.block(prefix + ".behind." + field.name);
      auto child = std::find_if(node.children.begin(), node.children.end(),
                                [&](const Node* c) { return c->field == &field; });
      if (child == node.children.end()) {
        skip_value(emit, prefix + "." + field.name);
      } else {
        mark(emit, seen_, {(*child)->number});
        value_of(emit, **child, true, behind);
        if (emit.open()) stop_early(emit, behind);
      }
      emit.enter(behind);
    }
    llvm::BasicBlock* closed = emit.block(prefix + ".closed");
    llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
    llvm::Value* closes =
        ir.CreateAnd(ir.CreateICmpEQ(emit.load(ir.getInt8Ty(), p, 0), emit.i8('}')),
                     ir.CreateICmpULT(p, end_), "closes");
    emit.branch(closes, closed, next);
    emit.enter(closed);
    ir.CreateStore(emit.at(p, 1), p_);
    emit.jump(end);
  }

  // p goes behind a value that nobody reads.
  void skip_value(Emit& emit, const std::string& name) {
    llvm::Value* value = emit.ir.CreateLoad(emit.ptr(), p_);
    llvm::Value* behind = emit.call("weir_json_skip", {value, end_}, "behind");
    llvm::BasicBlock* closed = emit.block(name + ".skipped");
    emit.branch_unlikely(is_null(emit, behind), malformed_, closed);
    emit.enter(closed);
    go_behind(emit, value, behind);
  }

  const compiler::RecordType& record_of(const Node& node) const {
    return node.parent ? types_.record(node.type) : types_.records[source_.record];
  }

  // Where orders don't hold, the record's values are found all at once. Then no step matches, and
  // take_flat goes on.
  void try_flat(Emit& emit, Node& node, llvm::Value* step_at, llvm::BasicBlock* next) {
    llvm::IRBuilder<>& ir = emit.ir;
    auto keys = uint32_t(node.children.size());
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
        ir.CreateStore(emit.at(node.order, last), step_at);
        emit.jump(next);
      });
    });
  }

  // No step matched: the next value that was found, if values were; else the code behind goes on.
  // `flat_at_` is the place to look at.
  void take_flat(Emit& emit, Node& node, llvm::Value* action_at, llvm::BasicBlock* act) {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::BasicBlock* take = emit.block("json.flat");
    llvm::BasicBlock* miss = emit.block("json.miss");
    llvm::Value* at = ir.CreateLoad(ir.getInt32Ty(), flat_at_, "flat_at");
    emit.branch(ir.CreateICmpNE(at, emit.i32(0)), take, miss);
    emit.enter(take);
    llvm::Value* found = emit.call("weir_json_flat_next", {node.keys, flat_values_, at}, "found");
    llvm::Value* rest = ir.CreateExtractValue(found, 1);
    ir.CreateStore(ir.CreateExtractValue(found, 0), p_);
    ir.CreateStore(ir.CreateTrunc(rest, ir.getInt32Ty()), action_at);
    ir.CreateStore(ir.CreateTrunc(ir.CreateLShr(rest, 32), ir.getInt32Ty()), flat_at_);
    emit.jump(act);
    emit.enter(miss);
  }

  // `projected`: behind the last used field nothing is looked at.
  void stop_early(Emit& emit, llvm::BasicBlock* next) {
    if (source_.validation != compiler::Validation::Projected) return emit.jump(next);
    llvm::Value* all = emit.i1(true);
    for (size_t word = 0; word < seen_.size(); word++) {
      uint64_t mask = 0;
      for (const Node& node : nodes_) {
        if (node.parent && node.number / 64 == word) mask |= 1ull << node.number % 64;
      }
      llvm::Value* seen = emit.ir.CreateLoad(emit.ir.getInt64Ty(), seen_[word]);
      all = emit.ir.CreateAnd(all, emit.ir.CreateICmpEQ(seen, emit.i64(mask)));
    }
    emit.branch(all, done_, next);
  }

  // The value of a key, at p. Ends in an open block with p behind it; what fails goes to `next` on
  // its own.
  void value_of(Emit& emit, Node& node, bool straight, llvm::BasicBlock* next) {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::Value* p = ir.CreateLoad(emit.ptr(), p_, "p");
    if (node.type.optional) {
      llvm::BasicBlock* absent = emit.block(node.name + ".null");
      llvm::BasicBlock* there = emit.block(node.name + ".there");
      emit.branch(emit.call("weir_json_null", {p}), absent, there);
      emit.enter(absent);
      make_null(emit, node);
      ir.CreateStore(emit.at(p, 4), p_);
      emit.jump(next);
      emit.enter(there);
    }
    if (reads_parts(node)) {
      llvm::BasicBlock* open = emit.block(node.name + ".open");
      llvm::BasicBlock* look = emit.block(node.name + ".look");
      emit.branch_unlikely(ir.CreateICmpNE(emit.load(ir.getInt8Ty(), p, 0), emit.i8('{')), look,
                           open);
      emit.enter(look);
      llvm::Value* behind = emit.call("weir_json_open", {p, end_, reason_}, "behind");
      ir.CreateStore(behind, p_);
      llvm::Value* reason = ir.CreateLoad(ir.getInt32Ty(), reason_);
      llvm::BasicBlock* failed = emit.block(node.name + ".failed");
      emit.branch(ir.CreateICmpEQ(reason, emit.i32(0)), open, failed);
      emit.enter(failed);
      fail_value(emit, node, p, reason, next);
      emit.enter(open);
      if (node.present) ir.CreateStore(emit.i8(1), node.present);
      object(emit, node, straight);
      return;
    }
    llvm::Value* behind = nullptr;
    llvm::Value* size = nullptr;
    llvm::Value* value = read(emit, node, p, &behind, &size);
    llvm::Value* reason = ir.CreateLoad(ir.getInt32Ty(), last_reason_, "reason");
    ir.CreateStore(behind, p_);
    llvm::BasicBlock* failed = emit.block(node.name + ".failed");
    llvm::BasicBlock* good = emit.block(node.name + ".good");
    emit.branch_unlikely(ir.CreateICmpNE(reason, emit.i32(0)), failed, good);
    emit.enter(failed);
    fail_value(emit, node, p, reason, next);
    emit.enter(good);
    go_behind(emit, p, behind);
    ir.CreateStore(value, node.value);
    if (node.size) ir.CreateStore(size, node.size);
    if (node.present) ir.CreateStore(emit.i8(1), node.present);
  }

  // p goes from a value's beginning to behind it.
  void go_behind(Emit& emit, llvm::Value* value, llvm::Value* behind) {
    llvm::Value* length = emit.ir.CreateLoad(emit.ptr(), length_, "length");
    emit.ir.CreateStore(emit.call("weir_json_behind", {value, behind, length}), p_);
  }

  // Calls the kernel of the node's type. The reason is left in `last_reason_`.
  llvm::Value* read(Emit& emit, Node& node, llvm::Value* p, llvm::Value** behind,
                    llvm::Value** size) {
    llvm::IRBuilder<>& ir = emit.ir;
    const Type& type = node.type;
    llvm::Constant* described = json_types_.of(emit, type);
    llvm::Type* ir_type = emit.type(type)->isIntegerTy(1) ? ir.getInt8Ty() : emit.type(type);
    if (const char* kernel = kernel_of(type)) {
      // Locals of its own for each value: nothing else keeps them in memory.
      last_reason_ = emit.local(ir.getInt32Ty(), "reason");
      llvm::Value* out = has_size(type) ? emit.local_bytes(sizeof(WeirBytes), "text")
                                        : emit.local(ir_type, "value");
      std::vector<llvm::Value*> arguments = {p, end_, emit.arena, described, out, last_reason_};
      if (type.is(TypeKind::Decimal)) {
        arguments.push_back(emit.i32(type.precision));
        arguments.push_back(emit.i32(type.scale));
      }
      *behind = emit.call(kernel, arguments, "behind");
      if (has_size(type)) *size = emit.load(ir.getInt64Ty(), out, 8);
      return ir.CreateLoad(has_size(type) ? emit.ptr() : ir_type, out, node.field->name);
    }
    last_reason_ = reason_;
    llvm::Value* out;
    if (type.is(TypeKind::Record)) {
      // Aligned for decimals of 16 bytes.
      llvm::Value* room =
          emit.call("weir_arena_take",
                    {emit.arena, emit.i64(compiler::size_of(emit.types, type) + 8)}, "room");
      llvm::Value* address = ir.CreatePtrToInt(room, ir.getInt64Ty());
      out = emit.at(room, ir.CreateAnd(ir.CreateNeg(address), emit.i64(15)), node.field->name);
    } else {
      out = emit.local_bytes(16, "value");
    }
    *behind =
        emit.call("weir_json_read", {p, end_, emit.arena, described, out, last_reason_}, "behind");
    if (type.is(TypeKind::Record)) return out;
    if (has_size(type)) *size = emit.load(ir.getInt64Ty(), out, 8);
    return emit.load(ir_type, out, 0, node.field->name);
  }

  // Cold: there is no value, for `reason`. p is already behind it, or null.
  void fail_value(Emit& emit, Node& node, llvm::Value* at, llvm::Value* reason,
                  llvm::BasicBlock* next) {
    llvm::IRBuilder<>& ir = emit.ir;
    llvm::BasicBlock* judged = emit.block(node.name + ".judged");
    emit.branch_unlikely(is_null(emit, ir.CreateLoad(emit.ptr(), p_)), malformed_, judged);
    emit.enter(judged);
    llvm::Value* null = ir.CreateICmpEQ(reason, emit.i32(kJsonNull));
    if (node.type.optional) {
      llvm::BasicBlock* absent = emit.block(node.name + ".absent");
      llvm::BasicBlock* wrong = emit.block(node.name + ".wrong");
      emit.branch(null, absent, wrong);
      emit.enter(absent);
      make_null(emit, node);
      emit.jump(next);
      emit.enter(wrong);
    }
    reason = ir.CreateSelect(null, emit.i32(kReasonNullField), reason);
    emit.store(reason, reasons_, 4 * node.number);
    at = emit.call("weir_json_space", {at, end_});
    llvm::Value* position = ir.CreateSub(ir.CreatePtrToInt(at, ir.getInt64Ty()),
                                         ir.CreatePtrToInt(begin_, ir.getInt64Ty()));
    emit.store(ir.CreateTrunc(position, ir.getInt32Ty()), positions_, 4 * node.number);
    spoil(emit, node);
    emit.jump(next);
  }

  // The node has no value, and so nothing inside it has.
  void spoil(Emit& emit, Node& node) {
    std::vector<uint32_t> numbers = node.descendants;
    numbers.push_back(node.number);
    mark(emit, bad_, numbers);
  }

  // Behind an object: its required keys must have been seen.
  void missing(Emit& emit, Node& node) {
    llvm::IRBuilder<>& ir = emit.ir;
    std::vector<uint64_t> required(seen_.size());
    for (Node* child : node.children) {
      if (is_required(*child)) required[child->number / 64] |= 1ull << child->number % 64;
    }
    for (size_t word = 0; word < required.size(); word++) {
      if (required[word] == 0) continue;
      llvm::Value* seen = ir.CreateLoad(ir.getInt64Ty(), seen_[word]);
      llvm::Value* absent = ir.CreateAnd(ir.CreateNot(seen), emit.i64(required[word]), "absent");
      emit.if_unlikely(ir.CreateICmpNE(absent, emit.i64(0)), "missing", [&] {
        for (Node* child : node.children) {
          if (!is_required(*child) || child->number / 64 != word) continue;
          emit.if_(ir.CreateNot(bit(emit, seen_, *child)), "missing", [&] { spoil(emit, *child); });
        }
      });
    }
  }

  // Behind the record nothing may stand but white space.
  void finish(Emit& emit) {
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

  // ---- values

  // Before a record: what an absent key means.
  void reset(Emit& emit, Node& node) {
    llvm::IRBuilder<>& ir = emit.ir;
    if (!node.parent) return;
    bool has_default = node.field->initial && !node.field->initial->is_null();
    if (reads_parts(node)) has_default = false;
    Value value = has_default ? emit.constant(*node.field->initial, node.type.required())
                              : emit.zero(node.type.required());
    llvm::Value* v =
        node.type.is(TypeKind::Bool) ? ir.CreateZExt(value.v, ir.getInt8Ty()) : value.v;
    ir.CreateStore(v, node.value);
    if (node.size) ir.CreateStore(value.size, node.size);
    if (node.present) ir.CreateStore(emit.i8(has_default), node.present);
  }

  void make_null(Emit& emit, Node& node) {
    if (node.present) emit.ir.CreateStore(emit.i8(0), node.present);
  }

  DecodedField decoded(Emit& emit, Node& node, bool presence_only) {
    llvm::IRBuilder<>& ir = emit.ir;
    Value value{nullptr, nullptr, nullptr, node.type};
    if (!presence_only) {
      llvm::Type* type = emit.type(node.type);
      value.v =
          ir.CreateLoad(type->isIntegerTy(1) ? ir.getInt8Ty() : type, node.value, node.field->name);
      if (type->isIntegerTy(1)) value.v = ir.CreateTrunc(value.v, type);
      if (node.size)
        value.size = ir.CreateLoad(ir.getInt64Ty(), node.size, node.field->name + ".size");
    }
    if (node.present)
      value.present = ir.CreateICmpNE(ir.CreateLoad(ir.getInt8Ty(), node.present), emit.i8(0),
                                      node.field->name + ".present");
    return {value, bit(emit, bad_, node)};
  }

  llvm::Value* is_null(Emit& emit, llvm::Value* pointer) {
    return emit.ir.CreateICmpEQ(pointer, llvm::ConstantPointerNull::get(emit.ptr()));
  }
  llvm::Value* bit(Emit& emit, const std::vector<llvm::Value*>& words, const Node& node) {
    llvm::Value* word = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[node.number / 64]);
    return emit.ir.CreateICmpNE(emit.ir.CreateAnd(word, emit.i64(1ull << node.number % 64)),
                                emit.i64(0));
  }
  void mark(Emit& emit, const std::vector<llvm::Value*>& words,
            const std::vector<uint32_t>& numbers) {
    for (size_t word = 0; word < words.size(); word++) {
      uint64_t mask = 0;
      for (uint32_t number : numbers) mask |= number / 64 == word ? 1ull << number % 64 : 0;
      if (mask == 0) continue;
      llvm::Value* old = emit.ir.CreateLoad(emit.ir.getInt64Ty(), words[word]);
      emit.ir.CreateStore(emit.ir.CreateOr(old, emit.i64(mask)), words[word]);
    }
  }

  llvm::Constant* node_names(Emit& emit) {
    if (!node_names_) {
      std::vector<std::string> names;
      for (const Node& node : nodes_) names.push_back(node.name);
      node_names_ = json_texts(emit, names, "json.nodes");
    }
    return node_names_;
  }
  llvm::Constant* reason_names(Emit& emit) {
    if (!reason_names_) {
      std::vector<std::string> names;
#define REASON(number, name, text) names.resize(number - 7000 + 1), names.back() = #name;
#include "runtime/contract/reason.def"
#undef REASON
      reason_names_ = json_texts(emit, names, "json.reasons");
    }
    return reason_names_;
  }

  const compiler::Types& types_;
  const compiler::SourceNode& source_;
  std::vector<UsedPath> used_;
  std::deque<Node> nodes_;     // the first is the root; addresses hold
  std::vector<Node*> leaves_;  // parallel to used_
  uint64_t learned_bytes_ = 0;
  JsonTypes json_types_;
  llvm::Constant* node_names_ = nullptr;
  llvm::Constant* reason_names_ = nullptr;

  std::vector<llvm::Value*> seen_, bad_;  // locals: words of bits
  llvm::Value* reasons_ = nullptr;        // frame memory: u32 for each node, written when it is bad
  llvm::Value* positions_ = nullptr;
  llvm::Value* p_ = nullptr;            // local: the position
  llvm::Value* length_ = nullptr;       // local: the expected value's WeirJsonLength
  llvm::Value* missed_ = nullptr;       // local: a key was not where it was expected
  llvm::Value* flat_at_ = nullptr;      // local: 0, or a place in
  llvm::Value* flat_values_ = nullptr;  // frame memory: what weir_json_flat found
  llvm::Value* reason_ = nullptr;       // local in memory, for calls
  llvm::Value* last_reason_ = nullptr;
  llvm::Value* detail_ = nullptr;
  llvm::Value* begin_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::BasicBlock* malformed_ = nullptr;
  llvm::BasicBlock* done_ = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(const DecoderRequest& request) {
  auto decoder = std::make_unique<JsonDecoder>(request);
  if (!decoder->supported()) return nullptr;
  return decoder;
}

}  // namespace weir::codegen
