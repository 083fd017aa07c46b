#include "runtime/inputs.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "runtime/names.h"

namespace weir::runtime {

Result<std::unique_ptr<Inputs>> Inputs::open(const Program& program, const RunOptions& options,
                                             Log* log) {
  std::unique_ptr<Inputs> made(new Inputs(program, log));
  GroupOptions group{program.name,
                     group_instance_id(program.name, options.instance),
                     {},
                     options.memory_bytes / 4};
  for (const SourceInfo& source : program.sources) {
    if (source.is_log) {
      group.topics.push_back(source.source->address());
      made->feeds_.push_back(nullptr);
      continue;
    }
    Result<std::unique_ptr<Feed>> feed = open_feed({&program.plan, source.source, source.options});
    if (!feed.ok()) return feed.take_status().within("source `" + source.source->name() + "`");
    made->feeds_.push_back(std::move(*feed));
  }
  if (group.topics.empty()) return made;
  for (const std::string& topic : group.topics) {
    if (Result<int32_t> count = log->partitions(topic); !count.ok()) return count.take_status();
  }
  Result<std::unique_ptr<LogConsumer>> consumer = log->consumer(group);
  if (!consumer.ok()) return consumer.take_status();
  made->consumer_ = std::move(*consumer);
  return made;
}

Inputs::~Inputs() = default;

void Inputs::close() {
  if (consumer_) consumer_->close();
}

Result<std::vector<GroupEvent>> Inputs::poll(int timeout_ms) {
  if (!consumer_) return std::vector<GroupEvent>();
  return consumer_->poll(timeout_ms);
}

Result<uint32_t> Inputs::log_partitions() {
  uint32_t all = 0;
  for (const SourceInfo& source : program_.sources) {
    if (!source.is_log) continue;
    Result<int32_t> count = log_->partitions(source.source->address());
    if (!count.ok()) return count.take_status();
    all += uint32_t(*count);
  }
  return all;
}

Result<std::vector<InputPartition>> Inputs::partitions(
    const std::vector<TopicPartition>& assigned) {
  std::vector<InputPartition> all;
  for (uint32_t i = 0; i < program_.sources.size(); ++i) {
    if (feeds_[i]) {
      Result<std::vector<TopicPartition>> own = feeds_[i]->partitions();
      if (!own.ok())
        return own.take_status().within("source `" + program_.sources[i].source->name() + "`");
      for (const TopicPartition& partition : *own) all.push_back({i, partition});
    } else {
      for (const TopicPartition& partition : assigned) {
        if (partition.topic == program_.sources[i].source->address()) all.push_back({i, partition});
      }
    }
  }
  return all;
}

Result<Positions> Inputs::first_positions(const std::vector<InputPartition>& partitions) {
  Positions positions;
  std::map<std::string, std::vector<TopicPartition>> by_start;
  for (const InputPartition& input : partitions) {
    if (feeds_[input.source]) {
      positions[input.partition] = {};
      continue;
    }
    const auto& options = program_.sources[input.source].options;
    auto it = options.find("start");
    by_start[it == options.end() || it->second.empty() ? "earliest" : it->second].push_back(
        input.partition);
  }
  for (const auto& [start, own] : by_start) {
    Result<std::map<TopicPartition, LogConsumer::Ends>> ends = consumer_->ends(own);
    if (!ends.ok()) return ends.take_status();
    for (const TopicPartition& partition : own)
      positions[partition] = {start == "latest" ? (*ends)[partition].end : (*ends)[partition].begin,
                              -1};
    if (start == "earliest" || start == "latest") continue;
    Result<Positions> found = Positions();
    if (start == "committed") {
      found = consumer_->committed(own);
    } else {
      std::optional<int64_t> instant_us = parse_instant_us(start);
      if (!instant_us) {
        return Status::error(Exit::Configuration, "`start` is `" + start +
                                                      "`: `earliest`, `latest`, `committed` or an "
                                                      "instant as 2025-01-01T00:00:00Z is wanted");
      }
      found = consumer_->offsets_at(own, *instant_us / 1000);
    }
    if (!found.ok()) return found.take_status();
    for (const auto& [partition, position] : *found) positions[partition] = position;
  }
  return positions;
}

Status Inputs::start(const std::vector<InputPartition>& partitions, const Positions& positions) {
  Positions of_log;
  for (const InputPartition& input : partitions) {
    if (!feeds_[input.source]) of_log[input.partition] = positions.at(input.partition);
  }
  for (uint32_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i]) continue;
    Positions own;
    for (const InputPartition& input : partitions) {
      if (input.source == i) own[input.partition] = positions.at(input.partition);
    }
    if (Status status = feeds_[i]->start(own); !status.ok())
      return std::move(status).within("source `" + program_.sources[i].source->name() + "`");
  }
  return consumer_ ? consumer_->assign(of_log) : Status();
}

Fetched Inputs::fetch(uint32_t source, const TopicPartition& partition, uint32_t rows_max) {
  return feeds_[source] ? feeds_[source]->fetch(partition, rows_max)
                        : consumer_->fetch(partition, rows_max);
}

void Inputs::wait(int timeout_ms) {
  bool only_log =
      std::none_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed != nullptr; });
  if (consumer_ && only_log) {
    consumer_->wait_for_records(timeout_ms);
  } else {
    // Feeds can't say when they have more: a followed file or a pipe is looked at every few
    // milliseconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(timeout_ms, 5)));
  }
}

bool Inputs::all_bounded() const {
  return std::all_of(feeds_.begin(), feeds_.end(),
                     [](const auto& feed) { return feed && feed->bounded(); });
}

int64_t Inputs::feeds_size() const {
  int64_t size = 0;
  for (const auto& feed : feeds_) {
    if (!feed) continue;
    if (feed->size() == 0) return 0;
    size += feed->size();
  }
  return size;
}

}  // namespace weir::runtime
