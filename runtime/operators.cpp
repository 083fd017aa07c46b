#include "runtime/operators.h"

#include <malloc.h>

#include <algorithm>

namespace weir::runtime {

namespace {

constexpr uint64_t kParallelGroups = 4096;  // fewer are merged by one thread

// Emissions work at a barrier, where nobody could take a full output away.
constexpr StageLimits kUnlimited{UINT64_MAX, UINT64_MAX};

}  // namespace

Result<std::unique_ptr<Operators>> Operators::make(const Program& program, Store* store,
                                                   uint32_t shards, WorkArena* arena) {
  std::unique_ptr<Operators> made(new Operators(program, arena));
  for (uint32_t i = 0; i < program.keyed.size(); ++i) {
    const KeyedInfo& info = program.keyed[i];
    Result<StateValueCodec> codec = StateValueCodec::make(*info.keyed);
    if (!codec.ok()) return codec.take_status();
    Operator op;
    op.info = &info;
    if (info.keyed->has_rows())
      op.rows = std::make_unique<KeyedRows>(info, *codec, i, shards, store);
    op.state = std::make_unique<KeyedState>(info, std::move(*codec), i, shards, store);
    op.firing = std::make_unique<Firing>(*op.state);
    for (const EmissionInfo& emission : info.emissions) {
      op.emissions.push_back(
          {emission, std::make_unique<StageMemory>(program, *emission.stage, kUnlimited)});
    }
    made->operators_.push_back(std::move(op));
  }
  return made;
}

Status Operators::load(const Watermarks& watermarks) {
  for (Operator& op : operators_) {
    op.watermark = hold_back(watermarks.floor(op.info->time), op.info->held_back_us);
    Status status = op.rows ? op.rows->load(op.watermark) : op.state->load_panes(op.watermark);
    if (!status.ok()) return status;
  }
  return {};
}

// ---------------------------------------------------------------- merge

Status Operators::merge_into(uint32_t at, const std::vector<Lane*>& lanes) {
  if (operators_[at].rows) return take_rows(at, lanes);
  std::vector<stdlib::PaneTables*> partials;
  uint64_t groups = 0, bytes = 0;
  auto add = [&](StageMemory& memory) {
    stdlib::PaneTables* partial = memory.partial(at);
    if (!partial || partial->panes()->groups == 0) return;
    partials.push_back(partial);
    groups += partial->panes()->groups;
    bytes += partial->bytes();  // with long keys and texts
  };
  for (Lane* lane : lanes) add(lane->memory());
  for (Operator& op : operators_) {
    for (Emission& emission : op.emissions) add(*emission.memory);
  }
  if (partials.empty()) return {};
  KeyedState& state = *operators_[at].state;
  dirty_bytes_ += bytes;
  merged_bytes_ += bytes;
  dirty_ = true;
  uint32_t parts = groups < kParallelGroups
                       ? 1
                       : std::min<uint32_t>(arena_->threads(), uint32_t(state.shards().size()));
  arena_->run(parts, [&](uint32_t part) { state.merge_part(partials, part, parts); });
  for (stdlib::PaneTables* partial : partials) partial->clear();
  state.merged();
  return {};
}

Status Operators::merge(const std::vector<Lane*>& lanes) {
  for (uint32_t at : program_.order) {
    if (Status status = merge_into(at, lanes); !status.ok()) return status;
  }
  return {};
}

// ---------------------------------------------------------------- rows

Status Operators::take_rows(uint32_t at, const std::vector<Lane*>& lanes) {
  Operator& op = operators_[at];
  FireTo to_stage = stages_of(op);
  auto take = [&](StageMemory& memory, const KeyedRows::Origin& origin) -> Status {
    stdlib::PaneTables* table = memory.partial(at);
    if (!table || table->panes()->groups == 0) return {};
    uint64_t bytes = table->bytes();
    dirty_bytes_ += bytes;
    merged_bytes_ += bytes;
    dirty_ = true;
    Status status = op.rows->take(*table, origin, to_stage);
    table->clear();
    return status;
  };
  for (Lane* lane : lanes) {
    const std::string& name = program_.sources[lane->source()].source->name();
    KeyedRows::Origin origin{true, lane->partition().partition,
                             uint32_t(weir_shard_hash(name.data(), name.size())) | 1};
    if (Status status = take(lane->memory(), origin); !status.ok()) return status;
  }
  for (Operator& from : operators_) {
    for (Emission& emission : from.emissions) {
      if (Status status = take(*emission.memory, {}); !status.ok()) return status;
    }
  }
  return {};
}

Status Operators::advance_rows(uint32_t at, const std::vector<Lane*>& lanes, int64_t watermark) {
  Operator& op = operators_[at];
  if (Status status = take_rows(at, lanes); !status.ok()) return status;
  if (watermark <= op.watermark) return {};
  FireTo to_stage = stages_of(op);
  if (Status status = op.rows->fire(watermark, to_stage); !status.ok()) return status;
  if (std::optional<int64_t> before = op.rows->forget(watermark)) op.closed = before;
  dirty_ |= op.rows->dirty();
  op.watermark = watermark;
  return {};
}

// In front of a firing.
Status Operators::settle(const Operator& op) {
  return op.state->any_spilled() && settle_ ? settle_() : Status();
}

// ---------------------------------------------------------------- fire

FireTo Operators::stages_of(Operator& op) {
  return [this, &op](uint32_t emission, const WeirFired* fired, uint32_t count) {
    return run_stage(op, emission, fired, count);
  };
}

Status Operators::run_stage(Operator& op, uint32_t number, const WeirFired* fired, uint32_t count) {
  Emission& emission = op.emissions[number];
  const SourceInfo& source = program_.sources[op.info->source];
  auto put_aside = [&](AsideRow row) -> Status {
    if (source.source->on_error() == contract::Source::FAIL)
      return Status::error(Exit::BadData, describe(program_, row));
    aside_.push_back(std::move(row));
    return {};
  };
  uint32_t stream = 0;
  for (int i = 0; i < program_.plan.streams_size(); ++i) {
    if (program_.plan.streams(i) == op.info->keyed->stream()) stream = uint32_t(i);
  }
  WeirStage* stage = emission.memory->stage();
  int64_t floor = INT64_MIN;
  for (uint32_t to : emission.info.stage->updates())
    floor = std::max(floor, operators_[to].watermark);
  std::vector<WeirFired> rows;
  rows.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    WeirGroupHeader header;
    memcpy(&header, fired[i].accumulator, sizeof header);
    if (header.error == 0) {
      rows.push_back(fired[i]);
      continue;
    }
    // A group without a result does not reach the stage.
    Status status = put_aside(
        aside_group(op.info->source, stream, header.error, "the group has no result", fired[i]));
    if (!status.ok()) return status;
  }
  WeirBatch batch{};
  batch.count = uint32_t(rows.size());
  batch.fired = rows.data();
  batch.event_time_max = kNoEventTime;
  batch.watermark_others = INT64_MIN;
  batch.watermark_floor = floor;
  batch.fire_at = kNeverFires;
  while (batch.next < batch.count) {
    uint32_t before = batch.next;
    emission.info.run(stage, &batch);
    WEIR_CHECK(batch.next > before, "a stage takes at least one row in a call");
    const WeirErrors& errors = emission.memory->errors();
    Status status;
    for (uint32_t i = 0; i < errors.count && status.ok(); ++i) {
      const WeirRowError& error = errors.rows[i];
      status = put_aside(aside_group(op.info->source, error.stream, error.reason,
                                     std::string(error.detail.data, error.detail.size),
                                     rows[error.row]));
    }
    if (op.rows) {
      WEIR_CHECK(batch.next == batch.count, "rows that are kept leave in one call");
      op.rows->ran();
    }
    emission.memory->clear_scratch();
    if (!status.ok()) return status;
  }
  return output_bytes() > drain_bytes_ && drain_ ? drain_() : Status();
}

bool Operators::closes_something(const Operator& op, uint32_t at, const std::vector<Lane*>& lanes,
                                 int64_t watermark) const {
  if (!op.info->has_window) return false;
  const WindowTime& window = op.info->window;
  auto closes = [&](int64_t pane) {
    int64_t first = window.first_with(pane);
    if (op.watermark != INT64_MIN) first = std::max(first, window.next_to_close(op.watermark));
    return window.close(first) <= watermark;
  };
  if (!op.state->panes().empty() && closes(*op.state->panes().begin())) return true;
  bool found = false;
  auto look = [&](StageMemory& memory) {
    if (stdlib::PaneTables* partial = memory.partial(at))
      partial->for_each([&](WeirTable* table) { found |= closes(table->pane); });
  };
  for (Lane* lane : lanes) look(lane->memory());
  for (const Operator& other : operators_) {
    for (const Emission& emission : other.emissions) look(*emission.memory);
  }
  return found;
}

Status Operators::advance(const std::vector<Lane*>& lanes, const Watermarks& watermarks) {
  for (uint32_t at : program_.order) {
    Operator& op = operators_[at];
    int64_t watermark = hold_back(watermarks.floor(op.info->time), op.info->held_back_us);
    if (op.rows) {
      if (Status status = advance_rows(at, lanes, watermark); !status.ok()) return status;
      continue;
    }
    if (watermark <= op.watermark || !op.info->has_window) continue;
    if (closes_something(op, at, lanes, watermark)) {
      if (Status status = merge_into(at, lanes); !status.ok()) return status;
      if (Status status = settle(op); !status.ok()) return status;
      FireTo to_stage = stages_of(op);
      if (Status status = op.firing->fire_closed(op.watermark, watermark, to_stage); !status.ok())
        return status;
      if (std::optional<int64_t> before = op.state->drop_closed(watermark)) op.closed = before;
    }
    op.watermark = watermark;
  }
  return {};
}

int64_t Operators::event_time(const Operator& op, const std::vector<Lane*>& lanes) const {
  int64_t greatest = kNoEventTime;
  for (Lane* lane : lanes) {
    if (lane->time().time == op.info->time)
      greatest = std::max(greatest, lane->time().event_time_max);
  }
  return greatest;
}

Status Operators::fire_machine_time(const std::vector<Lane*>& lanes, const Watermarks& watermarks,
                                    const std::function<bool(Emission&)>& due) {
  for (uint32_t at : program_.order) {
    Operator& op = operators_[at];
    for (uint32_t i = 0; i < op.emissions.size(); ++i) {
      auto mode = op.emissions[i].info.emission->mode();
      if (mode == contract::Emission::APPEND || !due(op.emissions[i])) continue;
      if (Status status = merge_into(at, lanes); !status.ok()) return status;
      if (!op.firing->any_changed(i)) continue;
      if (Status status = settle(op); !status.ok()) return status;
      dirty_ = true;  // what has fired is marked as such
      FireTo to_stage = stages_of(op);
      auto make_room = [&](uint64_t dirty) -> Status {
        dirty_ = true;
        dirty_bytes_ += dirty;
        merged_bytes_ += dirty;
        return make_room_ ? make_room_() : Status();
      };
      Status status =
          mode == contract::Emission::UPDATE
              ? op.firing->fire_changed(i, op.watermark, event_time(op, lanes), to_stage, make_room)
              : op.firing->fire_all(i, event_time(op, lanes), to_stage);
      if (!status.ok()) return status;
    }
  }
  return {};
}

Status Operators::fire_due(const std::vector<Lane*>& lanes, const Watermarks& watermarks,
                           int64_t now_us, bool at_commit) {
  return fire_machine_time(lanes, watermarks, [&](Emission& emission) {
    int64_t every = emission.info.emission->every_us();
    if (every == 0) return at_commit;
    if (emission.due_us == 0)
      emission.due_us = now_us + every;  // the first firing is one interval after the start
    if (now_us < emission.due_us) return false;
    emission.due_us += (now_us - emission.due_us) / every * every + every;
    return true;
  });
}

Status Operators::fire_last(const std::vector<Lane*>& lanes, const Watermarks& watermarks) {
  return fire_machine_time(lanes, watermarks, [](Emission&) { return true; });
}

int64_t Operators::next_due_us() const {
  int64_t due = INT64_MAX;
  for (const Operator& op : operators_) {
    for (const Emission& emission : op.emissions) {
      bool timed = emission.info.emission->mode() != contract::Emission::APPEND &&
                   emission.info.emission->every_us() > 0;
      if (timed && emission.due_us > 0) due = std::min(due, emission.due_us);
    }
  }
  return due;
}

int64_t Operators::last_close(uint32_t time) const {
  int64_t last = INT64_MIN;
  for (const Operator& op : operators_) {
    int64_t own = op.rows ? op.rows->last_close() : op.firing->last_close();
    if (op.info->time == time && own != INT64_MIN)
      last = std::max(last, own + op.info->held_back_us);
  }
  return last;
}

// Only where windows share panes: there a row that is late for a closed window may still change its
// panes, so the window has to fire in front of that row. Elsewhere the result does not depend on
// when it fires.
int64_t Operators::fire_at(uint32_t time, int64_t floor) const {
  int64_t at = kNeverFires;
  for (const Operator& op : operators_) {
    const KeyedInfo& info = *op.info;
    if (info.time != time || !info.has_window || info.window.is_tumbling() || !info.from_source)
      continue;
    if (floor == INT64_MAX) continue;
    if (floor == INT64_MIN) return INT64_MIN + 1;
    int64_t held_back = hold_back(floor, info.held_back_us);
    at = std::min(at, info.window.close(info.window.next_to_close(held_back)) + info.held_back_us);
  }
  return at;
}

// ---------------------------------------------------------------- epoch

void Operators::freeze(FrozenEpoch* epoch) {
  for (uint32_t at = 0; at < operators_.size(); ++at) {
    Operator& op = operators_[at];
    uint32_t shards = uint32_t(op.state->shards().size());
    std::vector<std::vector<std::string>> records(shards);
    if (op.rows ? op.rows->dirty() : op.state->dirty_anywhere()) {
      arena_->run(shards, [&](uint32_t shard) {
        records[shard] = op.rows ? op.rows->freeze_shard(shard, epoch->number)
                                 : op.state->freeze_shard(shard, epoch->number);
      });
    }
    for (uint32_t shard = 0; shard < shards; ++shard) {
      for (std::string& record : records[shard])
        epoch->changes.push_back({at, uint16_t(shard), std::move(record)});
    }
    if (op.closed) epoch->closed.push_back({at, *op.closed});
    op.closed.reset();
  }
  take_outputs(&epoch->outputs);
  for (AsideRow& row : aside_) epoch->aside.push_back(std::move(row));
  aside_.clear();
  dirty_bytes_ = 0;
  dirty_ = false;
}

void Operators::take_outputs(std::vector<FrozenEpoch::Rows>* outputs) {
  for (Operator& op : operators_) {
    for (Emission& emission : op.emissions) {
      for (uint32_t sink : emission.info.stage->emits()) {
        EncodedRows rows = emission.memory->take_output(program_.sinks[sink].sink->output());
        if (rows.records > 0) outputs->push_back({sink, std::move(rows)});
      }
    }
  }
}

uint64_t Operators::state_bytes() const {
  uint64_t bytes = 0;
  for (const Operator& op : operators_)
    bytes += op.rows ? op.rows->bytes() : op.state->bytes() + op.firing->bytes();
  return bytes;
}
uint64_t Operators::state_groups() const {
  uint64_t groups = 0;
  for (const Operator& op : operators_) groups += op.rows ? op.rows->groups() : op.state->groups();
  return groups;
}
uint64_t Operators::output_bytes() const {
  uint64_t bytes = 0;
  for (const Operator& op : operators_) {
    for (const Emission& emission : op.emissions) bytes += emission.memory->output_bytes();
  }
  return bytes;
}
uint64_t Operators::spill(uint64_t bytes, uint64_t durable_epoch) {
  uint64_t freed = 0;
  for (Operator& op : operators_) {
    freed += op.firing->bytes();
    op.firing->forget();
    if (freed < bytes) freed += op.state->spill(bytes - freed, durable_epoch);
  }
  if (freed > 0)
    malloc_trim(0);  // small tables and keys lie in the allocator's heap, which gives nothing back
                     // by itself
  return freed;
}
LaneCounts Operators::take_counts() {
  LaneCounts counts;
  for (Operator& op : operators_) {
    for (Emission& emission : op.emissions) {
      WeirCounters& counters = emission.memory->stage()->counters;
      counts.late += counters.rows_late;
      counts.out += counters.rows_out;
      counters = {};
    }
  }
  return counts;
}

}  // namespace weir::runtime
