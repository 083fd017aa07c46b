#include "runtime/connectors/kafka/fetch/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

// A peer that does not even acknowledge is gone after this long.
constexpr int kUnacknowledgedMsMax = 20'000;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

}  // namespace

std::vector<Endpoint> read_endpoints(const std::string& list) {
  std::vector<Endpoint> found;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    std::string_view text(list.data() + begin, end - begin);
    begin = end + 1;
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (size_t scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
    if (text.empty()) continue;
    Endpoint endpoint;
    size_t colon = text.rfind(':');
    bool is_port = colon != text.npos && text.find(']', colon) == text.npos &&
                   (text.front() == '[' || text.find(':') == colon);
    if (is_port) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port);
      text = text.substr(0, colon);
    }
    if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
    endpoint.host = text;
    found.push_back(std::move(endpoint));
  }
  return found;
}

bool Connection::fail(const std::string& what, int error) {
  why_ = what + (error != 0 ? ": " + std::string(strerror(error)) : "");
  return false;
}

bool Connection::open(const Endpoint& endpoint, uint64_t data) {
  close();
  data_ = data;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int unknown =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
  if (unknown != 0) return fail(endpoint.text() + ": " + gai_strerror(unknown), 0);
  std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
  // Of several addresses (IPv6 and 4 of one host) each gets its turn.
  size_t count = 0;
  for (addrinfo* one = list; one != nullptr; one = one->ai_next) count++;
  for (size_t skipped = tries_++ % count; skipped > 0; skipped--) list = list->ai_next;
  fd_ = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, list->ai_protocol);
  if (fd_ < 0) return fail("socket", errno);
  int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMsMax,
             sizeof kUnacknowledgedMsMax);
  if (options_.receive_buffer_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer_bytes,
               sizeof options_.receive_buffer_bytes);
  }
  if (connect(fd_, list->ai_addr, list->ai_addrlen) != 0 && errno != EINPROGRESS) {
    int error = errno;
    close();
    return fail(endpoint.text(), error);
  }
  connecting_ = writing_ = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = data_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
  return true;
}

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  connecting_ = busy_ = writing_ = false;
  request_.clear();
  answer_.reset();
  sent_ = length_read_ = answer_bytes_ = 0;
}

bool Connection::watch(bool writing) {
  if (writing == writing_) return true;
  writing_ = writing;
  epoll_event event{};
  event.events = EPOLLIN | (writing ? uint32_t(EPOLLOUT) : 0u);
  event.data.u64 = data_;
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event) == 0;
}

bool Connection::send(std::string request) {
  busy_ = true;
  request_ = std::move(request);
  sent_ = length_read_ = 0;
  return connecting_ || write_some();
}

bool Connection::write_some() {
  while (sent_ < request_.size()) {
    ssize_t wrote = ::send(fd_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
    if (wrote > 0) {
      sent_ += size_t(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return watch(true);
    } else if (errno != EINTR) {
      return fail("send", errno);
    }
  }
  return watch(false);
}

BufferRef Connection::advance(bool* failed) {
  *failed = false;
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      *failed = !fail("connect", error);
      return {};
    }
    sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return {};
    connecting_ = false;
  }
  if (!write_some()) {
    *failed = true;
    return {};
  }
  while (true) {
    bool in_length = length_read_ < sizeof length_;
    char* to = in_length ? length_ + length_read_ : answer_->data() + answer_->size;
    size_t wanted = in_length ? sizeof length_ - length_read_ : answer_bytes_ - answer_->size;
    ssize_t read = recv(fd_, to, wanted, 0);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (read <= 0) {
      *failed = !fail(read == 0 ? "the broker has closed the connection" : "receive",
                      read == 0 ? 0 : errno);
      return {};
    }
    if (!busy_) {
      *failed = !fail("an answer that nobody has asked for", 0);
      return {};
    }
    if (!in_length) {
      answer_->size += size_t(read);
      if (answer_->size < answer_bytes_) continue;
      busy_ = false;
      length_read_ = 0;
      return std::move(answer_);
    }
    length_read_ += size_t(read);
    if (length_read_ < sizeof length_) continue;
    int32_t bytes = from_big_endian<int32_t>(length_);
    if (bytes < 4 || uint64_t(bytes) > options_.answer_bytes_max) {
      *failed = !fail("an answer of " + std::to_string(bytes) +
                          " bytes; `receive.message.max.bytes` is " +
                          std::to_string(options_.answer_bytes_max),
                      0);
      return {};
    }
    answer_bytes_ = size_t(bytes);
    answer_ = buffers_->take(answer_bytes_);
  }
}

}  // namespace weir::runtime::kafka::fetch
