// Plan → Program: the one place that reads the plan's messages for their shape.
#include <algorithm>
#include <numeric>
#include <set>

#include "runtime/program.h"
#include "runtime/state/state_value.h"

namespace weir::runtime {

namespace {

constexpr uint32_t kPlanVersion = 1;

std::map<std::string, std::string> resolve(
    const google::protobuf::RepeatedPtrField<contract::Option>& options,
    const Parameters& parameters) {
  std::map<std::string, std::string> resolved;
  for (const contract::Option& option : options) {
    resolved[option.name()] =
        option.param() > 0 ? parameters.values()[size_t(option.param() - 1)] : option.value();
  }
  return resolved;
}

Status add_client(const std::map<std::string, std::string>& options,
                  const google::protobuf::RepeatedPtrField<contract::Option>& declared,
                  const std::string& who, ClientProperties* client) {
  auto set = [&](std::string* to, const std::string& value) {
    if (!to->empty() && *to != value) return false;
    *to = value;
    return true;
  };
  constexpr std::string_view kPrefix = "properties.";
  for (const auto& [name, value] : options) {
    bool agrees = true;
    if (name == "brokers") agrees = set(&client->brokers, value);
    if (name == "client") agrees = set(&client->client, value);
    if (name.starts_with(kPrefix))
      agrees = set(&client->properties[name.substr(kPrefix.size())], value);
    if (!agrees) {
      return Status::error(
          Exit::NotSupported,
          "not supported yet: `" + who + "` has another `" + name +
              "` than the rest of the pipeline; an exactly-once pipeline works on one cluster");
    }
  }
  for (const contract::Option& option : declared) {
    if (option.secret() && option.name().starts_with(kPrefix))
      client->secrets.push_back(option.name().substr(kPrefix.size()));
  }
  return {};
}

class Reader {
 public:
  Reader(const WeirPipelineImage& image, const RunOptions& options)
      : image_(image), options_(options) {}

  Result<std::unique_ptr<Program>> read() {
    program_ = std::make_unique<Program>();
    contract::Plan& plan = program_->plan;
    if (image_.abi_version != kStageAbiVersion) {
      return Status::error(Exit::NotSupported,
                           "the pipeline was compiled for stage ABI " +
                               std::to_string(image_.abi_version) + ", this runtime has " +
                               std::to_string(kStageAbiVersion) + ": compile it again");
    }
    if (!plan.ParseFromArray(image_.plan, int(image_.plan_size)))
      return Status::error(Exit::Bug, "the pipeline's plan can't be read");
    if (plan.version() != kPlanVersion) {
      return Status::error(Exit::NotSupported,
                           "the pipeline's plan has version " + std::to_string(plan.version()) +
                               ", this runtime reads " + std::to_string(kPlanVersion) +
                               ": compile it again");
    }
    program_->name = options_.name.empty() ? plan.name() : options_.name;
    Result<Parameters> parameters = Parameters::make(plan, options_.params);
    if (!parameters.ok()) return parameters.take_status();
    program_->parameters = std::move(*parameters);
    for (auto step : {&Reader::read_sinks, &Reader::read_sources, &Reader::read_keyed,
                      &Reader::find_times, &Reader::order_keyed}) {
      if (Status status = (this->*step)(); !status.ok()) return status;
    }
    if (!options_.brokers.empty()) program_->client.brokers = options_.brokers;
    return std::move(program_);
  }

 private:
  const contract::Stage* stage(uint32_t id, WeirStageFunction* run) {
    *run = nullptr;
    for (uint32_t i = 0; i < image_.stage_count; ++i) {
      if (image_.stages[i].stage == id) *run = image_.stages[i].run;
    }
    for (const contract::Stage& stage : program_->plan.stages()) {
      if (stage.id() == id && *run) return &stage;
    }
    return nullptr;
  }
  Status no_stage(const std::string& whose) const {
    return Status::error(Exit::Bug, "the image has no stage for `" + whose + "`");
  }

  Status read_sinks() {
    for (const contract::Sink& sink : program_->plan.sinks()) {
      SinkInfo info{&sink, resolve(sink.options(), program_->parameters), SinkInfo::Kind::Other};
      if (sink.connector() == "kafka") info.kind = SinkInfo::Kind::Log;
      if (sink.connector() == "collect") info.kind = SinkInfo::Kind::Collect;
      if (info.kind == SinkInfo::Kind::Log) {
        program_->uses_log = true;
        if (Status status =
                add_client(info.options, sink.options(), sink.name(), &program_->client);
            !status.ok())
          return status;
      }
      program_->outputs = std::max(program_->outputs, sink.output() + 1);
      program_->sinks.push_back(std::move(info));
    }
    return {};
  }

  Status read_sources() {
    for (const contract::Source& source : program_->plan.sources()) {
      SourceInfo info{};
      info.source = &source;
      info.options = resolve(source.options(), program_->parameters);
      info.is_log = source.connector() == "kafka";
      info.stage = stage(source.stage(), &info.run);
      if (!info.stage) return no_stage(source.name());
      if (info.is_log) {
        program_->uses_log = true;
        if (Status status =
                add_client(info.options, source.options(), source.name(), &program_->client);
            !status.ok())
          return status;
      }
      for (const SourceInfo& other : program_->sources) {
        if (info.is_log && other.is_log && other.source->address() == source.address()) {
          return Status::error(Exit::NotSupported, "not supported yet: `" + source.name() +
                                                       "` and `" + other.source->name() +
                                                       "` read one topic");
        }
      }
      program_->sources.push_back(std::move(info));
    }
    return program_->sources.empty() ? Status::error(Exit::Bug, "the plan has no source")
                                     : Status();
  }

  Status read_keyed() {
    for (const contract::Keyed& keyed : program_->plan.keyed()) {
      KeyedInfo info{};
      info.keyed = &keyed;
      for (uint32_t i = 0; i < image_.keyed_count; ++i) {
        if (image_.keyed[i].keyed == keyed.id()) info.merge = image_.keyed[i].merge;
      }
      if (!info.merge || keyed.group_initial().size() != keyed.group_bytes())
        return no_stage(keyed.identity());
      info.has_window = keyed.has_window();
      if (info.has_window) {
        const contract::Window& w = keyed.window();
        info.window = {w.size_us(), w.slide_us(), w.offset_us(), w.grace_us(), w.pane_us()};
        if (w.size_us() <= 0 || w.slide_us() <= 0 ||
            w.pane_us() != std::gcd(w.size_us(), w.slide_us()) || w.grace_us() < 0) {
          return Status::error(Exit::Bug, "the window of `" + keyed.identity() + "` is not one");
        }
      }
      if (keyed.emissions_size() > int(kEmissionsMax))
        return Status::error(Exit::NotSupported,
                             "not supported yet: more than 32 emissions of one operator");
      for (const contract::Emission& emission : keyed.emissions()) {
        EmissionInfo out{&emission, nullptr, nullptr};
        out.stage = stage(emission.stage(), &out.run);
        if (!out.stage) return no_stage(keyed.identity());
        info.emissions.push_back(out);
      }
      program_->keyed.push_back(std::move(info));
    }
    return {};
  }

  // Sources and keyed operators that are connected have one number.
  Status find_times() {
    size_t sources = program_->sources.size(), all = sources + program_->keyed.size();
    std::vector<uint32_t> root(all);
    std::iota(root.begin(), root.end(), 0u);
    auto find = [&](uint32_t at) {
      while (root[at] != at) at = root[at];
      return at;
    };
    auto connect = [&](uint32_t from, const contract::Stage& stage) {
      for (uint32_t keyed : stage.updates()) root[find(from)] = find(uint32_t(sources + keyed));
    };
    for (uint32_t i = 0; i < sources; ++i) {
      connect(i, *program_->sources[i].stage);
      for (uint32_t keyed : program_->sources[i].stage->updates())
        program_->keyed[keyed].from_source = true;
    }
    for (uint32_t i = 0; i < program_->keyed.size(); ++i) {
      for (const EmissionInfo& emission : program_->keyed[i].emissions)
        connect(uint32_t(sources + i), *emission.stage);
    }
    std::map<uint32_t, uint32_t> numbers;
    auto number = [&](uint32_t at) {
      return numbers.try_emplace(find(at), uint32_t(numbers.size())).first->second;
    };
    for (uint32_t i = 0; i < sources; ++i) program_->sources[i].time = number(i);
    for (uint32_t i = 0; i < program_->keyed.size(); ++i) {
      KeyedInfo& keyed = program_->keyed[i];
      keyed.time = number(uint32_t(sources + i));
      for (uint32_t s = 0; s < sources; ++s) {
        if (program_->sources[s].time == keyed.time) {
          keyed.source = s;
          break;
        }
      }
    }
    program_->times = uint32_t(numbers.size());
    return {};
  }

  Status order_keyed() {
    size_t count = program_->keyed.size();
    std::vector<uint32_t> inputs(count, 0);
    auto for_each_edge = [&](auto visit) {
      for (uint32_t i = 0; i < count; ++i) {
        for (const EmissionInfo& emission : program_->keyed[i].emissions) {
          for (uint32_t to : emission.stage->updates()) visit(i, to);
        }
      }
    };
    for_each_edge([&](uint32_t, uint32_t to) { ++inputs[to]; });
    while (program_->order.size() < count) {
      size_t before = program_->order.size();
      for (uint32_t i = 0; i < count; ++i) {
        if (inputs[i] != 0) continue;
        inputs[i] = ~0u;
        program_->order.push_back(i);
        int64_t held_back = program_->keyed[i].held_back_us + program_->keyed[i].window.grace;
        for_each_edge([&](uint32_t from, uint32_t to) {
          if (from != i) return;
          --inputs[to];
          program_->keyed[to].held_back_us = std::max(program_->keyed[to].held_back_us, held_back);
        });
      }
      if (program_->order.size() == before)
        return Status::error(Exit::Bug, "the plan's keyed operators go in a circle");
    }
    return {};
  }

  const WeirPipelineImage& image_;
  const RunOptions& options_;
  std::unique_ptr<Program> program_;
};

}  // namespace

bool Program::has_log_source() const {
  return std::any_of(sources.begin(), sources.end(), [](const SourceInfo& s) { return s.is_log; });
}

Result<std::unique_ptr<Program>> read_program(const WeirPipelineImage& image,
                                              const RunOptions& options) {
  return Reader(image, options).read();
}

}  // namespace weir::runtime
