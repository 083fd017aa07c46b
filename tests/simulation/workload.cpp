#include "tests/simulation/workload.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace weir::simulation {

using namespace weir::runtime;

namespace {

constexpr int64_t kDelay = 5;  // how far rows of a partition are out of order, in seconds
constexpr int32_t kOutPartitions = 2;

struct Totals {
  int64_t count = 0, sum = 0;
};

std::string result(const std::string& key, int64_t start, int64_t end, const Totals& totals) {
  return key + " [" + std::to_string(start) + "," + std::to_string(end) + ") " +
         std::to_string(totals.count) + " " + std::to_string(totals.sum);
}

std::vector<std::string> values(const MemoryLog& log, const std::string& topic,
                                int32_t partitions) {
  std::vector<std::string> all;
  for (int32_t p = 0; p < partitions; ++p) {
    for (const MemoryLog::Record& record : log.records({topic, p})) all.push_back(record.value);
  }
  return all;
}

// The first difference between what is there and what has to be.
std::string difference(const char* what, std::vector<std::string> is,
                       std::vector<std::string> wanted) {
  std::sort(is.begin(), is.end());
  std::sort(wanted.begin(), wanted.end());
  if (is == wanted) return {};
  std::vector<std::string> extra, missing;
  std::set_difference(is.begin(), is.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(extra));
  std::set_difference(wanted.begin(), wanted.end(), is.begin(), is.end(),
                      std::back_inserter(missing));
  std::ostringstream out;
  out << what << ": " << is.size() << " for " << wanted.size();
  if (!missing.empty()) out << ", missing `" << missing[0] << "`";
  if (!extra.empty()) out << ", too many `" << extra[0] << "`";
  return out.str();
}

}  // namespace

Workload::Workload(const Schedule& schedule)
    : kind_(schedule.pipeline), partitions_(schedule.partitions) {
  pipeline_.name = "sim";
  pipeline_.delay = kDelay;
  pipeline_.emissions[0].to_log = true;
  switch (kind_) {
    case PipelineKind::pass:
      pipeline_.grouped = false;
      break;
    case PipelineKind::window:
      pipeline_.size = pipeline_.slide = 10;
      break;
    case PipelineKind::hop:
      pipeline_.size = 20;
      pipeline_.slide = 10;
      break;
    case PipelineKind::chain:
      pipeline_.size = pipeline_.slide = 10;
      pipeline_.second_size = 20;
      break;
    case PipelineKind::running:
      pipeline_.emissions[0].mode = contract::Emission::UPDATE;
      break;
  }
  Random chance(schedule.seed ^ 0xda7a);
  for (uint32_t i = 0; i < schedule.records; ++i) {
    Row row;
    row.partition = int32_t(chance.below(partitions_));
    row.good = !chance.one_in(16);
    row.key = std::string(1, char('a' + chance.below(5)));
    row.seconds = kDelay + i / 3 - int64_t(chance.below(uint64_t(kDelay) + 1));
    // Amounts tell rows apart.
    row.amount = 1 + i;
    row.text = row.good
                   ? row.key + " " + std::to_string(row.seconds) + " " + std::to_string(row.amount)
                   : "bad" + std::to_string(i);
    rows_.push_back(std::move(row));
  }
}

void Workload::prepare(MemoryLog& log) const {
  for (const auto& [topic, partitions] :
       {std::pair{"in", int32_t(partitions_)}, {"out", kOutPartitions}, {"dead", 1}}) {
    WEIR_CHECK(log.ensure_topic(topic, partitions, {}).ok(), "the log is new");
  }
}

void Workload::append(MemoryLog& log, size_t from, size_t to, Random& chance) const {
  LogProducer::Message message;
  message.topic = "in";
  message.timestamp_ms = 1000;
  auto write = [&](const std::string& id, int64_t epoch, const std::string& text,
                   int32_t partition) {
    message.value = text;
    message.partition = partition;
    WEIR_CHECK(log.write(id, epoch, message).ok(), "nobody else has this id");
  };
  static const std::string kGood = "feeder", kAborted = "aborter";
  int64_t good = log.init_producer(kGood), aborted = log.init_producer(kAborted);
  for (size_t i = from; i < to; ++i) {
    if (chance.one_in(16)) write(kAborted, aborted, "z 1 1000000", rows_[i].partition);
    write(kGood, good, rows_[i].text, rows_[i].partition);
  }
  (void)log.end_transaction(kAborted, aborted, false);
  (void)log.end_transaction(kGood, good, true);
}

std::vector<std::string> Workload::expected_rows() const {
  std::vector<std::string> expected;
  std::map<std::pair<std::string, int64_t>, Totals> groups;  // by key and window's start
  int64_t size = pipeline_.size, slide = pipeline_.slide;
  for (const Row& row : rows_) {
    if (!row.good) continue;
    if (kind_ == PipelineKind::pass) {
      expected.push_back(row.text);
      continue;
    }
    int64_t last = size > 0 ? row.seconds / slide * slide : 0;
    for (int64_t start = last; start > last - std::max<int64_t>(size, 1);
         start -= std::max<int64_t>(slide, 1)) {
      Totals& totals = groups[{row.key, start}];
      ++totals.count;
      totals.sum += row.amount;
    }
  }
  if (kind_ == PipelineKind::chain) {
    std::map<std::pair<std::string, int64_t>, Totals> second;
    for (const auto& [group, totals] : groups) {
      Totals& of_all =
          second[{"all", group.second / pipeline_.second_size * pipeline_.second_size}];
      ++of_all.count;
      of_all.sum += totals.sum;
    }
    groups = std::move(second);
    size = pipeline_.second_size;
  }
  for (const auto& [group, totals] : groups)
    expected.push_back(result(group.first, group.second, group.second + size, totals));
  return expected;
}

std::string Workload::check(const MemoryLog& log) const {
  std::vector<std::string> dead;
  for (const Row& row : rows_) {
    if (!row.good) dead.push_back(row.text);
  }
  if (std::string problem = difference("dead letters", values(log, "dead", 1), dead);
      !problem.empty())
    return problem;
  std::vector<std::string> is = values(log, "out", kOutPartitions);
  if (kind_ == PipelineKind::running) {
    // Updates replace each other: the last one of a key counts, and none goes back.
    std::map<std::string, std::pair<int64_t, std::string>> last;
    for (const std::string& row : is) {
      std::istringstream words(row);
      std::string key, window;
      int64_t count = 0;
      words >> key >> window >> count;
      auto& now = last[key];
      if (count < now.first) return "results: `" + row + "` behind `" + now.second + "`";
      now = {count, row};
    }
    is.clear();
    for (const auto& [key, now] : last) is.push_back(now.second);
  }
  return difference("results", std::move(is), expected_rows());
}

}  // namespace weir::simulation
