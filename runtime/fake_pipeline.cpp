#include "runtime/fake_pipeline.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "runtime/window_time.h"

namespace weir::runtime {

namespace {

constexpr int64_t kSecond = 1'000'000;

struct Group {
  WeirGroupHeader header;
  int64_t count, sum;
};

const FakePipeline* current = nullptr;  // stages are plain functions

struct Parsed {
  WeirBytes key;
  int64_t time_us, amount;
};
bool parse(const WeirRecord& record, Parsed* out) {
  std::string_view text(record.value, record.value_size);
  size_t first = text.find(' '), second = text.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return false;
  out->key = {text.data(), first};
  out->time_us = std::strtoll(std::string(text.substr(first + 1)).c_str(), nullptr, 10) * kSecond;
  out->amount = std::strtoll(std::string(text.substr(second + 1)).c_str(), nullptr, 10);
  return true;
}

void put_error(WeirStage* stage, uint32_t row) {
  WeirErrors* errors = stage->errors;
  if (errors->count == errors->capacity && !errors->grow(errors)) std::abort();
  static constexpr char kDetail[] = "not three words";
  errors->rows[errors->count++] = {row, 7001, 0, 0, {kDetail, sizeof kDetail - 1}};
}

void emit(WeirOutput* output, std::string_view key, std::string_view value, int64_t event_time) {
  weir_output_begin(output, event_time);
  memcpy(weir_output_room(output, key.size()), key.data(), key.size());
  output->at += key.size();
  weir_output_key_done(output);
  memcpy(weir_output_room(output, value.size()), value.data(), value.size());
  output->at += value.size();
  weir_output_end(output);
}

// False: late for all its windows.
bool update(WeirPanes* panes, const WindowTime& window, int64_t watermark, WeirBytes key,
            int64_t time, int64_t count, int64_t amount) {
  int64_t pane = 0;
  if (window.size > 0) {
    int64_t start =
        WindowTime::floor_div(time - window.offset, window.slide) * window.slide + window.offset;
    if (time >= window.end(start)) return true;  // in no window
    if (window.close(start) <= watermark) return false;
    pane = WindowTime::floor_div(time - window.offset, window.pane) * window.pane + window.offset;
  }
  auto* group = reinterpret_cast<Group*>(weir_panes_upsert(panes, pane, key.data, key.size));
  group->header.changed = ~0u;
  group->count += count;
  group->sum += amount;
  return true;
}

// As codegen/nodes/keep.cpp does. False: late.
bool keep(WeirPanes* panes, int64_t watermark, const Parsed& row, int64_t offset) {
  if (row.time_us < watermark) return false;
  std::string key(row.key.data, row.key.size);
  int64_t place[] = {row.time_us, offset, int64_t(panes->groups)};
  key.append(reinterpret_cast<const char*>(place), sizeof place);
  auto* group = reinterpret_cast<Group*>(weir_panes_upsert(panes, 0, key.data(), key.size()));
  group->count = 1;
  group->sum = row.amount;
  return true;
}

WindowTime window_of(const FakePipeline& p) {
  auto gcd = [](int64_t a, int64_t b) {
    while (b) a %= b, std::swap(a, b);
    return a;
  };
  return {p.size * kSecond, p.slide * kSecond, p.offset * kSecond, p.grace * kSecond,
          gcd(p.size, p.slide) * kSecond};
}

int32_t source_stage(WeirStage* stage, WeirBatch* batch) {
  const FakePipeline& p = *current;
  WindowTime window = window_of(p);
  int64_t watermark = batch->watermark_floor;
  auto advance = [&] {
    if (batch->event_time_max == kNoEventTime) return;
    watermark = std::max(
        watermark, std::min(batch->watermark_others, batch->event_time_max - p.delay * kSecond));
  };
  advance();
  while (batch->next < batch->count) {
    uint32_t row = batch->next++;
    ++stage->counters.rows_in;
    Parsed parsed;
    if (!parse(batch->records[row], &parsed)) {
      put_error(stage, row);
      continue;
    }
    if (p.rows) {
      if (!keep(stage->panes[0], watermark, parsed, batch->records[row].offset))
        ++stage->counters.rows_late;
    } else if (p.grouped) {
      if (!update(stage->panes[0], window, watermark, parsed.key, parsed.time_us, 1, parsed.amount))
        ++stage->counters.rows_late;
    } else {
      emit(stage->outputs[0], {parsed.key.data, parsed.key.size},
           {batch->records[row].value, batch->records[row].value_size}, parsed.time_us);
    }
    batch->event_time_max = std::max(batch->event_time_max, parsed.time_us);
    advance();
    if (watermark >= batch->fire_at) return kStageFires;
    if (p.grouped && stage->panes[0]->groups > stage->panes[0]->groups_max) return kStageFull;
    if (!p.grouped && stage->outputs[0]->size > stage->outputs[0]->bytes_max) return kStageFull;
  }
  return kStageDone;
}

template <uint32_t kOutput>
int32_t emission_stage(WeirStage* stage, WeirBatch* batch) {
  for (; batch->next < batch->count; ++batch->next) {
    const WeirFired& fired = batch->fired[batch->next];
    Group group;
    memcpy(&group, fired.accumulator, sizeof group);
    if (fired.state) {  // a scan that counts and sums up
      Group* kept = reinterpret_cast<Group*>(fired.state);
      kept->count += group.count;
      kept->sum += group.sum;
      group = *kept;
    }
    std::string key(fired.key, fired.key_size);
    char text[200];
    int size = 0;
    if (current->rows)
      size = std::snprintf(text, sizeof text, "%s @%lld %lld %lld", key.c_str(),
                           (long long)(fired.event_time / kSecond), (long long)group.count,
                           (long long)group.sum);
    else
      size = std::snprintf(text, sizeof text, "%s [%lld,%lld) %lld %lld", key.c_str(),
                           (long long)(fired.window_start / kSecond),
                           (long long)(fired.window_end / kSecond), (long long)group.count,
                           (long long)group.sum);
    emit(stage->outputs[kOutput], key, {text, size_t(size)}, fired.event_time);
    ++stage->counters.rows_out;
  }
  return kStageDone;
}

int32_t chained_stage(WeirStage* stage, WeirBatch* batch) {
  int64_t size = current->second_size * kSecond;
  for (; batch->next < batch->count; ++batch->next) {
    const WeirFired& fired = batch->fired[batch->next];
    Group group;
    memcpy(&group, fired.accumulator, sizeof group);
    if (!update(stage->panes[1], {size, size, 0, 0, size}, batch->watermark_floor, {"all", 3},
                fired.event_time, 1, group.sum))
      ++stage->counters.rows_late;
  }
  return kStageDone;
}

void merge(char* into, const char* from, WeirArena*) {
  reinterpret_cast<Group*>(into)->count += reinterpret_cast<const Group*>(from)->count;
  reinterpret_cast<Group*>(into)->sum += reinterpret_cast<const Group*>(from)->sum;
}

void add_keyed(contract::Plan* plan, uint32_t id, const WindowTime& window,
               const std::string& signature) {
  contract::Keyed* keyed = plan->add_keyed();
  keyed->set_id(id);
  keyed->set_identity("counts.window." + std::to_string(id - 10));
  keyed->set_signature(signature);
  if (window.size > 0) {
    contract::Window* w = keyed->mutable_window();
    w->set_size_us(window.size);
    w->set_slide_us(window.slide);
    w->set_offset_us(window.offset);
    w->set_grace_us(window.grace);
    w->set_pane_us(window.pane);
  }
  for (uint32_t i = 0; i < 2; ++i) {
    contract::StateField* field = keyed->add_state();
    field->set_name(i == 0 ? "count" : "sum");
    field->mutable_type()->set_kind(contract::Type::INT64);
    field->set_offset(8 + 8 * i);
    field->set_presence(-1);
  }
  keyed->set_group_bytes(sizeof(Group));
  Group initial{};
  keyed->set_group_initial(std::string(reinterpret_cast<const char*>(&initial), sizeof initial));
  keyed->set_stream("counts");
}

// Behind the group: where the runtime notes it, if keys expire.
void add_last_use(contract::Keyed* keyed) {
  contract::StateField* field = keyed->add_state();
  field->set_name(".used");
  field->mutable_type()->set_kind(contract::Type::TIMESTAMP);
  field->set_offset(sizeof(Group));
  field->set_presence(-1);
  keyed->set_group_bytes(sizeof(Group) + 8);
  keyed->mutable_group_initial()->append(8, '\0');
}

void add_sink(contract::Plan* plan, uint32_t output, bool to_log) {
  contract::Sink* sink = plan->add_sinks();
  sink->set_id(20 + output);
  sink->set_name(output == 0 ? "out" : "out" + std::to_string(output));
  sink->set_connector(to_log ? "kafka" : "collect");
  sink->set_address(sink->name());
  sink->set_output(output);
}

}  // namespace

const WeirPipelineImage* FakePipeline::image() {
  current = this;
  contract::Plan plan;
  plan.set_version(1);
  plan.set_name(name);
  plan.add_streams("counts");
  contract::Source* source = plan.add_sources();
  source->set_id(1);
  source->set_name("in");
  source->set_connector(connector);
  source->set_address("in");
  source->set_has_event_time(true);
  source->set_has_watermark(true);
  source->set_watermark_us(delay * kSecond);
  source->set_idle_us(idle);
  source->set_on_error(on_error);
  source->set_dead_letter("dead");
  source->set_stage(1);
  contract::Option* option = source->add_options();
  option->set_name("start");
  option->set_value(start);
  contract::Stage* first = plan.add_stages();
  first->set_id(1);
  first->set_input(1);
  stages = {{1, 0, source_stage}};
  keyed.clear();
  if (!grouped) {
    first->add_emits(0);
    add_sink(&plan, 0, emissions[0].to_log);
  } else {
    first->add_updates(0);
    add_keyed(&plan, 10, window_of(*this), signature);
    if (rows) *plan.mutable_keyed(0)->mutable_rows() = *rows;
    if (rows && rows->kind() != contract::Rows::DEDUP && rows->within_us() > 0)
      add_last_use(plan.mutable_keyed(0));
    keyed.push_back({10, 0, merge});
    for (uint32_t i = 0; i < emissions.size(); ++i) {
      contract::Emission* emission = plan.mutable_keyed(0)->add_emissions();
      emission->set_mode(emissions[i].mode);
      emission->set_every_us(emissions[i].every_us);
      emission->set_stage(2 + i);
      contract::Stage* stage = plan.add_stages();
      stage->set_id(2 + i);
      stage->set_input(10);
      stage->set_reads_groups(true);
      if (second_size > 0) {
        stage->add_updates(1);
        stages.push_back({2 + i, 0, chained_stage});
      } else {
        stage->add_emits(i);
        add_sink(&plan, i, emissions[i].to_log);
        stages.push_back({2 + i, 0, i == 0 ? emission_stage<0> : emission_stage<1>});
      }
    }
    if (second_size > 0) {
      int64_t size = second_size * kSecond;
      add_keyed(&plan, 11, {size, size, 0, 0, size}, signature);
      keyed.push_back({11, 0, merge});
      contract::Emission* emission = plan.mutable_keyed(1)->add_emissions();
      emission->set_stage(9);
      contract::Stage* stage = plan.add_stages();
      stage->set_id(9);
      stage->set_input(11);
      stage->set_reads_groups(true);
      stage->add_emits(0);
      add_sink(&plan, 0, emissions[0].to_log);
      stages.push_back({9, 0, emission_stage<0>});
    }
  }
  plan_bytes = plan.SerializeAsString();
  made = {kStageAbiVersion,
          sizeof(WeirPipelineImage),
          plan_bytes.data(),
          plan_bytes.size(),
          stages.data(),
          keyed.data(),
          uint32_t(stages.size()),
          uint32_t(keyed.size()),
          ""};
  return &made;
}

MemoryLog& make_topics(MemoryLog& log, int32_t partitions) {
  for (const char* topic : {"in", "out", "dead"}) {
    bool input = topic == std::string_view("in");
    if (!log.ensure_topic(topic, input ? partitions : 1, {}).ok()) std::abort();
  }
  return log;
}

void append_rows(MemoryLog& log, const std::vector<std::string>& rows, int32_t partition) {
  for (const std::string& row : rows) {
    LogProducer::Message message;
    message.topic = "in";
    message.partition = partition;
    message.value = row;
    message.timestamp_ms = 1000;
    if (!log.append(message).ok()) std::abort();
  }
}

std::vector<std::string> out_rows(MemoryLog& log) {
  std::vector<std::string> rows;
  for (const auto& record : log.records({"out", 0})) rows.push_back(record.value);
  return rows;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

RunOptions fake_options() {
  RunOptions options;
  options.until = Until::End;
  options.threads = 2;
  options.commit_interval_ms = 1;
  return options;
}

RunOptions until_now(const std::string& state_dir) {
  RunOptions options = fake_options();
  options.until = Until::Now;
  options.state_dir = state_dir;
  return options;
}

FakeRun run_fake(FakePipeline& pipeline, Log& log, RunOptions options) {
  FakeRun run;
  options.log = &log;
  options.collect = [&](const std::string&, std::string_view, std::string_view value) {
    run.rows.emplace_back(value);
  };
  options.aside = [&](const std::string& stream, const std::string& kind, const std::string& json) {
    run.aside.push_back(stream + " " + kind + " " + json);
  };
  run.status = run_pipeline(*pipeline.image(), options, &run.summary);
  return run;
}

}  // namespace weir::runtime
