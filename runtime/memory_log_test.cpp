#include "runtime/memory_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "runtime/memory_log_group.h"

namespace weir::runtime {
namespace {

using Operation = MemoryLog::Operation;
using Moment = MemoryLog::Moment;
using Kind = GroupEvent::Kind;

LogProducer::Message message(std::string_view value, int32_t partition = 0,
                             std::string_view topic = "t") {
  LogProducer::Message made;
  made.topic = topic;
  made.partition = partition;
  made.value = value;
  return made;
}

struct World {
  int64_t now_ms = 1000;
  MemoryLog log{{.clock_ms = [this] { return now_ms; }}};

  World() {
    REQUIRE(log.ensure_topic("t", 4, {}).ok());
    REQUIRE(log.ensure_topic("out", 2, {}).ok());
  }
  void put(int32_t partition, int count) {
    for (int i = 0; i < count; i++) REQUIRE(log.append(message("v", partition)).ok());
  }
  std::unique_ptr<LogConsumer> consumer(const std::string& instance = "") {
    return std::move(*log.consumer({.group = "g", .instance = instance, .topics = {"t"}}));
  }
  std::unique_ptr<LogProducer> producer(const std::string& id = "p") {
    auto made = std::move(*log.producer(id));
    REQUIRE(made->init_transactions().ok());
    return made;
  }
};

std::vector<GroupEvent> poll(LogConsumer& consumer) {
  auto events = consumer.poll(0);
  REQUIRE(events.ok());
  return std::move(*events);
}

// The one event that there is now.
GroupEvent only(LogConsumer& consumer) {
  auto events = poll(consumer);
  REQUIRE(events.size() == 1);
  return events[0];
}

Status start(LogConsumer& consumer, const std::vector<TopicPartition>& partitions) {
  Positions positions;
  for (const auto& partition : partitions) positions[partition] = {};
  return consumer.assign(positions);
}

std::vector<std::string> values(const MemoryLog& log, const std::string& topic, int32_t partition,
                                Isolation isolation = Isolation::ReadCommitted) {
  std::vector<std::string> found;
  for (const auto& record : log.records({topic, partition}, isolation))
    found.push_back(record.value);
  return found;
}

}  // namespace

TEST_CASE("records come back as they were written, in order and by partition") {
  World world;
  std::vector<Header> headers{{"a", "1"}, {"b", ""}, {"a", "2"}};
  LogProducer::Message full = message("value", 1);
  full.has_key = true;
  full.key = "key";
  full.timestamp_ms = 77;
  full.headers = &headers;
  REQUIRE(world.log.append(full).ok());
  LogProducer::Message empty = message("", 1);
  REQUIRE(*world.log.append(empty) == 1);
  LogProducer::Message none = message("", 1);
  none.has_value = false;
  REQUIRE(*world.log.append(none) == 2);

  auto consumer = world.consumer();
  CHECK(only(*consumer).partitions.size() == 4);
  REQUIRE(start(*consumer, {{"t", 1}}).ok());
  Fetched fetched = consumer->fetch({"t", 1}, 10);
  REQUIRE(fetched.batch);
  REQUIRE(fetched.batch->count == 3);
  CHECK(fetched.at_end);
  CHECK(fetched.next_offset == 3);
  CHECK(fetched.batch->bytes == 8);
  const WeirRecord& record = fetched.batch->records[0];
  CHECK(std::string_view(record.key, record.key_size) == "key");
  CHECK(std::string_view(record.value, record.value_size) == "value");
  CHECK(record.timestamp_ms == 77);
  REQUIRE(find_header(record, "a"));
  CHECK(*find_header(record, "a") == "2");
  CHECK(find_header(record, "b")->empty());
  CHECK(!find_header(record, "c"));
  CHECK(fetched.batch->records[1].value != nullptr);
  CHECK(fetched.batch->records[1].value_size == 0);
  CHECK(fetched.batch->records[1].key == nullptr);
  CHECK(fetched.batch->records[1].timestamp_ms == 1000);
  CHECK(fetched.batch->records[2].value == nullptr);
  CHECK(!consumer->fetch({"t", 1}, 10).batch);
}

TEST_CASE("requests of a producer count by its epoch, however late they come") {
  World world;
  int64_t first = world.log.init_producer("p");
  REQUIRE(world.log.write("p", first, message("a")).ok());
  CHECK(world.log.end_transaction("p", first, true).ok());
  CHECK(world.log.end_transaction("p", first, true).ok());  // the same again
  CHECK(world.log.end_transaction("p", first, false).exit() == Exit::Unavailable);
  // What KIP-890 is about: a late end hits the next transaction of its epoch …
  REQUIRE(world.log.write("p", first, message("b")).ok());
  CHECK(world.log.end_transaction("p", first, false).ok());
  CHECK(world.log.end_transaction("p", first, true).exit() == Exit::Unavailable);
  CHECK(values(world.log, "t", 0) == std::vector<std::string>{"a"});
  // … but not that of another epoch.
  int64_t second = world.log.init_producer("p");
  REQUIRE(world.log.write("p", second, message("c")).ok());
  CHECK(world.log.end_transaction("p", first, false).exit() == Exit::Restart);
  CHECK(world.log.write("p", first, message("d")).status().exit() == Exit::Restart);
  CHECK(world.log.end_transaction("p", second, true).ok());
  CHECK(values(world.log, "t", 0) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("a batch stays what it was while the partition grows") {
  World world;
  world.put(0, 10);
  auto consumer = world.consumer();
  only(*consumer);
  REQUIRE(start(*consumer, {{"t", 0}}).ok());
  Fetched first = consumer->fetch({"t", 0}, 3);
  REQUIRE(first.batch->count == 3);
  CHECK(!first.at_end);
  world.put(0, 100'000);
  uint32_t seen = 3;
  while (seen < 100'010) {
    Fetched next = consumer->fetch({"t", 0}, 4096);
    REQUIRE(next.batch);
    CHECK(next.batch->records[0].offset == seen);
    seen += next.batch->count;
  }
  CHECK(first.batch->records[2].offset == 2);
  CHECK(std::string_view(first.batch->records[2].value, 1) == "v");
  CHECK(!consumer->fetch({"t", 0}, 1).batch);
}

TEST_CASE("keys go where Java's partitioner puts them, the rest goes round") {
  World world;
  LogProducer::Message keyed = message("v", -1);
  keyed.has_key = true;
  keyed.key = "foobar";
  REQUIRE(world.log.append(keyed).ok());
  CHECK(world.log.records({"t", (-790332482 & 0x7fffffff) % 4}).size() == 1);
  for (int i = 0; i < 8; i++) REQUIRE(world.log.append(message("v", -1, "out")).ok());
  CHECK(world.log.records({"out", 0}).size() == 4);
  CHECK(world.log.records({"out", 1}).size() == 4);
}

TEST_CASE(
    "an open transaction is not seen, holds the stable end back, and is seen whole after its "
    "commit") {
  World world;
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("a", 0, "out")).ok());
  REQUIRE(producer->produce(message("b", 1, "out")).ok());
  REQUIRE(producer->flush().ok());
  CHECK(producer->last_offset({"out", 0}) == 0);
  REQUIRE(world.log.append(message("plain", 0, "out")).ok());

  CHECK(values(world.log, "out", 0).empty());
  CHECK(values(world.log, "out", 0, Isolation::ReadUncommitted) ==
        std::vector<std::string>{"a", "plain"});
  auto consumer = world.consumer();
  auto ends = consumer->ends({{"out", 0}, {"out", 1}});
  CHECK((*ends)[{"out", 0}].end == 0);

  REQUIRE(producer->commit().ok());
  CHECK(values(world.log, "out", 0) == std::vector<std::string>{"a", "plain"});
  CHECK(values(world.log, "out", 1) == std::vector<std::string>{"b"});
  CHECK((*consumer->ends({{"out", 0}}))[{"out", 0}].end == 3);  // two records and a marker
}

TEST_CASE("an aborted range is passed over, and the producer is not used again") {
  World world;
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("bad")).ok());
  REQUIRE(producer->flush().ok());
  REQUIRE(producer->abort().ok());
  CHECK(producer->begin().exit() == Exit::Bug);
  world.put(0, 1);

  auto consumer = world.consumer();
  only(*consumer);
  REQUIRE(start(*consumer, {{"t", 0}}).ok());
  Fetched fetched = consumer->fetch({"t", 0}, 10);
  REQUIRE(fetched.batch);
  CHECK(fetched.batch->count == 1);
  CHECK(fetched.batch->records[0].offset == 2);
  CHECK(fetched.at_end);
  CHECK(values(world.log, "t", 0, Isolation::ReadUncommitted) ==
        std::vector<std::string>{"bad", "v"});
}

TEST_CASE("a partition that ends in markers is at its end, and its next offset is behind them") {
  World world;
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("a")).ok());
  REQUIRE(producer->commit().ok());
  auto consumer = world.consumer();
  only(*consumer);
  REQUIRE(start(*consumer, {{"t", 0}}).ok());
  Fetched fetched = consumer->fetch({"t", 0}, 1);
  CHECK(fetched.at_end);
  CHECK(fetched.next_offset == 2);
  CHECK(fetched.batch->count == 1);
}

TEST_CASE("a newer producer of the same id fences the older one and aborts what it left open") {
  World world;
  auto old = world.producer();
  REQUIRE(old->begin().ok());
  REQUIRE(old->produce(message("zombie")).ok());
  REQUIRE(old->flush().ok());
  auto young = world.producer();
  CHECK(values(world.log, "t", 0).empty());
  Status refused = old->commit();
  CHECK(refused.exit() == Exit::Restart);
  CHECK(!refused.retry());
  CHECK(refused.message().find("`p`") != std::string::npos);
  REQUIRE(young->begin().ok());
  REQUIRE(young->produce(message("good")).ok());
  REQUIRE(young->commit().ok());
  CHECK(values(world.log, "t", 0) == std::vector<std::string>{"good"});
}

TEST_CASE("the coordinator's time-out aborts and fences") {
  World world;
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("slow")).ok());
  REQUIRE(producer->flush().ok());
  world.log.time_out("p");
  CHECK(producer->commit().exit() == Exit::Restart);
  CHECK(values(world.log, "t", 0).empty());
}

TEST_CASE("offsets are committed with their transaction or not at all") {
  World world;
  auto consumer = world.consumer();
  only(*consumer);
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->send_offsets({{{"t", 0}, {5, -1}}}, *consumer->group_metadata()).ok());
  Status unstable = consumer->committed({{"t", 0}}).take_status();
  CHECK(unstable.retry());
  REQUIRE(producer->abort().ok());
  CHECK(consumer->committed({{"t", 0}})->empty());

  producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->send_offsets({{{"t", 0}, {7, -1}}}, *consumer->group_metadata()).ok());
  REQUIRE(producer->commit().ok());
  CHECK((*consumer->committed({{"t", 0}, {"t", 1}})) == Positions{{{"t", 0}, {7, -1}}});
}

TEST_CASE("range assignment gives the first members one more, topic by topic") {
  auto counts = [](const std::string& topic) { return topic == "a" ? 3 : 4; };
  auto assigned = assign_range({{"a", "b"}, {"b"}, {"a", "b"}}, counts);
  CHECK(assigned[0] == std::vector<TopicPartition>{{"a", 0}, {"a", 1}, {"b", 0}, {"b", 1}});
  CHECK(assigned[1] == std::vector<TopicPartition>{{"b", 2}});
  CHECK(assigned[2] == std::vector<TopicPartition>{{"a", 2}, {"b", 3}});
}

TEST_CASE("a second member: revoke, give up, and both have their half in a new generation") {
  World world;
  auto one = world.consumer();
  CHECK(only(*one).partitions.size() == 4);
  auto old_metadata = one->group_metadata();
  auto two = world.consumer();
  CHECK(poll(*two).empty());  // waits for the first
  GroupEvent revoked = only(*one);
  CHECK(revoked.kind == Kind::Revoked);
  CHECK(revoked.partitions.size() == 4);
  CHECK(poll(*one).empty());

  // The epoch that is being ended still counts.
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->send_offsets({{{"t", 0}, {1, -1}}}, *old_metadata).ok());
  REQUIRE(producer->commit().ok());

  REQUIRE(one->unassign().ok());
  GroupEvent mine = only(*one);
  CHECK(mine.kind == Kind::Assigned);
  CHECK(mine.partitions == std::vector<TopicPartition>{{"t", 0}, {"t", 1}});
  CHECK(only(*two).partitions == std::vector<TopicPartition>{{"t", 2}, {"t", 3}});

  REQUIRE(producer->begin().ok());
  Status refused = producer->send_offsets({{{"t", 0}, {9, -1}}}, *old_metadata);
  CHECK(refused.exit() == Exit::Unavailable);
  CHECK(!refused.retry());
  CHECK(producer->send_offsets({{{"t", 0}, {9, -1}}}, *one->group_metadata()).ok());

  // The second one leaves: the first gets everything back.
  two->close();
  CHECK(only(*one).kind == Kind::Revoked);
  REQUIRE(one->unassign().ok());
  CHECK(only(*one).partitions.size() == 4);
}

TEST_CASE("a static member that comes back keeps its place and fences its older self") {
  World world;
  auto a = world.consumer("00");
  CHECK(only(*a).partitions.size() == 4);
  auto metadata = a->group_metadata();
  auto again = world.consumer("00");
  GroupEvent assigned = only(*again);
  CHECK(assigned.kind == Kind::Assigned);
  CHECK(assigned.partitions.size() == 4);

  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  CHECK(producer->send_offsets({{{"t", 0}, {1, -1}}}, *metadata).exit() == Exit::Restart);
  CHECK(producer->send_offsets({{{"t", 0}, {1, -1}}}, *again->group_metadata()).ok());
  CHECK(only(*a).kind == Kind::Fenced);
  CHECK(a->poll(0).status().exit() == Exit::Restart);

  again->close();
  auto third = world.consumer("00");
  CHECK(only(*third).partitions.size() == 4);
}

TEST_CASE("static members are dealt partitions by their names, not by when they came") {
  World world;
  auto b = world.consumer("01");
  only(*b);
  auto a = world.consumer("00");
  CHECK(poll(*a).empty());
  only(*b);
  REQUIRE(b->unassign().ok());
  CHECK(only(*b).partitions == std::vector<TopicPartition>{{"t", 2}, {"t", 3}});
  CHECK(only(*a).partitions == std::vector<TopicPartition>{{"t", 0}, {"t", 1}});
}

TEST_CASE("a member whose session is over hears of the loss and joins again") {
  World world;
  auto consumer = world.consumer();
  only(*consumer);
  auto metadata = consumer->group_metadata();
  world.log.expire_members("g");
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  CHECK(producer->send_offsets({{{"t", 0}, {1, -1}}}, *metadata).exit() == Exit::Unavailable);
  GroupEvent lost = only(*consumer);
  CHECK(lost.kind == Kind::Lost);
  CHECK(lost.partitions.size() == 4);
  REQUIRE(consumer->unassign().ok());
  CHECK(only(*consumer).kind == Kind::Assigned);
}

TEST_CASE("offsets by time: the first at or after it, else the end") {
  World world;
  world.put(0, 2);
  world.now_ms = 2000;
  world.put(0, 1);
  auto consumer = world.consumer();
  auto at = [&](int64_t ms) { return (*consumer->offsets_at({{"t", 0}}, ms))[{"t", 0}].offset; };
  CHECK(at(0) == 0);
  CHECK(at(1000) == 0);
  CHECK(at(1001) == 2);
  CHECK(at(2001) == 3);
}

TEST_CASE("retention takes the head away; an offset in front of it is an error of the poll") {
  World world;
  world.put(0, 200);
  world.log.delete_before({"t", 0}, 150);
  auto consumer = world.consumer();
  only(*consumer);
  CHECK((*consumer->ends({{"t", 0}}))[{"t", 0}].begin == 150);
  REQUIRE(consumer->assign({{{"t", 0}, {150, -1}}}).ok());
  CHECK(consumer->fetch({"t", 0}, 1000).batch->count == 50);
  REQUIRE(consumer->assign({{{"t", 0}, {10, -1}}}).ok());
  CHECK(!consumer->fetch({"t", 0}, 1000).batch);
  CHECK(consumer->poll(0).status().message().find("out of range") != std::string::npos);
}

TEST_CASE("a reader sees what is committed up to the end as it was when it was opened") {
  World world;
  world.put(0, 3);
  world.put(1, 2);
  auto producer = world.producer();
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("open", 1)).ok());
  REQUIRE(producer->flush().ok());
  auto reader = std::move(*world.log.reader({{{"t", 0}, {1, -1}}, {{"t", 1}, {}}, {{"t", 2}, {}}}));
  REQUIRE(producer->commit().ok());
  world.put(0, 1);
  std::map<TopicPartition, uint32_t> seen;
  while (true) {
    auto read = reader->read(0);
    REQUIRE(read.ok());
    if (!read->batch) break;
    seen[read->partition] += read->batch->count;
  }
  CHECK(seen == std::map<TopicPartition, uint32_t>{{{"t", 0}, 2}, {{"t", 1}, 2}});
}

TEST_CASE("topics: asked for, made once, refused with other partitions") {
  MemoryLog log;
  CHECK(log.partitions("x").status().exit() == Exit::Configuration);
  REQUIRE(log.ensure_topic("x", 3, {}).ok());
  REQUIRE(log.ensure_topic("x", 3, {{"cleanup.policy", "compact"}}).ok());
  CHECK(*log.partitions("x") == 3);
  CHECK(log.ensure_topic("x", 4, {}).exit() == Exit::Configuration);
  CHECK(log.append(message("v", 0, "nowhere")).status().exit() == Exit::Configuration);
  CHECK(log.append(message("v", 3, "x")).status().exit() == Exit::Configuration);
}

TEST_CASE("the hook fails the nth call: before it is done, or after") {
  World world;
  Status lost = Status::error(Exit::Unavailable, "answer lost");
  auto producer = world.producer();
  world.log.fail_nth(Operation::Commit, 2, lost, Moment::After);
  for (int i = 0; i < 2; i++) {
    REQUIRE(producer->begin().ok());
    REQUIRE(producer->produce(message("v")).ok());
    Status committed = producer->commit();
    CHECK(committed.ok() == (i == 0));
  }
  CHECK(values(world.log, "t", 0).size() == 2);  // the second is committed, too

  producer = world.producer();
  world.log.fail_nth(Operation::Commit, 1, lost, Moment::Before);
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("v")).ok());
  CHECK(producer->commit().message() == "answer lost");
  producer = world.producer();
  CHECK(values(world.log, "t", 0).size() == 2);
}

TEST_CASE("the hook may act in the world at a chosen moment") {
  World world;
  auto producer = world.producer();
  world.log.set_hook([&](Operation operation, uint64_t, Moment moment) {
    if (operation == Operation::Commit && moment == Moment::Before) world.log.time_out("p");
    return Status{};
  });
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(message("v")).ok());
  CHECK(producer->commit().exit() == Exit::Restart);
}

TEST_CASE("lanes fetch while others write and commit") {
  MemoryLog log;
  REQUIRE(log.ensure_topic("t", 4, {}).ok());
  constexpr int64_t kRows = 20'000;
  std::vector<std::thread> writers;
  for (int32_t partition = 0; partition < 4; partition++) {
    writers.emplace_back([&log, partition] {
      auto producer = std::move(*log.producer("p" + std::to_string(partition)));
      (void)producer->init_transactions();
      std::string value = std::to_string(partition);
      for (int64_t i = 0; i < kRows;) {
        (void)producer->begin();
        for (int k = 0; k < 100; k++, i++) (void)producer->produce(message(value, partition));
        (void)producer->commit();
      }
    });
  }
  auto consumer = std::move(*log.consumer({.group = "g", .topics = {"t"}}));
  auto assigned = only(*consumer);
  REQUIRE(start(*consumer, assigned.partitions).ok());
  std::atomic<int64_t> rows{0}, wrong{0};
  std::vector<std::thread> lanes;
  for (const TopicPartition& partition : assigned.partitions) {
    lanes.emplace_back([&, partition] {
      int64_t last = -1;
      for (int64_t seen = 0; seen < kRows;) {
        Fetched fetched = consumer->fetch(partition, 512);
        if (!fetched.batch) {
          consumer->wait_for_records(1);
          continue;
        }
        for (uint32_t i = 0; i < fetched.batch->count; i++) {
          const WeirRecord& record = fetched.batch->records[i];
          if (record.offset <= last || record.value[0] != '0' + partition.partition) wrong++;
          last = record.offset;
        }
        seen += fetched.batch->count;
        rows += fetched.batch->count;
      }
    });
  }
  for (auto& thread : writers) thread.join();
  for (auto& thread : lanes) thread.join();
  CHECK(rows == 4 * kRows);
  CHECK(wrong == 0);
}

}  // namespace weir::runtime
