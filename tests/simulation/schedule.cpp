#include "tests/simulation/schedule.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tests/simulation/random.h"

namespace weir::simulation {

namespace {

enum class Where : uint8_t { Any, Step, Request, Read, Log, Disk };

const std::vector<Where> kWhere = {
#define FAULT(name, where) Where::where,
#include "tests/simulation/faults.def"
#undef FAULT
};

template <class Names>
int index_of(const Names& names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return int(i);
  }
  return -1;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream all(text);
  for (std::string part; std::getline(all, part, at);) parts.push_back(part);
  return parts;
}

bool read_number(const std::string& text, uint64_t* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_fault(const std::string& text, Fault* fault) {
  std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 3 || !read_number(parts[2], &fault->nth)) return false;
  int point = -1, kind = index_of(fault_names(), parts[1]);
  for (size_t i = 0; i < points().size(); ++i) {
    if (parts[0] == points()[i].name) point = int(i);
  }
  if (point < 0 || kind < 0) return false;
  fault->point = Point(point);
  fault->kind = FaultKind(kind);
  return true;
}

}  // namespace

const std::vector<PointInfo>& points() {
  static const std::vector<PointInfo> all = {
#define POINT(name, kind, often) {#name, PointKind::kind, often},
#include "tests/simulation/points.def"
#undef POINT
  };
  return all;
}
const std::vector<const char*>& fault_names() {
  static const std::vector<const char*> all = {
#define FAULT(name, where) #name,
#include "tests/simulation/faults.def"
#undef FAULT
  };
  return all;
}
const std::vector<MutationInfo>& mutations() {
  static const std::vector<MutationInfo> all = {
#define MUTATION(name, what) {#name, what},
#include "tests/simulation/mutations.def"
#undef MUTATION
  };
  return all;
}
const std::vector<const char*>& pipeline_names() {
  static const std::vector<const char*> all = {"pass", "window", "hop", "chain", "running"};
  return all;
}

bool applies(FaultKind fault, Point point) {
  PointKind kind = info(point).kind;
  if (fault == FaultKind::repeat) return point == Point::fetch;
  if (fault == FaultKind::torn) return point == Point::write;
  switch (kWhere[size_t(fault)]) {
    case Where::Any:
      return true;
    case Where::Step:
      return kind == PointKind::Step;
    case Where::Request:
      return kind == PointKind::Request;
    case Where::Read:
      return kind == PointKind::Read;
    case Where::Log:
      return kind == PointKind::Request || kind == PointKind::Read;
    case Where::Disk:
      return kind == PointKind::Disk;
  }
  return false;
}

Schedule make_schedule(uint64_t seed) {
  Random random(seed);
  Schedule made;
  made.seed = seed;
  made.pipeline = PipelineKind(random.below(pipeline_names().size()));
  made.partitions = made.pipeline == PipelineKind::pass ? uint32_t(random.between(2, 4))
                                                        : uint32_t(random.between(1, 3));
  made.records = uint32_t(random.between(200, 208));
  made.epoch_rows = uint32_t(random.between(11, 16));
  uint64_t faults = 1 + random.below(4);
  while (made.faults.size() < faults) {
    Fault fault;
    fault.point = Point(random.below(points().size()));
    // Half of all faults are at the steps of commits.
    if (random.one_in(3)) fault.point = Point(random.below(uint64_t(Point::C9) + 1));
    fault.kind = FaultKind(random.below(fault_names().size()));
    fault.nth = 1 + random.below(info(fault.point).often);
    // Some come right behind another one.
    if (!made.faults.empty() && random.one_in(4)) {
      const Fault& before = made.faults.back();
      uint64_t epoch = before.nth * 12 / info(before.point).often;
      fault.nth = 1 + (epoch + random.below(2)) * info(fault.point).often / 12;
    }
    if (applies(fault.kind, fault.point)) made.faults.push_back(fault);
  }
  return made;
}

std::string write_schedule(const Schedule& s) {
  std::ostringstream out;
  out << "seed=" << s.seed << " pipeline=" << pipeline_names()[size_t(s.pipeline)]
      << " partitions=" << s.partitions << " records=" << s.records
      << " epoch_rows=" << s.epoch_rows << " faults=";
  for (size_t i = 0; i < s.faults.size(); ++i) {
    const Fault& fault = s.faults[i];
    out << (i ? "," : "") << info(fault.point).name << ':' << fault_names()[size_t(fault.kind)]
        << ':' << fault.nth;
  }
  return out.str();
}

bool read_schedule(const std::string& text, Schedule* schedule, std::string* problem) {
  *schedule = {};
  for (const std::string& part : split(text, ' ')) {
    if (part.empty()) continue;
    size_t at = part.find('=');
    std::string name = part.substr(0, at);
    std::string value = at == std::string::npos ? "" : part.substr(at + 1);
    uint64_t number = 0;
    bool good = true;
    if (name == "pipeline") {
      int index = index_of(pipeline_names(), value);
      good = index >= 0;
      schedule->pipeline = PipelineKind(index);
    } else if (name == "faults") {
      for (const std::string& one : split(value, ',')) {
        good = good && read_fault(one, &schedule->faults.emplace_back());
      }
    } else if (!read_number(value, &number)) {
      good = false;
    } else if (name == "seed") {
      schedule->seed = number;
    } else if (name == "partitions") {
      schedule->partitions = uint32_t(number);
    } else if (name == "records") {
      schedule->records = uint32_t(number);
    } else if (name == "epoch_rows") {
      schedule->epoch_rows = uint32_t(number);
    } else {
      good = false;
    }
    if (!good) {
      *problem = "a schedule has no `" + part + "`";
      return false;
    }
  }
  return true;
}

}  // namespace weir::simulation
