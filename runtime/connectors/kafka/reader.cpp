// Reads partitions to their last stable offsets, without a group: changelogs at a restore. Uses the
// library's simple consumer, which asks for no group's rights.
#include <chrono>
#include <deque>
#include <thread>

#include "runtime/connectors/kafka/handle.h"

namespace weir::runtime::kafka {
namespace {

constexpr size_t kRowsMax = 8192;

struct ReaderBatch final : RecordBatch {
  std::shared_ptr<Handle> handle;
  std::vector<rd_kafka_message_t*> messages;
  std::vector<WeirRecord> views;
  MessageHeaders headers;

  ~ReaderBatch() override {
    for (rd_kafka_message_t* message : messages) rd_kafka_message_destroy(message);
  }
};

class Reader final : public LogReader {
 public:
  explicit Reader(std::shared_ptr<Handle> handle)
      : handle_(std::move(handle)), queue_(rd_kafka_queue_new(handle_->get())) {}
  ~Reader() override {
    ready_.clear();
    for (auto& [partition, left] : left_) stop(partition);
  }

  Status start(const Positions& from) {
    for (const auto& [partition, position] : from) {
      int64_t begin = 0, end = 0;
      rd_kafka_resp_err_t code = ends_of(partition, &begin, &end);
      if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT) {
        return handle_->unreachable(text_of(partition));
      }
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return handle_->status(text_of(partition), code);
      begins_[partition] = begin;
      int64_t start = position.offset == 0 ? begin : position.offset;
      if (start < begin || start > end) {
        return Status::error(Exit::Failed,
                             text_of(partition) + ": offset " + std::to_string(start) +
                                 " is out of range: there are " + std::to_string(begin) + " to " +
                                 std::to_string(end));
      }
      if (start == end) continue;
      Topic& topic = topics_[partition.topic];
      if (!topic) topic.reset(rd_kafka_topic_new(handle_->get(), partition.topic.c_str(), nullptr));
      if (rd_kafka_consume_start_queue(topic.get(), partition.partition, start, queue_.get()) !=
          0) {
        return handle_->status(text_of(partition), rd_kafka_last_error());
      }
      left_[partition] = {start, end};
    }
    return {};
  }

  Result<Read> read(int timeout_ms) override {
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (ready_.empty() && !left_.empty()) {
      auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (wait.count() < 0) {
        Status status = handle_->unreachable("reading " + text_of(left_.begin()->first));
        return Status::error(status.exit(), status.message(), true);
      }
      if (Status status = take(static_cast<int>(wait.count())); !status.ok()) return status;
    }
    if (ready_.empty()) return Read{};
    Read read = std::move(ready_.front());
    ready_.pop_front();
    return read;
  }

  int64_t begin(const TopicPartition& partition) const override { return begins_.at(partition); }

 private:
  struct Left {
    int64_t next, end;
  };

  static std::string text_of(const TopicPartition& partition) {
    return "`" + partition.topic + "`[" + std::to_string(partition.partition) + "]";
  }

  // A partition that was made a moment ago, or that moves, has no leader for some milliseconds.
  rd_kafka_resp_err_t ends_of(const TopicPartition& partition, int64_t* begin, int64_t* end) {
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kRequestMsMax);
    while (true) {
      rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
          handle_->get(), partition.topic.c_str(), partition.partition, begin, end, kRequestMsMax);
      bool moving = code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                    code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      if (!moving || std::chrono::steady_clock::now() > until) return code;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Status take(int timeout_ms) {
    rd_kafka_poll(handle_->get(), 0);
    std::vector<rd_kafka_message_t*> messages(kRowsMax);
    // A batch waits until it is full: so one message is waited for, and the rest is what there is
    // behind it.
    ssize_t taken = rd_kafka_consume_batch_queue(queue_.get(), timeout_ms, messages.data(), 1);
    if (taken == 1) {
      ssize_t more =
          rd_kafka_consume_batch_queue(queue_.get(), 0, messages.data() + 1, messages.size() - 1);
      taken += more < 0 ? 0 : more;
    }
    messages.resize(taken < 0 ? 0 : static_cast<size_t>(taken));
    std::map<TopicPartition, std::unique_ptr<ReaderBatch>> batches;
    Status failed;
    for (rd_kafka_message_t* message : messages) {
      TopicPartition partition{message->rkt ? rd_kafka_topic_name(message->rkt) : "",
                               message->partition};
      auto found = left_.find(partition);
      bool wanted = found != left_.end() && failed.ok();
      if (wanted && message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
          message->offset < found->second.end && message->offset >= found->second.next) {
        auto& batch = batches[partition];
        if (!batch) {
          batch = std::make_unique<ReaderBatch>();
          batch->handle = handle_;
        }
        found->second.next = message->offset + 1;
        batch->messages.push_back(message);
        batch->bytes += message->len + message->key_len;
      } else {
        if (wanted && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
          if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            found->second.next = found->second.end;
          } else if (exit_of(message->err) != Exit::Unavailable) {
            failed = handle_->status("reading " + text_of(partition), message->err);
          }
        } else if (wanted && message->offset >= found->second.end) {
          found->second.next = found->second.end;
        }
        rd_kafka_message_destroy(message);
      }
      if (wanted && found->second.next >= found->second.end) finished_.push_back(partition);
    }
    for (const TopicPartition& partition : finished_) {
      if (left_.erase(partition) > 0) stop(partition);
    }
    finished_.clear();
    for (auto& [partition, batch] : batches) {
      batch->headers.set(&batch->messages, batch->messages.size());
      for (rd_kafka_message_t* message : batch->messages) {
        view(message, batch->views.emplace_back(), &batch->headers);
      }
      batch->records = batch->views.data();
      batch->count = static_cast<uint32_t>(batch->views.size());
      ready_.push_back({partition, std::move(batch)});
    }
    return failed;
  }

  void stop(const TopicPartition& partition) {
    rd_kafka_consume_stop(topics_.at(partition.topic).get(), partition.partition);
  }

  std::shared_ptr<Handle> handle_;
  Queue queue_;
  std::map<std::string, Topic> topics_;
  std::map<TopicPartition, int64_t> begins_;
  std::map<TopicPartition, Left> left_;
  std::vector<TopicPartition> finished_;
  std::deque<Read> ready_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> open_reader(const ClientProperties& properties,
                                               const Positions& from) {
  auto handle = Handle::open(RD_KAFKA_CONSUMER, properties, reader_settings());
  if (!handle.ok()) return handle.take_status();
  auto reader = std::make_unique<Reader>(std::move(*handle));
  if (Status status = reader->start(from); !status.ok()) return status;
  return std::unique_ptr<LogReader>(std::move(reader));
}

}  // namespace weir::runtime::kafka
