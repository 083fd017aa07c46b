#include "runtime/connectors/kafka/fetch/connection.h"

#include <sys/epoll.h>

#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {

bool Connection::fail(const std::string& why) {
  why_ = why;
  return false;
}
bool Connection::fail(Step step) {
  return fail(step == Step::Closed ? "the broker has closed the connection" : transport_.why());
}

bool Connection::open(const Endpoint& endpoint, const std::vector<Address>& addresses,
                      uint64_t data) {
  close();
  data_ = data;
  if (!transport_.open(addresses[tries_++ % addresses.size()], endpoint.host))
    return fail(transport_.why());
  writing_ = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = data_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, transport_.socket(), &event);
  return true;
}

void Connection::close() {
  transport_.close();
  busy_ = writing_ = false;
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
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, transport_.socket(), &event) == 0;
}

bool Connection::send(std::string request) {
  busy_ = true;
  request_ = std::move(request);
  sent_ = length_read_ = 0;
  return !transport_.is_established() || write_some();
}

bool Connection::write_some() {
  while (sent_ < request_.size()) {
    size_t moved = 0;
    Step step = transport_.write(request_.data() + sent_, request_.size() - sent_, &moved);
    if (step == Step::WantsRead || step == Step::WantsWrite) return watch(step == Step::WantsWrite);
    if (step != Step::Done) return fail(step);
    sent_ += moved;
  }
  return watch(false);
}

BufferRef Connection::advance(bool* failed) {
  *failed = false;
  if (!transport_.is_established()) {
    Step step = transport_.establish();
    if (step == Step::WantsRead || step == Step::WantsWrite) {
      watch(step == Step::WantsWrite);
      return {};
    }
    if (step != Step::Done) {
      *failed = !fail(step);
      return {};
    }
  }
  BufferRef answer;
  *failed = !write_some() || !read_some(&answer);
  return answer;
}

bool Connection::read_some(BufferRef* answer) {
  while (true) {
    bool in_length = length_read_ < sizeof length_;
    char* to = in_length ? length_ + length_read_ : answer_->data() + answer_->size;
    size_t wanted = in_length ? sizeof length_ - length_read_ : answer_bytes_ - answer_->size;
    size_t moved = 0;
    Step step = transport_.read(to, wanted, &moved);
    if (step == Step::WantsRead) return true;
    if (step == Step::WantsWrite) return watch(true);
    if (step != Step::Done) return fail(step);
    if (!busy_) return fail("an answer that nobody has asked for");
    if (!in_length) {
      answer_->size += moved;
      if (answer_->size < answer_bytes_) continue;
      busy_ = false;
      length_read_ = 0;
      *answer = std::move(answer_);
      return true;
    }
    length_read_ += moved;
    if (length_read_ < sizeof length_) continue;
    int32_t bytes = from_big_endian<int32_t>(length_);
    if (bytes < 4 || uint64_t(bytes) > answer_bytes_max_) {
      return fail("an answer of " + std::to_string(bytes) +
                  " bytes; `receive.message.max.bytes` is " + std::to_string(answer_bytes_max_));
    }
    answer_bytes_ = size_t(bytes);
    answer_ = buffers_->take(answer_bytes_);
  }
}

}  // namespace weir::runtime::kafka::fetch
