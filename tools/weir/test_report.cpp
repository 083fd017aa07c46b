#include "tools/weir/test_report.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace weir::tools {

namespace {

using Row = nlohmann::ordered_json;

Row read(const std::string& text) { return Row::parse(text, nullptr, false); }

// Rows as a program writes them, not as JSON: they are compared with what stands in the test.
std::string shown(const Row& value) {
  std::string text;
  if (value.is_object()) {
    for (const auto& [name, field] : value.items())
      text += (text.empty() ? "" : ", ") + name + " = " + shown(field);
    return text.empty() ? "{}" : "{ " + text + " }";
  }
  if (value.is_array()) {
    for (const Row& item : value) text += (text.empty() ? "" : ", ") + shown(item);
    return "[" + text + "]";
  }
  return value.dump(-1, ' ', false, Row::error_handler_t::replace);
}

// What of `expected` is otherwise in `found`, a line each; -1 if they are no rows.
int differing(const Row& expected, const Row& found, std::string* lines) {
  if (!expected.is_object() || !found.is_object()) return -1;
  int count = 0;
  for (const auto& [name, value] : expected.items()) {
    auto at = found.find(name);
    Row other = at == found.end() ? Row() : *at;
    if (compare_rows({Row{{"v", value}}.dump()}, {Row{{"v", other}}.dump()}).empty()) continue;
    ++count;
    if (lines)
      *lines += "      " + name + ": expected " + shown(value) + ", found " + shown(other) + "\n";
  }
  return count;
}

std::string escaped(const std::string& text) {
  std::string xml;
  for (char c : text) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        // XML has no way to write control characters.
        xml += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return xml;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return text;
}

}  // namespace

std::string difference_text(const RowDifference& difference) {
  std::string text;
  std::vector<Row> unexpected;
  for (const std::string& row : difference.unexpected) unexpected.push_back(read(row));
  std::vector<bool> taken(unexpected.size());
  for (const std::string& missing : difference.missing) {
    Row row = read(missing);
    size_t nearest = unexpected.size();
    int fewest = int(row.size());  // a row that agrees in nothing is not the one that was meant
    for (size_t i = 0; i < unexpected.size(); ++i) {
      int count = taken[i] ? -1 : differing(row, unexpected[i], nullptr);
      if (count >= 0 && count < fewest) nearest = i, fewest = count;
    }
    text += "    - " + shown(row) + "\n";
    if (nearest == unexpected.size()) continue;
    taken[nearest] = true;
    text += "    + " + shown(unexpected[nearest]) + "\n";
    differing(row, unexpected[nearest], &text);
  }
  for (size_t i = 0; i < unexpected.size(); ++i) {
    if (!taken[i]) text += "    + " + shown(unexpected[i]) + "\n";
  }
  return text;
}

std::string junit_xml(const std::vector<TestResult>& results) {
  std::map<std::string, std::vector<const TestResult*>> files;
  for (const TestResult& result : results) files[result.file].push_back(&result);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [file, tests] : files) {
    size_t failures = 0;
    double seconds = 0;
    std::string cases;
    for (const TestResult* test : tests) {
      seconds += test->seconds;
      cases += "    <testcase classname=\"" + escaped(file) + "\" name=\"" + escaped(test->title) +
               "\" time=\"" + seconds_text(test->seconds) + "\"";
      if (test->failure.empty()) {
        cases += "/>\n";
        continue;
      }
      ++failures;
      cases += ">\n      <failure>" + escaped(test->failure) + "</failure>\n    </testcase>\n";
    }
    xml += "  <testsuite name=\"" + escaped(file) + "\" tests=\"" + std::to_string(tests.size()) +
           "\" failures=\"" + std::to_string(failures) + "\" time=\"" + seconds_text(seconds) +
           "\">\n" + cases + "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace weir::tools
