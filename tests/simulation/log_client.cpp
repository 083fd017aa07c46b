#include "tests/simulation/log_client.h"

#include <algorithm>

#include "runtime/names.h"
#include "runtime/state/sentinel.h"
#include "tests/simulation/process.h"

namespace weir::simulation {

using namespace weir::runtime;

namespace {

bool is_lost(FaultKind fault) {
  return fault == FaultKind::lost_request || fault == FaultKind::lost_answer ||
         fault == FaultKind::retry_request || fault == FaultKind::retry_answer;
}

// A call that changes nothing in the broker: an answer that got lost is a request that did.
Status ask(Process& process, Point point) {
  FaultKind fault = process.at(point);
  if (is_lost(fault)) {
    bool again = fault == FaultKind::retry_request || fault == FaultKind::retry_answer;
    return Status::error(Exit::Unavailable, std::string(info(point).name) + " got no answer",
                         again);
  }
  process.after(fault);
  return {};
}

// Records that are copied, for readers that see what they should not.
struct CopiedBatch final : RecordBatch {
  std::vector<MemoryLog::Record> kept;
  std::vector<WeirRecord> views;
  void finish() {
    for (const MemoryLog::Record& record : kept) {
      WeirRecord& view = views.emplace_back();
      view.offset = record.offset;
      view.leader_epoch = -1;
      view.timestamp_ms = record.timestamp_ms;
      if (record.has_key) view.key = record.key.data();
      if (record.has_value) view.value = record.value.data();
      view.key_size = uint32_t(record.key.size());
      view.value_size = uint32_t(record.value.size());
      bytes += record.key.size() + record.value.size();
    }
    records = views.data();
    count = uint32_t(views.size());
  }
};

// What a member says of itself. Requests carry a copy: they outlive the epoch.
struct Metadata final : GroupMetadata {
  std::shared_ptr<const GroupMetadata> member;
};

// ---------------------------------------------------------------- the group's member

class Consumer final : public LogConsumer {
 public:
  Consumer(Process& process, GroupOptions options)
      : process_(process),
        group_(options.group),
        inner_(std::move(*process.world().log.consumer(options))) {}

  Result<std::vector<GroupEvent>> poll(int timeout_ms) override {
    FaultKind fault = process_.at(Point::poll);
    // The client goes on trying by itself.
    if (is_lost(fault)) return std::vector<GroupEvent>{};
    Result<std::vector<GroupEvent>> events = inner_->poll(0);
    if (events.ok() && events->empty() && timeout_ms > 0) {
      process_.wait(timeout_ms * kMillisecond);
      events = inner_->poll(0);
    }
    process_.after(fault);
    return events;
  }

  Status assign(const Positions& positions) override {
    FaultKind fault = process_.at(Point::assign);
    if (!process_.world().offsets_moved.empty())
      process_.world().violate("a start went on with offsets that somebody had moved");
    positions_.clear();
    for (const auto& [partition, position] : positions) positions_[partition] = position.offset;
    Status status = inner_->assign(positions);
    process_.after(fault);
    return status;
  }
  Status unassign() override {
    FaultKind fault = process_.at(Point::unassign);
    positions_.clear();
    Status status = inner_->unassign();
    process_.after(fault);
    return status;
  }

  Fetched fetch(const TopicPartition& partition, uint32_t rows_max) override {
    FaultKind fault = process_.at(Point::fetch);
    if (is_lost(fault)) return {};
    input_seen_ = process_.world().appended;
    if (fault == FaultKind::repeat) repeats_ = true;
    if (repeats_) {
      Fetched again = repeat(partition);
      repeats_ = !again.batch;
      if (again.batch) return again;
    }
    Fetched fetched = process_.mutated(Mutation::dirty_input) ? fetch_dirty(partition, rows_max)
                                                              : inner_->fetch(partition, rows_max);
    if (fetched.next_offset >= 0) positions_[partition] = fetched.next_offset;
    process_.after(fault);
    return fetched;
  }

  void wait_for_records(int timeout_ms) override {
    process_.wait_for_input(input_seen_, timeout_ms * kMillisecond);
  }

  Result<Positions> committed(const std::vector<TopicPartition>& partitions) override {
    if (Status status = ask(process_, Point::committed); !status.ok())
      return Status::error(Exit::Unavailable, status.message(), true);
    if (process_.mutated(Mutation::unstable_offsets)) {
      return process_.world().log.group_offsets(group_);
    }
    if (process_.mutated(Mutation::no_sentinel_check)) {
      Positions said;
      for (const MemoryLog::Record& record :
           process_.world().log.records({commits_topic(group_), 0})) {
        Result<Sentinel> sentinel = read_sentinel(record.value);
        if (sentinel.ok()) said[sentinel->partition] = sentinel->position;
      }
      return said;
    }
    return inner_->committed(partitions);
  }

  Result<std::map<TopicPartition, Ends>> ends(
      const std::vector<TopicPartition>& partitions) override {
    if (Status status = ask(process_, Point::ends); !status.ok())
      return Status::error(Exit::Unavailable, status.message(), true);
    return inner_->ends(partitions);
  }
  Result<Positions> offsets_at(const std::vector<TopicPartition>& partitions,
                               int64_t timestamp_ms) override {
    return inner_->offsets_at(partitions, timestamp_ms);
  }
  std::unique_ptr<GroupMetadata> group_metadata() override {
    auto metadata = std::make_unique<Metadata>();
    metadata->member = inner_->group_metadata();
    return metadata;
  }
  void close() override { inner_->close(); }

 private:
  // The last few records that it had, as a client fetches them again behind a leader's change.
  Fetched repeat(const TopicPartition& partition) {
    Fetched fetched;
    auto position = positions_.find(partition);
    if (position == positions_.end()) return fetched;
    auto batch = std::make_unique<CopiedBatch>();
    for (MemoryLog::Record& record : process_.world().log.records(partition)) {
      if (record.offset < position->second - 4 || record.offset >= position->second) continue;
      if (process_.mutated(Mutation::no_expected_offset)) record.offset = position->second;
      batch->kept.push_back(std::move(record));
    }
    if (batch->kept.empty()) return fetched;
    batch->finish();
    fetched.batch = std::move(batch);
    fetched.next_offset = position->second;
    return fetched;
  }

  Fetched fetch_dirty(const TopicPartition& partition, uint32_t rows_max) {
    Fetched fetched;
    auto position = positions_.find(partition);
    if (position == positions_.end()) return fetched;
    fetched.next_offset = position->second;
    auto batch = std::make_unique<CopiedBatch>();
    for (MemoryLog::Record& record :
         process_.world().log.records(partition, Isolation::ReadUncommitted)) {
      if (record.offset < position->second || batch->kept.size() >= rows_max) continue;
      fetched.next_offset = record.offset + 1;
      batch->kept.push_back(std::move(record));
    }
    fetched.at_end = batch->kept.empty();
    if (fetched.at_end) fetched.next_offset = inner_->fetch(partition, 1).next_offset;
    if (batch->kept.empty()) return fetched;
    batch->finish();
    fetched.batch = std::move(batch);
    return fetched;
  }

  Process& process_;
  std::string group_;
  std::unique_ptr<LogConsumer> inner_;
  std::map<TopicPartition, int64_t> positions_;
  uint64_t input_seen_ = 0;
  bool repeats_ = false;
};

// ---------------------------------------------------------------- the producer

// A message whose bytes are its own: requests outlive the process that sent them.
struct OwnedMessage {
  LogProducer::Message message;
  std::string topic, key, value;
  std::vector<std::pair<std::string, std::string>> header_texts;

  explicit OwnedMessage(const LogProducer::Message& from)
      : message(from), topic(from.topic), key(from.key), value(from.value) {
    if (from.headers) {
      for (const Header& header : *from.headers)
        header_texts.emplace_back(header.name, header.value);
    }
  }
  template <class Work>
  auto with(Work work) const {
    LogProducer::Message views = message;
    std::vector<Header> headers;
    for (const auto& [name, text] : header_texts) headers.push_back({name, text});
    views.topic = topic;
    views.key = key;
    views.value = value;
    views.headers = headers.empty() ? nullptr : &headers;
    return work(views);
  }
};

class Producer final : public LogProducer {
 public:
  Producer(Process& process, std::string id) : process_(process), id_(std::move(id)) {}

  Status init_transactions() override {
    if (process_.mutated(Mutation::producer_reused) && process_.producer_epoch) {
      epoch_ = *process_.producer_epoch;
      return {};
    }
    if (process_.mutated(Mutation::late_init)) return {};
    return init();
  }

  Status begin() override {
    if (epoch_ < 0) {
      if (Status status = init(); !status.ok()) return status;
    }
    WEIR_CHECK(!in_transaction_, "begin inside of a transaction");
    in_transaction_ = true;
    process_.world().transactions[id_] = {++process_.world().transactions[id_].number, false};
    spent_ = false;
    last_offsets_.clear();
    moved_.clear();
    return {};
  }

  Status produce(const Message& message) override {
    WEIR_CHECK(in_transaction_, "produce outside of a transaction");
    FaultKind fault = process_.at(Point::produce);
    waiting_.push_back(message);
    if (is_lost(fault) && process_.mutated(Mutation::flush_ignored)) {
      waiting_.pop_back();
      return {};
    }
    if (is_lost(fault) || fault == FaultKind::crash_late || fault == FaultKind::duplicate) {
      // Of messages that were on their way some arrive, some later.
      Status sent = send();
      return disturbed(fault, std::move(sent), late_message(message));
    }
    // The client sends when it likes.
    if (process_.chance().one_in(4)) {
      if (Status status = send(); !status.ok()) return status;
    }
    process_.after(fault);
    return {};
  }

  Status flush() override {
    FaultKind fault = process_.at(Point::flush);
    bool loses = fault == FaultKind::lost_request || fault == FaultKind::retry_request;
    if (loses && process_.mutated(Mutation::flush_ignored)) {
      waiting_.clear();
      return {};
    }
    std::function<void()> late;
    if (!waiting_.empty()) late = late_message(waiting_.back());
    if (loses || fault == FaultKind::crash_late) {
      if (!waiting_.empty()) waiting_.pop_back();
      if (Status status = send(); !status.ok()) return status;
      return disturbed(fault, {}, std::move(late));
    }
    Status status = send();
    if (is_lost(fault)) return disturbed(fault, std::move(status), {});
    process_.after(fault);
    return status;
  }

  int64_t last_offset(const TopicPartition& partition) const override {
    auto found = last_offsets_.find(partition);
    return found == last_offsets_.end() ? -1 : found->second;
  }

  Status send_offsets(const Positions& next, const GroupMetadata& group) override {
    WEIR_CHECK(in_transaction_, "send_offsets outside of a transaction");
    auto member = static_cast<const Metadata&>(group).member;
    Positions positions = next;
    std::string name = process_.group();
    World& world = process_.world();
    if (process_.mutated(Mutation::offsets_apart) || process_.mutated(Mutation::no_generation)) {
      FaultKind fault = process_.at(Point::send_offsets);
      if (process_.mutated(Mutation::no_generation)) {
        moved_ = positions;
      } else {
        world.log.set_group_offsets(name, positions);
      }
      process_.after(fault);
      return {};
    }
    std::string id = id_;
    int64_t epoch = epoch_now();
    auto send = [&world, id, epoch, positions, member] {
      Status status = world.log.write_offsets(id, epoch, positions, *member);
      if (status.ok()) world.transactions[id].offsets = positions;
      return status;
    };
    return request(Point::send_offsets, send);
  }

  Status commit() override {
    WEIR_CHECK(in_transaction_, "commit outside of a transaction");
    if (process_.mutated(Mutation::disk_first)) {
      process_.deferred = [this] { return end(true); };
      return {};
    }
    Status status = end(true);
    if (!status.ok() && process_.mutated(Mutation::failed_epoch_kept)) {
      (void)end(false);
      in_transaction_ = false;
      return {};
    }
    return status;
  }

  Status abort() override {
    waiting_.clear();
    if (epoch_ < 0) return {};
    Status status = end(false);
    in_transaction_ = false;
    return status;
  }

  bool spent() const override { return spent_ && !process_.mutated(Mutation::producer_kept); }

 private:
  Status init() {
    World& world = process_.world();
    std::string id = id_;
    Status status = request(Point::init, [&world, id]() -> Status {
      world.producer_epochs[id] = world.log.init_producer(id);
      return {};
    });
    if (!status.ok()) return Status::error(status.exit(), status.message(), true);
    epoch_ = world.producer_epochs[id_];
    process_.producer_epoch = epoch_;
    return {};
  }

  Status end(bool commits) {
    World& world = process_.world();
    std::string id = id_, group = process_.group();
    int64_t epoch = epoch_now();
    Positions moved = commits ? moved_ : Positions();
    uint64_t number = world.transactions[id].number;
    auto send = [&world, id, epoch, commits, moved, group, number] {
      Status status = world.log.end_transaction(id, epoch, commits);
      World::Transaction& now = world.transactions[id];
      if (status.ok() && now.open && now.number != number)
        world.violate("a late end of a transaction has ended the next one");
      now.open &= !status.ok();
      if (status.ok() && !moved.empty()) world.log.set_group_offsets(group, moved);
      if (status.ok()) {
        // A commit that comes late puts them where the sentinels are.
        if (commits)
          std::erase_if(world.offsets_moved,
                        [&](const auto& one) { return now.offsets.contains(one.first); });
        now.offsets.clear();
      }
      return status;
    };
    Status status = request(commits ? Point::commit : Point::abort, send);
    if (status.ok()) in_transaction_ = false;
    return status;
  }

  int64_t epoch_now() {
    return process_.mutated(Mutation::no_producer_fencing) ? process_.world().producer_epochs[id_]
                                                           : epoch_;
  }

  Status send() {
    while (!waiting_.empty()) {
      Message message = waiting_.front();
      waiting_.erase(waiting_.begin());
      auto where = process_.world().log.write(id_, epoch_now(), message);
      if (!where.ok()) return where.take_status();
      process_.world().transactions[id_].open = true;
      last_offsets_[where->first] = where->second;
    }
    return {};
  }

  std::function<void()> late_message(const Message& message) {
    World& world = process_.world();
    std::string id = id_;
    int64_t epoch = epoch_now();
    return [&world, id, epoch, owned = OwnedMessage(message)] {
      owned.with([&](const Message& views) { (void)world.log.write(id, epoch, views); });
    };
  }

  void send_late(std::function<void()> what) {
    if (!what) return;
    Random& chance = process_.chance();
    // Most hit one of the next transactions.
    int64_t delay = chance.one_in(4)   ? chance.between(kSecond, 10 * kSecond)
                    : chance.one_in(3) ? chance.between(kMillisecond, kSecond)
                                       : chance.between(1, 20 * kMillisecond);
    process_.world().later(delay, std::move(what));
  }

  // What a request's fault means to the client; `done` is what the broker has answered.
  Status disturbed(FaultKind fault, Status done, std::function<void()> late) {
    spent_ = true;
    if (fault == FaultKind::crash_late) {
      send_late(std::move(late));
      process_.die();
    }
    if (fault == FaultKind::duplicate) {
      // A copy of a message is known by its number; only ends and offsets can come twice.
      return done;
    }
    if (process_.chance().one_in(2) &&
        (fault == FaultKind::lost_request || fault == FaultKind::retry_request))
      send_late(std::move(late));
    return Status::error(Exit::Unavailable, "no answer");
  }

  // `effect` returns what the broker answers. It may come at any time, and twice.
  template <class Effect>
  Status request(Point point, Effect effect) {
    FaultKind fault = process_.at(point);
    World& world = process_.world();
    auto late = [effect, point, &world] {
      world.had_late_init |= point == Point::init;
      (void)effect();
    };
    switch (fault) {
      case FaultKind::lost_request:
      case FaultKind::retry_request:
        spent_ = true;
        if (process_.chance().one_in(2)) send_late(late);
        return Status::error(Exit::Unavailable, "no answer", fault == FaultKind::retry_request);
      case FaultKind::crash_late:
        send_late(late);
        process_.die();
      default:
        break;
    }
    Status status = effect();
    process_.after(fault);
    if (fault == FaultKind::duplicate) {
      spent_ = true;
      send_late(late);
    }
    if (fault == FaultKind::lost_answer || fault == FaultKind::retry_answer) {
      spent_ = true;
      return Status::error(Exit::Unavailable, "no answer", fault == FaultKind::retry_answer);
    }
    return status;
  }

  Process& process_;
  std::string id_;
  int64_t epoch_ = -1;
  bool in_transaction_ = false;
  bool spent_ = false;
  std::vector<Message> waiting_;
  std::map<TopicPartition, int64_t> last_offsets_;
  Positions moved_;  // mutation no_generation
};

// ---------------------------------------------------------------- restoring

class Reader final : public LogReader {
 public:
  Reader(Process& process, std::unique_ptr<LogReader> inner, const Positions& from)
      : process_(process), inner_(std::move(inner)) {
    if (process_.mutated(Mutation::dirty_restore)) dirty_ = from;
  }

  Result<Read> read(int timeout_ms) override {
    if (Status status = ask(process_, Point::read); !status.ok()) return status;
    if (process_.mutated(Mutation::no_restore)) return Read{};
    if (!process_.mutated(Mutation::dirty_restore)) return inner_->read(timeout_ms);
    while (!dirty_.empty()) {
      auto [partition, position] = *dirty_.begin();
      dirty_.erase(dirty_.begin());
      auto batch = std::make_unique<CopiedBatch>();
      for (MemoryLog::Record& record :
           process_.world().log.records(partition, Isolation::ReadUncommitted)) {
        if (record.offset >= position.offset) batch->kept.push_back(std::move(record));
      }
      if (batch->kept.empty()) continue;
      batch->finish();
      return Read{partition, std::move(batch)};
    }
    return Read{};
  }
  int64_t begin(const TopicPartition& partition) const override { return inner_->begin(partition); }

 private:
  Process& process_;
  std::unique_ptr<LogReader> inner_;
  Positions dirty_;
};

}  // namespace

Result<std::unique_ptr<LogConsumer>> LogClient::consumer(const GroupOptions& options) {
  if (Status status = ask(process_, Point::consumer); !status.ok()) return status;
  return std::unique_ptr<LogConsumer>(std::make_unique<Consumer>(process_, options));
}

Result<std::unique_ptr<LogProducer>> LogClient::producer(const std::string& transactional_id) {
  if (Status status = ask(process_, Point::producer); !status.ok()) return status;
  return std::unique_ptr<LogProducer>(std::make_unique<Producer>(process_, transactional_id));
}

Result<std::unique_ptr<LogReader>> LogClient::reader(const Positions& from) {
  if (Status status = ask(process_, Point::reader); !status.ok()) return status;
  Result<std::unique_ptr<LogReader>> inner = process_.world().log.reader(from);
  if (!inner.ok()) return inner.take_status();
  return std::unique_ptr<LogReader>(std::make_unique<Reader>(process_, std::move(*inner), from));
}

Result<int32_t> LogClient::partitions(const std::string& topic) {
  if (Status status = ask(process_, Point::partitions); !status.ok()) return status;
  return process_.world().log.partitions(topic);
}

Status LogClient::ensure_topic(const std::string& topic, int32_t partitions,
                               const std::map<std::string, std::string>& config) {
  if (Status status = ask(process_, Point::ensure_topic); !status.ok()) return status;
  return process_.world().log.ensure_topic(topic, partitions, config);
}

Status LogClient::delete_records(const Positions& before) {
  return process_.world().log.delete_records(before);
}

}  // namespace weir::simulation
