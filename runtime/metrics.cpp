#include "runtime/metrics.h"

#include <fmt/format.h>
#include <httplib.h>

#include <chrono>

namespace weir::runtime {

void Histogram::observe(double seconds, uint64_t times) {
  size_t bucket = 0;
  while (bucket < kBuckets && seconds > upper(bucket)) ++bucket;
  buckets_[bucket] += times;
  count_ += times;
  sum_ += seconds * double(times);
}

double Histogram::percentile(double p) const {
  if (count_ == 0) return 0;
  uint64_t rank = uint64_t(p * double(count_)), seen = 0;
  for (size_t i = 0; i <= kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > rank || seen == count_) return upper(std::min(i, kBuckets - 1));
  }
  return upper(kBuckets - 1);
}

std::string Histogram::text(const std::string& name, const std::string& help,
                            const std::string& labels) const {
  std::string out = fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  uint64_t below = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    below += buckets_[i];
    out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, upper(i), below);
  }
  out +=
      fmt::format("{0}_bucket{{{1},le=\"+Inf\"}} {2}\n{0}_sum{{{1}}} {3}\n{0}_count{{{1}}} {2}\n",
                  name, labels, count_, sum_);
  return out;
}

struct Metrics::Server {
  httplib::Server http;
  std::thread thread;
};

Metrics::Metrics(std::string pipeline) : pipeline_(std::move(pipeline)) {}

Metrics::~Metrics() {
  if (!server_) return;
  server_->http.stop();
  server_->thread.join();
}

Status Metrics::serve(const std::string& address) {
  size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  int port = colon == std::string::npos ? 0 : std::atoi(address.c_str() + colon + 1);
  if (port <= 0 || port > 65535)
    return Status::error(Exit::Usage, "`--metrics` has `" + address +
                                          "` where an address as 127.0.0.1:9464 is wanted");
  if (host != "127.0.0.1" && host != "localhost" && host != "[::1]") {
    return Status::error(
        Exit::NotSupported,
        "not supported yet: metrics on another address than loopback (`" + host + "`)");
  }
  server_ = std::make_unique<Server>();
  server_->http.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(text(), "text/plain; version=0.0.4");
  });
  server_->http.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", "text/plain");
  });
  server_->http.set_payload_max_length(4096);
  server_->http.new_task_queue = [] { return new httplib::ThreadPool(2); };
  if (!server_->http.bind_to_port(host == "[::1]" ? "::1" : "127.0.0.1", port)) {
    server_.reset();
    return Status::error(Exit::Configuration, "the metrics' address " + address + " is taken");
  }
  server_->thread = std::thread([this] { server_->http.listen_after_bind(); });
  while (!server_->http.is_running()) std::this_thread::yield();
  return {};
}

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    out += c;
  }
  return out;
}

}  // namespace

std::string Metrics::text() const {
  MetricsValues v = values();
  std::string pipeline = "pipeline=\"" + escaped(pipeline_) + "\"";
  std::string out;
  auto head = [&](const char* name, const char* type, const char* help) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  };
  auto one = [&](const char* name, const char* type, const char* help, auto value) {
    head(name, type, help);
    out += fmt::format("{}{{{}}} {}\n", name, pipeline, value);
  };
  one("weir_records_in_total", "counter", "Records read from sources.", v.rows_in);
  one("weir_records_out_total", "counter", "Rows committed to sinks.", v.rows_out);
  one("weir_bytes_in_total", "counter", "Bytes of keys and values read.", v.bytes_in);
  one("weir_records_late_total", "counter", "Input rows late for all their windows.", v.rows_late);
  one("weir_json_slow_total", "counter", "Records whose keys did not come in the expected order.",
      v.json_slow);
  head("weir_dlq_records_total", "counter", "Rows put aside, by reason.");
  for (const auto& [reason, count] : v.dead)
    out += fmt::format("weir_dlq_records_total{{{},reason=\"{}\"}} {}\n", pipeline, reason, count);
  head("weir_transactions_total", "counter", "Epochs, by how they ended.");
  out += fmt::format("weir_transactions_total{{{},result=\"commit\"}} {}\n", pipeline, v.epochs);
  out += fmt::format("weir_transactions_total{{{},result=\"abort\"}} {}\n", pipeline, v.aborts);
  one("weir_rebalances_total", "counter", "Changes of the group's assignment.", v.rebalances);
  one("weir_state_bytes", "gauge", "State in memory.", v.state_bytes);
  one("weir_state_keys", "gauge", "Groups in memory.", v.state_groups);
  one("weir_state_spills_total", "counter",
      "Times that state was dropped from memory to stay in the budget.", v.spills);
  one("weir_state_restore_entries_total", "counter", "Entries read back from changelogs.",
      v.restored_entries);
  one("weir_state_restore_snapshot_bytes_total", "counter",
      "Bytes of snapshots that were restored.", v.restored_snapshot_bytes);
  head("weir_snapshots_total", "counter", "Snapshots of the state, by how they ended.");
  out += fmt::format("weir_snapshots_total{{{},result=\"done\"}} {}\n", pipeline, v.snapshots);
  out += fmt::format("weir_snapshots_total{{{},result=\"failed\"}} {}\n", pipeline,
                     v.snapshots_failed);
  one("weir_snapshot_copied_bytes_total", "counter", "Bytes that snapshots had to copy.",
      v.snapshot_copied_bytes);
  if (v.snapshot_ms >= 0) {
    one("weir_snapshot_bytes", "gauge", "Size of the last snapshot.", v.snapshot_bytes);
    one("weir_snapshot_timestamp_seconds", "gauge", "When the last snapshot was finished.",
        double(v.snapshot_ms) / 1000);
  }
  if (v.watermark_us != INT64_MIN && v.watermark_us != INT64_MAX) {
    one("weir_watermark_timestamp_seconds", "gauge",
        "Event time up to which the input is complete.", double(v.watermark_us) / 1e6);
    double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    one("weir_event_time_lag_seconds", "gauge", "Machine time minus watermark.",
        now - double(v.watermark_us) / 1e6);
  }
  head("weir_consumer_lag_records", "gauge", "Records of a partition that are not read yet.");
  for (const PartitionMetrics& p : v.partitions) {
    if (p.lag >= 0)
      out += fmt::format("weir_consumer_lag_records{{{},topic=\"{}\",partition=\"{}\"}} {}\n",
                         pipeline, escaped(p.topic), p.partition, p.lag);
  }
  out += v.epoch_seconds.text("weir_transaction_duration_seconds",
                              "From the end of an epoch to its commit.", pipeline);
  out += v.latency_seconds.text("weir_record_latency_seconds",
                                "From a record's timestamp to the commit of what came of it.",
                                pipeline);
  head("weir_record_latency_quantile_seconds", "gauge", "The same as percentiles since the start.");
  for (double p : {0.5, 0.95, 0.99}) {
    out += fmt::format("weir_record_latency_quantile_seconds{{{},quantile=\"{}\"}} {}\n", pipeline,
                       p, v.latency_seconds.percentile(p));
  }
  return out;
}

}  // namespace weir::runtime
