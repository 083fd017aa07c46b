// A connector's options as its code reads them: each with its type and default, problems collected.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/status.h"

namespace weir::runtime {

class ConnectorOptions {
 public:
  // `owner`: "source `rides`", for messages.
  ConnectorOptions(std::string owner, const std::map<std::string, std::string>& given)
      : owner_(std::move(owner)), given_(given) {}

  bool has(const std::string& name) const { return given_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise = "");
  int64_t integer(const std::string& name, int64_t otherwise, int64_t min, int64_t max);
  double number(const std::string& name, double otherwise, double min, double max);
  bool flag(const std::string& name, bool otherwise);
  // An instant in microseconds, from RFC 3339 text in UTC or as a plain number.
  int64_t instant_us(const std::string& name, int64_t otherwise);

  const std::string& owner() const { return owner_; }
  // The first option that could not be read.
  const Status& status() const { return status_; }

 private:
  void wrong(const std::string& name, const std::string& wanted);

  std::string owner_;
  const std::map<std::string, std::string>& given_;
  Status status_;
};

}  // namespace weir::runtime
