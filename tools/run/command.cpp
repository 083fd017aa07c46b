#include "tools/run/command.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "runtime/dev.h"
#include "runtime/memory_log.h"
#include "runtime/parameters.h"

namespace weir::tools {

using runtime::dev_plan;
using runtime::dev_topic;
using runtime::DevSources;
using runtime::Exit;
using runtime::fill_topic;
using runtime::MemoryLog;
using runtime::parse_duration_us;
using runtime::read_lines;
using runtime::Result;
using runtime::run_pipeline;
using runtime::RunOptions;
using runtime::RunSummary;
using runtime::Status;
using runtime::Until;

namespace {

// One: what is late then depends on the order of the lines alone, and every run shows the same
// rows.
constexpr int32_t kDevPartitions = 1;

std::atomic<bool> stop_asked{false};

extern "C" void on_signal(int signal) {
  if (stop_asked.exchange(true)) _exit(128 + signal);
}

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// The client allocates and frees a buffer of megabytes for every fetch, a table's blocks come from
// mmap anyway: with glibc's own limits each fetch would fault its pages in again (2.2 s of system
// time instead of 1.5 for 10 M records, 2026-11).
void keep_fetch_buffers() {
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// Progress and restarts on stderr: passing lines are rewritten on a terminal.
std::function<void(const std::string&, bool)> talk(bool terminal) {
  return [terminal](const std::string& line, bool passing) {
    fmt::print(stderr, "{}{}{}", terminal ? "\r\x1b[K" : "", line, terminal && passing ? "" : "\n");
    std::fflush(stderr);
  };
}

int fail(const Status& status) {
  fmt::print(stderr, "weir: {}\n", status.message());
  return int(status.exit());
}

Status read_flags(RunCommand& command) {
  RunOptions& options = command.options;
  for (const std::string& one : command.set) {
    size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status::error(Exit::Usage, "`--set " + one + "`: name=value is wanted");
    options.params[one.substr(0, equals)] = one.substr(equals + 1);
  }
  if (command.until == "end") {
    options.until = Until::End;
  } else if (command.until == "now") {
    options.until = Until::Now;
  } else if (!command.until.empty()) {
    return Status::error(Exit::Usage, "`--until " + command.until + "`: `end` or `now` is wanted");
  } else if (command.dev) {
    options.until = Until::End;  // nothing will ever be appended
  }
  int64_t memory = parse_size(command.memory);
  if (memory < 16 << 20)
    return Status::error(Exit::Usage,
                         "`--memory " + command.memory + "`: a size of at least 16MiB is wanted");
  options.memory_bytes = uint64_t(memory);
  std::optional<int64_t> interval = parse_duration_us(command.commit_interval);
  if (!interval || *interval < 1000)
    return Status::error(Exit::Usage, "`--commit-interval " + command.commit_interval +
                                          "`: a duration as 100ms or 2s is wanted");
  options.commit_interval_ms = *interval / 1000;
  std::optional<int64_t> every = parse_duration_us(command.snapshot_every);
  if (!every || *every < 1000)
    return Status::error(Exit::Usage, "`--snapshot-every " + command.snapshot_every +
                                          "`: a duration as 10m or 1h is wanted");
  options.snapshot_every_ms = *every / 1000;
  if (options.rows_per_batch == 0)
    return Status::error(Exit::Usage, "`--batch` must be at least 1");
  if (!command.quiet) {
    bool terminal = isatty(STDERR_FILENO) == 1 && !options.json_logs;
    options.say = talk(terminal);
    options.progress_ms = terminal ? 500 : 10'000;
  }
  return {};
}

// The plan's log sources from JSON lines, its log sinks to stdout.
Status prepare_dev(const RunCommand& command, const contract::Plan& plan, MemoryLog& log) {
  for (const contract::Source& source : plan.sources()) {
    if (source.on_error() == contract::Source::DEAD_LETTER) {
      if (Status status = log.ensure_topic(source.dead_letter(), 1, {}); !status.ok())
        return status;
    }
    if (source.connector() != "kafka") continue;
    std::string path =
        (std::filesystem::path(command.data_folder) / (source.name() + ".jsonl")).string();
    Result<std::vector<std::string>> rows = read_lines(path);
    if (!rows.ok())
      return rows.take_status().within("--dev reads source `" + source.name() + "` from a file");
    if (Status status = fill_topic(log, dev_topic(source.name()), kDevPartitions, *rows);
        !status.ok())
      return status;
  }
  return {};
}

void print_summary(const RunCommand& command, const RunSummary& s) {
  if (command.quiet) return;
  if (command.options.json_logs) {
    fmt::print(
        stderr,
        R"({{"type":"summary","rows_in":{},"rows_out":{},"rows_late":{},"rows_dead":{},"bytes_in":{},"epochs":{},"aborts":{},"seconds":{:.3f},"join_seconds":{:.3f},"first_event_seconds":{:.3f},"snapshots":{},"restored_snapshot_bytes":{},"restored_snapshot_seconds":{:.3f},"restored_changelog_bytes":{},"restored_changelog_seconds":{:.3f}}})"
        "\n",
        s.rows_in, s.rows_out, s.rows_late, s.rows_dead, s.bytes_in, s.epochs, s.aborts, s.seconds,
        s.join_seconds, s.first_event_seconds, s.snapshots, s.restored_snapshot_bytes,
        s.restored_snapshot_seconds, s.restored_changelog_bytes, s.restored_changelog_seconds);
    return;
  }
  std::string joined =
      s.join_seconds > 0 ? fmt::format("group joined after {:.2f} s, ", s.join_seconds) : "";
  fmt::print(stderr,
             "weir: {} rows in, {} out, {} late, {} put aside; {} epochs, {} aborted; {:.2f} s "
             "({}first event after {:.3f} s)\n",
             s.rows_in, s.rows_out, s.rows_late, s.rows_dead, s.epochs, s.aborts, s.seconds, joined,
             s.first_event_seconds);
}

}  // namespace

int64_t parse_size(const std::string& text) {
  int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string unit(static_cast<const char*>(end), size_t(text.data() + text.size() - end));
  static constexpr struct {
    const char* name;
    int64_t bytes;
  } kUnits[] = {{"", 1},          {"B", 1},          {"kB", 1000},
                {"KB", 1000},     {"MB", 1'000'000}, {"GB", 1'000'000'000},
                {"KiB", 1 << 10}, {"MiB", 1 << 20},  {"GiB", 1 << 30}};
  for (const auto& is : kUnits) {
    int64_t bytes = 0;
    if (unit == is.name && error == std::errc() && count >= 0 &&
        !__builtin_mul_overflow(count, is.bytes, &bytes))
      return bytes;
  }
  return -1;
}

void add_run_flags(CLI::App& app, RunCommand& command) {
  RunOptions& options = command.options;
  app.add_option("--set", command.set,
                 "a parameter's value, as name=value; may stand several times")
      ->allow_extra_args(false);
  app.add_option("--name", options.name,
                 "of the pipeline: its group, topics and state are found by it");
  app.add_option("--instance", options.instance,
                 "of the process among those of the pipeline, zero-padded")
      ->capture_default_str();
  app.add_option(
      "--until", command.until,
      "`end`: read what is there now, fire everything, end; `now`: the same without firing");
  app.add_flag("--dev", command.dev,
               "no server: sources read data/<source>.jsonl, sinks write to stdout");
  app.add_option("--data", command.data_folder, "the folder of --dev");
  app.add_option("--brokers", options.brokers, "Kafka's addresses, instead of the program's");
  app.add_option("--state", options.state_dir, "directory of the pipeline's state");
  app.add_option("--snapshots", options.snapshots,
                 "directory that outlives the machine: snapshots of the state go there, bound the "
                 "changelogs, and replace a lost disk");
  app.add_option("--snapshot-every", command.snapshot_every, "between snapshots")
      ->capture_default_str();
  app.add_option("--snapshots-kept", options.snapshots_kept, "so many, the newest")
      ->capture_default_str();
  app.add_option("--metrics", options.metrics_address,
                 "serve Prometheus metrics, as 127.0.0.1:9464");
  app.add_option("--memory", command.memory, "budget of state and queues")->capture_default_str();
  app.add_option("--commit-interval", command.commit_interval, "of epochs")->capture_default_str();
  app.add_option("--epoch-rows", options.rows_per_epoch_max, "most rows of an epoch; 0: no bound")
      ->capture_default_str();
  app.add_option("--batch", options.rows_per_batch, "rows of one stage call")
      ->capture_default_str();
  app.add_option("--shards", options.shards, "of keyed state; chosen at the first start")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "that process rows; 0: one for each core")
      ->capture_default_str();
  app.add_flag("--quiet,-q", command.quiet, "no progress, no summary");
  app.add_flag("--json", options.json_logs, "progress and summary as JSON lines");
}

int run_command(const WeirPipelineImage& image, RunCommand& command) {
  if (Status status = read_flags(command); !status.ok()) return fail(status);
  catch_signals();
  keep_fetch_buffers();
  RunOptions& options = command.options;
  options.stop = &stop_asked;
  WeirPipelineImage own = image;
  std::string plan_bytes;
  MemoryLog log;
  if (command.dev) {
    contract::Plan plan;
    if (!plan.ParseFromArray(image.plan, int(image.plan_size)))
      return fail(Status::error(Exit::Bug, "the pipeline's plan can't be read"));
    if (Status status = prepare_dev(command, plan, log); !status.ok()) return fail(status);
    bool many = plan.sinks_size() > 1;
    plan_bytes = dev_plan(plan, DevSources::Kafka).SerializeAsString();
    own.plan = plan_bytes.data();
    own.plan_size = plan_bytes.size();
    options.log = &log;
    options.collect = [many](const std::string& sink, std::string_view, std::string_view value) {
      if (many) fmt::print("{}\t", sink);
      fmt::print("{}\n", value);
    };
  }
  RunSummary summary;
  Status status = run_pipeline(own, options, &summary);
  std::fflush(stdout);
  if (!status.ok()) return fail(status);
  print_summary(command, summary);
  return int(Exit::Done);
}

}  // namespace weir::tools
