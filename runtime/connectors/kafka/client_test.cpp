// Against a real broker: WEIR_TEST_BROKERS=127.0.0.1:9092 (tools/kafka up). Without it, only what
// needs none. WEIR_TEST_CLIENT=librdkafka reads records through the library.
#include <doctest/doctest.h>

#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include "runtime/log.h"

namespace weir::runtime {
namespace {

using Kind = GroupEvent::Kind;

ClientProperties properties() {
  const char* brokers = std::getenv("WEIR_TEST_BROKERS");
  const char* client = std::getenv("WEIR_TEST_CLIENT");
  return {.brokers = brokers ? brokers : "",
          .properties = {{"session.timeout.ms", "6000"}},
          .client = client ? client : ""};
}
bool has_broker() {
  if (!properties().brokers.empty()) return true;
  MESSAGE("skipped: WEIR_TEST_BROKERS is not set");
  return false;
}

// A name that no other run has used.
std::string fresh(const std::string& stem) {
  static int count = 0;
  auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return stem + "-" + std::to_string(getpid()) + "-" + std::to_string(now) + "-" +
         std::to_string(++count);
}

struct World {
  std::unique_ptr<Log> log = std::move(*open_kafka(properties()));
  std::string topic = fresh("weir-test");
  std::string group = fresh("weir-group");

  explicit World(int32_t partitions = 2) { REQUIRE(log->ensure_topic(topic, partitions, {}).ok()); }

  std::unique_ptr<LogProducer> producer(const std::string& id) {
    auto made = log->producer(id);
    REQUIRE(made.ok());
    Status status = (*made)->init_transactions();
    for (int i = 0; i < 20 && status.retry(); i++) status = (*made)->init_transactions();
    if (!status.ok()) MESSAGE(status.message());
    REQUIRE(status.ok());
    return std::move(*made);
  }
  std::unique_ptr<LogConsumer> consumer(const std::string& instance = "") {
    auto made = log->consumer({.group = group, .instance = instance, .topics = {topic}});
    REQUIRE(made.ok());
    return std::move(*made);
  }
  LogProducer::Message message(std::string_view value, int32_t partition = 0) const {
    LogProducer::Message made;
    made.topic = topic;
    made.partition = partition;
    made.value = value;
    return made;
  }
  void commit(LogProducer& producer, std::initializer_list<std::string_view> values,
              int32_t partition = 0) {
    REQUIRE(producer.begin().ok());
    for (auto value : values) REQUIRE(producer.produce(message(value, partition)).ok());
    REQUIRE(producer.flush().ok());
    REQUIRE(producer.commit().ok());
  }
};

// The next event, within ten seconds.
GroupEvent next_event(LogConsumer& consumer) {
  for (int i = 0; i < 100; i++) {
    auto events = consumer.poll(100);
    if (!events.ok()) MESSAGE(events.status().message());
    REQUIRE(events.ok());
    if (!events->empty()) return (*events)[0];
  }
  FAIL("no event");
  return {};
}

struct Seen {
  std::vector<std::string> values;
  std::vector<int64_t> offsets;
  int64_t next = -1;
};
// Everything up to the end.
Seen drain(LogConsumer& consumer, const TopicPartition& partition, uint32_t rows_max = 1000) {
  Seen seen;
  for (int i = 0; i < 200; i++) {
    Fetched fetched = consumer.fetch(partition, rows_max);
    for (uint32_t r = 0; fetched.batch && r < fetched.batch->count; r++) {
      const WeirRecord& record = fetched.batch->records[r];
      seen.values.emplace_back(record.value ? record.value : "", record.value_size);
      seen.offsets.push_back(record.offset);
    }
    seen.next = fetched.next_offset;
    if (fetched.at_end) return seen;
    if (!fetched.batch) {
      REQUIRE(consumer.poll(0).ok());
      consumer.wait_for_records(50);
    }
  }
  FAIL("the end was not reached");
  return seen;
}

// Waits until the partitions together have `total` offsets that a reader may see: the broker
// answers a commit or an abort before its markers are written.
void wait_for_ends(LogConsumer& consumer, const std::vector<TopicPartition>& partitions,
                   int64_t total) {
  int64_t seen = 0;
  for (int i = 0; i < 200; i++) {
    auto ends = consumer.ends(partitions);
    REQUIRE(ends.ok());
    seen = 0;
    for (const auto& [partition, range] : *ends) seen += range.end;
    if (seen >= total) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  REQUIRE(seen == total);
}

Positions beginning(const std::vector<TopicPartition>& partitions) {
  Positions positions;
  for (const auto& partition : partitions) positions[partition] = {};
  return positions;
}

}  // namespace

TEST_CASE(
    "properties that delivery rests on are refused, unknown ones are named, secrets are not "
    "shown") {
  auto open = [](std::map<std::string, std::string> given) {
    auto opened = open_kafka(
        {.brokers = "127.0.0.1:1", .properties = std::move(given), .secrets = {"client.rack"}});
    return opened.ok() ? Status{} : opened.take_status();
  };
  CHECK(open({{"enable.auto.commit", "true"}}).exit() == Exit::Configuration);
  CHECK(open({{"isolation.level", "read_uncommitted"}}).message().find("isolation.level") !=
        std::string::npos);
  Status unknown = open({{"no.such.thing", "1"}});
  CHECK(unknown.exit() == Exit::Configuration);
  CHECK(unknown.message().find("no.such.thing") != std::string::npos);
  CHECK(open({{"linger.ms", "hunter2"}}).message().find("linger.ms") != std::string::npos);
  Status secret = open({{"ssl.key.password", "hunter2"}, {"security.protocol", "hunter2"}});
  CHECK(secret.exit() == Exit::Configuration);
  CHECK(open({{"linger.ms", "20"}, {"sasl.password", "x"}}).ok());
  CHECK(open_kafka({}).status().exit() == Exit::Configuration);
}

TEST_CASE("slow_nobody answers: unavailable, and the address is named") {
  auto log = std::move(*open_kafka({.brokers = "127.0.0.1:1"}));
  auto began = std::chrono::steady_clock::now();
  Status status = log->partitions("t").take_status();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(13));
  CHECK(status.exit() == Exit::Unavailable);
  CHECK(status.message().find("127.0.0.1:1") != std::string::npos);
  CHECK(status.message().find("refused") != std::string::npos);
}

TEST_CASE("topics") {
  if (!has_broker()) return;
  World world(3);
  CHECK(*world.log->partitions(world.topic) == 3);
  CHECK(world.log->ensure_topic(world.topic, 3, {}).ok());
  CHECK(world.log->ensure_topic(world.topic, 4, {}).exit() == Exit::Configuration);
  Status none = world.log->partitions("weir-no-such-topic").take_status();
  CHECK(none.exit() == Exit::Configuration);
  CHECK(none.message().find("weir-no-such-topic") != std::string::npos);
  CHECK(world.log->ensure_topic(fresh("weir-compact"), 1, {{"cleanup.policy", "compact"}}).ok());
  CHECK(world.log->ensure_topic(fresh("weir-bad"), 1, {{"cleanup.policy", "sometimes"}}).exit() ==
        Exit::Configuration);
}

TEST_CASE("records come as they were written; aborted ones do not come") {
  if (!has_broker()) return;
  World world;
  auto producer = world.producer(world.group + "-p");
  world.commit(*producer, {"a", "b"});

  REQUIRE(producer->begin().ok());
  std::string key = "key";
  std::vector<Header> headers{{"reason", "bad"}, {"empty", ""}};
  auto full = world.message("c");
  full.has_key = true;
  full.key = key;
  full.timestamp_ms = 1234;
  full.headers = &headers;
  REQUIRE(producer->produce(full).ok());
  auto none = world.message("");
  none.has_value = false;
  REQUIRE(producer->produce(none).ok());
  REQUIRE(producer->produce(world.message("")).ok());
  REQUIRE(producer->flush().ok());
  CHECK(producer->last_offset({world.topic, 0}) == 5);  // two records, a marker, three records
  CHECK(producer->last_offset({world.topic, 1}) == -1);
  REQUIRE(producer->commit().ok());
  CHECK(!producer->spent());

  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(world.message("aborted")).ok());
  REQUIRE(producer->flush().ok());
  REQUIRE(producer->abort().ok());

  auto consumer = world.consumer();
  GroupEvent assigned = next_event(*consumer);
  CHECK(assigned.kind == Kind::Assigned);
  CHECK(assigned.partitions.size() == 2);
  wait_for_ends(*consumer, assigned.partitions, 9);
  REQUIRE(consumer->assign(beginning(assigned.partitions)).ok());
  std::vector<Fetched> kept;  // all of them are looked at again below
  uint32_t rows = 0;
  for (int i = 0; i < 200 && (kept.empty() || !kept.back().at_end); i++) {
    kept.push_back(consumer->fetch({world.topic, 0}, 2));
    if (kept.back().batch)
      rows += kept.back().batch->count;
    else
      consumer->wait_for_records(50);
  }
  CHECK(rows == 5);
  CHECK(kept.back().next_offset == 9);  // behind the aborted record and its marker
  std::vector<WeirRecord> all;
  for (const Fetched& fetched : kept) {
    for (uint32_t r = 0; fetched.batch && r < fetched.batch->count; r++)
      all.push_back(fetched.batch->records[r]);
  }
  REQUIRE(all.size() == 5);
  CHECK(std::string_view(all[1].value, all[1].value_size) == "b");
  CHECK(std::string_view(all[2].key, all[2].key_size) == "key");
  CHECK(all[2].timestamp_ms == 1234);
  CHECK(all[2].timestamp_type == 1);
  REQUIRE(find_header(all[2], "reason"));
  CHECK(*find_header(all[2], "reason") == "bad");
  CHECK(!find_header(all[0], "reason"));
  CHECK(all[3].value == nullptr);
  CHECK(all[4].value != nullptr);
  CHECK(all[4].value_size == 0);
  CHECK(all[0].key == nullptr);
  CHECK(drain(*consumer, {world.topic, 1}).values.empty());
  CHECK(consumer->repeated() == 0);

  // Again from the middle, and new records wake the waiter.
  REQUIRE(consumer->assign({{{world.topic, 0}, {4, -1}}}).ok());
  CHECK(drain(*consumer, {world.topic, 0}).offsets == std::vector<int64_t>{4, 5});
  auto other = world.producer(world.group + "-p");
  world.commit(*other, {"late"});
  CHECK(drain(*consumer, {world.topic, 0}).values.size() <= 1);  // or it is still on its way
  consumer->close();
  for (const WeirRecord& record : all) {
    if (record.value_size > 0) CHECK(record.value[0] != 0);  // batches outlive their consumer
  }
}

TEST_CASE("an open transaction holds the end back, for ends, for the fetch and for the reader") {
  if (!has_broker()) return;
  World world;
  auto first = world.producer(world.group + "-1");
  world.commit(*first, {"a"});
  auto second = world.producer(world.group + "-2");
  REQUIRE(second->begin().ok());
  REQUIRE(second->produce(world.message("open")).ok());
  REQUIRE(second->flush().ok());
  world.commit(*first, {"behind"});

  auto consumer = world.consumer();
  auto assigned = next_event(*consumer);
  wait_for_ends(*consumer, assigned.partitions, 2);
  auto ends = consumer->ends(assigned.partitions);
  REQUIRE(ends.ok());
  CHECK((*ends)[{world.topic, 0}].end == 2);
  CHECK((*ends)[{world.topic, 1}].end == 0);
  REQUIRE(consumer->assign(beginning(assigned.partitions)).ok());
  Seen seen = drain(*consumer, {world.topic, 0});
  CHECK(seen.values == std::vector<std::string>{"a"});
  CHECK(seen.next == 2);

  auto read_all = [&](Positions from) {
    auto reader = world.log->reader(from);
    REQUIRE(reader.ok());
    std::vector<std::string> values;
    while (true) {
      auto read = (*reader)->read(5000);
      REQUIRE(read.ok());
      if (!read->batch) return values;
      for (uint32_t r = 0; r < read->batch->count; r++) {
        values.emplace_back(read->batch->records[r].value, read->batch->records[r].value_size);
      }
    }
  };
  CHECK(read_all({{{world.topic, 0}, {}}, {{world.topic, 1}, {}}}) ==
        std::vector<std::string>{"a"});
  REQUIRE(second->abort().ok());
  wait_for_ends(*consumer, assigned.partitions, 6);  // three records, three markers
  CHECK(read_all({{{world.topic, 0}, {}}}) == std::vector<std::string>{"a", "behind"});
  CHECK(read_all({{{world.topic, 0}, {2, -1}}}) == std::vector<std::string>{"behind"});
  CHECK(world.log->reader({{{world.topic, 0}, {1000, -1}}}).status().exit() == Exit::Failed);
}

TEST_CASE("offsets go with their transaction; a newer producer fences the older") {
  if (!has_broker()) return;
  World world;
  auto consumer = world.consumer("00");
  auto assigned = next_event(*consumer);
  REQUIRE(consumer->assign(beginning(assigned.partitions)).ok());
  CHECK(consumer->committed(assigned.partitions)->empty());

  auto producer = world.producer(world.group + "-p");
  world.commit(*producer, {"a", "b", "c"});
  REQUIRE(producer->begin().ok());
  REQUIRE(producer->send_offsets({{{world.topic, 0}, {2, -1}}}, *consumer->group_metadata()).ok());
  REQUIRE(producer->commit().ok());
  auto committed = consumer->committed(assigned.partitions);
  REQUIRE(committed.ok());
  CHECK(*committed == Positions{{{world.topic, 0}, {2, -1}}});

  REQUIRE(producer->begin().ok());
  REQUIRE(producer->produce(world.message("zombie")).ok());
  REQUIRE(producer->send_offsets({{{world.topic, 0}, {3, -1}}}, *consumer->group_metadata()).ok());
  auto young = world.producer(world.group + "-p");
  Status refused = producer->commit();
  CHECK(refused.exit() == Exit::Restart);
  CHECK(!refused.retry());
  CHECK(refused.message().find(world.group + "-p") != std::string::npos);
  CHECK((*consumer->committed(assigned.partitions))[{world.topic, 0}].offset == 2);
  world.commit(*young, {"d"});
  wait_for_ends(*consumer, {{world.topic, 0}}, 8);  // five records, three markers
  REQUIRE(
      consumer->assign(beginning(assigned.partitions)).ok());  // forgets the end that it has seen
  CHECK(drain(*consumer, {world.topic, 0}).values == std::vector<std::string>{"a", "b", "c", "d"});
}

TEST_CASE("two members share; the old generation may not commit") {
  if (!has_broker()) return;
  World world(4);
  auto one = world.consumer();
  auto all = next_event(*one);
  CHECK(all.partitions.size() == 4);
  REQUIRE(one->assign(beginning(all.partitions)).ok());
  auto old_generation = one->group_metadata();

  auto two = world.consumer();
  GroupEvent mine;
  bool revoked = false, shared = false;
  for (int i = 0; i < 200 && !shared; i++) {
    auto events = one->poll(50);
    REQUIRE(events.ok());
    for (const GroupEvent& event : *events) {
      if (event.kind == Kind::Revoked) {
        revoked = true;
        CHECK(event.partitions.size() == 4);
        REQUIRE(one->unassign().ok());
      } else {
        REQUIRE(event.kind == Kind::Assigned);
        CHECK(event.partitions.size() == 2);
        REQUIRE(one->assign(beginning(event.partitions)).ok());
        shared = true;
      }
    }
    auto others = two->poll(0);
    REQUIRE(others.ok());
    if (!others->empty()) mine = (*others)[0];
  }
  CHECK(revoked);
  REQUIRE(shared);
  if (mine.partitions.empty()) mine = next_event(*two);
  CHECK(mine.partitions.size() == 2);
  auto producer = world.producer(world.group + "-p");
  REQUIRE(producer->begin().ok());
  Status refused = producer->send_offsets({{{world.topic, 0}, {1, -1}}}, *old_generation);
  MESSAGE(refused.message());
  CHECK(refused.exit() == Exit::Unavailable);
  CHECK(!refused.retry());
  (void)producer->abort();
}

TEST_CASE("a second process of one instance: the older member is fenced and says so") {
  if (!has_broker()) return;
  World world;
  auto one = world.consumer("00");
  REQUIRE(one->assign(beginning(next_event(*one).partitions)).ok());
  auto two = world.consumer("00");
  CHECK(next_event(*two).kind == Kind::Assigned);
  Status fenced;
  bool told = false;
  for (int i = 0; i < 200 && fenced.ok(); i++) {
    auto events = one->poll(50);
    if (!events.ok())
      fenced = events.take_status();
    else
      for (const GroupEvent& event : *events) told |= event.kind == Kind::Fenced;
  }
  CHECK(told);
  CHECK(fenced.exit() == Exit::Restart);
  MESSAGE(fenced.message());
  CHECK(one->unassign().ok());
}

TEST_CASE("a static member that restarts has its place at once") {
  if (!has_broker()) return;
  World world;
  auto one = world.consumer("00");
  REQUIRE(one->assign(beginning(next_event(*one).partitions)).ok());
  one->close();
  auto began = std::chrono::steady_clock::now();
  auto again = world.consumer("00");
  CHECK(next_event(*again).partitions.size() == 2);
  CHECK(std::chrono::steady_clock::now() - began <
        std::chrono::seconds(4));  // less than the session
}

TEST_CASE("an offset that is gone ends the reading with its place") {
  if (!has_broker()) return;
  World world;
  auto consumer = world.consumer();
  next_event(*consumer);
  REQUIRE(consumer->assign({{{world.topic, 0}, {50, -1}}}).ok());
  Status status;
  for (int i = 0; i < 100 && status.ok(); i++) {
    consumer->fetch({world.topic, 0}, 10);
    status = consumer->poll(50).take_status();
  }
  CHECK(status.exit() == Exit::Failed);
  CHECK(status.message().find("50") != std::string::npos);
  MESSAGE(status.message());
}

TEST_CASE("offsets by time") {
  if (!has_broker()) return;
  World world;
  auto producer = world.producer(world.group + "-p");
  REQUIRE(producer->begin().ok());
  for (int64_t ms : {1000, 2000, 3000}) {
    auto message = world.message("v");
    message.timestamp_ms = ms;
    REQUIRE(producer->produce(message).ok());
  }
  REQUIRE(producer->commit().ok());
  auto consumer = world.consumer();
  next_event(*consumer);
  TopicPartition partition{world.topic, 0};
  wait_for_ends(*consumer, {partition}, 4);
  CHECK((*consumer->offsets_at({partition}, 0))[partition].offset == 0);
  CHECK((*consumer->offsets_at({partition}, 1500))[partition].offset == 1);
  // The broker counts the marker of the transaction, too: it has the machine's time.
  CHECK((*consumer->offsets_at({partition}, 9999))[partition].offset == 3);
  CHECK((*consumer->offsets_at({partition}, int64_t{1} << 45))[partition].offset == 4);
}

TEST_CASE("keys go to their partitions, and many messages all arrive") {
  if (!has_broker()) return;
  World world(4);
  auto producer = world.producer(world.group + "-p");
  REQUIRE(producer->begin().ok());
  std::vector<std::string> values;
  for (int i = 0; i < 50'000; i++) values.push_back(std::to_string(i));
  for (const std::string& value : values) {
    auto message = world.message(value, -1);
    message.has_key = true;
    message.key = value;
    REQUIRE(producer->produce(message).ok());
  }
  REQUIRE(producer->flush().ok());
  REQUIRE(producer->commit().ok());
  auto consumer = world.consumer();
  auto assigned = next_event(*consumer);
  wait_for_ends(*consumer, assigned.partitions, 50'004);
  REQUIRE(consumer->assign(beginning(assigned.partitions)).ok());
  std::set<std::string> seen;
  size_t rows = 0;
  for (const auto& partition : assigned.partitions) {
    Seen part = drain(*consumer, partition, 777);
    rows += part.values.size();
    seen.insert(part.values.begin(), part.values.end());
  }
  CHECK(rows == 50'000);
  CHECK(seen.size() == 50'000);
}

TEST_CASE("a message that is too large fails its transaction") {
  if (!has_broker()) return;
  World world;
  auto producer = world.producer(world.group + "-p");
  REQUIRE(producer->begin().ok());
  std::string huge(2'000'000, 'x');
  Status status = producer->produce(world.message(huge));
  CHECK(status.exit() == Exit::Failed);
  CHECK(status.message().find(world.topic) != std::string::npos);
  CHECK(producer->abort().ok());
}

}  // namespace weir::runtime
