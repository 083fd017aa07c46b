// One file of JSON lines. Its length is the position: a restart cuts off what was written behind
// the last epoch that counts, so that every row is in the file once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "runtime/connectors/connectors.h"
#include "runtime/connectors/output_buffer.h"

namespace weir::runtime {
namespace {

class FileSink final : public Sink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}
  ~FileSink() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Status start(const std::string& position) override {
    int64_t length = 0;
    auto [end, error] = std::from_chars(position.data(), position.data() + position.size(), length);
    if (!position.empty() && (error != std::errc() || end != position.data() + position.size())) {
      return Status::error(Exit::Bug, name() + ": `" + position + "` is not a position of a file");
    }
    if (fd_ < 0) fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) return write_error(name(), errno);
    struct stat facts{};
    if (fstat(fd_, &facts) != 0) return write_error(name(), errno);
    if (!S_ISREG(facts.st_mode))
      return Status::error(Exit::Configuration, name() + " is not a file; use `stdout`");
    if (facts.st_size < length) {
      return Status::error(Exit::BadData, name() + " has " + std::to_string(facts.st_size) +
                                              " bytes, but " + std::to_string(length) +
                                              " were written before: it was cut or replaced");
    }
    if (ftruncate(fd_, length) != 0 || lseek(fd_, length, SEEK_SET) != length)
      return write_error(name(), errno);
    buffer_ = std::make_unique<OutputBuffer>(fd_, name());
    length_ = length;
    return {};
  }

  Status write(std::string_view value, const std::string_view*) override {
    length_ += static_cast<int64_t>(value.size()) + 1;
    return buffer_->write_line(value);
  }

  Status flush() override {
    if (Status status = buffer_->write_out(); !status.ok()) return status;
    // The length is part of it, the time of change is not.
    return fdatasync(fd_) == 0 ? Status{} : write_error(name(), errno);
  }

  std::string position() const override { return std::to_string(length_); }

 private:
  std::string name() const { return "file `" + path_ + "`"; }

  std::string path_;
  int fd_ = -1;
  int64_t length_ = 0;
  std::unique_ptr<OutputBuffer> buffer_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_file_sink(const SinkContext& context) {
  for (const char* option : {"roll_bytes", "roll_every"}) {
    if (context.options.contains(option)) {
      return Status::error(Exit::NotSupported, "sink `" + context.sink->name() + "`: `" + option +
                                                   "` is not supported yet");
    }
  }
  return std::unique_ptr<Sink>(std::make_unique<FileSink>(context.sink->address()));
}

}  // namespace weir::runtime
