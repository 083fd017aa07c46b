// Running without a server: a pipeline's log sources read from an in-memory log that is filled from
// JSON lines, its sinks hand their rows to a function. `weir run --dev`, `weir test` and binaries
// use it.
#pragma once

#include <string>
#include <vector>

#include "runtime/contract/plan.pb.h"
#include "runtime/log.h"
#include "runtime/status.h"

namespace weir::runtime {

enum class DevSources : uint8_t { Kafka, All };  // which sources read from the in-memory log

// The plan with those sources reading topic `dev_topic(name)` and every log sink replaced by
// "collect". With All every sink is replaced.
contract::Plan dev_plan(const contract::Plan& plan, DevSources which);
std::string dev_topic(const std::string& source);

// Appends records to a topic, row i to partition i mod `partitions`, in one transaction; an empty
// row is a record without a value. Makes the topic.
Status fill_topic(Log& log, const std::string& topic, int32_t partitions,
                  const std::vector<std::string>& rows);

// The lines of a file, without empty ones.
Result<std::vector<std::string>> read_lines(const std::string& path);

}  // namespace weir::runtime
