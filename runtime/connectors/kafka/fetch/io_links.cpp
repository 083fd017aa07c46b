// The I/O thread's connections: made, given up, and what comes on them handed to who asked.
#include "runtime/connectors/kafka/fetch/io.h"
#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

constexpr int kDamagedAnswersMax = 5;

}  // namespace

Link* Io::link_to(int32_t broker) {
  auto endpoint = brokers_.find(broker);
  if (broker != kControlLink && endpoint == brokers_.end()) return nullptr;
  std::unique_ptr<Link>& link = links_[broker];
  if (!link) {
    ConnectionOptions connection{options_.answer_bytes_max,
                                 {options_.tls, options_.receive_buffer_bytes}};
    link = std::unique_ptr<Link>(new Link{
        .id = broker, .endpoint = {}, .connection = {epoll_, buffers_, connection}, .session = {}});
  }
  if (broker != kControlLink && link->endpoint != endpoint->second) {
    if (link->connection.is_open()) drop(*link, "it has moved");
    link->endpoint = endpoint->second;
    link->not_before = now_;
  }
  return link.get();
}

// Whether there is an answer to come. One that does not come in time is given up.
bool Io::waits(Link& link) {
  if (link.asked == Link::Asked::Address) connect(link);
  if (link.asked == Link::Asked::Nothing) return false;
  if (now_ < link.deadline) {
    remind(link.deadline);
    return true;
  }
  drop(link, "no answer");
  return false;
}

void Io::connect(Link& link) {
  if (link.not_before > now_) {
    remind(link.not_before);
    return;
  }
  std::optional<Resolver::Found> found = resolver_.find(link.endpoint);
  if (!found) {
    if (std::exchange(link.asked, Link::Asked::Address) != Link::Asked::Address)
      link.deadline = now_ + milliseconds(options_.request_ms_max);
    remind(link.deadline);
    return;
  }
  link.asked = Link::Asked::Nothing;
  if (found->addresses.empty()) {
    drop(link, found->why);
    return;
  }
  if (!link.connection.open(link.endpoint, found->addresses, uint64_t(uint32_t(link.id)))) {
    drop(link, link.connection.why());
    return;
  }
  link.is_ready = false;
  link.authenticates_at.reset();
  ask(link, Link::Asked::Versions, api_versions_request(++link.correlation, options_.client));
}

void Io::ask(Link& link, Link::Asked asked, std::string request, int extra_ms) {
  link.asked = asked;
  link.deadline = now_ + milliseconds(options_.request_ms_max + extra_ms);
  remind(link.deadline);
  if (!link.connection.send(std::move(request))) drop(link, link.connection.why());
}

// The connection is of no use any more: what was asked on it is asked again later.
void Io::drop(Link& link, const std::string& why) {
  link.connection.close();
  link.session.reset();
  link.sasl.reset();
  if (link.asked == Link::Asked::Metadata || link.id == kControlLink) metadata_wanted_ = true;
  link.asked = Link::Asked::Nothing;
  int64_t back_off = std::min<int64_t>(int64_t(options_.back_off_ms) << std::min(link.failures, 16),
                                       options_.back_off_ms_max);
  link.failures++;
  link.not_before = now_ + jittered(back_off);
  metadata_wanted_ = metadata_wanted_ || !tracked_.empty();  // the leader may be another one now
}

// Of what can't be read the rest of the connection can't be, either.
void Io::on_damaged(Link& link) {
  drop(link, "malformed");
  if (++link.damaged < kDamagedAnswersMax) return;
  fail_(Status::error(Exit::Failed, "`" + link.endpoint.text() +
                                        "` gives answers that can't be read; `client = librdkafka` "
                                        "may"));
}

// What trying again does not help.
void Io::refuse(Link& link, Exit exit, const std::string& why) {
  fail_(Status::error(exit, "`" + link.endpoint.text() + "`: " + why));
  drop(link, why);
}

void Io::on_ready(Link& link) {
  while (link.connection.is_open()) {
    bool failed = false;
    BufferRef buffer = link.connection.advance(&failed);
    if (failed) {
      const std::string& why = link.connection.why();
      if (auto exit = link.connection.refusal()) {
        refuse(link, *exit, why);
      } else {
        drop(link, why);
      }
      return;
    }
    if (!buffer) return;
    if (!on_answer(link, std::move(buffer)) && link.connection.is_open()) on_damaged(link);
    if (link.id == kControlLink) {
      drive_metadata();
    } else {
      drive(link);
    }
  }
}

bool Io::on_answer(Link& link, BufferRef buffer) {
  std::string_view text = buffer->text();
  Link::Asked asked = std::exchange(link.asked, Link::Asked::Nothing);
  if (from_big_endian<int32_t>(text.data()) != link.correlation) return false;
  std::string_view body = text.substr(kAnswerHeaderBytes);
  bool good = false;
  switch (asked) {
    case Link::Asked::Nothing:
    case Link::Asked::Address:
      return false;
    case Link::Asked::Versions:
      good = on_versions(link, body);
      break;
    case Link::Asked::SaslHandshake:
      good = on_sasl_handshake(link, body);
      break;
    case Link::Asked::SaslAuthenticate:
      good = on_sasl_authenticate(link, body);
      break;
    case Link::Asked::Metadata:
      good = on_metadata(body);
      break;
    case Link::Asked::Epochs:
      good = on_epochs(link, body);
      break;
    case Link::Asked::Fetch:
      good = on_fetch(link, buffer, body);
      break;
  }
  // Each new connection gives good answers about versions.
  if (good && asked >= Link::Asked::Metadata) link.failures = link.damaged = 0;
  return good;
}

bool Io::on_versions(Link& link, std::string_view body) {
  auto answer = read_api_versions(body, authenticates());
  if (!answer) return false;
  if (answer->missing) {
    fail_(Status::error(Exit::NotSupported,
                        "not supported yet: native fetch from `" + link.endpoint.text() +
                            "`, which does not speak " + *answer->missing +
                            " (Kafka 2.4 and later do); `client = librdkafka` reads it"));
    drop(link, *answer->missing);
    return true;
  }
  if (authenticates()) {
    authenticate(link);
  } else {
    link.is_ready = true;
  }
  return true;
}

}  // namespace weir::runtime::kafka::fetch
