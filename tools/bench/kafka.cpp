// bench_kafka produce|consume|by_hand|reference …: what does not involve Weir, through a broker.
//
//     produce   --query rides --events N                 fills the topic, event i into partition i
//     mod 4, and checks it consume   --form callback|batch --queues …         takes every message
//     and adds up sizes: nothing can be cheaper by_hand   --query rides --form … --queues … the
//     hand-written query (by_hand.h) on those messages reference --query rides --events N what the
//     result has to be; reads no topic
//
// All with --brokers and --topic. Consumers take `--threads 1|2`, each thread its share of the
// partitions, and
// `--queues partition` (a queue for each, looked at in turn) or `thread` (one queue for all of a
// thread's), and
// `--pause-us`, how long to sleep when there was little to take. `--set name=value` goes to the
// client. They read from the beginning to the end that the topic has at the start, and print one
// line (result.h) with the CPU time of the whole process, the client's own threads included.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "tools/bench/by_hand.h"
#include "tools/bench/events.h"
#include "tools/bench/reference.h"
#include "tools/bench/result.h"

namespace {

using namespace weir::bench;

struct Arguments {
  std::string command, brokers = "127.0.0.1:19092", topic, form = "callback", queues = "partition";
  Query query = Query::Rides;
  uint64_t events = 10'000'000;
  int threads = 1, pause_us = 0;
  std::vector<std::pair<std::string, std::string>> properties;
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_kafka: %s\n", what.c_str());
  std::exit(1);
}

// What Weir's connector sets (runtime/connectors/kafka/settings.cpp): only so do the ratios mean
// something.
const std::vector<std::pair<std::string, std::string>> kConsumerProperties = {
    {"group.id", "bench"},
    {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.error.backoff.ms", "5"},  // librdkafka 2.0 also waits so long when a queue was full
    {"fetch.wait.max.ms", "100"},
    {"fetch.min.bytes", "1"},
    {"fetch.message.max.bytes", "4194304"},
    {"fetch.max.bytes", "67108864"},
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", "16384"},
    {"socket.nagle.disable", "true"},
};

rd_kafka_t* make_client(rd_kafka_type_t type, const Arguments& arguments,
                        std::vector<std::pair<std::string, std::string>> properties,
                        void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr,
                        void* opaque = nullptr) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  properties.emplace_back("bootstrap.servers", arguments.brokers);
  properties.insert(properties.end(), arguments.properties.begin(), arguments.properties.end());
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) !=
        RD_KAFKA_CONF_OK)
      fail(error);
  }
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof error);
  if (client == nullptr) fail(error);
  return client;
}

// ---- produce

void count_failed(rd_kafka_t*, const rd_kafka_message_t* message, void* failed) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++*static_cast<uint64_t*>(failed);
}

void produce(const Arguments& arguments) {
  uint64_t failed = 0;
  rd_kafka_t* client = make_client(RD_KAFKA_PRODUCER, arguments,
                                   {{"acks", "all"},
                                    {"linger.ms", "50"},
                                    {"batch.size", "900000"},
                                    {"batch.num.messages", "10000"},
                                    {"queue.buffering.max.messages", "1000000"},
                                    {"queue.buffering.max.kbytes", "524288"}},
                                   count_failed, &failed);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, arguments.topic.c_str(), nullptr);
  EventSource source(arguments.query, Order::Fixed);
  std::string event;
  for (uint64_t i = 0; i < arguments.events; i++) {
    event.clear();
    source.next(event);
    while (rd_kafka_produce(topic, int32_t(i % 4), RD_KAFKA_MSG_F_COPY, event.data(), event.size(),
                            nullptr, 0, nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        fail(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 100);
    }
    if (i % 1024 == 0) rd_kafka_poll(client, 0);
  }
  if (rd_kafka_flush(client, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR || failed != 0) {
    fail("not everything was delivered to " + arguments.topic);
  }
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
}

// ---- consume

// What one thread reads, and what it makes of it.
struct Share {
  std::vector<rd_kafka_queue_t*> queues;
  uint64_t to_come = 0;  // messages until all its partitions are at their end
  uint64_t events = 0, bytes = 0, bad = 0;
  std::unique_ptr<ByHand> query;  // null: only count

  void take(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) [[unlikely]]
      fail(rd_kafka_message_errstr(&message));
    const char* value = static_cast<const char*>(message.payload);
    events++;
    bytes += message.len;
    if (query != nullptr) bad += !add(value, message.len);
  }

 private:
  // The parser may read up to 64 bytes behind a record. In the client's buffer the next record is
  // there, or at the buffer's end whatever the heap holds, as long as that is on the same page:
  // else, one in sixty, it is copied.
  __attribute__((no_sanitize("address"))) bool add(const char* value, size_t size) {
    constexpr uintptr_t kReadBehind = 64, kPage = 4096;
    uintptr_t end = reinterpret_cast<uintptr_t>(value) + size;
    if ((end - 1) / kPage == (end + kReadBehind) / kPage) [[likely]]
      return query->add({value, size});
    copy_.resize(size + kPadding);
    std::memcpy(copy_.data(), value, size);
    return query->add({copy_.data(), size});
  }

  std::vector<char> copy_;
};

void take_one(rd_kafka_message_t* message, void* share) {
  static_cast<Share*>(share)->take(*message);
}

// The next messages of a queue; waits up to `wait_ms` for the first.
uint64_t drain(rd_kafka_queue_t* queue, int wait_ms, bool callback, Share& share) {
  uint64_t before = share.events;
  if (callback) {
    if (rd_kafka_consume_callback_queue(queue, wait_ms, take_one, &share) < 0)
      fail("consume_callback_queue failed");
  } else {
    constexpr size_t kBatch = 4096;
    static thread_local rd_kafka_message_t* messages[kBatch];
    ssize_t count = rd_kafka_consume_batch_queue(queue, wait_ms, messages, kBatch);
    if (count < 0) fail("consume_batch_queue failed");
    for (ssize_t i = 0; i < count; i++) {
      share.take(*messages[i]);
      rd_kafka_message_destroy(messages[i]);
    }
  }
  return share.events - before;
}

// Takes what there is. If that is little, it sleeps instead of waiting on a queue: a thread that
// waits is woken by each message, and does that millions of times when it is faster than the
// client. With `pause_us` 0 it does wait.
void read_share(Share& share, bool callback, int pause_us) {
  const bool alone = share.queues.size() == 1;
  size_t at = 0;
  uint64_t taken = 0;  // in this round of the queues
  while (share.events < share.to_come) {
    int wait_ms = pause_us > 0 ? 0 : alone ? 100 : at == 0 && taken == 0 ? 2 : 0;
    if (at == 0) taken = 0;
    taken += drain(share.queues[at], wait_ms, callback, share);
    if (++at == share.queues.size()) {
      at = 0;
      if (pause_us > 0 && taken < 1000)
        std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
    }
  }
}

std::vector<std::pair<int64_t, int64_t>> offsets_of(rd_kafka_t* client,
                                                    const Arguments& arguments) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, arguments.topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata;
  auto error = rd_kafka_metadata(client, 0, topic, &metadata, 20'000);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(arguments.topic + ": " + rd_kafka_err2str(error));
  std::vector<std::pair<int64_t, int64_t>> offsets(size_t(metadata->topics[0].partition_cnt));
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(topic);
  for (size_t partition = 0; partition < offsets.size(); partition++) {
    auto& [low, high] = offsets[partition];
    error = rd_kafka_query_watermark_offsets(client, arguments.topic.c_str(), int32_t(partition),
                                             &low, &high, 20'000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(arguments.topic + ": " + rd_kafka_err2str(error));
  }
  return offsets;
}

void consume(const Arguments& arguments) {
  const bool with_query = arguments.command == "by_hand";
  const bool callback = arguments.form == "callback";
  Cost cost;
  rd_kafka_t* client = make_client(RD_KAFKA_CONSUMER, arguments, kConsumerProperties);
  rd_kafka_poll_set_consumer(client);
  auto offsets = offsets_of(client, arguments);

  std::vector<Share> shares{size_t(arguments.threads)};
  auto* assignment = rd_kafka_topic_partition_list_new(int(offsets.size()));
  for (size_t partition = 0; partition < offsets.size(); partition++) {
    auto [low, high] = offsets[partition];
    if (low == high) continue;
    rd_kafka_topic_partition_list_add(assignment, arguments.topic.c_str(), int32_t(partition))
        ->offset = low;
    Share& share = shares[partition % shares.size()];
    share.to_come += uint64_t(high - low);
    rd_kafka_queue_t* queue =
        rd_kafka_queue_get_partition(client, arguments.topic.c_str(), int32_t(partition));
    if (arguments.queues == "partition") {
      rd_kafka_queue_forward(queue, nullptr);
      share.queues.push_back(queue);
    } else {
      if (share.queues.empty()) share.queues.push_back(rd_kafka_queue_new(client));
      rd_kafka_queue_forward(queue, share.queues[0]);
      rd_kafka_queue_destroy(queue);
    }
  }
  auto error = rd_kafka_assign(client, assignment);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(error));

  std::vector<std::thread> threads;
  for (Share& share : shares) {
    if (share.to_come == 0) continue;
    if (with_query) share.query = make_by_hand(arguments.query, Order::Fixed);
    threads.emplace_back(
        [&share, &arguments, callback] { read_share(share, callback, arguments.pause_us); });
  }
  for (std::thread& thread : threads) thread.join();
  cost.stop();
  if (shares[0].to_come == 0) fail(arguments.topic + " is empty");

  Measured measured{arguments.command + ' ' + arguments.form + ' ' + arguments.queues + ' ' +
                    std::to_string(arguments.threads)};
  Panes panes;
  for (Share& share : shares) {
    if (share.bad != 0) fail("events that could not be read: " + std::to_string(share.bad));
    measured.events += share.events;
    measured.bytes += share.bytes;
    if (share.query != nullptr) share.query->take_panes(panes);
  }
  measured.checksum = measured.bytes;
  if (with_query) {
    Result result = windows_of(window_of(arguments.query), panes);
    measured.rows = result.size();
    measured.checksum = checksum(result);
  }
  report(measured, cost);

  for (Share& share : shares) {
    for (rd_kafka_queue_t* queue : share.queues) rd_kafka_queue_destroy(queue);
  }
  rd_kafka_topic_partition_list_destroy(assignment);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
}

// ---- reference

void reference(const Arguments& arguments) {
  Cost cost;
  Result result = reference_result(arguments.query, window_of(arguments.query),
                                   Events(arguments.query, Order::Fixed, arguments.events));
  cost.stop();
  report({"reference", arguments.events, 0, result.size(), checksum(result)}, cost);
}

void usage() {
  std::fprintf(stderr,
               "usage: bench_kafka produce|consume|by_hand|reference --brokers B --topic T "
               "[--query Q] [--events N] "
               "[--form callback|batch] [--queues partition|thread] [--threads N] [--pause-us N] "
               "[--set name=value]\n");
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (argc < 2) usage();
  arguments.command = argv[1];
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 == argc) usage();
    std::string option = argv[i], value = argv[i + 1];
    if (option == "--brokers") {
      arguments.brokers = value;
    } else if (option == "--topic") {
      arguments.topic = value;
    } else if (option == "--query") {
      arguments.query = query_of(value);
    } else if (option == "--events") {
      arguments.events = std::strtoull(value.c_str(), nullptr, 10);
    } else if (option == "--form" && (value == "callback" || value == "batch")) {
      arguments.form = value;
    } else if (option == "--queues" && (value == "partition" || value == "thread")) {
      arguments.queues = value;
    } else if (option == "--threads") {
      arguments.threads = std::max(1, std::atoi(value.c_str()));
    } else if (option == "--pause-us") {
      arguments.pause_us = std::atoi(value.c_str());
    } else if (option == "--set" && value.find('=') != value.npos) {
      arguments.properties.emplace_back(value.substr(0, value.find('=')),
                                        value.substr(value.find('=') + 1));
    } else {
      usage();
    }
  }
  if (arguments.command == "produce") {
    produce(arguments);
  } else if (arguments.command == "consume" || arguments.command == "by_hand") {
    consume(arguments);
  } else if (arguments.command == "reference") {
    reference(arguments);
  } else {
    usage();
  }
}
