// Lines of standard input: one partition, offsets are bytes. It can't be read again.
#include <unistd.h>

#include "runtime/connectors/connectors.h"
#include "runtime/connectors/line_reader.h"

namespace weir::runtime {
namespace {

class StdinFeed final : public Feed {
 public:
  Result<std::vector<TopicPartition>> partitions() override {
    return std::vector<TopicPartition>{kPartition};
  }
  Status start(const Positions&) override {
    // After a restart in process what was read is gone; it goes on with what comes.
    if (!reader_)
      reader_ = std::make_unique<LineReader>(
          LineReader::Options{.fd = STDIN_FILENO, .seekable = false}, 0);
    return {};
  }
  Fetched fetch(const TopicPartition&, uint32_t rows_max) override {
    return reader_->fetch(rows_max);
  }
  Status status(const TopicPartition&) const override {
    return reader_ ? Status(reader_->status()).within("standard input") : Status{};
  }
  bool bounded() const override { return true; }
  bool replayable() const override { return false; }
  int64_t size() const override { return 0; }

 private:
  const TopicPartition kPartition{"stdin", 0};
  std::unique_ptr<LineReader> reader_;
};

}  // namespace

Result<std::unique_ptr<Feed>> open_stdin_feed(const FeedContext&) {
  return std::unique_ptr<Feed>(std::make_unique<StdinFeed>());
}

}  // namespace weir::runtime
