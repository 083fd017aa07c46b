#include "compiler/imports.h"

#include <doctest/doctest.h>

#include <map>

#include "compiler/compile.h"
#include "dsl/parser.h"
#include "dsl/render.h"

using namespace weir;

namespace {

struct Imported {
  Imported(std::string main, std::map<std::string, std::string> others) {
    program = dsl::parse(sources, sources.add("pipes/main.weir", std::move(main)), diagnostics);
    auto read = [&](const std::string& path, std::string* why) -> std::optional<std::string> {
      auto at = others.find(path);
      reads++;
      if (at != others.end()) return at->second;
      *why = path + " is not there";
      return std::nullopt;
    };
    compiler::add_imports(program, sources, read, diagnostics);
    if (!diagnostics.has_errors()) compiled = compiler::compile(program, sources, {}, diagnostics);
  }
  std::string said() const { return dsl::render(diagnostics, sources); }

  dsl::Sources sources;
  dsl::Diagnostics diagnostics;
  dsl::Program program;
  std::optional<compiler::Compiled> compiled;
  int reads = 0;
};

const char* const kRides = R"(
import "types.weir"
source rides: Ride = kafka("rides") { format = json, event_time = ts, watermark = 1m }
source never: Ride = kafka("never") { format = json }
sink rides -> stdout() {}
test "of the other file" { expect rides [] }
)";
const char* const kTypes =
    "record Ride { id: string, ts: timestamp(ms) }\nfn twice(n: int64) -> int64 = n * 2\n";

}  // namespace

TEST_CASE("declarations of other files are there, each file once, without sinks and tests") {
  Imported all(
      "import \"../common/rides.weir\"\nimport \"../common/types.weir\"\n"
      "stream t = rides | select { id, n = twice(len(id)) }\nsink t -> stdout() {}\n",
      {{"common/rides.weir", kRides}, {"common/types.weir", kTypes}});
  CHECK_MESSAGE(all.compiled, all.said());
  CHECK(all.said() == "");  // what is imported and not used is no news
  CHECK(all.reads == 2);
  REQUIRE(all.compiled);
  CHECK(all.compiled->tests.empty());
  CHECK(all.compiled->plan.sinks_size() == 1);
  CHECK(all.compiled->plan.sources_size() == 1);
}

TEST_CASE("a circle of imports is shown") {
  Imported circle(
      "import \"a.weir\"\nsink s -> stdout() {}\n",
      {{"pipes/a.weir", "import \"sub/../b.weir\"\n"}, {"pipes/b.weir", "import \"a.weir\"\n"}});
  CHECK(circle.said().find("pipes/a.weir → pipes/b.weir → pipes/a.weir") != std::string::npos);
  Imported itself("import \"main.weir\"\n", {});
  CHECK(itself.said().find("pipes/main.weir → pipes/main.weir") != std::string::npos);
}

TEST_CASE("a file that is not there, a mistake inside one, a name that is declared twice") {
  Imported nowhere("import \"nowhere.weir\"\n", {});
  CHECK(nowhere.said().find("W0108") != std::string::npos);
  CHECK(nowhere.said().find("pipes/nowhere.weir") != std::string::npos);
  Imported inside("import \"a.weir\"\n", {{"pipes/a.weir", "record R { a: strin }\n"}});
  CHECK(inside.said().find("pipes/a.weir:1:15") != std::string::npos);
  Imported twice("import \"a.weir\"\nrecord R { a: string }\n",
                 {{"pipes/a.weir", "record R { a: string }\n"}});
  CHECK(twice.said().find("W0101") != std::string::npos);
}
