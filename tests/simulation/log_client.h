// A process's client of the broker: what librdkafka is in production. Requests and answers may get
// lost, come late or twice; what a client can know of that it says in its statuses, as
// runtime/log.h has it.
#pragma once

#include "runtime/log.h"

namespace weir::simulation {

class Process;

class LogClient final : public runtime::Log {
 public:
  explicit LogClient(Process& process) : process_(process) {}
  runtime::Result<std::unique_ptr<runtime::LogConsumer>> consumer(
      const runtime::GroupOptions& options) override;
  runtime::Result<std::unique_ptr<runtime::LogProducer>> producer(
      const std::string& transactional_id) override;
  runtime::Result<std::unique_ptr<runtime::LogReader>> reader(
      const runtime::Positions& from) override;
  runtime::Result<int32_t> partitions(const std::string& topic) override;
  runtime::Status ensure_topic(const std::string& topic, int32_t partitions,
                               const std::map<std::string, std::string>& config) override;
  runtime::Status delete_records(const runtime::Positions& before) override;

 private:
  Process& process_;
};

}  // namespace weir::simulation
