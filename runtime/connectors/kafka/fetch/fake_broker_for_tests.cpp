#include "runtime/connectors/kafka/fetch/fake_broker_for_tests.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/connectors/kafka/fetch/batch_for_tests.h"
#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

constexpr int64_t kRecordsOfABatch = 10;

bool read_all(int socket, char* to, size_t size) {
  return recv(socket, to, size, MSG_WAITALL) == ssize_t(size);
}
bool write_all(int socket, const std::string& bytes) {
  return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size());
}

}  // namespace

FakeBroker::FakeBroker(FakeCluster& cluster, int32_t id) : cluster_(cluster), id_(id) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
  (void)::listen(listener_, 16);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  std::lock_guard lock(cluster_.mutex);
  cluster_.ports[id_] = port_;
  listening_ = std::thread([this] { listen(); });
}

FakeBroker::~FakeBroker() {
  shutdown(listener_, SHUT_RDWR);
  listening_.join();
  {
    std::lock_guard lock(mutex_);
    for (int one : sockets_) shutdown(one, SHUT_RDWR);
  }
  for (std::thread& one : threads_) one.join();
  for (int one : sockets_) ::close(one);
  ::close(listener_);
}

void FakeBroker::listen() {
  int socket;
  while ((socket = accept(listener_, nullptr, nullptr)) >= 0) {
    std::lock_guard lock(mutex_);
    int connection = int(sockets_.size());
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, connection] { serve(socket, connection); });
  }
}

void FakeBroker::answer(Api api, std::function<Reply(const Request&)> how) {
  std::lock_guard lock(mutex_);
  how_[api] = std::move(how);
}

std::vector<FakeBroker::Request> FakeBroker::seen(Api api) const {
  std::lock_guard lock(mutex_);
  std::vector<Request> found;
  std::copy_if(seen_.begin(), seen_.end(), std::back_inserter(found),
               [api](const Request& one) { return one.api == api; });
  return found;
}

void FakeBroker::serve(int socket, int connection) {
  char length[4];
  while (read_all(socket, length, sizeof length)) {
    std::string bytes(size_t(from_big_endian<int32_t>(length)), '\0');
    if (!read_all(socket, bytes.data(), bytes.size())) break;
    WireReader from(bytes);
    Request request{connection, Api(from.i16()), 0, "", std::chrono::steady_clock::now()};
    from.i16();  // version
    request.correlation = from.i32();
    from.string();  // client
    request.body = bytes.substr(bytes.size() - from.left());
    std::function<Reply(const Request&)> how;
    {
      std::lock_guard lock(mutex_);
      seen_.push_back(request);
      if (auto told = how_.find(request.api); told != how_.end()) how = told->second;
    }
    Reply reply = how ? how(request) : Reply{};
    if (reply.kind == Reply::Kind::Silent) continue;
    if (reply.kind == Reply::Kind::Cut) break;
    if (reply.kind == Reply::Kind::HalfClosed) {
      shutdown(socket, SHUT_WR);
      continue;
    }
    std::string body = reply.kind == Reply::Kind::Body ? reply.body : usual(request);
    WireWriter to;
    to.i32(int32_t(body.size() + 4));
    to.i32(request.correlation);
    if (!write_all(socket, to.take() + body)) break;
  }
  shutdown(socket, SHUT_RDWR);
}

int64_t FakeBroker::fetch_offset(const Request& request) {
  WireReader from(request.body);
  for (int i = 0; i < 4; i++) from.i32();  // replica, wait, least and most bytes
  from.i8();                               // isolation
  from.i32(), from.i32();                  // session
  if (from.array(1) == 0) return -1;
  from.string();
  from.i32();  // one partition
  from.i32();  // 0
  from.i32();  // leader epoch
  return from.i64();
}

std::string FakeBroker::fetch_answer(int64_t offset, int64_t end, ErrorCode error,
                                     int32_t throttle_ms, int32_t preferred_replica) {
  std::string records;
  if (error == ErrorCode::None && offset >= 0 && offset < end) {
    TestBatch batch;
    batch.base_offset = offset;
    batch.leader_epoch = 3;
    for (int64_t i = offset; i < std::min(end, offset + kRecordsOfABatch); i++)
      batch.records.push_back({"key", std::to_string(i)});
    records = encode(batch);
  }
  WireWriter to;
  to.i32(throttle_ms);
  to.i16(0);
  to.i32(0);  // no session: every request says everything
  to.array(offset >= 0 ? 1 : 0);
  if (offset < 0) return to.take();
  to.string("t");
  to.array(1);
  to.i32(0);
  to.i16(int16_t(error));
  to.i64(end);
  to.i64(end);
  to.i64(0);
  to.array(0);
  to.i32(preferred_replica);
  to.bytes(records);
  return to.take();
}

std::string FakeBroker::usual(const Request& request) {
  std::lock_guard lock(cluster_.mutex);
  WireWriter to;
  switch (request.api) {
    case Api::ApiVersions:
      to.i16(0);
      to.array(std::size(kVersions));
      for (const ApiVersion& one : kVersions)
        to.i16(int16_t(one.api)), to.i16(0), to.i16(one.version);
      break;
    case Api::Metadata:
      to.i32(0);
      to.array(cluster_.ports.size());
      for (auto [id, port] : cluster_.ports)
        to.i32(id), to.string("127.0.0.1"), to.i32(port), to.i16(-1);
      to.i16(-1), to.i32(1);  // cluster, controller
      to.array(1);
      to.i16(0), to.string("t"), to.i8(0);
      to.array(1);
      to.i16(0), to.i32(0), to.i32(cluster_.leader), to.i32(cluster_.leader_epoch);
      to.array(0), to.array(0), to.array(0);
      break;
    case Api::OffsetForLeaderEpoch:
      to.i32(0);
      to.array(1), to.string("t"), to.array(1);
      to.i16(0), to.i32(0), to.i32(cluster_.leader_epoch), to.i64(cluster_.epoch_end_offset);
      break;
    case Api::SaslHandshake:
      to.i16(0), to.array(1), to.string("PLAIN");
      break;
    case Api::SaslAuthenticate:
      to.i16(0), to.i16(-1), to.bytes(""), to.i64(0);
      break;
    case Api::Fetch: {
      bool is_leader = cluster_.leader == id_;
      int64_t offset = fetch_offset(request);
      // An idle partition's answer takes its time.
      if (offset >= cluster_.end_offset) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return fetch_answer(offset, cluster_.end_offset,
                          is_leader ? ErrorCode::None : ErrorCode::NotLeaderOrFollower);
    }
  }
  return to.take();
}

}  // namespace weir::runtime::kafka::fetch
