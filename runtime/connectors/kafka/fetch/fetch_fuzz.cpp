// libFuzzer: any bytes as a broker's answer, by the first byte: ApiVersions, Metadata,
// OffsetForLeaderEpoch, Fetch, record batches, SaslHandshake, or SaslAuthenticate with what SCRAM
// makes of it. What an answer holds is walked as a lane does,
// with checksums unchecked, and every byte and header of the records is read. Corpus:
// tests/fuzz/fetch_fuzz.
#include <cstdlib>

#include "runtime/connectors/kafka/fetch/partition.h"
#include "runtime/connectors/kafka/fetch/sasl.h"

using namespace weir::runtime;
using namespace weir::runtime::kafka::fetch;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Returns a sum, so that nothing of the reading is left out.
uint64_t read_all(std::string_view records, std::vector<AbortedTransaction> aborted) {
  static auto pool = BufferPool::make(1 << 20);
  BatchesExtent extent = measure(records);
  require(extent.bytes <= records.size());
  if (extent.bytes == 0) return extent.bytes_wanted;
  // Memory of its very size: the sanitizer sees what is read behind it.
  auto exact = std::make_shared<Buffer>(extent.bytes);
  records.copy(exact->data(), extent.bytes);
  exact->size = extent.bytes;
  Partition partition({"t", 0}, {0, -1}, pool, false);
  partition.put({exact, exact->text(), std::move(aborted), extent.next_offset, true});
  uint64_t sum = 0;
  int64_t before = -1;
  while (partition.has_more()) {
    Fetched fetched;
    bool drained = false;
    if (!partition.take(7, &fetched, &drained).ok()) break;
    require(fetched.next_offset <= extent.next_offset);
    for (uint32_t i = 0; fetched.batch && i < fetched.batch->count; i++) {
      const WeirRecord& record = fetched.batch->records[i];
      require(record.offset > before);
      before = record.offset;
      for (uint32_t k = 0; k < record.value_size; k++) sum += uint8_t(record.value[k]);
      for (uint32_t k = 0; k < record.key_size; k++) sum += uint8_t(record.key[k]);
      HeaderList headers = headers_of(record);
      for (uint32_t h = 0; h < headers.count; h++) {
        for (char c : headers.headers[h].name) sum += uint8_t(c);
        for (char c : headers.headers[h].value) sum += uint8_t(c);
      }
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      (void)read_api_versions(body, true);
      break;
    case 1:
      (void)read_metadata(body);
      break;
    case 2:
      (void)read_epochs(body);
      break;
    case 3:
      if (auto answer = read_fetch(body)) {
        for (FetchAnswer::Partition& partition : answer->partitions)
          read_all(partition.records, std::move(partition.aborted));
      }
      break;
    case 4:
      read_all(body, {{1, 0}, {2, 3}});
      break;
    case 5:
      (void)read_sasl_handshake(body);
      break;
    default:
      if (auto answer = read_sasl_authenticate(body)) {
        auto sasl = Sasl::make({"SCRAM-SHA-256", "user", "pencil", ""}, "rOprNGfwEbeRWgbNEkqO");
        (void)sasl->begin();
        auto proof = sasl->answer(answer->message);
        // Nobody who does not know the password is let in.
        require(!proof.ok() || proof->has_value());
        if (proof.ok()) require(!sasl->answer(answer->why).ok());
      }
  }
  return 0;
}
