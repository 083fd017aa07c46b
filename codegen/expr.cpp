// The evaluator: leaves, nulls, control flow, calls; integer and float arithmetic. What is bigger
// has a file of its own.
#include "codegen/expr.h"

namespace weir::codegen {

using compiler::Expr;
using compiler::Op;
using compiler::Type;
using compiler::TypeKind;

static compiler::Layout params_layout(const compiler::Graph& graph) {
  std::vector<Type> types;
  for (auto& param : graph.params) types.push_back(param.type);
  return compiler::layout_of(graph.types, types);
}

Expressions::Expressions(Emit& emit, const compiler::Graph& graph)
    : emit_(emit), graph_(graph), params_(params_layout(graph)) {}

Value Expressions::not_yet(const std::string& what, const Type& type) {
  if (unsupported.empty()) unsupported = "not supported yet: " + what;
  return emit_.zero(type);
}

void Expressions::fail_if(llvm::Value* condition, WeirReason reason) {
  const char* name = "";
  switch (reason) {
#define REASON(number, id, text) \
  case number:                   \
    name = #id;                  \
    break;
#include "runtime/contract/reason.def"
#undef REASON
  }
  emit_.fail_if(condition, reason, subject.empty() ? name : subject + ": " + name);
}

template <typename Body>
Value Expressions::inside(Body body) {
  size_t mark = memo.mark();
  Value value = body();
  memo.rewind(mark);
  return value;
}

Value Expressions::eval(const RowShape& row, Leaves& leaves, const Expr& expr) {
  return eval(Place{row, leaves}, expr);
}

llvm::Value* Expressions::truth(const RowShape& row, Leaves& leaves, const Expr& expr) {
  Value value = eval(row, leaves, expr);
  return value.present ? emit_.ir.CreateLogicalAnd(value.present, value.v) : value.v;
}

Value Expressions::field(const RowShape& row, Leaves& leaves, uint32_t index, const Type& type) {
  Expr expr;
  expr.op = Op::Field;
  expr.index = index;
  expr.type = type;
  return eval(row, leaves, expr);
}

Value Expressions::eval(Place place, const Expr& expr) {
  if (auto path = path_of(place.row, expr)) {
    Value value = place.leaves.path(*path, false);
    if (!expr.type.optional) value.present = nullptr;
    value.type = expr.type;
    return value;
  }
  if (expr.op == Op::Field) {
    Memo::Key key{&place.row, expr.index};
    if (const Value* known = memo.find(key)) return *known;
    Value value = eval(Place{*place.row.parent, place.leaves}, (*place.row.values)[expr.index]);
    memo.add(key, value);
    return value;
  }
  Value value = node(place, expr);
  value.type = expr.type;
  if (!expr.type.optional) value.present = nullptr;
  if (expr.type.optional && !value.present) value.present = emit_.i1(true);
  return value;
}

Value Expressions::node(Place place, const Expr& expr) {
  auto argument = [&](size_t i) { return eval(place, expr.args[i]); };
  llvm::IRBuilder<>& ir = emit_.ir;
  switch (expr.op) {
    case Op::Constant:
      return emit_.constant(expr.constant, expr.type);
    case Op::Field:
      llvm_unreachable("answered by eval");
    case Op::Local:
      return locals_.at(expr.index);
    case Op::Param:
      return emit_.load_value(graph_.params[expr.index].type,
                              emit_.load(emit_.ptr(), emit_.stage, offsetof(WeirStage, params)),
                              params_.slots[expr.index], graph_.params[expr.index].name.c_str());
    case Op::EventTime:
      return place.leaves.event_time();
    case Op::Meta:
      return place.leaves.meta(compiler::MetaField(expr.index));
    case Op::State:
      return place.leaves.state(expr.index);
    case Op::Other:
      return place.leaves.other(expr.index);
    case Op::Argument:
      return place.leaves.argument(expr.index);
    case Op::KeyField:
      return place.leaves.key_field(expr.index);
    case Op::WindowStart:
      return place.leaves.window_bound(false);
    case Op::WindowEnd:
      return place.leaves.window_bound(true);

    case Op::Wrap:
    case Op::Unwrap:
      return argument(0);
    case Op::IsNull: {
      auto path =
          expr.args[0].type.is(TypeKind::Record) ? path_of(place.row, expr.args[0]) : std::nullopt;
      Value value = path ? place.leaves.path(*path, true) : argument(0);
      return {
          value.present ? ir.CreateNot(value.present) : static_cast<llvm::Value*>(emit_.i1(false)),
          nullptr, nullptr, expr.type};
    }
    case Op::Coalesce: {
      Value first = argument(0);
      if (!first.present) return first;
      if (is_simple(expr.args[1]) && !first.size && !first.type.is(TypeKind::Record)) {
        Value second = argument(1);
        Value result = second;
        result.v = ir.CreateSelect(first.present, first.v, second.v, "coalesce");
        if (second.present) result.present = ir.CreateOr(first.present, second.present);
        return result;
      }
      Value known = first;
      known.present = nullptr;
      return emit_.choose(
          first.present, "coalesce", [&] { return known; },
          [&] { return inside([&] { return argument(1); }); });
    }
    case Op::If: {
      Value condition = argument(0);
      return emit_.choose(
          condition.v, "if", [&] { return inside([&] { return argument(1); }); },
          [&] { return inside([&] { return argument(2); }); });
    }
    case Op::Let: {
      locals_[expr.index] = argument(0);
      return argument(1);
    }
    case Op::Try: {
      // What fails inside comes back here as null.
      size_t mark = memo.mark();
      ErrorTarget target = emit_.begin_target("try.failed");
      Value value = argument(0);
      memo.rewind(mark);
      if (!emit_.end_target(target)) return value;
      llvm::BasicBlock* done = emit_.block("try.end");
      llvm::Value* present =
          value.present ? value.present : static_cast<llvm::Value*>(emit_.i1(true));
      bool can_succeed = emit_.open();
      llvm::BasicBlock* good = ir.GetInsertBlock();
      emit_.jump(done);
      emit_.enter(target.block);
      Value none = emit_.null(expr.type);
      emit_.jump(done);
      emit_.enter(done);
      if (!can_succeed) return none;
      auto merge = [&](llvm::Value* a, llvm::Value* b) {
        llvm::PHINode* phi = ir.CreatePHI(a->getType(), 2, "try");
        phi->addIncoming(a, good);
        phi->addIncoming(b, target.block);
        return phi;
      };
      Value result{nullptr, nullptr, nullptr, expr.type};
      result.v = merge(value.v, none.v);
      if (value.size) result.size = merge(value.size, none.size);
      result.present = merge(present, emit_.i1(false));
      return result;
    }
    case Op::Fail: {
      Value message = argument(0);
      emit_.fail({emit_.i32(k_failed), message.v, message.size});
      emit_.enter(emit_.block("behind.fail"));  // never reached; what follows still needs a place
      return emit_.zero(expr.type);
    }
    case Op::And:
    case Op::Or: {
      Value first = argument(0);
      bool is_and = expr.op == Op::And;
      if (is_simple(expr.args[1])) {
        Value second = argument(1);
        return {is_and ? ir.CreateAnd(first.v, second.v) : ir.CreateOr(first.v, second.v), nullptr,
                nullptr, expr.type};
      }
      auto rest = [&] { return inside([&] { return argument(1); }); };
      auto known = [&] { return Value{emit_.i1(!is_and), nullptr, nullptr, expr.type}; };
      return is_and ? emit_.choose(first.v, "and", rest, known)
                    : emit_.choose(first.v, "or", known, rest);
    }
    case Op::Not:
      return {ir.CreateNot(argument(0).v), nullptr, nullptr, expr.type};

    case Op::Negate:
      return negate(argument(0));
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Divide:
    case Op::Modulo: {
      Value a = argument(0);
      Value b = argument(1);
      return arithmetic(expr, a, b);
    }
    case Op::Equal:
    case Op::NotEqual:
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual: {
      Value a = argument(0);
      Value b = argument(1);
      return compare(expr.op, a, b);
    }
    case Op::Cast: {
      Value value = argument(0);
      if (!value.present) return cast(expr, value);
      Value known = value;
      known.present = nullptr;
      known.type.optional = false;
      Value result = emit_.choose(
          value.present, "cast", [&] { return inside([&] { return cast(expr, known); }); },
          [&] { return emit_.zero(expr.type.required()); });
      result.present = value.present;
      return result;
    }
    case Op::Keep: {
      std::vector<Value> arguments;
      for (size_t i = 0; i < expr.args.size(); i++) arguments.push_back(argument(i));
      std::swap(emit_.arena, keeps);
      Value result = call_kernel(expr, arguments);
      std::swap(emit_.arena, keeps);
      return result;
    }
    case Op::KeyBytes:
      return key_bytes(place, expr);
    case Op::KeyValues:
      return key_values(place, expr);
    case Op::Call: {
      std::vector<Value> arguments;
      llvm::Value* present = nullptr;
      for (size_t i = 0; i < expr.args.size(); i++) {
        arguments.push_back(argument(i));
        if (llvm::Value* there = arguments.back().present)
          present = present ? ir.CreateAnd(present, there) : there;
      }
      if (!present) return call_kernel(expr, arguments);
      // Kernels know no null: with one among the arguments the result is null.
      Value result = emit_.choose(
          present, "call", [&] { return inside([&] { return call_kernel(expr, arguments); }); },
          [&] { return emit_.zero(expr.type.required()); });
      if (result.present) present = ir.CreateAnd(present, result.present);
      result.present = present;
      return result;
    }
    case Op::Member: {
      Value record = argument(0);
      std::vector<Type> fields;
      for (auto& field : graph_.types.record(record.type).fields) fields.push_back(field.type);
      compiler::Layout layout = compiler::layout_of(graph_.types, fields);
      return emit_.load_value(fields[expr.index], record.v, layout.slots[expr.index]);
    }
    case Op::MakeRecord:
      return make_record(place, expr);
    case Op::MakeList:
      return make_list(place, expr);
    case Op::Index: {
      Value container = argument(0);
      Value at = argument(1);
      return index(expr, container, at);
    }
    case Op::ListMap:
    case Op::ListFilter:
    case Op::ListAny:
    case Op::ListAll:
      return lists(place, expr);
  }
  llvm_unreachable("every operator is above");
}

bool Expressions::is_simple(const Expr& expr) {
  switch (expr.op) {
    case Op::Constant:
      return !expr.type.is(TypeKind::List) && !expr.type.is(TypeKind::Record) &&
             !expr.type.is(TypeKind::Map);
    case Op::Local:
    case Op::Argument:
    case Op::State:
    case Op::Other:
    case Op::EventTime:
      return true;
    case Op::Wrap:
    case Op::Unwrap:
    case Op::IsNull:
    case Op::Not:
    case Op::And:
    case Op::Or:
      break;
    case Op::Equal:
    case Op::NotEqual:
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
      if (expr.args[0].type.is_text() || expr.args[0].type.is(TypeKind::Record)) return false;
      break;
    default:
      return false;
  }
  for (const Expr& argument : expr.args) {
    if (!is_simple(argument)) return false;
  }
  return true;
}

Value Expressions::negate(const Value& a) {
  if (a.type.is_float()) return {emit_.ir.CreateFNeg(a.v), nullptr, nullptr, a.type};
  Value zero{llvm::Constant::getNullValue(a.v->getType()), nullptr, nullptr, a.type};
  if (a.type.is(TypeKind::Decimal))
    return {emit_.ir.CreateNSWSub(zero.v, a.v), nullptr, nullptr, a.type};
  return integer_arithmetic(Op::Subtract, zero, a);
}

Value Expressions::arithmetic(const Expr& expr, const Value& a, const Value& b) {
  if (a.type.is(TypeKind::Timestamp) || a.type.is(TypeKind::Date) || b.type.is(TypeKind::Timestamp))
    return time_arithmetic(expr, a, b);
  if (expr.type.is(TypeKind::Decimal)) return decimal_arithmetic(expr, a, b);
  if (a.type.is_float()) return float_arithmetic(expr.op, a, b);
  return integer_arithmetic(expr.op, a, b);
}

// Durations too.
Value Expressions::integer_arithmetic(Op op, const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  bool no_sign = is_unsigned(a.type);
  if (op == Op::Divide || op == Op::Modulo) {
    llvm::Type* type = a.v->getType();
    fail_if(ir.CreateICmpEQ(b.v, llvm::Constant::getNullValue(type)), k_division_by_zero);
    if (!no_sign) {
      llvm::Value* minus_one = llvm::Constant::getAllOnesValue(type);
      llvm::Value* least = llvm::ConstantInt::get(
          emit_.context, llvm::APInt::getSignedMinValue(type->getIntegerBitWidth()));
      llvm::Value* traps =
          ir.CreateAnd(ir.CreateICmpEQ(a.v, least), ir.CreateICmpEQ(b.v, minus_one));
      if (op == Op::Divide) {
        fail_if(traps, k_overflow);
      } else {
        llvm::Value* divisor = ir.CreateSelect(traps, llvm::ConstantInt::get(type, 1), b.v);
        return {ir.CreateSRem(a.v, divisor), nullptr, nullptr, a.type};
      }
    }
    if (op == Op::Divide)
      return {no_sign ? ir.CreateUDiv(a.v, b.v) : ir.CreateSDiv(a.v, b.v), nullptr, nullptr,
              a.type};
    return {ir.CreateURem(a.v, b.v), nullptr, nullptr, a.type};
  }
  llvm::Intrinsic::ID intrinsic =
      op == Op::Add
          ? (no_sign ? llvm::Intrinsic::uadd_with_overflow : llvm::Intrinsic::sadd_with_overflow)
      : op == Op::Subtract
          ? (no_sign ? llvm::Intrinsic::usub_with_overflow : llvm::Intrinsic::ssub_with_overflow)
          : (no_sign ? llvm::Intrinsic::umul_with_overflow : llvm::Intrinsic::smul_with_overflow);
  llvm::Value* both = ir.CreateBinaryIntrinsic(intrinsic, a.v, b.v);
  fail_if(ir.CreateExtractValue(both, 1), k_overflow);
  return {ir.CreateExtractValue(both, 0), nullptr, nullptr, a.type};
}

Value Expressions::float_arithmetic(Op op, const Value& a, const Value& b) {
  llvm::IRBuilder<>& ir = emit_.ir;
  llvm::Value* zero = llvm::Constant::getNullValue(a.v->getType());
  if (op == Op::Divide || op == Op::Modulo)
    fail_if(ir.CreateFCmpOEQ(b.v, zero), k_division_by_zero);
  llvm::Value* v = nullptr;
  switch (op) {
    case Op::Add:
      v = ir.CreateFAdd(a.v, b.v);
      break;
    case Op::Subtract:
      v = ir.CreateFSub(a.v, b.v);
      break;
    case Op::Multiply:
      v = ir.CreateFMul(a.v, b.v);
      break;
    case Op::Divide:
      v = ir.CreateFDiv(a.v, b.v);
      break;
    default:
      v = ir.CreateFRem(a.v, b.v);
      break;
  }
  return {v, nullptr, nullptr, a.type};
}

}  // namespace weir::codegen
