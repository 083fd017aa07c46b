// weir-differential: see tests/differential/README.md.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/differential/compare.h"

using namespace weir::differential;

namespace {

constexpr const char* kUsage =
    R"(weir-differential SEED                  one program; a failure prints it with the record
weir-differential --seconds N [--from SEED]   one seed after the other
weir-differential --count N [--from SEED]     `count` programs
)";

}  // namespace

int main(int count, char** texts) {
  double seconds = 0;
  uint64_t from = 1, programs = 0;
  for (int i = 1; i < count; ++i) {
    bool has_value = i + 1 < count;
    if (texts[i][0] != '-') {
      from = std::strtoull(texts[i], nullptr, 10);
      programs = 1;
    } else if (has_value && !std::strcmp(texts[i], "--seconds")) {
      seconds = std::atof(texts[++i]);
    } else if (has_value && !std::strcmp(texts[i], "--count")) {
      programs = std::strtoull(texts[++i], nullptr, 10);
    } else if (has_value && !std::strcmp(texts[i], "--from")) {
      from = std::strtoull(texts[++i], nullptr, 10);
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  if (seconds <= 0 && programs == 0) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  auto begin = std::chrono::steady_clock::now();
  auto passed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  Outcome sum;
  uint64_t done = 0;
  for (uint64_t seed = from; programs > 0 ? done < programs : passed() < seconds; ++seed, ++done) {
    Outcome outcome = compare(seed, {});
    sum.comparisons += outcome.comparisons;
    sum.streams += outcome.streams;
    sum.refused += outcome.refused;
    if (outcome.difference.empty()) continue;
    std::printf("FAILED  %s\nagain: weir-differential %llu\n", outcome.difference.c_str(),
                static_cast<unsigned long long>(seed));
    return 1;
  }
  std::printf(
      "%llu programs, %llu streams (%llu more were not well typed), %llu comparisons in %.1f s\n",
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(sum.streams),
      static_cast<unsigned long long>(sum.refused),
      static_cast<unsigned long long>(sum.comparisons), passed());
  // Programs that nobody compiles would compare nothing.
  return sum.streams > sum.refused / 4 ? 0 : 1;
}
