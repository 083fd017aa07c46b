// Files of JSON lines. A partition is a file, or a part of one; its topic is the path, a position
// the byte behind what was read.
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/connectors/connectors.h"
#include "runtime/connectors/line_reader.h"
#include "runtime/connectors/options.h"

namespace weir::runtime {
namespace {

constexpr int64_t kPartitionsMax = 1024;

Status disk_error(const std::string& path, int code) {
  Exit exit = code == EACCES ? Exit::Permission : code == ENOENT ? Exit::Configuration : Exit::Disk;
  return Status::error(exit, "file `" + path + "`: " + std::strerror(code));
}

class FileFeed final : public Feed {
 public:
  FileFeed(std::string owner, std::string pattern, bool follow, int64_t parts)
      : owner_(std::move(owner)), pattern_(std::move(pattern)), follow_(follow), parts_(parts) {}
  ~FileFeed() override {
    for (auto& [path, fd] : files_) ::close(fd);
  }

  Result<std::vector<TopicPartition>> partitions() override {
    glob_t found{};
    int failed =
        ::glob(pattern_.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);  // sorts by name
    std::vector<std::string> paths(found.gl_pathv,
                                   found.gl_pathv + (failed == 0 ? found.gl_pathc : 0));
    globfree(&found);
    if (paths.empty())
      return Status::error(Exit::Configuration, owner_ + ": there is no file `" + pattern_ + "`");
    for (const std::string& path : paths) {
      if (Status status = open_parts(path); !status.ok()) return status;
    }
    std::vector<TopicPartition> names;
    for (const auto& [name, part] : opened_) names.push_back(name);
    return names;
  }

  Status start(const Positions& positions) override {
    if (auto names = partitions(); !names.ok()) return names.take_status();
    for (auto& [name, part] : opened_) {
      auto given = positions.find(name);
      int64_t from = given == positions.end() ? part.begin : given->second.offset;
      if (from > part.size) {
        return Status::error(Exit::BadData, "file `" + name.topic + "` has " +
                                                std::to_string(part.size) + " bytes, but " +
                                                std::to_string(from) +
                                                " were read before: it was cut or replaced");
      }
      part.reader = std::make_unique<LineReader>(
          LineReader::Options{
              .fd = files_.at(name.topic), .last_line_counts = !follow_, .end = part.end},
          from);
    }
    return {};
  }

  Fetched fetch(const TopicPartition& partition, uint32_t rows_max) override {
    auto found = opened_.find(partition);
    if (found == opened_.end() || !found->second.reader) return {};
    return found->second.reader->fetch(rows_max);
  }

  Status status(const TopicPartition& partition) const override {
    auto found = opened_.find(partition);
    if (found == opened_.end() || !found->second.reader || found->second.reader->status().ok())
      return {};
    return Status(found->second.reader->status()).within("file `" + partition.topic + "`");
  }

  bool bounded() const override { return !follow_; }
  bool replayable() const override { return true; }
  int64_t size() const override {
    int64_t bytes = 0;
    for (const auto& [name, part] : opened_) bytes += part.size - part.begin;
    return follow_ ? 0 : bytes;
  }

 private:
  struct Part {
    int64_t begin = 0;
    int64_t size = 0;         // where it ends now
    int64_t end = INT64_MAX;  // where the next part begins
    std::unique_ptr<LineReader> reader;
  };

  Status open_parts(const std::string& path) {
    if (files_.contains(path)) return {};
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return disk_error(path, errno);
    files_[path] = fd;
    struct stat facts{};
    if (fstat(fd, &facts) != 0) return disk_error(path, errno);
    if (!S_ISREG(facts.st_mode))
      return Status::error(Exit::Configuration, "`" + path + "` is not a file");
    int64_t begin = 0;
    for (int64_t i = 0; i < parts_; i++) {
      bool is_last = i + 1 == parts_;
      int64_t end =
          is_last ? facts.st_size : line_begin(fd, facts.st_size / parts_ * (i + 1), facts.st_size);
      Part& part = opened_[{path, static_cast<int32_t>(i)}];
      part.begin = begin;
      part.size = end;
      if (!is_last) part.end = end;
      begin = end;
    }
    return {};
  }

  // The first line's beginning at `from` or behind it.
  static int64_t line_begin(int fd, int64_t from, int64_t size) {
    if (from == 0) return 0;
    char bytes[4096];
    for (int64_t at = from - 1; at < size;) {
      ssize_t got = pread(fd, bytes, sizeof bytes, at);
      if (got <= 0) break;
      if (const void* end = std::memchr(bytes, '\n', static_cast<size_t>(got))) {
        return at + (static_cast<const char*>(end) - bytes) + 1;
      }
      at += got;
    }
    return size;
  }

  std::string owner_, pattern_;
  bool follow_;
  int64_t parts_;
  std::map<std::string, int> files_;
  std::map<TopicPartition, Part> opened_;
};

}  // namespace

Result<std::unique_ptr<Feed>> open_file_feed(const FeedContext& context) {
  ConnectorOptions options("source `" + context.source->name() + "`", context.options);
  bool follow = options.flag("follow", false);
  int64_t parts = options.integer("partitions", 1, 1, kPartitionsMax);
  if (!options.status().ok()) return options.status();
  if (follow && parts > 1) {
    return Status::error(
        Exit::Configuration,
        options.owner() + ": a file that is followed has no parts; leave `partitions` out");
  }
  return std::unique_ptr<Feed>(
      std::make_unique<FileFeed>(options.owner(), context.source->address(), follow, parts));
}

}  // namespace weir::runtime
