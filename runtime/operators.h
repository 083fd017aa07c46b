// The keyed operators of a pipeline with the stages behind them: what happens at a barrier, when
// all lanes stand.
//
//     lanes' partial groups ─ merge ─► final groups ─ fire ─► emission's stage ─► outputs, partial
//     groups downstream
//
// Operators are walked upstream first, so a window's result has reached the operator behind it
// before that one's watermark moves. Threads: the control thread, which uses the arena.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/aside.h"
#include "runtime/epoch.h"
#include "runtime/fire.h"
#include "runtime/keyed_rows.h"
#include "runtime/lane.h"
#include "runtime/state/keyed_state.h"
#include "runtime/watermark.h"
#include "runtime/work_arena.h"

namespace weir::runtime {

class Operators {
 public:
  static Result<std::unique_ptr<Operators>> make(const Program& program, Store* store,
                                                 uint32_t shards, WorkArena* arena);

  // Called between stage calls when emissions have more than `bytes` of output: takes it
  // (`take_outputs`).
  void set_drain(uint64_t bytes, std::function<Status()> drain) {
    drain_bytes_ = bytes;
    drain_ = std::move(drain);
  }
  void take_outputs(std::vector<FrozenEpoch::Rows>* outputs);
  // Called before something is read from the store: waits until it has all that was frozen.
  void set_settle(std::function<Status()> settle) { settle_ = std::move(settle); }
  // Called between pieces of a firing, with what they have changed counted in `dirty_bytes`: may
  // merge, freeze, wait until that is durable, and spill.
  void set_make_room(std::function<Status()> make_room) { make_room_ = std::move(make_room); }

  // What the store has, with the watermarks that it has been brought to.
  Status load(const Watermarks& watermarks);

  // Takes the lanes' partial groups, and hands on rows that don't wait for the watermark.
  Status merge(const std::vector<Lane*>& lanes);
  // Watermarks have moved: fires what closes, drops what nobody needs. Merges first if something
  // closes.
  Status advance(const std::vector<Lane*>& lanes, const Watermarks& watermarks);
  // Emissions by machine time. `at_commit`: also those that fire at each commit. Merges first.
  Status fire_due(const std::vector<Lane*>& lanes, const Watermarks& watermarks, int64_t now_us,
                  bool at_commit);
  // End of input: what has changed leaves, whatever the machine's time.
  Status fire_last(const std::vector<Lane*>& lanes, const Watermarks& watermarks);
  // When the next emission by machine time is due; INT64_MAX: never.
  int64_t next_due_us() const;
  // The greatest watermark that a window of this domain has closed at; INT64_MIN: none has.
  int64_t last_close(uint32_t time) const;
  // For lanes of this domain: stop behind the row that brings the watermark to this.
  int64_t fire_at(uint32_t time, int64_t floor) const;

  // Everything that the epoch has to carry, into `epoch`. Requires: merged.
  void freeze(FrozenEpoch* epoch);
  uint64_t state_bytes() const;
  uint64_t state_groups() const;
  uint64_t output_bytes() const;
  uint64_t dirty_bytes() const {
    return dirty_bytes_;
  }  // about: of groups merged since the last freeze
  bool dirty() const { return dirty_ || !aside_.empty() || output_bytes() > 0; }
  uint64_t merged_bytes() const {
    return merged_bytes_;
  }  // since the start: how much state can have grown
  // Drops from memory what the store has, until `bytes` are free; returns what was freed.
  uint64_t spill(uint64_t bytes, uint64_t durable_epoch);
  LaneCounts take_counts();

 private:
  struct Emission {
    EmissionInfo info;
    std::unique_ptr<StageMemory> memory;
    int64_t due_us = 0;
  };
  struct Operator {
    const KeyedInfo* info;
    std::unique_ptr<KeyedState> state;
    std::unique_ptr<Firing> firing;
    std::unique_ptr<KeyedRows> rows;  // of one that keeps rows: then there are no groups
    std::vector<Emission> emissions;
    int64_t watermark = INT64_MIN;  // held back; windows that close up to here have fired
    std::optional<int64_t> closed;  // panes in front of this are, and the store has some
  };
  Operators(const Program& program, WorkArena* arena) : program_(program), arena_(arena) {}
  Status merge_into(uint32_t at, const std::vector<Lane*>& lanes);
  Status take_rows(uint32_t at, const std::vector<Lane*>& lanes);
  Status advance_rows(uint32_t at, const std::vector<Lane*>& lanes, int64_t watermark);
  Status settle(const Operator& op);
  bool closes_something(const Operator& op, uint32_t at, const std::vector<Lane*>& lanes,
                        int64_t watermark) const;
  FireTo stages_of(Operator& op);
  Status run_stage(Operator& op, uint32_t emission, const WeirFired* fired, uint32_t count);
  Status fire_machine_time(const std::vector<Lane*>& lanes, const Watermarks& watermarks,
                           const std::function<bool(Emission&)>& due);
  int64_t event_time(const Operator& op, const std::vector<Lane*>& lanes) const;

  const Program& program_;
  WorkArena* arena_;
  std::vector<Operator> operators_;  // as in the plan
  std::vector<AsideRow> aside_;      // of emissions
  uint64_t drain_bytes_ = UINT64_MAX;
  std::function<Status()> drain_, settle_, make_room_;
  uint64_t dirty_bytes_ = 0, merged_bytes_ = 0;
  bool dirty_ = false;  // some state has changed since the last freeze
};

}  // namespace weir::runtime
