#include "runtime/connectors/kafka/fetch/protocol.h"

#include <doctest/doctest.h>

#include "runtime/connectors/kafka/fetch/batch_for_tests.h"
#include "runtime/connectors/kafka/fetch/connection.h"
#include "runtime/connectors/kafka/fetch/session.h"
#include "runtime/connectors/kafka/fetch/wire.h"

namespace weir::runtime::kafka::fetch {
namespace {

// Requests made by another program, and what a broker 3.9.1 answered (`golden-none-646161`, one
// partition with three records).
const std::string kTopic = "golden-none-646161";
constexpr const char* kFetchRequest =
    "000000690001000b00000007000477656972ffffffff0000006400000001001000000100000000ffffffff00000001"
    "00"
    "12676f6c64656e2d6e6f6e652d3634363136310000000100000000ffffffff0000000000000000ffffffffffffffff"
    "00"
    "1000000000000000047261636b";
constexpr const char* kFetchAnswer =
    "0000000700000000000000000000000000010012676f6c64656e2d6e6f6e652d363436313631000000010000000000"
    "00"
    "00000000000000030000000000000003000000000000000000000000ffffffff000000810000000000000000000000"
    "75"
    "0000000002eec12dfa0000000000020000018bcfe568000000018bcfe5692cffffffffffffffffffffffffffff0000"
    "00"
    "0364000000046b314668656c6c6f2068656c6c6f2068656c6c6f2068656c6c6f2068656c6c6f2068656c6c6f040268"
    "02"
    "76026e010c0002020100001200d80404046b330100";
constexpr const char* kMetadataRequest =
    "000000270003000700000005000477656972000000010012676f6c64656e2d6e6f6e652d36343631363100";
constexpr const char* kMetadataAnswer =
    "0000000500000000000000010000000100093132372e302e302e3100004cecffff001633445a716b44556151666134"
    "36"
    "4476725f4c53397541000000010000000100000012676f6c64656e2d6e6f6e652d3634363136310000000001000000"
    "00"
    "000000000001000000000000000100000001000000010000000100000000";
constexpr const char* kEpochsRequest =
    "0000003a0017000300000006000477656972ffffffff000000010012676f6c64656e2d6e6f6e652d36343631363100"
    "00"
    "0001000000000000000000000000";
constexpr const char* kEpochsAnswer =
    "0000000600000000000000010012676f6c64656e2d6e6f6e652d363436313631000000010000000000000000000000"
    "00"
    "000000000003";
constexpr const char* kVersionsAnswer =
    "0000000300000000000500010000001100020000000900030000000c001200000004001700000004";

std::string body(const char* hex) { return from_hex(hex).substr(kAnswerHeaderBytes); }

// Cut at every byte it is refused, or gives less; never more than there is.
template <class Read>
void check_cuts(const char* hex, Read read) {
  std::string whole = body(hex);
  CHECK(read(whole).has_value());
  for (size_t size = 0; size < whole.size(); size++) {
    std::string cut = whole.substr(0, size);
    CHECK(!read(cut).has_value());
  }
  for (size_t at = 0; at < whole.size(); at++) {
    for (int byte : {0x00, 0x7f, 0x80, 0xff}) {
      std::string wrong = whole;
      wrong[at] = char(byte);
      (void)read(wrong);
    }
  }
}

FetchAnswer answer_with(int32_t session, ErrorCode error = ErrorCode::None) {
  return {0, error, session, {}};
}
// The numbers of a request's session: behind the header (2 + 2 + 4 + 2 + 4), five fields of a
// fetch.
std::pair<int32_t, int32_t> session_of(const std::string& request) {
  return {from_big_endian<int32_t>(request.data() + 35),
          from_big_endian<int32_t>(request.data() + 39)};
}

}  // namespace

TEST_CASE("requests are those that another program wrote") {
  FetchRequest request;
  request.wait_ms_max = 100;
  request.bytes_min = 1;
  request.bytes_max = 1 << 20;
  request.partitions = {{kTopic, 0, -1, 0, 1 << 20}};
  request.rack = "rack";
  std::string golden = from_hex(kFetchRequest);
  golden[34] = 1;  // it read uncommitted, without a session
  CHECK(fetch_request(7, "weir", request) == golden);
  CHECK(metadata_request(5, "weir", {kTopic}) == from_hex(kMetadataRequest));
  CHECK(epochs_request(6, "weir", {{kTopic, 0, 0, 0}}) == from_hex(kEpochsRequest));
  CHECK(api_versions_request(3, "weir") == from_hex("0000000e0012000000000003000477656972"));
}

TEST_CASE("answers of a broker") {
  std::string bytes = body(kFetchAnswer);
  auto fetched = read_fetch(bytes);
  REQUIRE(fetched);
  CHECK(fetched->error == ErrorCode::None);
  REQUIRE(fetched->partitions.size() == 1);
  CHECK(fetched->partitions[0].topic == kTopic);
  CHECK(fetched->partitions[0].last_stable_offset == 3);
  CHECK(fetched->partitions[0].log_start_offset == 0);
  CHECK(fetched->partitions[0].preferred_replica == -1);
  CHECK(fetched->partitions[0].records.size() == 129);
  check_cuts(kFetchAnswer, read_fetch);

  bytes = body(kMetadataAnswer);
  auto metadata = read_metadata(bytes);
  REQUIRE(metadata);
  REQUIRE(metadata->brokers.size() == 1);
  CHECK(metadata->brokers[0].host == "127.0.0.1");
  CHECK(metadata->brokers[0].port == 19692);
  REQUIRE(metadata->topics.size() == 1);
  REQUIRE(metadata->topics[0].partitions.size() == 1);
  CHECK(metadata->topics[0].partitions[0].leader == 1);
  CHECK(metadata->topics[0].partitions[0].leader_epoch == 0);
  check_cuts(kMetadataAnswer, read_metadata);

  bytes = body(kEpochsAnswer);
  auto epochs = read_epochs(bytes);
  REQUIRE(epochs);
  REQUIRE(epochs->size() == 1);
  CHECK((*epochs)[0].end_offset == 3);
  CHECK((*epochs)[0].leader_epoch == 0);
  check_cuts(kEpochsAnswer, read_epochs);
}

TEST_CASE("versions that a broker does not speak are named") {
  CHECK(!read_api_versions(body(kVersionsAnswer), false)->missing);
  check_cuts(kVersionsAnswer, [](std::string_view b) { return read_api_versions(b, false); });
  // Without SASL's requests it is good for those who need none.
  CHECK(read_api_versions(body(kVersionsAnswer), true)->missing == "SaslHandshake version 1");
  std::string old = body(kVersionsAnswer);
  old[11] = 10;  // Fetch up to version 10: before 2.3
  CHECK(read_api_versions(old, false)->missing == "Fetch version 11");
}

TEST_CASE("a session's requests say what has changed") {
  FetchSession session;
  FetchRequest empty{.wait_ms_max = 1, .bytes_min = 1, .bytes_max = 1};
  std::vector<FetchQuestion> all{{"a", 0, 1, 10, 100}, {"a", 1, 1, 10, 100}, {"b", 0, 1, 10, 100}};
  std::string full = session.request(1, "weir", all, empty);
  CHECK(session_of(full) == std::pair(0, 0));
  CHECK(session.answered(answer_with(77)));
  std::string same = session.request(2, "weir", all, empty);
  CHECK(session_of(same) == std::pair(77, 1));
  CHECK(same.size() == session.request(2, "weir", all, empty).size());
  CHECK(same.size() < full.size());
  CHECK(session.answered(answer_with(77)));
  all[1].offset = 11;
  std::string moved = session.request(3, "weir", all, empty);
  CHECK(moved.size() > same.size());
  CHECK(session_of(moved).second == 2);
  CHECK(session.answered(answer_with(77)));
  all.erase(all.begin());
  std::string fewer = session.request(4, "weir", all, empty);
  CHECK(fewer.find(std::string("\0\1a\0\0\0\1\0\0\0\0", 11)) != std::string::npos);  // forgotten
  CHECK(!session.answered(answer_with(0, ErrorCode::FetchSessionIdNotFound)));
  CHECK(session_of(session.request(5, "weir", all, empty)) == std::pair(0, 0));
  CHECK(session.answered(answer_with(78)));
  session.begin_again();
  CHECK(session_of(session.request(6, "weir", all, empty)) == std::pair(78, 0));
}

TEST_CASE("lists of brokers") {
  auto read = [](const std::string& list) {
    std::string text;
    for (const Endpoint& one : read_endpoints(list)) text += one.text() + " ";
    return text;
  };
  CHECK(read("a:1,b:2") == "a:1 b:2 ");
  CHECK(read(" a , PLAINTEXT://b:2,") == "a:9092 b:2 ");
  CHECK(read("[::1]:9093,[::1]") == "::1:9093 ::1:9092 ");
  CHECK(read("") == "");
}

}  // namespace weir::runtime::kafka::fetch
