#include "codegen/aggregate.h"

#include "codegen/stage.h"

namespace weir::codegen {

using compiler::AggregateUse;
using compiler::Expr;
using compiler::KeyedNode;
using compiler::Op;
using compiler::StateAssign;
using compiler::Type;

compiler::Layout state_layout(const compiler::Types& types, const KeyedNode& keyed) {
  std::vector<Type> fields;
  for (const compiler::StateField& field : keyed.state) fields.push_back(field.type);
  return compiler::layout_of(types, fields, sizeof(WeirGroupHeader));
}

template <class Merge>
static void merge_values(Value& there, const Value& absent, const Merge& merge) {
  there.v = merge(there.v, absent.v);
  if (there.size) there.size = merge(there.size, absent.size);
  // An argument that may be null and was not looked at.
  if (there.present && absent.present) there.present = merge(there.present, absent.present);
}

Arguments evaluate_arguments(Emit& emit, Expressions& expressions, const RowShape& row,
                             Leaves& leaves, const AggregateUse& use) {
  llvm::IRBuilder<>& ir = emit.ir;
  Arguments result;
  size_t mark = expressions.memo.mark();
  expressions.subject = use.name;
  for (const Expr& argument : use.arguments) result.values.push_back(emit.zero(argument.type));

  // Where one is not there the others are not looked at: an error counts only in a row that
  // concerns the aggregate.
  std::function<llvm::Value*(size_t)> from = [&](size_t i) -> llvm::Value* {
    if (i == use.arguments.size()) return nullptr;
    bool has_test = i < use.argument_present.size() && use.argument_present[i];
    llvm::Value* present =
        has_test ? expressions.truth(row, leaves, *use.argument_present[i]) : nullptr;
    if (auto* constant = llvm::dyn_cast_or_null<llvm::ConstantInt>(present);
        constant && constant->isOne())
      present = nullptr;
    // A field that is there or not can be read either way.
    bool readable = !present || path_of(row, use.arguments[i]);
    if (readable) {
      result.values[i] = expressions.eval(row, leaves, use.arguments[i]);
      if (i + 1 == use.arguments.size() || !present) {
        llvm::Value* rest = from(i + 1);
        return present && rest ? ir.CreateAnd(present, rest) : present ? present : rest;
      }
    }
    std::vector<Value> absent = result.values;
    llvm::BasicBlock* yes = emit.block("argument");
    llvm::BasicBlock* end = emit.block("argument.end");
    llvm::BasicBlock* before = ir.GetInsertBlock();
    emit.branch(present, yes, end);
    emit.enter(yes);
    size_t inner = expressions.memo.mark();
    if (!readable) result.values[i] = expressions.eval(row, leaves, use.arguments[i]);
    llvm::Value* rest = from(i + 1);
    expressions.memo.rewind(inner);
    llvm::BasicBlock* after = ir.GetInsertBlock();
    emit.jump(end);
    emit.enter(end);
    auto merge = [&](llvm::Value* there, llvm::Value* otherwise) -> llvm::Value* {
      if (there == otherwise) return there;
      llvm::PHINode* phi = ir.CreatePHI(there->getType(), 2);
      phi->addIncoming(there, after);
      phi->addIncoming(otherwise, before);
      return phi;
    };
    llvm::Value* counts =
        merge(rest ? rest : static_cast<llvm::Value*>(emit.i1(true)), emit.i1(false));
    for (size_t k = i; k < result.values.size(); k++)
      merge_values(result.values[k], absent[k], merge);
    return counts;
  };

  if (!use.filter) {
    result.counts = from(0);
    return result;
  }
  llvm::Value* passes = expressions.truth(row, leaves, *use.filter);
  if (use.arguments.empty()) {
    result.counts = passes;
    return result;
  }
  std::vector<Value> absent = result.values;
  llvm::BasicBlock* yes = emit.block("filter.yes");
  llvm::BasicBlock* end = emit.block("filter.end");
  llvm::BasicBlock* before = ir.GetInsertBlock();
  emit.branch(passes, yes, end);
  emit.enter(yes);
  mark = expressions.memo.mark();
  llvm::Value* counts = from(0);
  expressions.memo.rewind(mark);
  llvm::BasicBlock* after = ir.GetInsertBlock();
  emit.jump(end);
  emit.enter(end);
  auto merge = [&](llvm::Value* there, llvm::Value* otherwise) {
    llvm::PHINode* phi = ir.CreatePHI(there->getType(), 2);
    phi->addIncoming(there, after);
    phi->addIncoming(otherwise, before);
    return phi;
  };
  result.counts = merge(counts ? counts : static_cast<llvm::Value*>(emit.i1(true)), emit.i1(false));
  for (size_t k = 0; k < result.values.size(); k++)
    merge_values(result.values[k], absent[k], merge);
  return result;
}

// May be computed for a row that does not count: no memory, no kernels, only a few instructions.
static bool is_cheap(const Expr& expr) {
  if (expr.type.is_text() || expr.type.is(compiler::TypeKind::Record)) return false;
  switch (expr.op) {
    case Op::Constant:
    case Op::State:
    case Op::Argument:
    case Op::EventTime:
    case Op::Wrap:
    case Op::Unwrap:
    case Op::IsNull:
    case Op::Add:
    case Op::Subtract:
    case Op::Equal:
    case Op::NotEqual:
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
    case Op::And:
    case Op::Or:
    case Op::Not:
    case Op::Cast:
    case Op::Coalesce:
    case Op::If:
      break;
    default:
      return false;
  }
  for (const Expr& argument : expr.args) {
    if (!is_cheap(argument)) return false;
  }
  return true;
}

// A text that state keeps is copied, but not one that it has already.
static Value kept(Emit& emit, const Value& value, const Value& old, llvm::Value* texts) {
  if (!value.type.is_text()) return value;
  llvm::Value* is_old = emit.ir.CreateICmpEQ(value.v, old.v);
  if (value.present) is_old = emit.ir.CreateOr(is_old, emit.ir.CreateNot(value.present));
  Value copy = emit.choose(
      is_old, "text.keep",
      [&] {
        Value v = value;
        v.present = nullptr;
        return v;
      },
      [&] {
        return emit.pair(emit.call("weir_keep_text", {texts, value.v, value.size}), value.type);
      });
  copy.present = value.present;
  return copy;
}

// Evaluates all, then stores all. `counts` null: always.
static void assign(Emit& emit, Expressions& expressions, Leaves& leaves, const KeyedNode& node,
                   const std::vector<StateAssign>& assigns, const compiler::Layout& layout,
                   llvm::Value* group, llvm::Value* texts, llvm::Value* counts) {
  llvm::IRBuilder<>& ir = emit.ir;
  RowShape row;
  std::vector<Value> values;
  expressions.keeps = texts;
  for (const StateAssign& assign : assigns)
    values.push_back(expressions.eval(row, leaves, assign.value));
  for (size_t i = 0; i < assigns.size(); i++) {
    uint32_t field = assigns[i].field;
    const Type& type = node.state[field].type;
    Value old = emit.load_value(type, group, layout.slots[field], node.state[field].name.c_str());
    // What a kernel keeps is where it has to be.
    Value value = assigns[i].value.op == Op::Keep ? values[i] : kept(emit, values[i], old, texts);
    value.type = type;
    if (type.optional && !value.present) value.present = emit.i1(true);
    if (counts) {
      value.v = ir.CreateSelect(counts, value.v, old.v);
      if (value.size) value.size = ir.CreateSelect(counts, value.size, old.size);
      if (value.present) value.present = ir.CreateSelect(counts, value.present, old.present);
    }
    emit.store_value(value, group, layout.slots[field]);
  }
}

// What fails in `body` becomes the group's error, the first one stays.
static void with_group_error(Emit& emit, llvm::Value* group, llvm::Value* counts,
                             const std::function<void()>& body) {
  llvm::IRBuilder<>& ir = emit.ir;
  ErrorTarget target = emit.begin_target("group.failed");
  body();
  if (!emit.end_target(target)) return;
  llvm::BasicBlock* end = emit.block("group.end");
  emit.jump(end);
  emit.enter(target.block);
  llvm::Value* known = emit.load(ir.getInt32Ty(), group, offsetof(WeirGroupHeader, error));
  llvm::Value* keeps = ir.CreateICmpNE(known, emit.i32(0));
  if (counts) keeps = ir.CreateOr(keeps, ir.CreateNot(counts));
  emit.store(ir.CreateSelect(keeps, known, target.reason), group, offsetof(WeirGroupHeader, error));
  emit.jump(end);
  emit.enter(end);
}

void emit_aggregate_step(Emit& emit, Expressions& expressions, Leaves& leaves,
                         const KeyedNode& node, size_t number, const compiler::Layout& layout,
                         llvm::Value* group, llvm::Value* texts, llvm::Value* counts) {
  const AggregateUse& use = node.aggregates[number];
  expressions.subject = use.name;
  bool cheap = true;
  for (const StateAssign& assign : use.step) cheap &= is_cheap(assign.value);
  if (!counts || cheap) {
    with_group_error(emit, group, counts, [&] {
      assign(emit, expressions, leaves, node, use.step, layout, group, texts, counts);
    });
    return;
  }
  emit.if_(counts, "counts", [&] {
    with_group_error(emit, group, nullptr, [&] {
      assign(emit, expressions, leaves, node, use.step, layout, group, texts, nullptr);
    });
  });
}

namespace {

class MergeLeaves final : public Leaves {
 public:
  MergeLeaves(Emit& emit, const KeyedNode& node, const compiler::Layout& layout, llvm::Value* into,
              llvm::Value* from)
      : emit_(emit), node_(node), layout_(layout), into_(into), from_(from) {}
  Value state(uint32_t index) override { return load(index, into_); }
  Value other(uint32_t index) override { return load(index, from_); }

 private:
  Value load(uint32_t index, llvm::Value* group) {
    return emit_.load_value(node_.state[index].type, group, layout_.slots[index],
                            node_.state[index].name.c_str());
  }
  Emit& emit_;
  const KeyedNode& node_;
  const compiler::Layout& layout_;
  llvm::Value* into_;
  llvm::Value* from_;
};

}  // namespace

std::string emit_merge(const Pipeline& pipeline, compiler::NodeId keyed, llvm::Module& module,
                       Kernels& kernels) {
  const auto& node = std::get<KeyedNode>(pipeline.graph.nodes[keyed].is);
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* ptr = llvm::PointerType::getUnqual(context);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {ptr, ptr, ptr}, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                          "merge_" + std::to_string(keyed), module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("frame-pointer", "all");
  Emit emit(function, kernels, pipeline.graph.types);
  llvm::IRBuilder<>& ir = emit.ir;
  Expressions expressions(emit, pipeline.graph);
  compiler::Layout layout = state_layout(pipeline.graph.types, node);
  llvm::Value* into = function->getArg(0);
  llvm::Value* from = function->getArg(1);
  llvm::Value* texts = function->getArg(2);
  into->setName("into");
  from->setName("from");
  texts->setName("texts");
  emit.arena = texts;
  auto header = [&](llvm::Value* group, uint64_t offset) {
    return emit.load(ir.getInt32Ty(), group, offset);
  };
  llvm::Value* changed = ir.CreateOr(header(into, offsetof(WeirGroupHeader, changed)),
                                     header(from, offsetof(WeirGroupHeader, changed)));
  emit.store(changed, into, offsetof(WeirGroupHeader, changed));
  llvm::Value* own = header(into, offsetof(WeirGroupHeader, error));
  llvm::Value* error = ir.CreateSelect(ir.CreateICmpEQ(own, emit.i32(0)),
                                       header(from, offsetof(WeirGroupHeader, error)), own);
  emit.store(error, into, offsetof(WeirGroupHeader, error));
  MergeLeaves leaves(emit, node, layout, into, from);
  for (const AggregateUse& use : node.aggregates) {
    expressions.subject = use.name;
    with_group_error(emit, into, nullptr, [&] {
      assign(emit, expressions, leaves, node, use.merge, layout, into, texts, nullptr);
    });
  }
  ir.CreateRetVoid();
  return expressions.unsupported;
}

}  // namespace weir::codegen
