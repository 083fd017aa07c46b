// Messages of the language server protocol on a pipe: a header with the length, then JSON.
//
// One thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace weir::lsp {

using nlohmann::json;

class MessageReader {
 public:
  explicit MessageReader(int file) : file_(file) {}
  // The next message, waiting for it; nothing at the end of the pipe. Text that is no JSON comes as
  // a discarded value.
  std::optional<json> next();
  // Whether something has come behind the last message.
  bool has_more();

 private:
  bool fill();
  int file_;
  std::string buffer_;
};

void write_message(int file, const json& message);

}  // namespace weir::lsp
