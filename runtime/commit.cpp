#include "runtime/commit.h"

#include <algorithm>
#include <iterator>

#include "runtime/names.h"
#include "runtime/state/changelog.h"

namespace weir::runtime {

namespace {

std::string_view view(const char* data, uint32_t size) { return {data, size}; }

// What a sink can take back it gets before the commit, and its position goes into the commit.
bool takes_back(const Sink& sink) { return !sink.position().empty(); }

int64_t timestamp_ms(int64_t event_time_us) {
  return event_time_us < 0 ? -1 : event_time_us / 1000;
}

}  // namespace

// The life of an epoch's commit. A crash in front of C7 leaves nothing: the transaction is aborted
// by the next start, the store is as it was. Between C7 and C8 the store is one epoch behind the
// log: the next start replays the changelog.
Status CommitThread::commit(FrozenEpoch& epoch, uint64_t* rows_out) {
  LogProducer* producer = places_.producer;
  auto at = [&](const char* step) {
    Status status = places_.failpoints ? places_.failpoints->reach(step) : Status();
    return status.ok() ? places_.machine->reach(step) : status;
  };
  Status status;
  auto step = [&](const char* name, auto work) {
    if (!status.ok()) return;
    status = at(name);
    if (status.ok()) status = work();
  };
  // A transaction is open only while it is being filled: what the epoch produced has waited in its
  // buffers.
  step("C0", [&] {
    return producer && !in_transaction_ ? retried([&] { return producer->begin(); }) : Status();
  });
  in_transaction_ = false;
  step("C1", [&] { return produce_outputs(epoch, rows_out); });
  step("C2", [&] { return produce_dead_letters(epoch); });
  step("C3", [&] { return write_sinks(epoch, true, rows_out); });
  step("C4", [&] { return producer ? produce_changes(epoch) : Status(); });
  // Every message is delivered, or the epoch is aborted.
  step("C5", [&] { return producer ? producer->flush() : Status(); });
  // The group's generation fences a process that has lost its partitions.
  step("C6", [&] {
    if (!producer || !epoch.group) return Status();
    return retried([&] { return producer->send_offsets(epoch.offsets, *epoch.group); });
  });
  step("C7", [&] { return producer ? retried([&] { return producer->commit(); }) : Status(); });
  step("C8", [&] { return write_store(epoch); });
  step("C9", [&] { return write_sinks(epoch, false, rows_out); });
  if (status.ok()) show_aside(epoch);
  return status;
}

// Rows of a firing that is larger than memory: they go into the transaction as they come. Sinks
// that can't take rows back get theirs when the epoch has been committed.
Status CommitThread::take_part(FrozenEpoch& part, uint64_t* rows_out) {
  Status status;
  if (places_.producer) {
    if (!in_transaction_) status = retried([&] { return places_.producer->begin(); });
    in_transaction_ = true;
    if (status.ok()) status = produce_outputs(part, rows_out);
    if (status.ok()) status = places_.producer->flush();
    if (!status.ok()) return status;
  }
  if (status = write_sinks(part, true, rows_out); !status.ok()) return status;
  for (FrozenEpoch::Rows& rows : part.outputs) {
    const Sink* to = places_.sinks[rows.sink];
    bool log = places_.program->sinks[rows.sink].kind == SinkInfo::Kind::Log;
    if (!log && (!to || !takes_back(*to))) held_.push_back(std::move(rows));
  }
  return {};
}

// The same call again as long as the client says that this may help.
template <class Step>
Status CommitThread::retried(Step step) {
  Machine::Time begin = places_.machine->now();
  int64_t wait_ms = 50;
  while (true) {
    Status status = step();
    if (status.ok() || !status.retry()) return status;
    auto spent = places_.machine->now() - begin;
    if (spent > std::chrono::milliseconds(places_.retry_ms_max)) return status;
    places_.machine->sleep(std::chrono::milliseconds(wait_ms));
    wait_ms = std::min<int64_t>(wait_ms * 2, 1000);
  }
}

Status CommitThread::produce_outputs(FrozenEpoch& epoch, uint64_t* rows_out) {
  for (const FrozenEpoch::Rows& rows : epoch.outputs) {
    const SinkInfo& sink = places_.program->sinks[rows.sink];
    if (sink.kind != SinkInfo::Kind::Log) continue;
    Status status;
    rows.rows.for_each([&](const EncodedRows::Row& row) {
      if (!status.ok()) return;
      LogProducer::Message message;
      message.topic = sink.sink->address();
      message.has_key = row.key != nullptr;
      message.has_value = row.value != nullptr;
      message.key = view(row.key, row.key_size);
      message.value = view(row.value, row.value_size);
      message.timestamp_ms = timestamp_ms(row.event_time);
      status = places_.producer->produce(message);
    });
    if (!status.ok()) return std::move(status).within("sink `" + sink.sink->name() + "`");
    *rows_out += rows.rows.records;
  }
  return {};
}

Status CommitThread::produce_dead_letters(FrozenEpoch& epoch) {
  for (AsideRow& row : epoch.aside) {
    const contract::Source& source = *places_.program->sources[row.source].source;
    if (source.on_error() != contract::Source::DEAD_LETTER) continue;
    if (!places_.producer) {
      auto it = places_.dead_letters.find(source.dead_letter());
      if (it == places_.dead_letters.end()) continue;
      if (Status status = it->second->write(dead_letter_json(*places_.program, row), nullptr);
          !status.ok())
        return status;
      continue;
    }
    const auto& texts = epoch.header_texts.emplace_back(dead_letter_headers(*places_.program, row));
    std::vector<Header>& headers = epoch.headers.emplace_back();
    for (const auto& [name, value] : texts) headers.push_back({name, value});
    LogProducer::Message message;
    message.topic = source.dead_letter();
    message.has_key = row.has_key;
    message.has_value = row.has_value;
    message.key = row.key;
    message.value = row.value;
    message.timestamp_ms = row.timestamp_ms;
    message.headers = &headers;
    if (Status status = places_.producer->produce(message); !status.ok())
      return std::move(status).within("dead letter of `" + source.name() + "`");
  }
  return {};
}

Status CommitThread::write_sinks(FrozenEpoch& epoch, bool before_commit, uint64_t* rows_out) {
  const Program& program = *places_.program;
  for (const FrozenEpoch::Rows& rows : epoch.outputs) {
    const SinkInfo& sink = program.sinks[rows.sink];
    if (sink.kind == SinkInfo::Kind::Log) continue;
    Sink* to = places_.sinks[rows.sink];
    bool now = to ? takes_back(*to) == before_commit : !before_commit;
    if (!now) continue;
    Status status;
    if (!to && places_.collect_begins) places_.collect_begins(sink.sink->name());
    rows.rows.for_each([&](const EncodedRows::Row& row) {
      if (!status.ok()) return;
      std::string_view key = view(row.key, row.key_size), value = view(row.value, row.value_size);
      if (to) {
        status = to->write(value, row.key ? &key : nullptr);
      } else if (places_.collect) {
        places_.collect(sink.sink->name(), key, value);
      }
    });
    if (!status.ok()) return std::move(status).within("sink `" + sink.sink->name() + "`");
    *rows_out += rows.rows.records;
  }
  auto flush = [&](Sink& sink, const std::string& name) -> Status {
    if (takes_back(sink) != before_commit) return {};
    if (Status status = sink.flush(); !status.ok())
      return std::move(status).within("sink `" + name + "`");
    if (before_commit) {
      for (auto& [partition, sentinel] : epoch.record.sentinels)
        sentinel.sink_positions[name] = sink.position();
    }
    return {};
  };
  for (uint32_t i = 0; i < program.sinks.size(); ++i) {
    if (!places_.sinks[i]) continue;
    if (Status status = flush(*places_.sinks[i], program.sinks[i].sink->name()); !status.ok())
      return status;
  }
  for (auto& [topic, sink] : places_.dead_letters) {
    if (Status status = flush(*sink, "dead:" + topic); !status.ok()) return status;
  }
  return {};
}

Status CommitThread::produce_changes(FrozenEpoch& epoch) {
  const Program& program = *places_.program;
  LogProducer::Message message;
  for (const FrozenEpoch::Change& change : epoch.changes) {
    message.topic = epoch.texts.emplace_back(
        changelog_topic(program.name, program.keyed[change.keyed].keyed->identity()));
    message.partition = change.shard;
    message.value = change.record;
    if (Status status = places_.producer->produce(message); !status.ok())
      return std::move(status).within("changelog");
  }
  // The sentinels: what the epoch says about itself, one for each source partition.
  std::string_view topic = epoch.texts.emplace_back(commits_topic(program.name));
  for (auto& [partition, sentinel] : epoch.record.sentinels) {
    message = {};
    message.topic = topic;
    message.partition = 0;
    message.has_key = true;
    message.key = epoch.texts.emplace_back(sentinel_key(partition));
    message.value = epoch.texts.emplace_back(write_sentinel(sentinel));
    if (Status status = places_.producer->produce(message); !status.ok())
      return std::move(status).within("sentinel");
  }
  return {};
}

Status CommitThread::write_store(FrozenEpoch& epoch) {
  const Program& program = *places_.program;
  auto reached = [&](const TopicPartition& partition) {
    if (!places_.producer) return;
    int64_t last = places_.producer->last_offset(partition);
    if (last >= 0) places_.changelogs[partition] = last + 1;
  };
  std::vector<Store::Write> writes;
  std::vector<ChangelogEntry> entries;
  for (const FrozenEpoch::Change& change : epoch.changes) {
    reached({changelog_topic(program.name, program.keyed[change.keyed].keyed->identity()),
             change.shard});
    ChangelogHeader header;
    if (Status status = read_changelog(change.record, &header, &entries); !status.ok())
      return status;
    for (const ChangelogEntry& entry : entries)
      writes.push_back({change.keyed, entry.key, entry.value, entry.removed});
  }
  reached({commits_topic(program.name), 0});
  epoch.record.changelogs = places_.changelogs;
  if (Status status = places_.store->write(writes, write_commit_record(epoch.record)); !status.ok())
    return status;
  for (const FrozenEpoch::Closed& closed : epoch.closed)
    places_.store->forget_before(closed.keyed, closed.before);
  return {};
}

Result<Checkpoint> CommitThread::checkpoint(const FrozenEpoch& epoch) {
  Status status = places_.failpoints ? places_.failpoints->reach("S0") : Status();
  if (!status.ok()) return status;
  Result<std::vector<Store::CheckpointFile>> files = places_.store->checkpoint(epoch.checkpoint);
  if (!files.ok()) return files.take_status();
  return Checkpoint{epoch.record, std::move(*files)};
}

void CommitThread::show_aside(const FrozenEpoch& epoch) {
  if (!places_.aside) return;
  for (const AsideRow& row : epoch.aside) {
    places_.aside(places_.program->sources[row.source].source->name(), "error",
                  dead_letter_json(*places_.program, row));
  }
}

// ---------------------------------------------------------------- the thread

CommitThread::CommitThread(CommitPlaces places)
    : places_(std::move(places)), worker_(places_.machine->worker()) {}

void CommitThread::begin(std::unique_ptr<FrozenEpoch> epoch) {
  WEIR_CHECK(!busy_, "one commit is in flight at a time");
  busy_ = true;
  epoch_ = std::move(epoch);
  worker_->start([this] {
    result_ = run(*epoch_);
    epoch_.reset();
  });
}

std::optional<Committed> CommitThread::result(int timeout_ms) {
  if (!busy_ || !worker_->wait(timeout_ms)) return std::nullopt;
  busy_ = false;
  return std::move(result_);
}

Committed CommitThread::run(FrozenEpoch& epoch) {
  Machine::Time begin = places_.machine->now();
  Committed done;
  done.epoch = epoch.number;
  done.part = epoch.part;
  if (epoch.part) {
    done.status = take_part(epoch, &done.rows_out);
  } else {
    epoch.outputs.insert(epoch.outputs.begin(), std::make_move_iterator(held_.begin()),
                         std::make_move_iterator(held_.end()));
    held_.clear();
    done.status = commit(epoch, &done.rows_out);
    done.spent = places_.producer && places_.producer->spent();
  }
  if (!done.status.ok() && places_.producer) {
    // Whatever it answers: this producer is not used again.
    (void)places_.producer->abort();
  }
  done.seconds = std::chrono::duration<double>(places_.machine->now() - begin).count();
  done.timestamps = std::move(epoch.timestamps);
  // Here nobody writes to the store.
  if (done.status.ok() && !epoch.checkpoint.empty()) done.checkpoint = checkpoint(epoch);
  return done;
}

}  // namespace weir::runtime
