// JSON text walked through without making anything of it. Native only.
#pragma once

#include <optional>
#include <string_view>

namespace weir::stdlib {

// The value at p, checked by the whole grammar; where it ends, or null if it is not one. No spaces
// in front. Nested deeper than 256 it is none.
const char* json_value_end(const char* p, const char* end, int depth = 0);
const char* json_skip_space(const char* p, const char* end);

// The parts of an object or array, each in turn. Requires: a checked value.
class JsonParts {
 public:
  explicit JsonParts(std::string_view value);
  // The next name (with quotes; empty in an array) and value. False behind the last one.
  bool next(std::string_view& name, std::string_view& value);

 private:
  const char* at_;
  const char* end_;
  char closing_ = 0;
};

// The value at a path. `good` becomes false if the path can't be read.
std::optional<std::string_view> json_at(std::string_view value, std::string_view path, bool& good);

}  // namespace weir::stdlib
