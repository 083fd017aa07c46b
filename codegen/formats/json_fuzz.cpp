// Any bytes as a JSON record: nothing may crash, nothing outside the record's page may be touched,
// and what is decoded must not depend on the order of keys that was learned from the records
// before.
#include <cstdio>
#include <cstdlib>

#include "codegen/formats/json_for_tests.h"

using weir::codegen::test::JsonStage;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static JsonStage learning(JsonStage::many_kinds());
  static JsonStage forgetting(JsonStage::many_kinds());
  std::string_view record(reinterpret_cast<const char*>(data), size);
  std::string learned = learning.run(record);
  forgetting.forget();
  std::string fresh = forgetting.run(record);
  std::string again = learning.run(record);
  if (learned != fresh || learned != again) {
    fprintf(stderr, "learned: %s\nfresh:   %s\nagain:   %s\n", learned.c_str(), fresh.c_str(),
            again.c_str());
    abort();
  }
  return 0;
}
