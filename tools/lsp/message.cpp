#include "tools/lsp/message.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace weir::lsp {

namespace {

constexpr size_t kMessageBytesMax = 256 << 20;

// Of `Content-Length: 123`, in any case; −1 if there is none.
int64_t content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length:";
  for (size_t at = 0; at < head.size();) {
    size_t end = head.find("\r\n", at);
    std::string_view line = head.substr(at, end - at);
    at = end == std::string_view::npos ? head.size() : end + 2;
    if (line.size() < kName.size()) continue;
    bool same = true;
    for (size_t i = 0; i < kName.size(); ++i)
      same &= (line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]) == kName[i];
    if (!same) continue;
    line.remove_prefix(std::min(line.find_first_not_of(' ', kName.size()), line.size()));
    int64_t length = -1;
    std::from_chars(line.data(), line.data() + line.size(), length);
    return length;
  }
  return -1;
}

}  // namespace

bool MessageReader::fill() {
  char bytes[65536];
  ssize_t got;
  do {
    got = ::read(file_, bytes, sizeof bytes);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  buffer_.append(bytes, size_t(got));
  return true;
}

std::optional<json> MessageReader::next() {
  size_t head;
  while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  int64_t length = content_length(std::string_view(buffer_).substr(0, head));
  if (length < 0 || size_t(length) > kMessageBytesMax) {
    buffer_.erase(0, head + 4);
    return json(json::value_t::discarded);
  }
  size_t end = head + 4 + size_t(length);
  while (buffer_.size() < end) {
    if (!fill()) return std::nullopt;
  }
  json message = json::parse(buffer_.begin() + int64_t(head) + 4, buffer_.begin() + int64_t(end),
                             nullptr, false);
  buffer_.erase(0, end);
  return message;
}

bool MessageReader::has_more() {
  if (!buffer_.empty()) return true;
  pollfd one{file_, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

void write_message(int file, const json& message) {
  std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string all = "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  for (size_t at = 0; at < all.size();) {
    ssize_t written = ::write(file, all.data() + at, all.size() - at);
    if (written < 0 && errno != EINTR) return;  // the editor has gone
    if (written > 0) at += size_t(written);
  }
}

}  // namespace weir::lsp
