#include "runtime/connectors/kafka/fetch/session.h"

#include <utility>

namespace weir::runtime::kafka::fetch {

std::string FetchSession::request(int32_t correlation, std::string_view client,
                                  const std::vector<FetchQuestion>& wanted, FetchRequest request) {
  // Epoch 0 with an old id: the broker closes that session and begins another.
  if (std::exchange(begins_again_, false)) epoch_ = 0;
  if (id_ == 0 || epoch_ == 0) sent_.clear();
  for (auto& [name, sent] : sent_) sent.wanted = false;
  for (const FetchQuestion& question : wanted) {
    Sent now{question.current_leader_epoch, question.offset, question.bytes_max, true};
    auto [known, is_new] =
        sent_.try_emplace({std::string(question.topic), question.partition}, now);
    if (is_new || !(known->second == now)) request.partitions.push_back(question);
    known->second = now;
  }
  for (const auto& [name, sent] : sent_) {
    if (!sent.wanted) request.forgotten.push_back({name.topic, name.partition});
  }
  request.session_id = id_;
  request.session_epoch = epoch_;
  std::string encoded = fetch_request(correlation, client, request);
  std::erase_if(sent_, [](const auto& one) { return !one.second.wanted; });
  return encoded;
}

bool FetchSession::answered(const FetchAnswer& answer) {
  if (answer.error == ErrorCode::FetchSessionIdNotFound ||
      answer.error == ErrorCode::InvalidFetchSessionEpoch) {
    reset();
    return false;
  }
  // 0: it has no room for a session; every request is a full one.
  id_ = answer.session_id;
  epoch_ = id_ == 0 ? 0 : epoch_ == INT32_MAX ? 1 : epoch_ + 1;
  return true;
}

void FetchSession::reset() {
  id_ = epoch_ = 0;
  begins_again_ = false;
  sent_.clear();
}

}  // namespace weir::runtime::kafka::fetch
