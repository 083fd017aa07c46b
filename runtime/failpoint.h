// Faults on demand, for the kill tests: WEIR_FAILPOINT=<step>:<what>:<nth>, several separated by
// commas. Steps are those of an epoch's commit (commit.cpp), C0 … C9, and those of snapshots
// (snapshots.h), S0 … S5 and R0 … R2; the fault happens in front of the step, the nth time that it
// is reached. All steps of a letter belong to one thread.
//
//     kill    SIGKILL         stop    SIGSTOP until somebody continues the process
//     error   the step fails and the epoch is aborted       delay   one second
//     hang    a minute
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/status.h"

namespace weir::runtime {

class Failpoints {
 public:
  // Usage if the text is not of this form; empty: none.
  static Result<Failpoints> parse(const std::string& text);
  Status reach(const char* step);

 private:
  enum class What : uint8_t { Kill, Stop, Error, Delay, Hang };
  struct Point {
    std::string step;
    What what;
    uint64_t left;
  };
  std::vector<Point> points_;
};

}  // namespace weir::runtime
