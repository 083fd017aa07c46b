#include "runtime/startup.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "runtime/names.h"
#include "runtime/state/changelog.h"
#include "runtime/state/state_value.h"

namespace weir::runtime {

namespace {

// Reads sentinels and changelogs behind what the store has, and applies them.
class Restore {
 public:
  Restore(const Program& program, Store& store, Log& log, CommitRecord* record,
          uint64_t bytes_per_write)
      : program_(program),
        store_(store),
        log_(log),
        record_(record),
        bytes_per_write_(bytes_per_write) {}

  // `all_sentinels`: the store does not know those of all partitions; another process may have
  // written them. Exit::Failed: the changelogs no longer have what is behind the store.
  Status run(bool all_sentinels) {
    Positions from;
    if (all_sentinels) record_->changelogs.erase({commits_topic(program_.name), 0});
    Status status = add_topic(commits_topic(program_.name), &from);
    for (uint32_t i = 0; i < program_.keyed.size() && status.ok(); ++i) {
      std::string topic = changelog_topic(program_.name, program_.keyed[i].keyed->identity());
      stores_[topic] = i;
      status = add_topic(topic, &from);
    }
    if (!status.ok()) return status;
    Result<std::unique_ptr<LogReader>> reader = log_.reader(from);
    if (!reader.ok()) return reader.take_status();
    for (const auto& [partition, position] : from) {
      if (position.offset != 0 || !stores_.contains(partition.topic)) continue;
      if (int64_t begin = (*reader)->begin(partition); begin > 0)
        return Status::error(Exit::Failed, "`" + partition.topic + "`/" +
                                               std::to_string(partition.partition) +
                                               " begins at offset " + std::to_string(begin));
    }
    while (true) {
      Result<LogReader::Read> read = (*reader)->read(1000);
      if (!read.ok()) return read.take_status();
      if (!read->batch) break;
      for (uint32_t i = 0; i < read->batch->count && status.ok(); ++i)
        status = take(read->partition, read->batch->records[i]);
      if (!status.ok()) return status;
    }
    return write();
  }
  uint64_t entries() const { return entries_; }
  uint64_t bytes() const { return bytes_; }

 private:
  Status add_topic(const std::string& topic, Positions* from) {
    Result<int32_t> count = log_.partitions(topic);
    if (!count.ok()) return count.take_status();
    for (int32_t p = 0; p < *count; ++p) {
      auto it = record_->changelogs.find({topic, p});
      (*from)[{topic, p}] = {it == record_->changelogs.end() ? 0 : it->second, -1};
    }
    return {};
  }

  Status take(const TopicPartition& partition, const WeirRecord& record) {
    record_->changelogs[partition] = record.offset + 1;
    if (!record.value) return {};
    std::string_view value(record.value, record.value_size);
    auto store = stores_.find(partition.topic);
    if (store == stores_.end()) {
      Result<Sentinel> sentinel = read_sentinel(value);
      if (!sentinel.ok())
        return sentinel.take_status().within("`" + partition.topic + "` at offset " +
                                             std::to_string(record.offset));
      sentinels_[sentinel->partition] = std::move(*sentinel);
      return {};
    }
    ChangelogHeader header;
    std::vector<ChangelogEntry> entries;
    const std::string& kept = texts_.emplace_back(value);
    if (Status status = read_changelog(kept, &header, &entries); !status.ok()) {
      return std::move(status).within("`" + partition.topic + "`/" +
                                      std::to_string(partition.partition) + " at offset " +
                                      std::to_string(record.offset));
    }
    if (header.store != program_.keyed[store->second].keyed->identity() ||
        header.shard != partition.partition) {
      return Status::error(Exit::Configuration,
                           "`" + partition.topic + "`/" + std::to_string(partition.partition) +
                               " holds a record of `" + std::string(header.store) + "`, shard " +
                               std::to_string(header.shard) + ": somebody else writes there");
    }
    for (const ChangelogEntry& entry : entries)
      writes_.push_back({store->second, entry.key, entry.value, entry.removed});
    entries_ += entries.size();
    bytes_ += value.size();
    waiting_bytes_ += value.size();
    return waiting_bytes_ >= bytes_per_write_ ? write() : Status();
  }

  // In the order of keys, which the store takes faster, and without what was written over
  // meanwhile.
  void put_in_order() {
    std::vector<uint32_t> order(writes_.size());
    std::iota(order.begin(), order.end(), 0);
    auto before = [](const Store::Write& a, const Store::Write& b) {
      return a.store != b.store ? a.store < b.store : a.key < b.key;
    };
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (before(writes_[a], writes_[b])) return true;
      return !before(writes_[b], writes_[a]) && a < b;
    });
    std::vector<Store::Write> sorted;
    sorted.reserve(order.size());
    for (uint32_t i : order) {
      bool adds = !writes_[i].removed && is_part(writes_[i].value);
      while (!adds && !sorted.empty() && !before(sorted.back(), writes_[i])) sorted.pop_back();
      sorted.push_back(writes_[i]);
    }
    writes_ = std::move(sorted);
  }

  // Sentinels may run ahead of the state here: nobody uses it before the rest has been applied, by
  // this start or the next.
  Status write() {
    put_in_order();
    for (auto& [partition, sentinel] : sentinels_) {
      record_->epoch = std::max(record_->epoch, sentinel.epoch);
      record_->sentinels[partition] = std::move(sentinel);
    }
    sentinels_.clear();
    if (Status status = store_.write(writes_, write_commit_record(*record_)); !status.ok())
      return status;
    writes_.clear();
    texts_.clear();
    waiting_bytes_ = 0;
    return {};
  }

  const Program& program_;
  Store& store_;
  Log& log_;
  CommitRecord* record_;
  uint64_t bytes_per_write_;
  std::map<std::string, uint32_t> stores_;  // by topic
  std::map<TopicPartition, Sentinel> sentinels_;
  std::vector<Store::Write> writes_;
  std::deque<std::string> texts_;  // what writes_ point to
  uint64_t waiting_bytes_ = 0;
  uint64_t entries_ = 0, bytes_ = 0;
};

Status check_signatures(const Program& program, const CommitRecord& record) {
  for (const KeyedInfo& keyed : program.keyed) {
    for (const auto& [partition, sentinel] : record.sentinels) {
      auto it = sentinel.signatures.find(keyed.keyed->identity());
      if (it == sentinel.signatures.end() || it->second == keyed.keyed->signature()) continue;
      return Status::error(
          Exit::Configuration,
          "the state of `" + keyed.keyed->identity() + "` does not fit the program:\n  state   " +
              it->second + "\n  program " + keyed.keyed->signature() +
              "\ngive the step or the pipeline another name (--name), or change the program back");
    }
  }
  return {};
}

// The sentinels' offsets are the group's: both were written in one transaction. Where processes
// share the pipeline, one that died may have left a transaction open: until it is ended, nobody
// sees sentinels behind its own.
Status check_committed(const Program& program, const CommitRecord& record,
                       const std::vector<InputPartition>& partitions, const Inputs& inputs,
                       const Positions& committed) {
  for (const InputPartition& input : partitions) {
    if (!inputs.is_log(input.source)) continue;
    auto sentinel = record.sentinels.find(input.partition);
    auto group = committed.find(input.partition);
    int64_t ours = sentinel == record.sentinels.end() ? -1 : sentinel->second.position.offset,
            theirs = group == committed.end() ? -1 : group->second.offset;
    if (ours == theirs) continue;
    if (ours < 0) {
      // Never read by this pipeline: `start` says whether the offsets of whoever has read it count.
      const auto& options = program.sources[input.source].options;
      auto start = options.find("start");
      if (start != options.end() && start->second == "committed") continue;
    }
    bool may_be_hidden = program.keyed.empty() && ours < theirs;
    return Status::error(
        may_be_hidden ? Exit::Unavailable : Exit::Configuration,
        input.partition.topic + "/" + std::to_string(input.partition.partition) +
            (ours < 0
                 ? ": this pipeline has not read it yet"
                 : ": the state was made of the records up to offset " + std::to_string(ours)) +
            ", but the group has " +
            (theirs < 0 ? "no committed offset" : "committed " + std::to_string(theirs)) +
            (may_be_hidden ? ": another process has left a transaction open, or somebody moved the "
                             "group's offsets"
             : ours < 0    ? ": somebody else has used the group, or its topic `" +
                              commits_topic(program.name) +
                              "` was lost (start = committed goes on from the group's offsets)"
                        : ": somebody moved the group's offsets, or a commit was lost"),
        may_be_hidden);
  }
  return {};
}

// The store, and what the changelogs have behind it.
Status settle_store(const Program& program, Store& store, Log* log,
                    const std::vector<InputPartition>& partitions, const RunOptions& options,
                    const std::function<Result<bool>()>& from_snapshot, DurableState* state) {
  bool may_fetch = from_snapshot != nullptr;
  while (true) {
    state->record = {};
    Result<std::string> stored = store.commit_record();
    if (!stored.ok()) return stored.take_status();
    if (!stored->empty()) {
      Result<CommitRecord> record = read_commit_record(*stored);
      if (!record.ok()) return record.take_status();
      state->record = std::move(*record);
    }
    if (!log || !program.uses_log) return {};
    if (Status status = check_signatures(program, state->record); !status.ok()) return status;
    bool all_known =
        std::all_of(partitions.begin(), partitions.end(), [&](const InputPartition& input) {
          return state->record.sentinels.contains(input.partition);
        });
    Restore restore(program, store, *log, &state->record, options.restore_write_bytes);
    Status status = restore.run(!all_known);
    if (status.ok()) {
      state->restored_entries = restore.entries();
      state->restored_bytes = restore.bytes();
      return {};
    }
    if (status.exit() != Exit::Failed) return std::move(status).within("restoring state");
    if (may_fetch) {
      may_fetch = false;
      Result<bool> fetched = from_snapshot();
      if (!fetched.ok()) return fetched.take_status();
      if (*fetched) continue;
    }
    return Status::error(
        Exit::Configuration,
        "restoring state: " + status.message() + "; what was before it is in snapshots, " +
            (from_snapshot ? "and no intact one was found" : "say where they are by --snapshots"));
  }
}

}  // namespace

Result<uint32_t> stored_shards(Store& store, uint32_t wanted) {
  Result<std::string> stored = store.commit_record();
  if (!stored.ok()) return stored.take_status();
  if (stored->empty()) return wanted;
  Result<CommitRecord> record = read_commit_record(*stored);
  if (!record.ok()) return record.take_status();
  return record->sentinels.empty() ? wanted : record->sentinels.begin()->second.shards;
}

Status ensure_internal_topics(const Program& program, Log& log, uint32_t shards) {
  // The sentinels of a partition replace each other; small segments let compaction keep up with ten
  // a second.
  Status status = log.ensure_topic(commits_topic(program.name), 1,
                                   {{"cleanup.policy", "compact"}, {"segment.bytes", "16777216"}});
  for (uint32_t i = 0; i < program.keyed.size() && status.ok(); ++i) {
    // Records carry many entries under no key, so they can't be compacted. They are kept until
    // snapshots have what is in them; a broker frees whole segments.
    status = log.ensure_topic(changelog_topic(program.name, program.keyed[i].keyed->identity()),
                              int32_t(shards),
                              {{"cleanup.policy", "delete"},
                               {"retention.ms", "-1"},
                               {"retention.bytes", "-1"},
                               {"segment.bytes", "67108864"}});
  }
  return status;
}

Result<DurableState> read_durable_state(const Program& program, Store& store, Log* log,
                                        Inputs& inputs,
                                        const std::vector<InputPartition>& partitions,
                                        const RunOptions& options,
                                        const std::function<Result<bool>()>& from_snapshot) {
  DurableState state;
  std::vector<TopicPartition> of_log;
  for (const InputPartition& input : partitions) {
    if (inputs.is_log(input.source)) of_log.push_back(input.partition);
  }
  Positions committed;
  if (!of_log.empty()) {
    Result<Positions> read = inputs.committed(of_log);
    if (!read.ok()) return read.take_status();
    committed = std::move(*read);
  }
  Status settled = settle_store(program, store, log, partitions, options, from_snapshot, &state);
  if (!settled.ok()) return settled;
  if (Status status = check_signatures(program, state.record); !status.ok()) return status;
  if (Status status = check_committed(program, state.record, partitions, inputs, committed);
      !status.ok()) {
    if (status.retry()) return status;
    // Unless another process has our place, and has committed while we were reading.
    Result<Positions> again = inputs.committed(of_log);
    if (!again.ok()) return again.take_status();
    if (*again == committed) return status;
    return Status::error(Exit::Unavailable,
                         "another process commits offsets of group `" + program.name + "`", true);
  }

  state.shards = options.shards;
  state.first_start = state.record.sentinels.empty();
  std::vector<InputPartition> never_read, appeared;
  for (const InputPartition& input : partitions) {
    auto it = state.record.sentinels.find(input.partition);
    if (it != state.record.sentinels.end()) {
      state.positions[input.partition] = it->second.position;
      state.shards = it->second.shards;
      continue;
    }
    bool topic_known =
        std::any_of(state.record.sentinels.begin(), state.record.sentinels.end(),
                    [&](const auto& s) { return s.first.topic == input.partition.topic; });
    (topic_known && inputs.is_log(input.source) ? appeared : never_read).push_back(input);
  }
  if (!never_read.empty()) {
    Result<Positions> first = inputs.first_positions(never_read);
    if (!first.ok()) return first.take_status();
    state.positions.insert(first->begin(), first->end());
  }
  // Other partitions' sentinels are theirs to write who read them.
  std::erase_if(state.record.sentinels,
                [&](const auto& s) { return !state.positions.contains(s.first); });
  if (!appeared
           .empty()) {  // from the beginning, whatever `start` says: nothing of it has been read
    std::vector<TopicPartition> own;
    for (const InputPartition& input : appeared) own.push_back(input.partition);
    Result<std::map<TopicPartition, LogConsumer::Ends>> ends = inputs.ends(own);
    if (!ends.ok()) return ends.take_status();
    for (const TopicPartition& partition : own)
      state.positions[partition] = {(*ends)[partition].begin, -1};
  }
  return state;
}

}  // namespace weir::runtime
