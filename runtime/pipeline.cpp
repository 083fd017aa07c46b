// The only entry: opens what a pipeline needs, runs it, closes it.
#include "runtime/pipeline.h"

#include <cstdlib>
#include <filesystem>

#include "runtime/dead_letter_file.h"
#include "runtime/names.h"
#include "runtime/program.h"
#include "runtime/run.h"

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
    Result<std::unique_ptr<Store>> opened =
        open_rocksdb_store(directory, std::move(*stores), MemoryShares(options.memory_bytes).store);
    if (!opened.ok()) return opened.take_status();
    store = std::move(*opened);
  } else {
    store = make_memory_store(std::move(*stores));
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
