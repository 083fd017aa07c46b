#include "tools/weir/test_expect.h"

#include "tools/weir/test_report.h"

namespace weir::tools {

using compiler::TestCase;
using compiler::TestStep;

namespace {

bool shows_all(const contract::Plan& plan, const std::string& name) {
  for (const contract::Sink& sink : plan.sinks()) {
    if (sink.name() == name) return sink.emit() == contract::Emission::COMPLETE;
  }
  return false;
}

// A row with a key that was there is an update, unless it says the same again.
std::vector<FoundRow> changes(const std::vector<TestOutcome::Row>& rows) {
  std::vector<FoundRow> found;
  std::map<std::string, std::string> before;
  for (const TestOutcome::Row& row : rows) {
    auto change = TestStep::Change::Insert;
    if (!row.key.empty()) {
      auto [at, fresh] = before.try_emplace(row.key, row.value);
      if (!fresh && at->second == row.value) continue;
      if (!fresh) change = TestStep::Change::Update;
      at->second = row.value;
    }
    found.push_back({row.advances, change, row.value});
  }
  return found;
}

const char* word(TestStep::Change change) {
  return change == TestStep::Change::Insert ? "insert" : "update";
}

// In their order from one `advance` to the next; in between in any.
std::string check_changes(const TestStep& step, const std::vector<FoundRow>& found) {
  size_t at = 0, expected_at = 0;
  std::string text;
  while (at < found.size() || expected_at < step.rows.size()) {
    size_t advances = at < found.size() ? found[at].advances : 0;
    std::vector<std::string> rows[2], expected[2];
    size_t count = 0;
    for (; at < found.size() && found[at].advances == advances; ++at, ++count)
      rows[int(found[at].change)].push_back(found[at].row);
    if (at == found.size()) count = step.rows.size() - expected_at;
    for (; count > 0 && expected_at < step.rows.size(); --count, ++expected_at)
      expected[int(step.changes[expected_at])].push_back(step.rows[expected_at]);
    for (auto change : {TestStep::Change::Insert, TestStep::Change::Update}) {
      RowDifference difference = compare_rows(expected[int(change)], rows[int(change)]);
      if (difference.empty()) continue;
      text += std::string("   ") + word(change);
      if (advances > 0) text += ", behind " + std::to_string(advances) + " × advance";
      text += "\n" + difference_text(difference);
    }
  }
  return text;
}

}  // namespace

std::vector<FoundRow> found_rows(const contract::Plan& plan, const TestStep& step,
                                 const TestOutcome& outcome) {
  std::vector<FoundRow> found;
  auto take = [&](const std::map<std::string, std::vector<std::string>>& from) {
    auto entry = from.find(step.stream);
    if (entry == from.end()) return;
    for (const std::string& row : entry->second) found.push_back({0, {}, row});
  };
  auto rows = outcome.rows.find(step.stream);
  bool wants_final = step.mode == TestStep::Mode::Final;
  if (step.what == TestStep::What::Late) {
    take(outcome.late);
  } else if (step.what == TestStep::What::Errors) {
    take(outcome.errors);
  } else if (step.mode == TestStep::Mode::Changes) {
    if (rows != outcome.rows.end()) found = changes(rows->second);
  } else if (auto last = outcome.last.find(step.stream);
             wants_final && last != outcome.last.end()) {
    for (const auto& [key, row] : last->second) found.push_back({0, {}, row});
  } else if (wants_final && shows_all(plan, step.stream)) {
    take(outcome.last_epoch);
  } else if (rows != outcome.rows.end()) {
    for (const TestOutcome::Row& row : rows->second) found.push_back({0, {}, row.value});
  }
  return found;
}

std::string check_test(const contract::Plan& plan, const TestCase& test,
                       const TestOutcome& outcome) {
  std::string text;
  for (const TestStep& step : test.steps) {
    if (step.kind != TestStep::Kind::Expect) continue;
    std::vector<FoundRow> found = found_rows(plan, step, outcome);
    std::string lines;
    if (step.mode == TestStep::Mode::Changes) {
      lines = check_changes(step, found);
    } else {
      std::vector<std::string> rows;
      for (FoundRow& row : found) rows.push_back(std::move(row.row));
      RowDifference difference = compare_rows(step.rows, rows);
      if (!difference.empty()) lines = difference_text(difference);
    }
    if (lines.empty()) continue;
    text += "  expect " + step.stream + "   (- expected, + found)\n" + lines;
  }
  return text;
}

}  // namespace weir::tools
