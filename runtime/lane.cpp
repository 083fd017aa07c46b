#include "runtime/lane.h"

namespace weir::runtime {

Lane::Lane(const Program& program, const Start& start, const StageLimits& limits, Fetch fetch)
    : program_(program),
      start_(start),
      source_(program.sources[start.source]),
      memory_(program, *source_.stage, limits),
      fetch_(std::move(fetch)),
      position_(start.position) {
  time_.time = source_.time;
  time_.has_watermark = source_.source->has_watermark();
  time_.delay_us = source_.source->watermark_us();
  time_.idle_us = source_.source->idle_us();
  time_.event_time_max = start.event_time_max;
  time_.idle = start.idle;
  time_.ended = start.end_offset >= 0 && position_.offset >= start.end_offset;
}

Position Lane::position() const {
  if (!batch_) return position_;
  // The epoch of the record at the position: it was there when that epoch had come so far, and so
  // was everything in front of it, also what is never handed out.
  return {batch_->records[next_].offset, batch_->records[next_].leader_epoch};
}

// False: there is nothing to do now.
bool Lane::fetch(const Round& round) {
  Fetched fetched = fetch_(start_.partition, round.rows_per_batch);
  if (!fetched.batch || fetched.batch->count == 0) {
    if (fetched.next_offset > position_.offset)
      position_ = {fetched.next_offset, fetched.next_leader_epoch};
    if (fetched.at_end && time_.at_end_since_us < 0) {
      time_.at_end_since_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  round.machine->now().time_since_epoch())
                                  .count();
    }
    if (!fetched.at_end) time_.at_end_since_us = -1;
    time_.ended = (start_.bounded && fetched.at_end) ||
                  (start_.end_offset >= 0 && position_.offset >= start_.end_offset);
    return false;
  }
  time_.at_end_since_us = -1;
  time_.idle = false;
  batch_ = std::move(fetched.batch);
  batch_count_ = batch_->count;
  next_ = 0;
  batch_next_ = {fetched.next_offset, fetched.next_leader_epoch};
  if (batch_next_.offset < 0) {
    const WeirRecord& last = batch_->records[batch_count_ - 1];
    batch_next_ = {last.offset + 1, last.leader_epoch};
  }
  if (start_.end_offset >= 0) {
    while (batch_count_ > 0 && batch_->records[batch_count_ - 1].offset >= start_.end_offset)
      --batch_count_;
    if (batch_count_ < batch_->count)
      batch_next_ = {start_.end_offset, batch_->records[batch_count_].leader_epoch};
    if (batch_count_ == 0) {
      batch_.reset();
      position_ = batch_next_;
      time_.ended = true;
      return false;
    }
  }
  // A client may fetch again what it has handed out (librdkafka before 2.4, behind a leader's
  // change): records count once.
  while (source_.is_log && next_ < batch_count_ && batch_->records[next_].offset < position_.offset)
    ++next_;
  if (next_ == batch_count_) {
    batch_.reset();
    return false;
  }
  bytes_ += batch_->bytes;
  const WeirRecord& last = batch_->records[batch_count_ - 1];
  if (last.timestamp_ms >= 0) timestamps_.push_back({last.timestamp_ms, batch_count_});
  return true;
}

// Several elements of a record may fail in one stream: it is put aside once. Errors are in the
// order of rows.
static bool is_repeated(const WeirErrors& errors, uint32_t at) {
  const WeirRowError& error = errors.rows[at];
  for (uint32_t i = at; i-- > 0 && errors.rows[i].row == error.row;) {
    if (errors.rows[i].stream == error.stream) return true;
  }
  return false;
}

bool Lane::take_errors(const WeirBatch& batch) {
  const WeirErrors& errors = memory_.errors();
  for (uint32_t i = 0; i < errors.count; ++i) {
    const WeirRowError& error = errors.rows[i];
    WEIR_CHECK(error.row < batch.count, "a stage puts aside rows of its batch only");
    if (is_repeated(errors, i)) continue;
    AsideRow row =
        aside_record(start_.source, start_.partition.partition, error, batch.records[error.row]);
    if (source_.source->on_error() == contract::Source::FAIL) {
      failure_ = Status::error(Exit::BadData, describe(program_, row));
      return false;
    }
    if (source_.source->on_error() == contract::Source::SKIP)
      row.value.clear(), row.key.clear(), row.headers.clear();
    aside_.push_back(std::move(row));
  }
  return true;
}

void Lane::run(const Round& round) {
  stopped_ = Stopped::Round;
  rows_in_round_ = 0;
  WeirStage* stage = memory_.stage();
  while (rows_in_round_ < round.rows_max && round.machine->now() < round.until) {
    if (!batch_) {
      if (time_.ended) {
        stopped_ = Stopped::Ended;
        return;
      }
      if (!fetch(round)) {
        stopped_ = time_.ended ? Stopped::Ended : Stopped::Waits;
        return;
      }
    }
    WeirBatch batch{};
    batch.count = std::min<uint64_t>(batch_count_, uint64_t(next_) + round.rows_per_batch);
    batch.next = next_;
    batch.partition = start_.partition.partition;
    batch.topic = {start_.partition.topic.data(), start_.partition.topic.size()};
    batch.records = batch_->records;
    batch.event_time_max = time_.event_time_max;
    batch.watermark_others = round.watermark_others;
    batch.watermark_floor = round.watermark_floor;
    batch.fire_at = round.fire_at;
    int32_t result = source_.run(stage, &batch);
    rows_in_round_ += batch.next - next_;
    next_ = batch.next;
    time_.event_time_max = batch.event_time_max;
    bool good = take_errors(batch);
    memory_.clear_scratch();
    if (!good) {
      stopped_ = Stopped::Failed;
      return;
    }
    if (next_ == batch_count_) {
      position_ = batch_next_;
      batch_.reset();
      time_.ended = start_.end_offset >= 0 && position_.offset >= start_.end_offset;
    }
    if (result == kStageFires) {
      stopped_ = Stopped::Fires;
      return;
    }
    if (result == kStageFull) {
      stopped_ = Stopped::Full;
      return;
    }
  }
}

LaneCounts Lane::take_counts() {
  WeirCounters& counters = memory_.stage()->counters;
  LaneCounts counts{counters.rows_in, bytes_, counters.rows_late, counters.rows_out,
                    counters.json_slow};
  counters = {};
  bytes_ = 0;
  return counts;
}

}  // namespace weir::runtime
