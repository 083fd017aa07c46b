// Bytes on their way to a file descriptor, written in large pieces.
#pragma once

#include <string>
#include <string_view>

#include "runtime/status.h"

namespace weir::runtime {

class OutputBuffer {
 public:
  // `fd` is not owned; `name` is for messages.
  OutputBuffer(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  // A value and a line's end.
  Status write_line(std::string_view value);
  Status write_out();
  // Forgets what is not written yet.
  void drop() { waiting_.clear(); }

 private:
  int fd_;
  std::string name_;
  std::string waiting_;
};

// What errno says about a target, with its exit code.
Status write_error(const std::string& name, int code);

}  // namespace weir::runtime
