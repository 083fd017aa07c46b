// What went wrong with the world (broker, disk, topic …), as a value: what was tried, on what, and
// whether trying again helps. Rows that fail are not statuses (contract/reason.def); bugs are
// WEIR_CHECKs.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace weir::runtime {

// The documented exit codes of the command.
enum class Exit : int {
  Done = 0,
  Failed = 1,
  Usage = 2,
  NotSupported = 3,
  BadData = 65,
  Unavailable = 69,
  Bug = 70,
  Disk = 74,
  Restart = 75,
  Permission = 77,
  Configuration = 78,
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  static Status error(Exit exit, std::string message, bool retry = false) {
    Status status;
    status.error_ = Error{exit, std::move(message), retry};
    return status;
  }
  bool ok() const { return !error_; }
  // Requires: not ok.
  const std::string& message() const { return error_->message; }
  Exit exit() const { return error_ ? error_->exit : Exit::Done; }
  // Trying the same again may help.
  bool retry() const { return error_ && error_->retry; }
  // "commit epoch 17: " + message
  Status within(const std::string& what) && {
    if (error_) error_->message = what + ": " + error_->message;
    return std::move(*this);
  }

 private:
  struct Error {
    Exit exit;
    std::string message;
    bool retry;
  };
  std::optional<Error> error_;
};

// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}
  bool ok() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  const T& operator*() const { return *value_; }
  const Status& status() const { return status_; }
  Status take_status() { return std::move(status_); }

 private:
  std::optional<T> value_;
  Status status_;
};

// Ends the process: our own mistake. `why` says why the condition had to hold.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* why);
#define WEIR_CHECK(condition, why)                                                        \
  do {                                                                                    \
    if (!(condition)) ::weir::runtime::check_failed(__FILE__, __LINE__, #condition, why); \
  } while (false)

}  // namespace weir::runtime
