#include "runtime/run.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "runtime/names.h"

namespace weir::runtime {

namespace {

constexpr auto kRoundTime = std::chrono::milliseconds(4);
constexpr uint64_t kRoundBatches = 16;
// A round with less work than this, over all lanes, is followed by one on a single thread.
constexpr int64_t kWorkAloneUs = 1000;
constexpr int kAttemptsMax = 8;  // without a commit in between
constexpr auto kUnavailableMax = std::chrono::minutes(5);

}  // namespace

// Each epoch makes and frees buffers of about its size, on several threads: what lies free between
// them in glibc's arenas is half a budget of 16 MiB. A large budget has room for it, and faulting
// pages in again costs.
void bound_allocator(uint64_t budget) {
  constexpr uint64_t kSmall = 256 << 20;
  if (budget > kSmall) return;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  mallopt(M_TRIM_THRESHOLD, int(std::max<uint64_t>(budget / 32, 256 << 10)));
}

PipelineRun::PipelineRun(const Program& program, RunOptions& options, Log* log, Store& store,
                         std::vector<Sink*> sinks, std::map<std::string, Sink*> dead_letters,
                         Metrics& metrics, Machine::Time begin)
    : program_(program),
      options_(options),
      log_(log),
      store_(store),
      sinks_(std::move(sinks)),
      dead_letters_(std::move(dead_letters)),
      metrics_(metrics),
      progress_(options.say, options.progress_ms, options.json_logs),
      begin_(begin),
      machine_(options.machine ? *options.machine : this_machine()),
      shares_(options.memory_bytes),
      arena_(options.threads) {}

int64_t PipelineRun::machine_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(machine_.now().time_since_epoch())
      .count();
}

Status PipelineRun::run(Inputs& inputs, RunSummary* summary) {
  summary_ = summary;
  const char* failpoint = std::getenv("WEIR_FAILPOINT");
  Result<Failpoints> failpoints = Failpoints::parse(failpoint ? failpoint : "");
  if (!failpoints.ok()) return failpoints.take_status();
  failpoints_ = std::move(*failpoints);

  int failed = 0;
  uint64_t epochs_before = 0;
  Machine::Time good = machine_.now();
  while (true) {
    Outcome outcome = attempt(inputs);
    // Whatever is in memory of it is gone now; the disk and the log have what was committed.
    commits_.reset();
    producer_.reset();
    lanes_.clear();
    lane_pointers_.clear();
    times_.clear();
    operators_.reset();
    aside_.clear();
    timestamps_.clear();
    part_rows_out_ = 0;
    if (outcome == Outcome::Done) return {};
    if (outcome == Outcome::Failed) return std::move(status_);
    if (outcome == Outcome::Rebalanced) {
      metrics_.update([](MetricsValues& v) { ++v.rebalances; });
      continue;
    }
    ++summary_->aborts;
    metrics_.update([](MetricsValues& v) { ++v.aborts; });
    if (options_.say)
      options_.say("starting again from the last commit: " + status_.message(), false);
    if (summary_->epochs > epochs_before) {
      failed = 0;
      good = machine_.now();
    }
    epochs_before = summary_->epochs;
    ++failed;
    // Nothing answers: at the first start that is the end; later a broker may come back.
    bool unavailable = status_.exit() == Exit::Unavailable && summary_->epochs > 0;
    if (unavailable ? machine_.now() - good > kUnavailableMax : failed >= kAttemptsMax)
      return std::move(status_);
    if (stop_asked()) return std::move(status_);
    machine_.sleep(std::chrono::milliseconds(std::min(50 << std::min(failed, 6), 2000)));
  }
}

PipelineRun::Outcome PipelineRun::attempt(Inputs& inputs) {
  status_ = {};
  if (inputs.has_consumer() && assigned_.empty()) {
    Outcome joined = wait_for_assignment(inputs);
    if (joined != Outcome::Done || assigned_.empty()) return joined;
  } else if (inputs.has_consumer()) {
    // Before a new producer fences others: is the place still ours?
    Outcome events = take_events(inputs);
    if (events != Outcome::Done) return events;
  }
  status_ = begin_attempt(inputs);
  if (!status_.ok())
    return status_.retry() || status_.exit() == Exit::Unavailable ? Outcome::Aborted
                                                                  : Outcome::Failed;
  return rounds(inputs);
}

// Done, and `assigned_` is empty: a stop was asked for.
PipelineRun::Outcome PipelineRun::wait_for_assignment(Inputs& inputs) {
  while (assigned_.empty() && !stop_asked()) {
    Outcome outcome = take_events(inputs);
    if (outcome == Outcome::Failed || outcome == Outcome::Aborted) return outcome;
  }
  if (!joined_)
    summary_->join_seconds = std::chrono::duration<double>(machine_.now() - begin_).count();
  joined_ = true;
  return Outcome::Done;
}

// Rebalanced: what we read has changed.
PipelineRun::Outcome PipelineRun::take_events(Inputs& inputs) {
  Result<std::vector<GroupEvent>> events = inputs.poll(assigned_.empty() ? 100 : 0);
  if (!events.ok()) {
    status_ = events.take_status();
    return status_.retry() ? Outcome::Aborted : Outcome::Failed;
  }
  Outcome outcome = Outcome::Done;
  for (GroupEvent& event : *events) {
    switch (event.kind) {
      case GroupEvent::Kind::Assigned:
        assigned_ = std::move(event.partitions);
        outcome = Outcome::Rebalanced;
        break;
      case GroupEvent::Kind::Revoked:
        // What has been done so far is ours to commit.
        if (!lanes_.empty()) {
          status_ = wait_for_commit();
          if (status_.ok()) status_ = end_epoch(inputs);
          if (status_.ok()) status_ = wait_for_commit();
        }
        assigned_.clear();
        (void)inputs.unassign();
        outcome = Outcome::Rebalanced;
        break;
      case GroupEvent::Kind::Lost:
        assigned_.clear();
        (void)inputs.unassign();
        outcome = Outcome::Rebalanced;
        break;
      case GroupEvent::Kind::Fenced:
        status_ =
            Status::error(Exit::Restart, "another process runs as `" +
                                             group_instance_id(program_.name, options_.instance) +
                                             "` (same --name and --instance): this one gives way");
        return Outcome::Failed;
    }
  }
  return outcome;
}

Status PipelineRun::find_ends(Inputs& inputs, const std::vector<InputPartition>& partitions) {
  if (options_.until == Until::Forever) return {};
  std::vector<TopicPartition> of_log;
  for (const InputPartition& input : partitions) {
    if (inputs.is_log(input.source)) {
      // A rebalance may bring others later: their ends are those of that time.
      if (!end_offsets_.contains(input.partition)) of_log.push_back(input.partition);
    } else if (!inputs.bounded(input.source) && options_.until == Until::End) {
      return Status::error(Exit::Usage, "`--until end`: source `" +
                                            program_.sources[input.source].source->name() +
                                            "` has no end");
    }
  }
  if (of_log.empty()) return {};
  Result<std::map<TopicPartition, LogConsumer::Ends>> ends = inputs.ends(of_log);
  if (!ends.ok()) return ends.take_status();
  for (const auto& [partition, is] : *ends) end_offsets_[partition] = is.end;
  return {};
}

Status PipelineRun::begin_attempt(Inputs& inputs) {
  if (snapshots_) {
    Result<std::string> stored = store_.commit_record();
    if (!stored.ok()) return stored.take_status();
    if (stored->empty()) {
      if (Result<bool> restored = restore_snapshot(); !restored.ok()) return restored.take_status();
    }
    if (Status status = failpoints_.reach("R2"); !status.ok()) return status;
  }
  if (program_.uses_log) {
    Result<uint32_t> shards = stored_shards(store_, options_.shards);
    if (!shards.ok()) return shards.take_status();
    if (Status status = ensure_internal_topics(program_, *log_, *shards); !status.ok())
      return status;
    Result<std::unique_ptr<LogProducer>> producer =
        log_->producer(transactional_id(program_.name, options_.instance));
    if (!producer.ok()) return producer.take_status();
    producer_ = std::move(*producer);
    if (Status status = producer_->init_transactions(); !status.ok()) return status;
  }
  if (!program_.keyed.empty() && inputs.has_consumer()) {
    Result<uint32_t> all = inputs.log_partitions();
    if (!all.ok()) return all.take_status();
    if (*all != assigned_.size()) {
      return Status::error(Exit::NotSupported,
                           "not supported yet: a pipeline with keyed operators in several "
                           "processes; this one was given " +
                               std::to_string(assigned_.size()) + " of " + std::to_string(*all) +
                               " partitions");
    }
  }
  Result<std::vector<InputPartition>> partitions = inputs.partitions(assigned_);
  if (!partitions.ok()) return partitions.take_status();
  std::function<Result<bool>()> from_snapshot;
  if (snapshots_) from_snapshot = [this] { return restore_snapshot(); };
  Machine::Time restore_begin = machine_.now();
  Result<DurableState> durable =
      read_durable_state(program_, store_, log_, inputs, *partitions, options_, from_snapshot);
  if (!durable.ok()) return durable.take_status();
  double restore_seconds = std::chrono::duration<double>(machine_.now() - restore_begin).count();
  summary_->restored_changelog_bytes += durable->restored_bytes;
  summary_->restored_changelog_seconds += restore_seconds;
  constexpr uint64_t kWorthSaying = 64 << 20;
  if (durable->restored_bytes >= kWorthSaying && options_.say) {
    options_.say("restored " + std::to_string(durable->restored_bytes >> 20) +
                     " MiB of changelogs in " + std::to_string(int(restore_seconds * 1000)) + " ms",
                 false);
  }
  if (durable->restored_entries > 0)
    metrics_.update([&](MetricsValues& v) { v.restored_entries += durable->restored_entries; });
  if (Status status = find_ends(inputs, *partitions); !status.ok()) return status;

  record_ = durable->record;
  shards_ = durable->shards;
  durable_ = record_.epoch;
  epoch_ = record_.epoch + 1;
  watermarks_ = std::make_unique<Watermarks>(program_.times);
  StageLimits limits;
  uint64_t slot_bytes = 256;
  for (const KeyedInfo& keyed : program_.keyed)
    slot_bytes = std::max<uint64_t>(slot_bytes, keyed.keyed->group_bytes() * 4);
  limits.groups = std::clamp<uint64_t>(
      shares_.partial / slot_bytes / std::max<size_t>(partitions->size(), 1), 256, 1 << 20);
  limits.output_bytes =
      std::max<uint64_t>(shares_.output / std::max<size_t>(partitions->size(), 1), 64 << 10);
  bool stops_at_end = options_.until != Until::Forever;
  for (const InputPartition& input : *partitions) {
    Lane::Start start;
    start.source = input.source;
    start.partition = input.partition;
    start.position = durable->positions.at(input.partition);
    if (auto it = record_.sentinels.find(input.partition); it != record_.sentinels.end()) {
      start.event_time_max = it->second.event_time_max;
      start.idle = it->second.idle;
      watermarks_->restore(program_.sources[input.source].time, it->second.watermark);
    }
    if (auto it = end_offsets_.find(input.partition); stops_at_end && it != end_offsets_.end())
      start.end_offset = it->second;
    start.bounded = inputs.bounded(input.source) || (stops_at_end && !inputs.is_log(input.source));
    uint32_t source = input.source;
    lanes_.push_back(std::make_unique<Lane>(
        program_, start, limits, [&inputs, source](const TopicPartition& partition, uint32_t rows) {
          return inputs.fetch(source, partition, rows);
        }));
    lane_pointers_.push_back(lanes_.back().get());
    times_.push_back(&lanes_.back()->time());
  }
  Result<std::unique_ptr<Operators>> operators =
      Operators::make(program_, &store_, shards_, &arena_);
  if (!operators.ok()) return operators.take_status();
  operators_ = std::move(*operators);
  merged_checked_ = 0;
  operators_->set_drain(shares_.output, [this] { return drain_outputs(); });
  operators_->set_settle([this] { return wait_for_commit(); });
  operators_->set_make_room([this, &inputs] { return make_room(inputs); });
  if (Status status = operators_->load(*watermarks_); !status.ok()) return status;

  // Sinks that can take rows back go to where the last committed epoch left them.
  std::map<std::string, std::string> sink_positions;
  if (!record_.sentinels.empty()) {
    auto newest = std::max_element(
        record_.sentinels.begin(), record_.sentinels.end(),
        [](const auto& a, const auto& b) { return a.second.epoch < b.second.epoch; });
    sink_positions = newest->second.sink_positions;
  }
  for (uint32_t i = 0; i < sinks_.size(); ++i) {
    if (!sinks_[i]) continue;
    const std::string& name = program_.sinks[i].sink->name();
    if (Status status = sinks_[i]->start(sink_positions[name]); !status.ok())
      return std::move(status).within("sink `" + name + "`");
  }
  for (auto& [topic, sink] : dead_letters_) {
    if (Status status = sink->start(sink_positions["dead:" + topic]); !status.ok()) return status;
  }

  CommitPlaces places;
  places.program = &program_;
  places.store = &store_;
  places.producer = producer_.get();
  places.sinks = sinks_;
  places.dead_letters = dead_letters_;
  places.changelogs = record_.changelogs;
  places.collect = options_.collect;
  places.collect_begins = options_.collect_begins;
  places.aside = options_.aside;
  places.failpoints = &failpoints_;
  places.machine = &machine_;
  commits_ = std::make_unique<CommitThread>(std::move(places));
  must_commit_ = durable->first_start && inputs.has_consumer();
  epoch_wanted_ = false;
  rows_in_epoch_ = 0;
  epoch_begin_ = machine_.now();
  return inputs.start(*partitions, durable->positions);
}

Result<bool> PipelineRun::restore_snapshot() {
  Result<Snapshots::Restored> restored = snapshots_->restore(store_, failpoints_);
  if (!restored.ok()) return restored.take_status();
  if (!restored->damaged.empty() && options_.say)
    options_.say("stepped over damaged snapshots: " + restored->damaged, false);
  if (!restored->installed) return false;
  summary_->restored_snapshot_epoch = restored->epoch;
  summary_->restored_snapshot_bytes += restored->bytes;
  summary_->restored_snapshot_seconds += restored->seconds;
  metrics_.update([&](MetricsValues& v) { v.restored_snapshot_bytes += restored->bytes; });
  if (options_.say) {
    options_.say("restored the snapshot of epoch " + std::to_string(restored->epoch) + ": " +
                     std::to_string(restored->bytes >> 20) + " MiB in " +
                     std::to_string(int(restored->seconds * 1000)) + " ms",
                 false);
  }
  return true;
}

// ---------------------------------------------------------------- rounds

PipelineRun::Outcome PipelineRun::rounds(Inputs& inputs) {
  auto failed = [&](Status status) {
    status_ = std::move(status);
    bool give_up =
        status_.exit() != Exit::Unavailable && status_.exit() != Exit::Failed && !status_.retry();
    return give_up ? Outcome::Failed : Outcome::Aborted;
  };
  while (true) {
    if (inputs.has_consumer()) {
      Outcome events = take_events(inputs);
      if (events != Outcome::Done)
        return events == Outcome::Rebalanced && !status_.ok() ? failed(std::move(status_)) : events;
    }
    if (stop_asked()) return finish(inputs, false);
    if (Status status = take_commit(0); !status.ok()) return failed(std::move(status));
    Watermarks::update_idle(times_, machine_us());
    if (Status status = run_round(); !status.ok()) return failed(std::move(status));
    if (Status status = after_round(); !status.ok()) return failed(std::move(status));
    if (ended()) return finish(inputs, options_.until == Until::End || inputs.all_bounded());
    if (Status status = bound_memory(inputs); !status.ok()) return failed(std::move(status));
    if (epoch_due() && !commits_->busy()) {
      if (Status status = end_epoch(inputs); !status.ok()) return failed(std::move(status));
    }
    publish(inputs);
    bool worked = std::any_of(lanes_.begin(), lanes_.end(),
                              [](const auto& lane) { return lane->rows_in_round() > 0; });
    if (worked) continue;
    if (options_.more && all_at_end()) {
      if (Status status = settle(inputs); !status.ok()) return failed(std::move(status));
      if (options_.more()) continue;
      for (auto& lane : lanes_) lane->time().ended = true;
      return finish(inputs, true);
    }
    if (commits_->busy()) {
      if (Status status = take_commit(std::min(wait_ms(), 5)); !status.ok())
        return failed(std::move(status));
    } else {
      inputs.wait(wait_ms());
    }
  }
}

bool PipelineRun::all_at_end() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return !lane->has_rows() && (lane->time().ended || lane->time().at_end_since_us >= 0);
  });
}

// Everything that has been read is committed.
Status PipelineRun::settle(Inputs& inputs) {
  if (Status status = wait_for_commit(); !status.ok()) return status;
  if (anything_uncommitted()) {
    if (Status status = end_epoch(inputs); !status.ok()) return status;
  }
  return wait_for_commit();
}

Status PipelineRun::run_round() {
  std::vector<int64_t> others = Watermarks::others(times_);
  std::vector<Lane::Round> rounds(lanes_.size());
  Machine::Time until = machine_.now() + kRoundTime;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    uint32_t time = times_[i]->time;
    int64_t floor = watermarks_->floor(time);
    // Lanes that run beside each other see time move at barriers only: no lane has to wait for the
    // slowest one at each window's close. A lane alone sees it row by row, and its results depend
    // on nothing else.
    if (others[i] != INT64_MAX) others[i] = floor;
    uint64_t rows_max = uint64_t(options_.rows_per_batch) * kRoundBatches;
    if (options_.rows_per_epoch_max > 0) {
      uint64_t left = options_.rows_per_epoch_max > rows_in_epoch_
                          ? options_.rows_per_epoch_max - rows_in_epoch_
                          : 0;
      rows_max = std::min<uint64_t>(rows_max, (left + lanes_.size() - 1) / lanes_.size());
    }
    rounds[i] = {
        floor, others[i], operators_->fire_at(time, floor), options_.rows_per_batch, rows_max,
        until, &machine_};
  }
  std::atomic<int64_t> worked_us = 0;
  auto run_lane = [&](uint32_t i) {
    Machine::Time began = machine_.now();
    lanes_[i]->run(rounds[i]);
    worked_us +=
        std::chrono::duration_cast<std::chrono::microseconds>(machine_.now() - began).count();
  };
  // Other threads cost more than they help where records come in small pieces: waking them, and
  // their looking for more.
  if (worked_in_round_us_ < kWorkAloneUs) {
    for (uint32_t i = 0; i < lanes_.size(); ++i) run_lane(i);
  } else {
    arena_.run(uint32_t(lanes_.size()), run_lane);
  }
  worked_in_round_us_ = worked_us;
  return {};
}

Status PipelineRun::after_round() {
  bool full = false;
  for (auto& lane : lanes_) {
    if (!lane->failure().ok()) return lane->failure();
    rows_in_epoch_ += lane->rows_in_round();
    full |= lane->stopped() == Lane::Stopped::Full;
    for (AsideRow& row : lane->take_aside()) aside_.push_back(std::move(row));
    for (const TimestampSample& sample : lane->take_timestamps()) timestamps_.push_back(sample);
  }
  if (rows_in_epoch_ > 0 && summary_->first_event_seconds == 0) {
    summary_->first_event_seconds = std::chrono::duration<double>(machine_.now() - begin_).count();
    options_.first_event_ms = summary_->first_event_seconds * 1000;
  }
  collect_counts();
  watermarks_->advance(times_, false);
  if (Status status = operators_->advance(lane_pointers_, *watermarks_); !status.ok())
    return status;
  if (Status status = operators_->fire_due(lane_pointers_, *watermarks_, machine_us(), false);
      !status.ok())
    return status;
  if (!full) return {};
  uint64_t output = 0;
  for (auto& lane : lanes_) output += lane->memory().output_bytes();
  if (output >= shares_.output / 2) epoch_wanted_ = true;
  return operators_->merge(lane_pointers_);
}

void PipelineRun::collect_counts() {
  LaneCounts all = operators_->take_counts();
  for (auto& lane : lanes_) {
    LaneCounts counts = lane->take_counts();
    all.rows += counts.rows;
    all.bytes += counts.bytes;
    all.late += counts.late;
    all.json_slow += counts.json_slow;
  }
  summary_->rows_in += all.rows;
  summary_->bytes_in += all.bytes;
  summary_->rows_late += all.late;
  metrics_.update([&](MetricsValues& v) {
    v.rows_in += all.rows;
    v.bytes_in += all.bytes;
    v.rows_late += all.late;
    v.json_slow += all.json_slow;
  });
}

// State over its share: first what the store has goes from memory; if everything is too new, the
// epoch ends and is waited for.
Status PipelineRun::bound_memory(Inputs& inputs) {
  uint64_t output = operators_->output_bytes();
  for (auto& lane : lanes_) output += lane->memory().output_bytes();
  if (output > shares_.output || operators_->dirty_bytes() > shares_.dirty) epoch_wanted_ = true;
  if (epoch_wanted_ && commits_->busy()) {  // lanes are faster than commits: they wait
    if (Status status = wait_for_commit(); !status.ok()) return status;
  }
  if (operators_->merged_bytes() - merged_checked_ < shares_.state / 32) return {};
  merged_checked_ = operators_->merged_bytes();
  for (int tries = 0; operators_->state_bytes() > shares_.state; ++tries) {
    if (spill() || tries == 3) break;
    if (Status status = wait_for_commit(); !status.ok()) return status;
    if (tries == 0) continue;
    if (Status status = end_epoch(inputs); !status.ok()) return status;
    if (Status status = wait_for_commit(); !status.ok()) return status;
  }
  return {};
}

// What the store has goes from memory. False: that was too little.
bool PipelineRun::spill() {
  if (operators_->state_bytes() <= shares_.state) return true;
  uint64_t wanted = operators_->state_bytes() - shares_.state * 3 / 4;
  uint64_t freed = operators_->spill(wanted, durable_);
  if (freed > 0) {
    ++summary_->spills;
    metrics_.update([](MetricsValues& v) { ++v.spills; });
  }
  return freed >= wanted;
}

// ---------------------------------------------------------------- epochs

bool PipelineRun::anything_uncommitted() const {
  return must_commit_ || rows_in_epoch_ > 0 || !aside_.empty() || operators_->dirty();
}

bool PipelineRun::epoch_due() const {
  if (!anything_uncommitted()) return false;
  if (epoch_wanted_ || must_commit_) return true;
  if (options_.rows_per_epoch_max > 0 && rows_in_epoch_ >= options_.rows_per_epoch_max) return true;
  return machine_.now() - epoch_begin_ >= std::chrono::milliseconds(options_.commit_interval_ms);
}

Status PipelineRun::end_epoch(Inputs& inputs) {
  if (Status status = operators_->merge(lane_pointers_); !status.ok()) return status;
  if (Status status = operators_->fire_due(lane_pointers_, *watermarks_, machine_us(), true);
      !status.ok())
    return status;
  return cut_epoch(inputs);
}

// The epoch ends with what has been merged and has fired.
Status PipelineRun::cut_epoch(Inputs& inputs) {
  auto epoch = std::make_unique<FrozenEpoch>();
  epoch->number = epoch_;
  operators_->freeze(epoch.get());
  for (auto& lane : lanes_) {
    for (uint32_t sink : program_.sources[lane->source()].stage->emits()) {
      EncodedRows rows = lane->memory().take_output(program_.sinks[sink].sink->output());
      if (rows.records > 0) epoch->outputs.push_back({sink, std::move(rows)});
    }
  }
  for (AsideRow& row : aside_) epoch->aside.push_back(std::move(row));
  aside_.clear();
  epoch->timestamps = std::move(timestamps_);
  timestamps_.clear();
  record_.epoch = epoch_;
  for (auto& lane : lanes_) {
    Sentinel& sentinel = record_.sentinels[lane->partition()];
    sentinel.epoch = epoch_;
    sentinel.partition = lane->partition();
    sentinel.position = lane->position();
    sentinel.event_time_max = lane->time().event_time_max;
    sentinel.watermark = watermarks_->floor(lane->time().time);
    sentinel.idle = lane->time().idle;
    sentinel.shards = uint16_t(shards_);
    sentinel.source = program_.sources[lane->source()].source->name();
    for (const KeyedInfo& keyed : program_.keyed)
      sentinel.signatures[keyed.keyed->identity()] = keyed.keyed->signature();
    if (inputs.is_log(lane->source())) epoch->offsets[lane->partition()] = sentinel.position;
  }
  if (snapshots_ && snapshots_->due()) epoch->checkpoint = snapshots_->checkpoint_directory();
  epoch->record = record_;
  epoch->group = inputs.group_metadata();

  uint64_t dead = epoch->aside.size();
  summary_->rows_dead += dead;
  if (dead > 0) {
    metrics_.update([&](MetricsValues& v) {
      for (const AsideRow& row : epoch->aside) ++v.dead[reason_name(row.reason)];
    });
  }
  must_commit_ = epoch_wanted_ = false;
  rows_in_epoch_ = 0;
  epoch_begin_ = machine_.now();
  ++epoch_;
  if (Status status = wait_for_commit(); !status.ok()) return status;  // of a part
  commits_->begin(std::move(epoch));
  return {};
}

// In the middle of a firing whose groups are not in memory.
Status PipelineRun::make_room(Inputs& inputs) {
  if (operators_->dirty_bytes() <= shares_.dirty) return {};
  if (Status status = operators_->merge(lane_pointers_); !status.ok()) return status;
  if (Status status = cut_epoch(inputs); !status.ok()) return status;
  if (Status status = wait_for_commit(); !status.ok()) return status;
  spill();
  return {};
}

Status PipelineRun::drain_outputs() {
  if (Status status = wait_for_commit(); !status.ok()) return status;
  auto part = std::make_unique<FrozenEpoch>();
  part->number = epoch_;
  part->part = true;
  operators_->take_outputs(&part->outputs);
  commits_->begin(std::move(part));
  must_commit_ = true;
  return {};
}

Status PipelineRun::take_commit(int timeout_ms) {
  take_snapshot();
  std::optional<Committed> done = commits_->result(timeout_ms);
  if (!done) return {};
  if (!done->status.ok())
    return std::move(done->status).within("committing epoch " + std::to_string(done->epoch));
  if (done->part) {
    part_rows_out_ += done->rows_out;
    return {};
  }
  done->rows_out += part_rows_out_;
  part_rows_out_ = 0;
  durable_ = done->epoch;
  ++summary_->epochs;
  summary_->rows_out += done->rows_out;
  int64_t now = machine_.wall_ms();
  metrics_.update([&](MetricsValues& v) {
    ++v.epochs;
    v.rows_out += done->rows_out;
    v.epoch_seconds.observe(done->seconds);
    for (const TimestampSample& sample : done->timestamps)
      v.latency_seconds.observe(double(std::max<int64_t>(now - sample.timestamp_ms, 0)) / 1000,
                                sample.rows);
  });
  if (done->checkpoint) take_checkpoint(std::move(*done->checkpoint));
  return done->spent ? renew_producer() : Status();
}

void PipelineRun::take_checkpoint(Result<Checkpoint> checkpoint) {
  if (checkpoint.ok()) {
    snapshots_->begin(std::move(*checkpoint), &failpoints_);
    return;
  }
  snapshots_->missed();
  metrics_.update([](MetricsValues& v) { ++v.snapshots_failed; });
  if (options_.say) options_.say("no snapshot: " + checkpoint.status().message(), false);
}

// A snapshot that is done.
void PipelineRun::take_snapshot() {
  if (!snapshots_) return;
  std::optional<SnapshotResult> done = snapshots_->result();
  if (!done) return;
  if (!done->status.ok()) {
    metrics_.update([](MetricsValues& v) { ++v.snapshots_failed; });
    if (options_.say)
      options_.say("the snapshot of epoch " + std::to_string(done->epoch) +
                       " did not come about: " + done->status.message(),
                   false);
    return;
  }
  ++summary_->snapshots;
  int64_t now_ms = machine_.wall_ms();
  metrics_.update([&](MetricsValues& v) {
    ++v.snapshots;
    v.snapshot_bytes = done->bytes;
    v.snapshot_copied_bytes += done->copied;
    v.snapshot_ms = now_ms;
  });
}

// Fences the producer that we had: a late request of it can't reach the next transaction.
Status PipelineRun::renew_producer() {
  Result<std::unique_ptr<LogProducer>> producer =
      log_->producer(transactional_id(program_.name, options_.instance));
  if (!producer.ok()) return producer.take_status();
  commits_->use(producer->get());
  producer_ = std::move(*producer);
  return producer_->init_transactions();
}

Status PipelineRun::wait_for_commit() {
  while (commits_->busy()) {
    if (Status status = take_commit(100); !status.ok()) return status;
  }
  return {};
}

bool PipelineRun::ended() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->time().ended && !lane->has_rows(); });
}

// The last epoch: of a stop as it stands, of the end of input after everything has fired.
PipelineRun::Outcome PipelineRun::finish(Inputs& inputs, bool fires) {
  auto last = [&]() -> Status {
    if (Status status = wait_for_commit(); !status.ok()) return status;
    if (fires) {
      Watermarks before = *watermarks_;
      watermarks_->advance(times_, true);
      if (Status status = operators_->merge(lane_pointers_); !status.ok()) return status;
      if (Status status = operators_->advance(lane_pointers_, *watermarks_); !status.ok())
        return status;
      // Before the last emissions: they may end an epoch when they are large.
      for (uint32_t time = 0; time < program_.times; ++time) {
        watermarks_->settle(time, std::max(before.floor(time), operators_->last_close(time)));
      }
      if (Status status = operators_->fire_last(lane_pointers_, *watermarks_); !status.ok())
        return status;
    }
    if (anything_uncommitted() || fires) {
      if (Status status = end_epoch(inputs); !status.ok()) return status;
    }
    if (Status status = wait_for_commit(); !status.ok()) return status;
    collect_counts();
    return {};
  };
  status_ = last();
  if (!status_.ok()) {
    bool again =
        status_.exit() == Exit::Unavailable || status_.exit() == Exit::Failed || status_.retry();
    return again ? Outcome::Aborted : Outcome::Failed;
  }
  if (snapshots_ && !stop_asked()) snapshots_->wait();
  take_snapshot();
  metrics_.update([&](MetricsValues& v) { v.watermark_us = watermarks_->floor(0); });
  publish(inputs);
  ProgressState state;
  state.rows_in = summary_->rows_in;
  state.rows_out = summary_->rows_out;
  state.rows_late = summary_->rows_late;
  state.rows_dead = summary_->rows_dead;
  state.watermark_us = watermarks_->floor(0);
  progress_.finish(state);
  return Outcome::Done;
}

// ---------------------------------------------------------------- waiting, showing

int PipelineRun::wait_ms() const {
  int64_t wait = 100;  // the consumer wants to be polled, a stop to be seen
  if (anything_uncommitted()) {
    auto left =
        std::chrono::milliseconds(options_.commit_interval_ms) - (machine_.now() - epoch_begin_);
    wait = std::min<int64_t>(
        wait, std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1);
  }
  int64_t due = operators_->next_due_us();
  if (due != INT64_MAX) wait = std::min(wait, (due - machine_us()) / 1000 + 1);
  return int(std::max<int64_t>(wait, 1));
}

void PipelineRun::publish(Inputs& inputs) {
  if (!progress_.due() && options_.metrics_address.empty()) return;
  if (!progress_.due() && metrics_.fresh()) return;
  std::vector<TopicPartition> of_log;
  for (auto& lane : lanes_) {
    if (inputs.is_log(lane->source())) of_log.push_back(lane->partition());
  }
  std::map<TopicPartition, LogConsumer::Ends> ends;
  if (!of_log.empty()) {
    if (Result<std::map<TopicPartition, LogConsumer::Ends>> read = inputs.ends(of_log); read.ok())
      ends = std::move(*read);
  }
  ProgressState state;
  int64_t watermark = INT64_MAX;
  for (uint32_t time = 0; time < program_.times; ++time)
    watermark = std::min(watermark, watermarks_->floor(time));
  std::vector<PartitionMetrics> partitions;
  for (auto& lane : lanes_) {
    PartitionMetrics one{lane->partition().topic, lane->partition().partition, -1,
                         lane->time().watermark()};
    int64_t position = lane->position().offset;
    if (auto it = ends.find(lane->partition()); it != ends.end()) {
      one.lag = std::max<int64_t>(it->second.end - position, 0);
      state.lag = std::max<int64_t>(state.lag, 0) + one.lag;
      if (auto end = end_offsets_.find(lane->partition()); end != end_offsets_.end()) {
        state.size += end->second - it->second.begin;
        state.done += position - it->second.begin;
      }
    } else {
      state.done += position;
    }
    partitions.push_back(std::move(one));
  }
  if (of_log.empty()) state.size = inputs.feeds_size();
  state.rows_in = summary_->rows_in;
  state.rows_out = summary_->rows_out;
  state.rows_late = summary_->rows_late;
  state.rows_dead = summary_->rows_dead;
  state.watermark_us = watermark;
  metrics_.update([&](MetricsValues& v) {
    v.partitions = std::move(partitions);
    v.watermark_us = watermark;
    v.state_bytes = operators_->state_bytes();
    v.state_groups = operators_->state_groups();
  });
  metrics_.published();
  if (progress_.due()) progress_.show(state);
}

}  // namespace weir::runtime
