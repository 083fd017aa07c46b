// Whole runs over the in-memory log, with stages that are C++ functions.
#include "runtime/pipeline.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "runtime/fake_pipeline.h"

using namespace weir::runtime;

namespace {

using Rows = std::vector<std::string>;

Rows sorted(Rows rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

MemoryLog& make_topics(MemoryLog& log, int32_t partitions = 1) {
  REQUIRE(log.ensure_topic("in", partitions, {}).ok());
  REQUIRE(log.ensure_topic("out", 1, {}).ok());
  REQUIRE(log.ensure_topic("dead", 1, {}).ok());
  return log;
}

}  // namespace

TEST_CASE("a tumbling window is fired when the watermark has reached its end, whatever the batches") {
  for (uint32_t batch : {1u, 2u, 7u, 4096u}) {
    CAPTURE(batch);
    MemoryLog log;
    make_topics(log);
    append_rows(log, {"a 1 10", "b 2 5", "a 9 1", "a 10 7", "b 25 1"});
    FakePipeline pipeline;
    pipeline.size = pipeline.slide = 10;
    RunOptions options = fake_options();
    options.rows_per_batch = batch;
    FakeRun run = run_fake(pipeline, log, options);
    CHECK_MESSAGE(run.status.ok(), (run.status.ok() ? "" : run.status.message()));
    CHECK(sorted(run.rows) == Rows{"a [0,10) 2 11", "a [10,20) 1 7", "b [0,10) 1 5", "b [20,30) 1 1"});
    CHECK(run.summary.rows_in == 5);
    CHECK(run.summary.rows_out == 4);
  }
}
