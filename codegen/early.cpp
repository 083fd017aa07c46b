#include "codegen/early.h"

#include <algorithm>

#include "compiler/checker.h"

namespace weir::codegen {

using compiler::Expr;
using compiler::Op;
using compiler::StageStep;

namespace {

// Each is written once more for records in the schema's order, and once for others.
constexpr size_t kTestSizeMax = 200;

// Notes the numbers of the paths that `expr` reads. False: it reads something else, too.
bool reads_fields(const Expr& expr, const std::vector<UsedPath>& used,
                  std::vector<uint32_t>& paths) {
  if (auto path = path_of(RowShape{}, expr)) {
    for (uint32_t i = 0; i < used.size(); i++) {
      const std::vector<uint32_t>& candidate = used[i].fields;
      // Around it, or a part of it.
      size_t shorter = std::min(candidate.size(), path->size());
      bool within =
          std::equal(candidate.begin(), candidate.begin() + int64_t(shorter), path->begin());
      if (within && std::find(paths.begin(), paths.end(), i) == paths.end()) paths.push_back(i);
    }
    return true;
  }
  bool only_fields = expr.op != Op::EventTime && expr.op != Op::Meta;
  for (const Expr& arg : expr.args) only_fields &= reads_fields(arg, used, paths);
  return only_fields;
}

// Adds the conditions that `expr` is made of. False: from some one on they are not tested early.
bool add_tests(const Expr& expr, const std::vector<UsedPath>& used, EarlyConditions& to) {
  if (expr.op == Op::And)
    return add_tests(expr.args[0], used, to) && add_tests(expr.args[1], used, to);
  std::vector<uint32_t> paths;
  if (compiler::size_of(expr, kTestSizeMax + 1) > kTestSizeMax ||
      !reads_fields(expr, used, paths) || paths.empty())
    return false;
  to.tests.push_back(&expr);
  to.decoded.tests.push_back(std::move(paths));
  return true;
}

}  // namespace

EarlyConditions early_conditions(const compiler::SourceNode& source, const compiler::Stage& stage,
                                 const std::vector<UsedPath>& used) {
  EarlyConditions early;
  // Strict: every field has to be good, whether the row is wanted or not.
  if (source.validation == compiler::Validation::Strict) return early;
  if (source.event_time) reads_fields(*source.event_time, used, early.decoded.always);
  const std::vector<StageStep>* steps = &stage.steps;
  while (steps->size() == 1) {
    auto* where = std::get_if<StageStep::Where>(&steps->front().is);
    if (!where || !add_tests(where->predicate, used, early)) break;
    early.whole.push_back(&where->predicate);
    steps = &steps->front().next;
  }
  return early;
}

}  // namespace weir::codegen
