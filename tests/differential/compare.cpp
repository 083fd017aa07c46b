#include "tests/differential/compare.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "codegen/codegen.h"
#include "dsl/parser.h"
#include "runtime/dev.h"
#include "runtime/memory_log.h"
#include "runtime/pipeline.h"
#include "tests/differential/expected.h"
#include "tests/differential/program.h"

namespace weir::differential {

namespace {

constexpr int kOrders = 3;

struct Compiled {
  std::string name;
  codegen::Result<codegen::JitPipeline> code;
};

// The runtime's own way with a pipeline: rows by sink, dead letters by stream and offset.
Results run(const compiler::Compiled& compiled, const WeirPipelineImage& image,
            const std::vector<std::string>& records, uint32_t batch, std::string* failed) {
  runtime::MemoryLog log;
  contract::Plan plan = runtime::dev_plan(compiled.plan, runtime::DevSources::All);
  runtime::Status status = runtime::fill_topic(log, plan.sources(0).address(), 1, records);
  if (status.ok()) status = log.ensure_topic("bad", 1, {});
  std::string serialized = plan.SerializeAsString();
  WeirPipelineImage own = image;
  own.plan = serialized.data();
  own.plan_size = serialized.size();
  Results results;
  runtime::RunOptions options;
  options.name = "random";
  options.until = runtime::Until::End;
  options.rows_per_batch = batch;
  options.threads = 1;
  options.commit_interval_ms = 3'600'000;
  options.log = &log;
  options.collect = [&](const std::string& sink, std::string_view, std::string_view value) {
    results.rows[sink].emplace_back(value);
  };
  options.aside = [&](const std::string&, const std::string&, const std::string& row) {
    auto json = nlohmann::json::parse(row);
    auto [at, fresh] = results.errors.try_emplace(
        {json["stream"].get<std::string>(), json["offset"].get<int64_t>()},
        json["reason"].get<std::string>());
    if (!fresh) at->second += " twice";
  };
  runtime::RunSummary summary;
  if (status.ok()) status = runtime::run_pipeline(own, options, &summary);
  if (!status.ok()) *failed = status.message();
  return results;
}

// The first difference: which stream, record, and both results. Empty: there is none.
std::string first_difference(const Results& expected, const Results& found,
                             const std::vector<std::string>& records, std::string* stream) {
  auto shown = [&](const std::string& what, const std::string& wanted, const std::string& got,
                   size_t record) {
    return what + "\nrecord    " + (record < records.size() ? records[record] : "?") +
           "\nexpected  " + wanted + "\nfound     " + got + "\n";
  };
  std::map<std::string, std::vector<std::string>> all = expected.rows;
  all.insert(found.rows.begin(), found.rows.end());
  auto rows_of = [](const Results& results, const std::string& sink) {
    auto at = results.rows.find(sink);
    return at == results.rows.end() ? std::vector<std::string>() : at->second;
  };
  auto error_of = [](const Results& results, const std::string& stream, int64_t offset) {
    auto at = results.errors.find({stream, offset});
    return at == results.errors.end() ? std::string("(no row)") : at->second;
  };
  for (const auto& [sink, ignored] : all) {
    auto wanted = rows_of(expected, sink), got = rows_of(found, sink);
    for (size_t i = 0; i < std::max(wanted.size(), got.size()); ++i) {
      if (i < wanted.size() && i < got.size() && wanted[i] == got[i]) continue;
      // The record is the one with the lesser id; the other side has no row of it.
      auto number = [](const std::vector<std::string>& rows, size_t i) {
        return i < rows.size() ? std::atoll(rows[i].c_str() + std::string("{\"id\":").size())
                               : INT64_MAX;
      };
      int64_t id = std::min(number(wanted, i), number(got, i));
      std::string left = number(wanted, i) == id ? wanted[i] : error_of(expected, sink, id);
      std::string right = number(got, i) == id ? got[i] : error_of(found, sink, id);
      *stream = sink;
      return shown("stream " + sink, left, right, size_t(id));
    }
  }
  for (const auto* side : {&expected, &found}) {
    for (const auto& [place, reason] : side->errors) {
      std::string wanted = error_of(expected, place.first, place.second);
      std::string got = error_of(found, place.first, place.second);
      if (wanted == got) continue;
      *stream = place.first;
      return shown("stream " + place.first, wanted, got, size_t(place.second));
    }
  }
  return "";
}

}  // namespace

Outcome compare(uint64_t seed, const Amount& amount) {
  Outcome outcome;
  Random random(seed);
  RandomProgram program = random_program(random, amount.streams);
  std::vector<RandomProgram::Stream> kept;
  for (const RandomProgram::Stream& stream : program.streams) {
    if (Model::of(program.head + stream.text)) kept.push_back(stream);
  }
  outcome.streams = kept.size();
  outcome.refused = program.streams.size() - kept.size();
  program.streams = std::move(kept);
  if (program.streams.empty()) return outcome;

  const std::string text = program.text();
  auto failed = [&](const std::string& what, const std::string& stream = "") {
    outcome.difference = "seed " + std::to_string(seed) + ": " + what + "\n\n" + program.head;
    for (const RandomProgram::Stream& one : program.streams) {
      if (stream.empty() || stream == one.name) outcome.difference += one.text;
    }
    return outcome;
  };
  std::string why;
  auto model = Model::of(text, &why);
  if (!model) return failed("streams that compile alone don't together\n" + why);
  dsl::Sources sources;
  dsl::Diagnostics diagnostics;
  dsl::FileId file = sources.add("random.weir", text);
  dsl::Program parsed = dsl::parse(sources, file, diagnostics);
  auto compiled = compiler::compile(parsed, sources, {.name = "random"}, diagnostics);
  if (!compiled) return failed("the passes refuse what the checker takes");

  std::vector<Record> records;
  for (int i = 0; i < amount.records; ++i)
    records.push_back(random_record(model->graph().types, model->schema(), i, random));
  std::string unknown;
  Results expected = model->results(records, &unknown);
  if (!unknown.empty()) return failed("the interpreter does not know " + unknown);

  std::vector<Compiled> ways;
  ways.push_back({"-O0", codegen::jit(*compiled, {.optimization = 0})});
  ways.push_back({"-O3", codegen::jit(*compiled, {.optimization = 3})});
  ways.push_back({"ahead of time", codegen::load_object(*compiled)});
  for (int order = 0; order < kOrders; ++order) {
    std::vector<std::string> texts;
    for (const Record& record : records) texts.push_back(json_of(record, order, random));
    uint32_t batch = uint32_t(random.between(1, 64));
    for (Compiled& way : ways) {
      std::string name = way.name + ", keys in order " + std::to_string(order);
      if (!way.code) return failed(name + ": " + way.code.error());
      std::string stopped;
      Results found = run(*compiled, way.code->image(), texts, batch, &stopped);
      if (!stopped.empty()) return failed(name + ": " + stopped);
      outcome.comparisons += model->values() * records.size();
      std::string stream;
      std::string difference = first_difference(expected, found, texts, &stream);
      if (!difference.empty()) return failed(name + ", " + difference, stream);
    }
  }
  return outcome;
}

}  // namespace weir::differential
