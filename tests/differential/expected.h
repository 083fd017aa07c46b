// What a program makes of records, by the graph as it was built: no pass of the compiler has seen
// it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/declarations.h"
#include "dsl/diagnostic.h"
#include "tests/differential/records.h"

namespace weir::differential {

struct Results {
  std::map<std::string, std::vector<std::string>> rows;           // of each sink, as they come
  std::map<std::pair<std::string, int64_t>, std::string> errors;  // stream, offset → reason
  bool operator==(const Results&) const = default;
};

class Model {
 public:
  // Nothing if the compiler refuses the program; the diagnostics are in `why`.
  static std::unique_ptr<Model> of(const std::string& text, std::string* why = nullptr);

  const compiler::Graph& graph() const { return graph_; }
  const compiler::RecordType& schema() const;  // of the source
  Results results(const std::vector<Record>& records, std::string* unknown) const;
  size_t values() const;  // that one record has in all sinks together

 private:
  Model() = default;
  dsl::Sources sources_;
  dsl::Program program_;
  dsl::Diagnostics diagnostics_;
  compiler::Graph graph_;
};

}  // namespace weir::differential
