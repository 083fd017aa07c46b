// A schedule says everything that happens in a simulation: which pipeline, how much input, which
// faults; chance in it (whose turn it is, how late a request comes) follows from its seed. It is
// one line of text, so that it can be printed, kept and run again:
//
//     seed=17 pipeline=hop partitions=2 records=220 epoch_rows=18
//     faults=C7:crash:3,commit:lost_answer:2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::simulation {

enum class Point : uint8_t {
#define POINT(name, kind, often) name,
#include "tests/simulation/points.def"
#undef POINT
};
enum class PointKind : uint8_t { Step, Request, Read, Disk };
struct PointInfo {
  const char* name;
  PointKind kind;
  uint64_t often;
};
const std::vector<PointInfo>& points();
inline const PointInfo& info(Point point) { return points()[size_t(point)]; }

enum class FaultKind : uint8_t {
#define FAULT(name, where) name,
#include "tests/simulation/faults.def"
#undef FAULT
  none,
};
const std::vector<const char*>& fault_names();
// Does this fault make a difference at this point?
bool applies(FaultKind fault, Point point);

enum class Mutation : uint8_t {
#define MUTATION(name, what) name,
#include "tests/simulation/mutations.def"
#undef MUTATION
  none,
};
struct MutationInfo {
  const char* name;
  const char* what;
};
const std::vector<MutationInfo>& mutations();

enum class PipelineKind : uint8_t {
  pass,     // rows go on as they are; two processes share the partitions
  window,   // one window after the other
  hop,      // windows that overlap
  chain,    // a window behind a window
  running,  // groups without windows, those that changed at each commit
};
const std::vector<const char*>& pipeline_names();

struct Fault {
  Point point;
  FaultKind kind;
  uint64_t nth;
};

struct Schedule {
  uint64_t seed = 0;
  PipelineKind pipeline = PipelineKind::window;
  uint32_t partitions = 1;
  uint32_t records = 200;
  uint32_t epoch_rows = 20;
  std::vector<Fault> faults;
};

Schedule make_schedule(uint64_t seed);
std::string write_schedule(const Schedule& schedule);
// False: it is none; `*problem` says why.
bool read_schedule(const std::string& text, Schedule* schedule, std::string* problem);

}  // namespace weir::simulation
