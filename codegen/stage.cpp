// One function for a stage:
//
//     prologue    loads what stays the same for the batch; watermark before the first row
//     row loop    cursor (a record decoded, a group) → event time → the steps, a tree → watermark
//     behind the row epilogue    how far it came, event time, counters
//
// State of the loop (next row, watermark, pane of the row before …) stands in frame slots that the
// optimiser makes registers. A row that fails jumps to a cold block that puts it aside, and the
// next one follows.
#include "codegen/stage.h"

namespace weir::codegen {

using compiler::StageStep;

template <typename Visit>
static void for_each_step(const std::vector<StageStep>& steps, const Visit& visit) {
  for (const StageStep& step : steps) {
    visit(step);
    if (auto* update = std::get_if<StageStep::Update>(&step.is)) for_each_step(update->late, visit);
    for_each_step(step.next, visit);
  }
}

template <typename Step>
static std::vector<compiler::NodeId> nodes_of(const std::vector<StageStep>& steps,
                                              compiler::NodeId Step::* node) {
  std::vector<compiler::NodeId> nodes;
  for_each_step(steps, [&](const StageStep& step) {
    auto* is = std::get_if<Step>(&step.is);
    if (is && std::find(nodes.begin(), nodes.end(), is->*node) == nodes.end())
      nodes.push_back(is->*node);
  });
  return nodes;
}

static uint32_t stream_number(const contract::Plan& plan, const std::string& name) {
  for (int i = 0; i < plan.streams_size(); i++) {
    if (plan.streams(i) == name) return uint32_t(i);
  }
  return 0;
}

// void row_error(WeirErrors*, i32 row, i32 reason, i32 stream, ptr detail, i64 size): appends one.
static llvm::Function* row_error(llvm::Module& module) {
  if (llvm::Function* known = module.getFunction("row_error")) return known;
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> ir(context);
  auto* type = llvm::FunctionType::get(ir.getVoidTy(),
                                       {ir.getPtrTy(), ir.getInt32Ty(), ir.getInt32Ty(),
                                        ir.getInt32Ty(), ir.getPtrTy(), ir.getInt64Ty()},
                                       false);
  auto* function =
      llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, "row_error", module);
  function->addFnAttr(llvm::Attribute::NoInline);
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  auto field = [&](llvm::Value* base, uint64_t offset) {
    return ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), base, offset);
  };
  llvm::Value* errors = function->getArg(0);
  auto* entry = llvm::BasicBlock::Create(context, "entry", function);
  auto* grow = llvm::BasicBlock::Create(context, "grow", function);
  auto* full = llvm::BasicBlock::Create(context, "full", function);
  auto* append = llvm::BasicBlock::Create(context, "append", function);
  ir.SetInsertPoint(entry);
  llvm::Value* count =
      ir.CreateLoad(ir.getInt32Ty(), field(errors, offsetof(WeirErrors, count)), "count");
  llvm::Value* capacity =
      ir.CreateLoad(ir.getInt32Ty(), field(errors, offsetof(WeirErrors, capacity)), "capacity");
  ir.CreateCondBr(ir.CreateICmpULT(count, capacity), append, grow);
  ir.SetInsertPoint(grow);
  auto* grow_type = llvm::FunctionType::get(ir.getInt1Ty(), {ir.getPtrTy()}, false);
  auto* grown = ir.CreateCall(
      grow_type, ir.CreateLoad(ir.getPtrTy(), field(errors, offsetof(WeirErrors, grow))), {errors});
  grown->addRetAttr(llvm::Attribute::ZExt);
  ir.CreateCondBr(grown, append, full);
  ir.SetInsertPoint(full);  // out of memory
  ir.CreateIntrinsic(ir.getVoidTy(), llvm::Intrinsic::trap, {});
  ir.CreateUnreachable();
  ir.SetInsertPoint(append);
  llvm::Value* rows = ir.CreateLoad(ir.getPtrTy(), field(errors, offsetof(WeirErrors, rows)));
  llvm::Value* row = ir.CreateInBoundsGEP(
      ir.getInt8Ty(), rows,
      ir.CreateMul(ir.CreateZExt(count, ir.getInt64Ty()), ir.getInt64(sizeof(WeirRowError))));
  ir.CreateStore(function->getArg(1), field(row, offsetof(WeirRowError, row)));
  ir.CreateStore(function->getArg(2), field(row, offsetof(WeirRowError, reason)));
  ir.CreateStore(function->getArg(3), field(row, offsetof(WeirRowError, stream)));
  ir.CreateStore(ir.getInt32(0), field(row, offsetof(WeirRowError, reserved)));
  ir.CreateStore(function->getArg(4), field(row, offsetof(WeirRowError, detail)));
  ir.CreateStore(function->getArg(5), field(row, offsetof(WeirRowError, detail) + 8));
  ir.CreateStore(ir.CreateAdd(count, ir.getInt32(1)), field(errors, offsetof(WeirErrors, count)));
  ir.CreateRetVoid();
  return function;
}

void StageEmitter::put_aside(const Failure& failure, const std::string& name) {
  llvm::Value* errors = emit.load(emit.ptr(), emit.stage, offsetof(WeirStage, errors), "errors");
  emit.ir.CreateCall(row_error(emit.module), {errors, row_index, failure.reason,
                                              emit.i32(stream_number(pipeline.plan, name)),
                                              failure.detail, failure.detail_size});
}

void StageEmitter::run(const RowShape& row, const std::vector<StageStep>& steps) {
  for (const StageStep& step : steps) {
    // A single step in the same stream fails as its parent does.
    bool own_target = steps.size() > 1 || step.stream != stream;
    size_t mark = expressions.memo.mark();
    std::string outer = stream;
    ErrorTarget target;
    llvm::BasicBlock* end = nullptr;
    if (own_target) {
      stream = step.stream;
      target = emit.begin_target(("failed." + stream).c_str());
      end = emit.block("branch.end");
    }
    std::visit([&](const auto& is) { emit_step(*this, row, is, step); }, step.is);
    if (own_target) {
      emit.jump(end);
      if (emit.end_target(target)) {
        emit.enter(target.block);
        put_aside({target.reason, target.detail, target.detail_size}, stream);
        emit.jump(end);
      }
      emit.enter(end);
      stream = outer;
    }
    expressions.memo.rewind(mark);
  }
}

std::string emit_stage(const Pipeline& pipeline, const compiler::Stage& stage, llvm::Module& module,
                       Kernels& kernels) {
  const compiler::Graph& graph = pipeline.graph;
  const compiler::Node& input = graph.nodes[stage.input];
  auto* source = std::get_if<compiler::SourceNode>(&input.is);
  auto* keyed = std::get_if<compiler::KeyedNode>(&input.is);
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* i32 = llvm::Type::getInt32Ty(context);
  llvm::Type* ptr = llvm::PointerType::getUnqual(context);
  auto* type = llvm::FunctionType::get(i32, {ptr, ptr}, false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                          "stage_" + std::to_string(stage.id), module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("frame-pointer", "all");
  for (unsigned i : {0u, 1u}) {
    function->addParamAttr(i, llvm::Attribute::NoAlias);
    function->addParamAttr(i, llvm::Attribute::NonNull);
  }
  function->getArg(0)->setName("stage");
  function->getArg(1)->setName("batch");

  std::unique_ptr<Cursor> cursor;
  if (source) {
    std::vector<UsedPath> used = used_paths(graph, stage);
    EarlyConditions early = early_conditions(*source, stage, used);
    auto decoder = pipeline.formats.decoder(
        source->format, DecoderRequest{graph.types, *source, used, early.decoded});
    if (!decoder) return "not supported yet: reading the format " + source->format;
    cursor = records_cursor(graph, *source, std::move(used), std::move(early), std::move(decoder));
  } else if (keyed) {
    cursor = fired_cursor(graph, *keyed);
  } else {
    return "not supported yet: a stage that reads neither a source nor a keyed operator";
  }

  Emit emit(function, kernels, graph.types);
  llvm::IRBuilder<>& ir = emit.ir;
  llvm::Type* i64 = ir.getInt64Ty();
  emit.stage = function->getArg(0);
  emit.arena = emit.load(ptr, emit.stage, offsetof(WeirStage, arena), "arena");
  Expressions expressions(emit, graph);
  StageEmitter to{pipeline, stage, emit, expressions, *cursor};
  llvm::Value* batch = to.batch = function->getArg(1);

  // ---- prologue
  auto frame = [&](llvm::Type* kind, llvm::Value* initial, const char* name) {
    llvm::Value* slot = emit.local(kind, name);
    ir.CreateStore(initial, slot);
    return slot;
  };
  llvm::Value* first = emit.load(i32, batch, offsetof(WeirBatch, next), "first");
  llvm::Value* count = emit.load(i32, batch, offsetof(WeirBatch, count), "count");
  llvm::Value* fire_at = emit.load(i64, batch, offsetof(WeirBatch, fire_at), "fire_at");
  llvm::Value* floor =
      emit.load(i64, batch, offsetof(WeirBatch, watermark_floor), "watermark_floor");
  llvm::Value* others =
      emit.load(i64, batch, offsetof(WeirBatch, watermark_others), "watermark_others");
  llvm::Value* time_max =
      frame(i64, emit.load(i64, batch, offsetof(WeirBatch, event_time_max), "event_time_max"),
            "time_max");
  llvm::Value* next = frame(i32, first, "next");
  llvm::Value* result = frame(i32, emit.i32(kStageDone), "result");
  to.rows_late = frame(i64, emit.i64(0), "rows_late");
  to.rows_out = frame(i64, emit.i64(0), "rows_out");
  bool has_watermark = source && source->event_time && source->watermark_us;
  auto watermark_of = [&](llvm::Value* greatest) -> llvm::Value* {
    llvm::Value* own =
        ir.CreateNSWSub(greatest, emit.i64(uint64_t(source->watermark_us.value_or(0))));
    return ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, floor,
                                    ir.CreateBinaryIntrinsic(llvm::Intrinsic::smin, others, own),
                                    nullptr, "watermark");
  };
  to.watermark = frame(i64, floor, "watermark");
  if (has_watermark) {
    llvm::Value* seen = ir.CreateLoad(i64, time_max);
    emit.if_(ir.CreateICmpNE(seen, emit.i64(uint64_t(kNoEventTime))), "seen",
             [&] { ir.CreateStore(watermark_of(seen), to.watermark); });
  }
  cursor->prologue(emit, batch);
  for (compiler::NodeId node : nodes_of(stage.steps, &StageStep::Update::keyed))
    prepare_update(to, node);
  for (compiler::NodeId node : nodes_of(stage.steps, &StageStep::Emit::sink))
    prepare_emit(to, node);

  // ---- row loop
  llvm::BasicBlock* head = emit.block("row.head");
  llvm::BasicBlock* body = emit.block("row");
  llvm::BasicBlock* behind = emit.block("row.behind");  // the row is done and had an event time
  llvm::BasicBlock* taken = emit.block("row.taken");
  llvm::BasicBlock* done = emit.block("done");
  emit.enter(head);
  to.row_index = ir.CreateLoad(i32, next, "row");
  emit.branch(ir.CreateICmpULT(to.row_index, count), body, done);
  emit.enter(body);
  to.stream = input.stream;
  ErrorTarget target = emit.begin_target("failed.input");
  cursor->row(emit, expressions, to.row_index, taken);
  if (emit.end_target(target)) {
    llvm::BasicBlock* fine = emit.block("row.steps");
    emit.jump(fine);
    emit.enter(target.block);
    to.put_aside({target.reason, target.detail, target.detail_size}, to.stream);
    emit.jump(taken);
    emit.enter(fine);
  }
  if (cursor->dropped) {
    llvm::BasicBlock* kept = emit.block("row.kept");
    emit.branch(cursor->dropped, behind, kept);
    emit.enter(kept);
  }
  to.stream.clear();
  to.run(RowShape{}, stage.steps);
  emit.enter(behind);
  for (auto& [node, cache] : to.panes) {
    llvm::Value* groups = emit.load(i64, cache.panes, offsetof(WeirPanes, groups));
    llvm::Value* most = emit.load(i64, cache.panes, offsetof(WeirPanes, groups_max));
    emit.if_unlikely(ir.CreateICmpUGT(groups, most), "panes.full",
                     [&] { ir.CreateStore(emit.i32(kStageFull), result); });
  }
  for (auto& [node, output] : to.outputs) {
    llvm::Value* size = emit.load(i64, output, offsetof(WeirOutput, size));
    llvm::Value* most = emit.load(i64, output, offsetof(WeirOutput, bytes_max));
    emit.if_unlikely(ir.CreateICmpUGT(size, most), "output.full",
                     [&] { ir.CreateStore(emit.i32(kStageFull), result); });
  }
  if (source && source->event_time) {
    llvm::Value* greatest =
        ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, ir.CreateLoad(i64, time_max), cursor->time);
    ir.CreateStore(greatest, time_max);
    if (has_watermark) {
      llvm::Value* watermark = watermark_of(greatest);
      ir.CreateStore(watermark, to.watermark);
      emit.if_unlikely(ir.CreateICmpSGE(watermark, fire_at), "fires",
                       [&] { ir.CreateStore(emit.i32(kStageFires), result); });
    }
  }
  emit.enter(taken);
  ir.CreateStore(ir.CreateAdd(to.row_index, emit.i32(1)), next);
  emit.branch_unlikely(ir.CreateICmpNE(ir.CreateLoad(i32, result), emit.i32(kStageDone)), done,
                       head);

  // ---- epilogue
  emit.enter(done);
  llvm::Value* last = ir.CreateLoad(i32, next, "last");
  emit.store(last, batch, offsetof(WeirBatch, next));
  emit.store(ir.CreateLoad(i64, time_max), batch, offsetof(WeirBatch, event_time_max));
  auto count_up = [&](uint64_t counter, llvm::Value* by) {
    uint64_t offset = offsetof(WeirStage, counters) + counter;
    emit.store(ir.CreateAdd(emit.load(i64, emit.stage, offset), by), emit.stage, offset);
  };
  count_up(offsetof(WeirCounters, rows_in), ir.CreateZExt(ir.CreateSub(last, first), i64));
  count_up(offsetof(WeirCounters, rows_late), ir.CreateLoad(i64, to.rows_late));
  count_up(offsetof(WeirCounters, rows_out), ir.CreateLoad(i64, to.rows_out));
  ir.CreateRet(ir.CreateLoad(i32, result));
  return expressions.unsupported;
}

}  // namespace weir::codegen
