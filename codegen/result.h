// A value, or why there is none.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace weir::codegen {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  static Result failed(std::string why) {
    Result result;
    result.error_ = std::move(why);
    return result;
  }
  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  const std::string& error() const { return error_; }

 private:
  Result() = default;
  std::optional<T> value_;
  std::string error_;
};

}  // namespace weir::codegen
