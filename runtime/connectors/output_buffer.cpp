#include "runtime/connectors/output_buffer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::runtime {

constexpr size_t kWaitingBytesMax = 1 << 20;

Status write_error(const std::string& name, int code) {
  Exit exit = code == EACCES || code == EPERM ? Exit::Permission
              : code == ENOENT                ? Exit::Configuration
                                              : Exit::Disk;
  if (code == EPIPE) exit = Exit::Failed;
  return Status::error(exit, name + ": " + std::strerror(code));
}

Status OutputBuffer::write_line(std::string_view value) {
  waiting_.append(value);
  waiting_.push_back('\n');
  return waiting_.size() < kWaitingBytesMax ? Status{} : write_out();
}

Status OutputBuffer::write_out() {
  size_t written = 0;
  while (written < waiting_.size()) {
    ssize_t now = ::write(fd_, waiting_.data() + written, waiting_.size() - written);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) {
      int code = errno;
      waiting_.erase(0, written);
      return write_error(name_, code);
    }
    written += static_cast<size_t>(now);
  }
  waiting_.clear();
  return {};
}

}  // namespace weir::runtime
