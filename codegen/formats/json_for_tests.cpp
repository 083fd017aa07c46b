#include "codegen/formats/json_for_tests.h"

#include <sys/mman.h>

#include <cstdlib>

namespace weir::codegen::test {

namespace {
constexpr size_t kPage = 4096;
constexpr size_t kRecordPages = 256;
}  // namespace

std::unique_ptr<JsonStage::Schema> JsonStage::many_kinds(compiler::Validation validation) {
  using compiler::decimal_type;
  using compiler::timestamp_type;
  using compiler::TimeUnit;
  auto schema = std::make_unique<Schema>();
  Program& program = schema->program;
  auto& types = program.compiled.graph.types;
  schema->validation = validation;
  types.enums.push_back({"Kind", {{"start", "start"}, {"end", "E-2"}}});
  Type kind = of(TypeKind::Enum);
  auto inner = program.record(
      "Inner", {{"x", of(TypeKind::Int32)}, {"name", of(TypeKind::String).nullable()}});
  Type inner_type = of(TypeKind::Record);
  inner_type.ref = inner;
  types.elements = {of(TypeKind::Int64).nullable(), of(TypeKind::String)};
  Type list = of(TypeKind::List), map = of(TypeKind::Map);
  map.ref = 1;
  schema->record = program.record("Wide", {{"id", of(TypeKind::String)},
                                           {"n", of(TypeKind::Int64)},
                                           {"price", decimal_type(12, 2).nullable()},
                                           {"kind", kind},
                                           {"ok", of(TypeKind::Bool)},
                                           {"where", inner_type},
                                           {"spare", inner_type.nullable()},
                                           {"list", list},
                                           {"map", map},
                                           {"ts", timestamp_type(TimeUnit::Milli)}});
  schema->row = program.record("", {{"id", of(TypeKind::String)},
                                    {"n", of(TypeKind::Int64)},
                                    {"price", decimal_type(12, 2).nullable()},
                                    {"kind", kind},
                                    {"ok", of(TypeKind::Bool)},
                                    {"x", of(TypeKind::Int32)},
                                    {"name", of(TypeKind::String).nullable()},
                                    {"spare", inner_type.nullable()},
                                    {"list", list},
                                    {"map", map},
                                    {"ts", timestamp_type(TimeUnit::Milli)}});
  auto& fields = types.records[schema->record].fields;
  for (uint32_t i : {0u, 1u, 2u, 3u, 4u}) schema->values.push_back(field(i, fields[i].type));
  Expr where = field(5, inner_type);
  schema->values.push_back(node(Op::Member, of(TypeKind::Int32), {where}, 0));
  schema->values.push_back(node(Op::Member, of(TypeKind::String).nullable(), {where}, 1));
  for (uint32_t i : {6u, 7u, 8u, 9u}) schema->values.push_back(field(i, fields[i].type));
  return schema;
}

JsonStage::JsonStage(std::unique_ptr<Schema> schema)
    : schema_(std::move(schema)), outputs_{&output_}, learned_(kLearnedBytes) {
  compiler::Graph& graph = schema_->program.compiled.graph;
  auto source = schema_->program.source(schema_->record, schema_->event_time);
  std::get<compiler::SourceNode>(graph.nodes[source].is).format = "json";
  std::get<compiler::SourceNode>(graph.nodes[source].is).validation = schema_->validation;
  auto sink = schema_->program.sink(schema_->values.empty() ? schema_->record : schema_->row);
  std::get<compiler::SinkNode>(graph.nodes[sink].is).format = "json";
  compiler::StageStep emit{compiler::StageStep::Emit{sink}, "out", {}};
  std::vector<compiler::StageStep> steps{emit};
  if (!schema_->values.empty())
    steps = {{compiler::StageStep::Project{schema_->row, schema_->values}, "rows", steps}};
  for (auto where = schema_->wheres.rbegin(); where != schema_->wheres.rend(); ++where)
    steps = {{compiler::StageStep::Where{*where}, "rows", steps}};
  schema_->program.stage(source, steps);
  contract::Plan& plan = schema_->program.compiled.plan;
  for (const char* stream : {"rows", "out"}) plan.add_streams(stream);
  plan.add_sinks()->set_id(sink);
  auto compiled = jit(schema_->program.compiled);
  if (!compiled) {
    failure = compiled.error();
    return;
  }
  jit_ = std::make_unique<JitPipeline>(std::move(*compiled));
  blocks_.serve(&arena_);
  output_.bytes_max = 1 << 20;
  output_.grow = [](WeirOutput* full, uint64_t more) {
    auto at = uint64_t(full->at - full->data);
    full->capacity = 2 * (full->capacity + more);
    full->data = static_cast<char*>(realloc(full->data, full->capacity));
    full->at = full->data + at;
    return true;
  };
  errors_ = {row_errors_, 0, 4, nullptr, nullptr};
  stage_ = {kStageAbiVersion, sizeof(WeirStage), nullptr,         &arena_, nullptr,
            outputs_,         &errors_,          learned_.data(), {},      nullptr};
  pages_ = static_cast<char*>(mmap(nullptr, (kRecordPages + 2) * kPage, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(pages_, kPage, PROT_NONE);
  mprotect(pages_ + (kRecordPages + 1) * kPage, kPage, PROT_NONE);
}

JsonStage::~JsonStage() {
  free(output_.data);
  if (pages_) munmap(pages_, (kRecordPages + 2) * kPage);
}

std::string JsonStage::run(std::string_view text) {
  if (text.size() > kRecordPages * kPage) return "";
  // In front of the closed page, and every other time behind the one that is closed at the
  // beginning.
  char* at = stage_.counters.rows_in % 2 == 0 ? pages_ + (kRecordPages + 1) * kPage - text.size()
                                              : pages_ + kPage;
  memcpy(at, text.data(), text.size());
  WeirRecord record{};
  record.value = at;
  record.value_size = uint32_t(text.size());
  WeirBatch batch{};
  batch.count = 1;
  batch.records = &record;
  batch.event_time_max = kNoEventTime;
  batch.watermark_others = INT64_MAX;
  batch.watermark_floor = INT64_MIN;
  batch.fire_at = kNeverFires;
  errors_.count = 0;
  output_.size = output_.records = 0;
  output_.at = output_.data;
  blocks_.reset(&arena_);
  jit_->image().stages[0].run(&stage_, &batch);
  if (errors_.count > 0) {
    const WeirRowError& error = errors_.rows[0];
    return std::to_string(error.reason) + " " + std::string(error.detail.data, error.detail.size);
  }
  if (output_.records != 1) return "no row";
  WeirOutputHeader header;
  memcpy(&header, output_.data, sizeof header);
  return {output_.data + sizeof header, header.value_size};
}

}  // namespace weir::codegen::test
