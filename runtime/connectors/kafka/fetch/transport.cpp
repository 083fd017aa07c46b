#include "runtime/connectors/kafka/fetch/transport.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::runtime::kafka::fetch {
namespace {

// A peer that does not even acknowledge is gone after this long.
constexpr int kUnacknowledgedMsMax = 20'000;

}  // namespace

Step Transport::fail(const std::string& what, int error) {
  why_ = what + (error != 0 ? ": " + std::string(strerror(error)) : "");
  return Step::Failed;
}

bool Transport::open(const Address& address, const std::string& host) {
  close();
  refusal_.reset();
  host_ = host;
  socket_ = ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail("socket", errno) == Step::Done;
  int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket_, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMsMax,
             sizeof kUnacknowledgedMsMax);
  if (options_.receive_buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer_bytes,
               sizeof options_.receive_buffer_bytes);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&address.bytes);
  if (connect(socket_, to, address.size) != 0 && errno != EINPROGRESS) {
    int error = errno;
    close();
    return fail("connect", error) == Step::Done;
  }
  return true;
}

void Transport::close() {
  tls_.reset();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  connected_ = established_ = false;
}

Step Transport::establish() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail("connect", error);
    sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
      return Step::WantsWrite;
    connected_ = true;
    if (options_.tls) tls_ = std::make_unique<TlsSession>(*options_.tls, socket_, host_);
  }
  Step step = tls_ ? from_tls(tls_->shake_hands()) : Step::Done;
  established_ = step == Step::Done;
  return step;
}

Step Transport::from_tls(Step step) {
  if (step != Step::Failed) return step;
  why_ = tls_->why();
  refusal_ = tls_->refusal();
  return step;
}

Step Transport::fail_unless_blocked(const char* what, Step wanted) {
  return errno == EAGAIN || errno == EWOULDBLOCK ? wanted : fail(what, errno);
}

Step Transport::read(char* to, size_t size, size_t* moved) {
  if (tls_) return from_tls(tls_->read(to, size, moved));
  ssize_t got;
  do got = recv(socket_, to, size, 0);
  while (got < 0 && errno == EINTR);
  if (got == 0) return Step::Closed;
  if (got < 0) return fail_unless_blocked("receive", Step::WantsRead);
  *moved = size_t(got);
  return Step::Done;
}

Step Transport::write(const char* from, size_t size, size_t* moved) {
  if (tls_) return from_tls(tls_->write(from, size, moved));
  ssize_t sent;
  do sent = send(socket_, from, size, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_unless_blocked("send", Step::WantsWrite);
  *moved = size_t(sent);
  return Step::Done;
}

}  // namespace weir::runtime::kafka::fetch
