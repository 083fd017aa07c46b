#include "runtime/connectors/kafka/fetch/fetcher.h"

#include <algorithm>

#include "runtime/connectors/kafka/fetch/io.h"

namespace weir::runtime::kafka::fetch {

Fetcher::Fetcher(FetchOptions options, int wake, std::function<void(Status)> fail)
    : buffers_(BufferPool::make(options.memory_bytes / 2)),
      checks_crcs_(options.checks_crcs),
      io_(std::make_unique<Io>(std::move(options), buffers_, wake, std::move(fail))) {}
Fetcher::~Fetcher() = default;

void Fetcher::assign(const Positions& positions) {
  partitions_.clear();
  std::vector<std::pair<PartitionRef, Position>> assigned;
  for (const auto& [name, position] : positions) {
    auto partition = std::make_shared<Partition>(name, position, buffers_, checks_crcs_);
    partitions_[name] = partition;
    assigned.push_back({std::move(partition), position});
  }
  io_->assign(std::move(assigned));
}

Status Fetcher::fetch(const TopicPartition& name, uint32_t rows_max, Fetched* fetched) {
  auto found = partitions_.find(name);
  if (found == partitions_.end()) return {};
  bool drained = false;
  Status status = found->second->take(rows_max, fetched, &drained);
  if (drained) io_->room();
  return status;
}

bool Fetcher::has_records() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& one) { return one.second->has_more(); });
}

std::optional<LogConsumer::Ends> Fetcher::ends(const TopicPartition& name) const {
  auto found = partitions_.find(name);
  if (found == partitions_.end() || found->second->ends().end < 0) return std::nullopt;
  return found->second->ends();
}

int64_t Fetcher::stuck_ms() const { return io_->stuck_ms(); }

}  // namespace weir::runtime::kafka::fetch
