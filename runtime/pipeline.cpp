// The only entry: opens what a pipeline needs, runs it, closes it.
#include "runtime/pipeline.h"

#include <cstdlib>
#include <filesystem>

#include "runtime/dead_letter_file.h"
#include "runtime/names.h"
#include "runtime/program.h"
#include "runtime/run.h"
#include "runtime/snapshots.h"

namespace weir::runtime {

namespace {

// Where a user's programs keep state, by the XDG base directory specification.
std::string default_state_dir(const std::string& name, const std::string& instance) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::string base = state && *state ? state
                     : home && *home ? std::string(home) + "/.local/state"
                                     : "/var/tmp";
  return base + "/weir/" + legal_name(name) + "/" + legal_name(instance);
}

Status check_snapshots(const Program& program, const RunOptions& options, bool on_disk) {
  if (options.snapshots_kept == 0)
    return Status::error(Exit::Usage, "`--snapshots-kept` must be at least 1");
  if (!program.uses_log)
    return Status::error(Exit::NotSupported,
                         "not supported yet: snapshots of a pipeline without a log");
  if (!on_disk)
    return Status::error(Exit::Usage, "`--snapshots`: the state of this run is in memory");
  return {};
}

}  // namespace

Status run_pipeline(const WeirPipelineImage& image, RunOptions& options, RunSummary* summary) {
  auto begin = std::chrono::steady_clock::now();
  RunSummary unused;
  if (!summary) summary = &unused;
  Result<std::unique_ptr<Program>> read = read_program(image, options);
  if (!read.ok()) return read.take_status();
  const Program& program = **read;
  if (options.shards == 0 || options.shards > 4096)
    return Status::error(Exit::Usage, "`--shards` must be 1 to 4096");

  Log* log = options.log;
  std::unique_ptr<Log> cluster;
  bound_allocator(options.memory_bytes);
  if (program.uses_log && !log) {
    ClientProperties client = program.client;
    if (client.brokers.empty()) client.brokers = "127.0.0.1:9092";
    client.say = [&options](const std::string& line) {
      if (options.say) options.say(line, false);
    };
    Result<std::unique_ptr<Log>> opened = open_kafka(client);
    if (!opened.ok()) return opened.take_status();
    cluster = std::move(*opened);
    log = cluster.get();
  }

  // With a log given from outside (tests, --dev) state lives in memory unless a directory is named.
  bool on_disk = !options.log || !options.state_dir.empty();
  std::string directory = !options.state_dir.empty()
                              ? options.state_dir
                              : default_state_dir(program.name, options.instance);
  Result<std::vector<StoreOperator>> stores = store_operators(program);
  if (!stores.ok()) return stores.take_status();
  std::unique_ptr<Store> store;
  if (on_disk) {
    // State that a log has is a cache of it; else it is all there is.
    std::string lost;
    Result<std::unique_ptr<Store>> opened =
        open_rocksdb_store(directory, std::move(*stores), MemoryShares(options.memory_bytes).store,
                           program.uses_log ? &lost : nullptr);
    if (!opened.ok()) return opened.take_status();
    store = std::move(*opened);
    if (!lost.empty() && options.say)
      options.say("damaged state was thrown away and is restored: " + lost, false);
  } else {
    store = make_memory_store(std::move(*stores));
  }
  std::unique_ptr<Snapshots> snapshots;
  if (!options.snapshots.empty()) {
    if (Status status = check_snapshots(program, options, on_disk); !status.ok()) return status;
    Result<std::unique_ptr<ObjectStore>> objects = open_object_directory(options.snapshots);
    if (!objects.ok()) return objects.take_status().within("`--snapshots`");
    snapshots = std::make_unique<Snapshots>(
        program.name, directory, SnapshotOptions{options.snapshot_every_ms, options.snapshots_kept},
        std::move(*objects), *log, options.machine ? *options.machine : this_machine());
    if (Status status = snapshots->open(); !status.ok()) return status;
  }

  std::vector<std::unique_ptr<Sink>> sinks(program.sinks.size());
  std::vector<Sink*> sink_pointers(program.sinks.size(), nullptr);
  for (size_t i = 0; i < program.sinks.size(); ++i) {
    if (program.sinks[i].kind != SinkInfo::Kind::Other) continue;
    Result<std::unique_ptr<Sink>> opened =
        open_sink({&program.plan, program.sinks[i].sink, program.sinks[i].options});
    if (!opened.ok())
      return opened.take_status().within("sink `" + program.sinks[i].sink->name() + "`");
    sinks[i] = std::move(*opened);
    sink_pointers[i] = sinks[i].get();
  }
  std::vector<std::unique_ptr<Sink>> dead_letter_files;
  std::map<std::string, Sink*> dead_letters;
  for (const SourceInfo& source : program.sources) {
    const std::string& topic = source.source->dead_letter();
    if (program.uses_log || !on_disk ||
        source.source->on_error() != contract::Source::DEAD_LETTER || dead_letters.contains(topic))
      continue;
    dead_letter_files.push_back(
        open_dead_letter_file(directory + "/" + legal_name(topic) + ".jsonl"));
    dead_letters[topic] = dead_letter_files.back().get();
  }

  Metrics metrics(program.name);
  if (!options.metrics_address.empty()) {
    if (Status status = metrics.serve(options.metrics_address); !status.ok()) return status;
  }
  Result<std::unique_ptr<Inputs>> inputs = Inputs::open(program, options, log);
  if (!inputs.ok()) return inputs.take_status();

  PipelineRun run(program, options, log, *store, sink_pointers, dead_letters, metrics, begin);
  // Without keyed state the sentinels are all there is.
  if (!program.keyed.empty()) run.use(snapshots.get());
  Status status = run.run(**inputs, summary);
  (*inputs)->close();
  summary->seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return status;
}

const WeirPipelineImage* choose_image(const WeirBinary& binary) {
  for (uint64_t i = 0; i < binary.count; ++i) {
    std::string_view cpu = binary.images[i]->cpu;
    // The levels of the x86-64 psABI; the compiler's builtin wants constants.
    bool runs = cpu == "x86-64" || cpu == "" ||
                (cpu == "x86-64-v2" && __builtin_cpu_supports("x86-64-v2")) ||
                (cpu == "x86-64-v3" && __builtin_cpu_supports("x86-64-v3")) ||
                (cpu == "x86-64-v4" && __builtin_cpu_supports("x86-64-v4"));
    if (runs) return binary.images[i];
  }
  return nullptr;
}

}  // namespace weir::runtime
