// Rows from nothing, for demonstrations and load. A row depends on (seed, partition, number) only,
// so that reading again from a position gives the same rows.
#include <algorithm>
#include <chrono>

#include "runtime/connectors/connectors.h"
#include "runtime/connectors/generate/row_writer.h"
#include "runtime/connectors/options.h"
#include "runtime/connectors/row_batch.h"

namespace weir::runtime {
namespace {

constexpr size_t kBlockBytes = 1 << 20;
constexpr int64_t kPartitionsMax = 1024;
constexpr int64_t kStartUs = int64_t{1'735'689'600} * 1'000'000;  // 2025-01-01
constexpr int64_t kStepUs = 1000;
constexpr int64_t kHourUs = int64_t{3600} * 1'000'000;
constexpr uint8_t kCreateTime = 1;

struct Shape {
  int64_t rows = 0;  // in all; 0: no end
  double rate = 0;   // rows per second, in all; 0: no limit
  uint64_t seed = 1;
  int64_t partitions = 1;
  int64_t start_us = kStartUs;
  int64_t step_us = kStepUs;
  uint64_t disorder_us = 0;
  uint64_t late = 0;  // shares
  int64_t late_by_us = kHourUs;
  uint64_t broken = 0;
};

class GenerateFeed final : public Feed {
 public:
  GenerateFeed(std::string name, const Shape& shape, RowWriter writer)
      : name_(std::move(name)), shape_(shape), writer_(std::move(writer)) {}

  Result<std::vector<TopicPartition>> partitions() override {
    std::vector<TopicPartition> names;
    for (int64_t i = 0; i < shape_.partitions; i++)
      names.push_back({name_, static_cast<int32_t>(i)});
    return names;
  }

  Status start(const Positions& positions) override {
    started_ = std::chrono::steady_clock::now();
    lanes_.clear();
    auto names = partitions();
    for (const TopicPartition& name : *names) {
      auto given = positions.find(name);
      Lane& lane = lanes_[name];
      lane.next = lane.first = given == positions.end() ? 0 : given->second.offset;
      bool has_one_more = name.partition < shape_.rows % shape_.partitions;
      lane.end =
          shape_.rows == 0 ? INT64_MAX : shape_.rows / shape_.partitions + (has_one_more ? 1 : 0);
    }
    return {};
  }

  Fetched fetch(const TopicPartition& name, uint32_t rows_max) override {
    Fetched fetched;
    auto found = lanes_.find(name);
    if (found == lanes_.end()) return fetched;
    Lane& lane = found->second;
    int64_t end = std::min({lane.end, lane.next + rows_max, due(lane)});
    if (lane.next < end) fetched.batch = make(lane, name.partition, end);
    fetched.next_offset = lane.next;
    fetched.at_end = lane.next >= lane.end;
    return fetched;
  }

  bool bounded() const override { return shape_.rows > 0; }
  bool replayable() const override { return true; }
  int64_t size() const override { return shape_.rows; }

 private:
  struct Lane {
    int64_t first = 0, next = 0, end = 0;
    std::shared_ptr<Block> block;
    std::shared_ptr<ViewPool> pool = std::make_shared<ViewPool>();
  };

  // The first row that is too early now.
  int64_t due(const Lane& lane) const {
    if (shape_.rate <= 0) return INT64_MAX;
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    return lane.first +
           static_cast<int64_t>(seconds * shape_.rate / static_cast<double>(shape_.partitions));
  }

  std::unique_ptr<RecordBatch> make(Lane& lane, int32_t partition, int64_t end) const {
    // The last block again, if its batch is gone.
    if (!lane.block || lane.block.use_count() > 1) {
      lane.block = std::make_shared<Block>(std::max(kBlockBytes, writer_.row_bytes_max()));
    }
    auto batch = std::make_unique<RowBatch>(lane.pool, lane.block);
    char* to = lane.block->bytes.get();
    const char* full = to + lane.block->capacity - writer_.row_bytes_max();
    for (; lane.next < end && to <= full; lane.next++) {
      RowRandom random(shape_.seed, static_cast<uint64_t>(partition),
                       static_cast<uint64_t>(lane.next));
      GeneratedRow row{shape_.start_us + lane.next * shape_.step_us, lane.next, partition};
      int64_t written_us = row.event_time_us;
      if (shape_.disorder_us > 0)
        row.event_time_us -= static_cast<int64_t>(random.below(shape_.disorder_us + 1));
      if (random.happens(shape_.late)) row.event_time_us -= shape_.late_by_us;
      bool is_broken = random.happens(shape_.broken);
      char* begin = to;
      to = writer_.write(to, row, random);
      if (is_broken) to = break_row(begin, to, random);
      WeirRecord& record = batch->add(begin, static_cast<size_t>(to - begin), lane.next);
      record.timestamp_ms = written_us / 1000;
      record.timestamp_type = kCreateTime;
    }
    batch->close();
    return batch;
  }

  // As it happens: cut off, another object, no object at all. Returns the new end, in front of the
  // old one.
  static char* break_row(char* begin, char* end, RowRandom& random) {
    switch (random.below(3)) {
      case 0:
        return begin + (end - begin) / 2;
      case 1:
        return begin[1] = '}', begin + 2;
      default:
        return begin[0] = '#', end;
    }
  }

  std::string name_;
  Shape shape_;
  RowWriter writer_;
  std::chrono::steady_clock::time_point started_;
  std::map<TopicPartition, Lane> lanes_;
};

}  // namespace

Result<std::unique_ptr<Feed>> open_generate_feed(const FeedContext& context) {
  constexpr int64_t kMax = int64_t{1} << 52;
  ConnectorOptions options("source `" + context.source->name() + "`", context.options);
  Shape shape;
  shape.rows = options.integer("rows", 0, 0, kMax);
  shape.rate = options.number("rate", 0, 0, 1e12);
  shape.seed = static_cast<uint64_t>(options.integer("seed", 1, INT64_MIN, INT64_MAX));
  shape.partitions = options.integer("partitions", 1, 1, kPartitionsMax);
  shape.start_us = options.instant_us("start", kStartUs);
  // With a rate event time goes as fast as the machine's.
  int64_t step_us =
      shape.rate > 0
          ? std::max<int64_t>(
                1, static_cast<int64_t>(1e6 * static_cast<double>(shape.partitions) / shape.rate))
          : kStepUs;
  shape.step_us = options.integer("step", step_us, 0, kMax);
  shape.disorder_us = static_cast<uint64_t>(options.integer("disorder", 0, 0, kMax));
  shape.late = RowRandom::share_of(options.number("late_share", 0, 0, 1));
  shape.late_by_us = options.integer("late_by", kHourUs, 0, kMax);
  shape.broken = RowRandom::share_of(options.number("broken_share", 0, 0, 1));
  double null_share = options.number("null_share", 0.1, 0, 1);
  if (!options.status().ok()) return options.status();
  std::map<std::string, std::string> rules;
  constexpr std::string_view kFields = "fields.";
  for (const auto& [name, value] : context.options) {
    if (name.starts_with(kFields)) rules[name.substr(kFields.size())] = value;
  }
  auto writer = RowWriter::compile(*context.plan, context.source->record(), rules, null_share);
  if (!writer.ok()) return writer.take_status().within(options.owner());
  return std::unique_ptr<Feed>(
      std::make_unique<GenerateFeed>(context.source->name(), shape, std::move(*writer)));
}

}  // namespace weir::runtime
