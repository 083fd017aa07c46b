#include "runtime/stage_memory.h"

#include <algorithm>

namespace weir::runtime {

StageMemory::StageMemory(const Program& program, const contract::Stage& stage,
                         const StageLimits& limits) {
  arena_blocks_.serve(&arena_);
  error_rows_.resize(16);
  errors_ = {error_rows_.data(), 0, uint32_t(error_rows_.size()), &StageMemory::grow_errors, this};
  outputs_.resize(program.outputs);
  output_pointers_.resize(program.outputs, nullptr);
  for (uint32_t sink : stage.emits()) {
    uint32_t number = program.sinks[sink].sink->output();
    outputs_[number] = std::make_unique<Output>();
    WeirOutput& output = outputs_[number]->abi;
    output.grow = &StageMemory::grow_output;
    output.owner = outputs_[number].get();
    output.bytes_max = limits.output_bytes;
    output_pointers_[number] = &output;
  }
  partials_.resize(program.keyed.size());
  pane_pointers_.resize(program.keyed.size(), nullptr);
  for (uint32_t at : stage.updates()) {
    const KeyedInfo& info = program.keyed[at];
    partials_[at] = std::make_unique<stdlib::PaneTables>(
        info.keyed->group_bytes(), info.keyed->group_initial().data(),
        info.has_window ? info.window.pane : 0, info.window.offset);
    pane_pointers_[at] = partials_[at]->panes();
    pane_pointers_[at]->groups_max = limits.groups;
  }
  learned_ = std::make_unique<char[]>(kLearnedBytes);
  stage_ = {kStageAbiVersion,
            sizeof(WeirStage),
            program.parameters.block(),
            &arena_,
            pane_pointers_.data(),
            output_pointers_.data(),
            &errors_,
            learned_.get(),
            {},
            this};
}

void StageMemory::clear_scratch() {
  errors_.count = 0;
  arena_blocks_.reset(&arena_);
}

bool StageMemory::grow_errors(WeirErrors* errors) {
  auto* self = static_cast<StageMemory*>(errors->owner);
  self->error_rows_.resize(self->error_rows_.size() * 2);
  errors->rows = self->error_rows_.data();
  errors->capacity = uint32_t(self->error_rows_.size());
  return true;
}

bool StageMemory::grow_output(WeirOutput* output, uint64_t more) {
  auto* self = static_cast<Output*>(output->owner);
  uint64_t used = output->data ? uint64_t(output->at - output->data) : 0;
  uint64_t capacity = std::max<uint64_t>({output->capacity * 2, used + more, 16 << 10});
  char* data = static_cast<char*>(std::realloc(self->rows.data.get(), capacity));
  if (!data) return false;
  (void)self->rows.data.release();
  self->rows.data.reset(data);
  output->data = data;
  output->capacity = capacity;
  output->at = data + used;
  return true;
}

EncodedRows StageMemory::take_output(uint32_t number) {
  if (!outputs_[number]) return {};
  Output& output = *outputs_[number];
  EncodedRows taken = std::move(output.rows);
  taken.size = output.abi.size;
  taken.records = output.abi.records;
  output.rows = {};
  output.abi.data = output.abi.at = nullptr;
  output.abi.size = output.abi.capacity = output.abi.records = 0;
  return taken;
}

uint64_t StageMemory::output_bytes() const {
  uint64_t bytes = 0;
  for (const auto& output : outputs_) bytes += output ? output->abi.size : 0;
  return bytes;
}
uint64_t StageMemory::partial_groups() const {
  uint64_t groups = 0;
  for (const auto& partial : partials_) groups += partial ? partial->panes()->groups : 0;
  return groups;
}
uint64_t StageMemory::partial_bytes() const {
  uint64_t bytes = 0;
  for (const auto& partial : partials_) bytes += partial ? partial->bytes() : 0;
  return bytes;
}

}  // namespace weir::runtime
