// A plan with its compiled stages, as the runtime works with it: everything looked up once, options
// resolved.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/contract/stage_abi.h"
#include "runtime/parameters.h"
#include "runtime/pipeline.h"
#include "runtime/status.h"
#include "runtime/window_time.h"

namespace weir::runtime {

struct SourceInfo {
  const contract::Source* source;
  const contract::Stage* stage;
  WeirStageFunction run;
  std::map<std::string, std::string> options;
  bool is_log;
  uint32_t time;  // index of its time domain
};

struct EmissionInfo {
  const contract::Emission* emission;
  const contract::Stage* stage;
  WeirStageFunction run;
};

struct KeyedInfo {
  const contract::Keyed* keyed;
  WeirMergeFunction merge;
  bool has_window;
  WindowTime window;
  uint32_t time;
  int64_t held_back_us;  // its watermark is this much behind its domain's: rows of windows upstream
                         // come that late
  bool from_source;      // some source's stage updates it
  uint32_t source;       // whose on_error decides about groups that have no result
  std::vector<EmissionInfo> emissions;
};

struct SinkInfo {
  const contract::Sink* sink;
  std::map<std::string, std::string> options;
  enum class Kind : uint8_t { Log, Collect, Other } kind;
};

struct Program {
  contract::Plan plan;
  std::string name;  // of the pipeline
  Parameters parameters;
  std::vector<SourceInfo> sources;
  std::vector<KeyedInfo> keyed;  // as in the plan; upstream ones first in `order`
  std::vector<uint32_t> order;
  std::vector<SinkInfo> sinks;
  uint32_t outputs = 0;  // size of WeirStage::outputs
  // Sources that meet in a keyed operator share their time: its watermark is the minimum over their
  // partitions.
  uint32_t times = 0;
  bool uses_log = false;  // some source or sink is a log: epochs are its transactions

  bool has_log_source() const;
  ClientProperties client;  // of the one cluster, if uses_log
};

// Reads the plan and finds its stages in the image. Refuses versions and shapes that it does not
// know.
Result<std::unique_ptr<Program>> read_program(const WeirPipelineImage& image,
                                              const RunOptions& options);

}  // namespace weir::runtime
