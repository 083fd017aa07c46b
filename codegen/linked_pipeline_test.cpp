// The main function that object_test links a pipeline with, in the runtime's place: runs stage 0
// over three records of one int64 with every image that this machine may be able to run, the least
// demanding one, and prints what came out.
#include <cstdio>
#include <cstdlib>

#include "runtime/contract/stage_abi.h"

extern "C" const WeirBinary weir_binary;

int main() {
  const WeirPipelineImage& image = *weir_binary.images[weir_binary.count - 1];
  struct {
    uint64_t bad_bits, unused;
    int64_t x;
  } values[3] = {{0, 0, 5}, {0, 0, 11}, {0, 0, -3}};
  WeirRecord records[3] = {};
  for (int i = 0; i < 3; i++) records[i].value = reinterpret_cast<const char*>(&values[i]);
  WeirOutput output{};
  output.capacity = 1 << 16;
  output.data = output.at = static_cast<char*>(malloc(output.capacity));
  output.bytes_max = 1 << 15;
  WeirOutput* outputs[1] = {&output};
  WeirErrors errors{};
  WeirStage stage{};
  stage.outputs = outputs;
  stage.errors = &errors;
  WeirBatch batch{};
  batch.records = records;
  batch.count = 3;
  batch.fire_at = kNeverFires;
  int32_t result = image.stages[0].run(&stage, &batch);
  std::printf("%u images, %s, plan of %llu bytes, result %d, %llu rows out\n",
              unsigned(weir_binary.count), image.cpu,
              static_cast<unsigned long long>(image.plan_size), result,
              static_cast<unsigned long long>(stage.counters.rows_out));
  free(output.data);
}
