#include "runtime/dead_letter_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::runtime {

namespace {

class DeadLetterFile final : public Sink {
 public:
  explicit DeadLetterFile(std::string path) : path_(std::move(path)) {}
  ~DeadLetterFile() override {
    if (file_ >= 0) ::close(file_);
  }
  Status start(const std::string& position) override {
    if (file_ < 0) file_ = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file_ < 0) return failed("opening");
    size_ = position.empty() ? 0 : std::stoll(position);
    if (::ftruncate(file_, size_) != 0 || ::lseek(file_, size_, SEEK_SET) < 0)
      return failed("cutting");
    waiting_.clear();
    return {};
  }
  Status write(std::string_view value, const std::string_view*) override {
    waiting_.append(value).push_back('\n');
    return {};
  }
  Status flush() override {
    for (size_t at = 0; at < waiting_.size();) {
      ssize_t written = ::write(file_, waiting_.data() + at, waiting_.size() - at);
      if (written < 0 && errno != EINTR) return failed("writing");
      if (written > 0) at += size_t(written);
    }
    size_ += int64_t(waiting_.size());
    waiting_.clear();
    return {};
  }
  std::string position() const override { return std::to_string(size_ + int64_t(waiting_.size())); }

 private:
  Status failed(const char* what) const {
    return Status::error(Exit::Disk, std::string(what) + " the dead letters `" + path_ +
                                         "`: " + std::strerror(errno));
  }
  std::string path_, waiting_;
  int file_ = -1;
  int64_t size_ = 0;
};

}  // namespace

std::unique_ptr<Sink> open_dead_letter_file(const std::string& path) {
  return std::make_unique<DeadLetterFile>(path);
}

}  // namespace weir::runtime
