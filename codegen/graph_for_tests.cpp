#include "codegen/graph_for_tests.h"

#include <cstdio>

namespace weir::codegen::test {

using compiler::KeyedNode;
using compiler::NodeId;
using compiler::StageStep;

Expr node(Op op, Type type, std::vector<Expr> args, uint32_t index) {
  Expr expr;
  expr.op = op;
  expr.type = type;
  expr.args = std::move(args);
  expr.index = index;
  return expr;
}
Expr field(uint32_t index, Type type) { return node(Op::Field, type, {}, index); }
static Expr constant(Type type, compiler::Constant value) {
  Expr expr = node(Op::Constant, type);
  expr.constant = std::move(value);
  return expr;
}
Expr integer(int64_t value, Type type) { return constant(type, {value}); }
Expr text(std::string value) { return constant(of(TypeKind::String), {std::move(value)}); }
Expr wide(__int128 value, Type type) { return constant(type, {value}); }
Expr real(double value) { return constant(of(TypeKind::Float64), {value}); }

namespace {

class MemoryDecoder final : public Decoder {
 public:
  explicit MemoryDecoder(const DecoderRequest& request)
      : used_(request.used), types_(request.types), record_(request.source.record) {
    std::vector<Type> fields;
    for (auto& field : types_.records[record_].fields) fields.push_back(field.type);
    layout_ = compiler::layout_of(types_, fields);
  }
  void prologue(Emit&) override {}
  DecodedRecord record(Emit& emit, llvm::Value* data, llvm::Value*, const EarlyTest&) override {
    llvm::Value* bits = emit.load(emit.ir.getInt64Ty(), data, 0, "bad_bits");
    emit.fail_if(emit.ir.CreateICmpEQ(bits, emit.i64(~0ull)), k_malformed, "malformed");
    DecodedRecord decoded;
    for (const UsedPath& path : used_) {
      llvm::Value* base = emit.at(data, 16);
      compiler::Layout layout = layout_;
      const compiler::RecordType* record = &types_.records[record_];
      Value value;
      for (size_t i = 0; i < path.fields.size(); i++) {
        value =
            emit.load_value(record->fields[path.fields[i]].type, base, layout.slots[path.fields[i]],
                            record->fields[path.fields[i]].name.c_str());
        if (i + 1 == path.fields.size()) break;
        record = &types_.record(value.type);
        std::vector<Type> inner;
        for (auto& field : record->fields) inner.push_back(field.type);
        layout = compiler::layout_of(types_, inner);
        base = value.v;
      }
      llvm::Value* bad = emit.ir.CreateICmpNE(
          emit.ir.CreateAnd(bits, emit.i64(1ull << path.fields[0])), emit.i64(0));
      decoded.fields.push_back({value, bad});
    }
    return decoded;
  }
  Failure why(Emit& emit, uint32_t path) override {
    std::string detail =
        types_.records[record_].fields[used_[path].fields[0]].name + ": wrong_type";
    return {emit.i32(k_wrong_type), emit.text(detail), emit.i64(detail.size())};
  }

 private:
  std::vector<UsedPath> used_;
  const compiler::Types& types_;
  compiler::RecordId record_;
  compiler::Layout layout_;
};

// A field: a byte (1 present), then 16 bytes: a text's size and its bytes behind, or the value,
// sign-extended to 128 bits.
class MemoryEncoder final : public Encoder {
 public:
  void prologue(Emit&) override {}
  void row(Emit& emit, llvm::Value* output, const compiler::RecordType& record,
           const std::vector<Value>& values) override {
    llvm::IRBuilder<>& ir = emit.ir;
    for (const Value& value : values) {
      llvm::Value* at = emit.call("weir_output_room", {output, emit.i64(17)});
      emit.store(value.present ? ir.CreateZExt(value.present, ir.getInt8Ty())
                               : static_cast<llvm::Value*>(emit.i8(1)),
                 at, 0);
      llvm::Value* bits = value.size ? value.size : value.v;
      if (bits->getType()->isFloatTy()) bits = ir.CreateFPExt(bits, ir.getDoubleTy());
      if (bits->getType()->isDoubleTy()) bits = ir.CreateBitCast(bits, ir.getInt64Ty());
      bits = value.type.is(TypeKind::Bool) ? ir.CreateZExt(bits, ir.getInt128Ty())
                                           : ir.CreateSExt(bits, ir.getInt128Ty());
      ir.CreateAlignedStore(bits, emit.at(at, 1), llvm::Align(1));
      emit.store(emit.at(at, 17), output, offsetof(WeirOutput, at));
      if (!value.size) continue;
      llvm::Value* to = emit.call("weir_output_room", {output, value.size});
      ir.CreateMemCpy(to, llvm::Align(1), value.v, llvm::Align(1), value.size);
      emit.store(emit.at(to, value.size), output, offsetof(WeirOutput, at));
    }
  }
};

std::string show(const Type& type, const char*& at) {
  bool present = *at++ == 1;
  __int128 bits;
  memcpy(&bits, at, 16);
  at += 16;
  std::string shown;
  if (type.is_text()) {
    shown.assign(at, size_t(bits));
    at += size_t(bits);
  } else if (type.is_float()) {
    double number;
    int64_t low = int64_t(bits);
    memcpy(&number, &low, 8);
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%g", number);
    shown = buffer;
  } else {
    bool negative = bits < 0;
    unsigned __int128 rest =
        negative ? -static_cast<unsigned __int128>(bits) : static_cast<unsigned __int128>(bits);
    do shown.insert(shown.begin(), char('0' + int(rest % 10)));
    while (rest /= 10);
    if (negative) shown.insert(shown.begin(), '-');
  }
  return present ? shown : "null";
}

}  // namespace

Formats test_formats() {
  Formats formats;
  formats.decoder = [](std::string_view, const DecoderRequest& request) {
    return std::make_unique<MemoryDecoder>(request);
  };
  formats.encoder = [](std::string_view, const compiler::Types&, const compiler::SinkNode&) {
    return std::make_unique<MemoryEncoder>();
  };
  return formats;
}

compiler::RecordId Program::record(std::string name,
                                   std::vector<std::pair<std::string, Type>> fields) {
  compiler::RecordType record;
  record.name = std::move(name);
  for (auto& [field, type] : fields) record.fields.push_back({field, field, type, {}, {}});
  compiled.graph.types.records.push_back(record);
  return compiler::RecordId(compiled.graph.types.records.size() - 1);
}

static NodeId add(compiler::Graph& graph, compiler::Node node) {
  node.id = NodeId(graph.nodes.size());
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().id;
}

NodeId Program::source(compiler::RecordId record, std::optional<Expr> event_time,
                       std::optional<int64_t> watermark_us) {
  compiler::SourceNode source;
  source.format = "memory";
  source.record = record;
  source.event_time = std::move(event_time);
  source.watermark_us = watermark_us;
  compiler::Node node;
  node.is = source;
  node.row = record;
  node.stream = "rows";
  return add(compiled.graph, std::move(node));
}

NodeId Program::keyed(KeyedNode keyed, compiler::RecordId row) {
  compiler::Node node;
  node.is = std::move(keyed);
  node.row = row;
  node.stream = "groups";
  return add(compiled.graph, std::move(node));
}

NodeId Program::sink(compiler::RecordId row, std::optional<Expr> key) {
  compiler::SinkNode sink;
  sink.format = "memory";
  sink.key = std::move(key);
  compiler::Node node;
  node.is = std::move(sink);
  node.row = row;
  node.stream = "out";
  return add(compiled.graph, std::move(node));
}

void Program::stage(NodeId input, std::vector<StageStep> steps) {
  compiler::Stage stage;
  stage.id = compiler::StageId(compiled.graph.stages.size());
  stage.input = input;
  stage.steps = std::move(steps);
  compiled.graph.stages.push_back(std::move(stage));
}

void Program::count(KeyedNode& node, std::optional<Expr> filter) {
  uint32_t state = uint32_t(node.state.size());
  Type n = of(TypeKind::Int64);
  node.state.push_back({"count", n, {int64_t(0)}});
  compiler::AggregateUse use;
  use.name = use.function = "count";
  use.filter = std::move(filter);
  use.step = {{state, test::node(Op::Add, n, {test::node(Op::State, n, {}, state), integer(1)})}};
  use.merge = {{state, test::node(Op::Add, n,
                                  {test::node(Op::State, n, {}, state),
                                   test::node(Op::Other, n, {}, state)})}};
  use.finish = test::node(Op::State, n, {}, state);
  use.state_begin = state;
  use.state_end = state + 1;
  node.aggregates.push_back(std::move(use));
}

void Program::sum(KeyedNode& node, Expr argument, std::optional<Expr> present) {
  uint32_t state = uint32_t(node.state.size());
  Type total = compiler::decimal_type(38, argument.type.scale);
  node.state.push_back({"sum", total, {__int128(0)}});
  compiler::AggregateUse use;
  use.name = use.function = "sum";
  Expr value = test::node(Op::Argument, argument.type, {}, 0);
  if (argument.type != total) value = test::node(Op::Cast, total, {value});
  use.arguments = {std::move(argument)};
  use.argument_present = {std::move(present)};
  use.step = {
      {state, test::node(Op::Add, total, {test::node(Op::State, total, {}, state), value})}};
  use.merge = {{state, test::node(Op::Add, total,
                                  {test::node(Op::State, total, {}, state),
                                   test::node(Op::Other, total, {}, state)})}};
  use.finish = test::node(Op::State, total, {}, state);
  use.state_begin = state;
  use.state_end = state + 1;
  node.aggregates.push_back(std::move(use));
}

Run::Run(Program& program) : program(program), learned_(kLearnedBytes) {
  compiler::Graph& graph = program.compiled.graph;
  contract::Plan& plan = program.compiled.plan;
  plan.Clear();
  for (const char* stream : {"rows", "groups", "out", "other"}) plan.add_streams(stream);
  initials.reserve(16);
  for (compiler::Node& node : graph.nodes) {
    if (auto* keyed = std::get_if<KeyedNode>(&node.is)) {
      plan.add_keyed()->set_id(node.id);
      compiler::Layout state = state_layout(graph.types, *keyed);
      std::string initial(state.size, '\0');
      for (size_t i = 0; i < keyed->state.size(); i++) {
        if (auto* n = std::get_if<int64_t>(&keyed->state[i].initial.value))
          memcpy(&initial[state.slots[i].offset], n,
                 compiler::size_of(graph.types, keyed->state[i].type));
      }
      initials.push_back(initial);
      int64_t pane = keyed->window ? keyed->window->pane_us() : 0;
      tables.push_back(std::make_unique<stdlib::PaneTables>(
          state.size, initials.back().data(), pane, keyed->window ? keyed->window->offset_us : 0));
      panes_.push_back(tables.back()->panes());
      panes_.back()->groups_max = 1000000;
    }
    if (std::holds_alternative<compiler::SinkNode>(node.is)) {
      auto* sink = plan.add_sinks();
      sink->set_id(node.id);
      sink->set_output(uint32_t(outputs_.size()));
      WeirOutput output{};
      output.bytes_max = 1 << 20;
      output.capacity = 1 << 16;
      output.data = output.at = static_cast<char*>(malloc(output.capacity));
      output.grow = [](WeirOutput* full, uint64_t more) {
        uint64_t at = uint64_t(full->at - full->data);
        full->capacity = 2 * (full->capacity + more);
        full->data = static_cast<char*>(realloc(full->data, full->capacity));
        full->at = full->data + at;
        return true;
      };
      outputs_.push_back(output);
    }
  }
  for (WeirOutput& output : outputs_) output_pointers_.push_back(&output);
  std::vector<Type> fields;
  for (auto& field : graph.types.records[graph.nodes[graph.stages[0].input].row].fields)
    fields.push_back(field.type);
  layout = compiler::layout_of(graph.types, fields);
  auto compiled = codegen::jit(program.compiled, {&formats, ""});
  if (!compiled) {
    failure = compiled.error();
    return;
  }
  jit.emplace(std::move(*compiled));
  row_errors_.resize(1000);
  errors_ = {row_errors_.data(), 0, uint32_t(row_errors_.size()), nullptr, nullptr};
  arena_.serve(&stage_arena_);
  stage = {kStageAbiVersion, sizeof(WeirStage), nullptr,
           &stage_arena_,    panes_.data(),     output_pointers_.data(),
           &errors_,         learned_.data(),   {},
           nullptr};
  batch.event_time_max = kNoEventTime;
  batch.watermark_others = INT64_MAX;
  batch.watermark_floor = INT64_MIN;
  batch.fire_at = kNeverFires;
}

Run::~Run() {
  for (WeirOutput& output : outputs_) free(output.data);
}

int32_t Run::call(size_t number) {
  batch.records = records.data();
  batch.fired = fired.data();
  batch.count = uint32_t(fired.empty() ? records.size() : fired.size());
  return jit->image().stages[number].run(&stage, &batch);
}

std::vector<std::string> Run::rows() {
  std::vector<std::string> shown;
  const compiler::Graph& graph = program.compiled.graph;
  for (auto& sink : program.compiled.plan.sinks()) {
    WeirOutput& output = outputs_[sink.output()];
    for (const char* at = output.data; at < output.data + output.size;) {
      WeirOutputHeader header;
      memcpy(&header, at, sizeof header);
      const char* value = at + sizeof header + (header.key_size == kNoKey ? 0 : header.key_size);
      std::string line = header.key_size == kNoKey
                             ? ""
                             : std::string(at + sizeof header, header.key_size) + " -> ";
      bool first = true;
      for (auto& field : graph.types.records[graph.nodes[sink.id()].row].fields) {
        line += (first ? "" : "|") + show(field.type, value);
        first = false;
      }
      shown.push_back(line);
      at += (uint64_t(value - at) + 7) & ~uint64_t{7};
    }
    output.size = 0;
    output.at = output.data;
  }
  return shown;
}

std::vector<std::string> Run::errors() const {
  std::vector<std::string> shown;
  for (uint32_t i = 0; i < errors_.count; i++) {
    const WeirRowError& error = errors_.rows[i];
    shown.push_back(std::to_string(error.row) + " " + std::to_string(error.reason) + " " +
                    program.compiled.plan.streams(int(error.stream)) + " " +
                    std::string(error.detail.data, error.detail.size));
  }
  return shown;
}

char* Run::group(std::string_view key, int64_t pane) {
  WeirTable* table = tables[0]->find(pane);
  WeirSlot* slot = table ? weir_table_find(table, key.data(), key.size()) : nullptr;
  return slot ? weir_slot_accumulator(slot) : nullptr;
}

}  // namespace weir::codegen::test
