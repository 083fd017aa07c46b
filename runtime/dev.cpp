#include "runtime/dev.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace weir::runtime {

contract::Plan dev_plan(const contract::Plan& plan, DevSources which) {
  contract::Plan dev = plan;
  for (contract::Source& source : *dev.mutable_sources()) {
    if (which == DevSources::Kafka && source.connector() != "kafka") continue;
    source.set_connector("kafka");
    source.set_address(dev_topic(source.name()));
    source.clear_options();
  }
  for (contract::Sink& sink : *dev.mutable_sinks()) {
    if (which == DevSources::Kafka && sink.connector() != "kafka") continue;
    sink.set_connector("collect");
    sink.clear_options();
  }
  return dev;
}

std::string dev_topic(const std::string& source) { return "dev." + source; }

Status fill_topic(Log& log, const std::string& topic, int32_t partitions,
                  const std::vector<std::string>& rows) {
  Status status = log.ensure_topic(topic, partitions, {});
  if (!status.ok()) return status;
  auto producer = log.producer("dev-fill-" + topic);
  if (!producer.ok()) return producer.take_status();
  LogProducer& out = **producer;
  if (status = out.init_transactions(); !status.ok()) return status;
  if (status = out.begin(); !status.ok()) return status;
  for (size_t i = 0; i < rows.size(); ++i) {
    LogProducer::Message message;
    message.topic = topic;
    message.partition = int32_t(i % size_t(partitions));
    message.value = rows[i];
    message.has_value = !rows[i].empty();  // JSON is never empty: a record without a value
    if (status = out.produce(message); !status.ok()) return status;
  }
  if (status = out.flush(); !status.ok()) return status;
  return out.commit();
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Status::error(Exit::Usage, "`" + path + "` can't be read: " + std::strerror(errno));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace weir::runtime
