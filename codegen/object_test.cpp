// Ahead of time: the same stages from objects, in this process and as an executable of their own.
#include <cstdio>
#include <filesystem>

#include <doctest/doctest.h>

#include "codegen/graph_for_tests.h"

using namespace weir::codegen::test;
using weir::compiler::StageStep;

namespace {

struct Filter : Program {
  Filter() {
    auto row = record("Row", {{"x", of(TypeKind::Int64)}});
    auto from = source(row);
    auto to = sink(row);
    StageStep out{StageStep::Emit{to}, "out", {}};
    stage(from, {{StageStep::Where{node(Op::Greater, of(TypeKind::Bool),
                                        {field(0, of(TypeKind::Int64)), integer(4)})},
                  "rows",
                  {out}}});
  }
};

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[256];
  while (fgets(buffer, sizeof buffer, pipe)) text += buffer;
  pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("objects that were loaded do what JIT does") {
  Filter filter;
  Run run(filter);
  auto loaded = weir::codegen::load_object(filter.compiled, {&run.formats, ""});
  REQUIRE_MESSAGE(loaded, loaded.error());
  run.jit.emplace(std::move(*loaded));
  for (int64_t x : {3, 5, 7}) run.row([&](char* at, uint64_t&) { memcpy(at, &x, 8); });
  CHECK(run.call() == kStageDone);
  CHECK(run.rows() == std::vector<std::string>{"5", "7"});
}

// What weir ships to link with has no sanitizer's runtime in it.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

TEST_CASE("a binary is linked without a compiler and runs") {
  if (kSanitized) {
    MESSAGE("skipped under sanitizers: a binary is linked without a compiler and runs");
    return;
  }
  Filter filter;
  Run run(filter);
  weir::codegen::BuildOptions options;
  options.formats = &run.formats;
  options.library = WEIR_TEST_LINK_LIBRARY;
  auto folder = std::filesystem::temp_directory_path() / "weir_object_test";
  std::filesystem::create_directories(folder);
  options.output = (folder / "pipeline").string();
  auto why = weir::codegen::build_binary(filter.compiled, options);
  REQUIRE_MESSAGE(!why, *why);
  std::string plan_bytes = std::to_string(filter.compiled.plan.SerializeAsString().size());
  CHECK(output_of(options.output) ==
        "3 images, x86-64-v2, plan of " + plan_bytes + " bytes, result 0, 2 rows out\n");
  std::filesystem::remove_all(folder);
}

TEST_CASE("what is missing for linking is named") {
  Filter filter;
  Run run(filter);
  weir::codegen::BuildOptions options;
  options.formats = &run.formats;
  options.library = "/there/is/no/such";
  options.output = "/there/is/no/such/pipeline";
  auto why = weir::codegen::build_binary(filter.compiled, options);
  REQUIRE(why);
  CHECK(why->find("link.txt") != std::string::npos);
}
