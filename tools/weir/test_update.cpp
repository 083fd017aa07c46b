#include "tools/weir/test_update.h"

#include <algorithm>
#include <cstdlib>

#include "compiler/constant.h"
#include "dsl/literal.h"
#include "tools/weir/rows.h"
#include "tools/weir/test_expect.h"

namespace weir::tools {

using compiler::TestStep;
using compiler::Type;
using compiler::TypeKind;

namespace {

// Behind the JSON value at `at`. Requires: compact JSON, as sinks write it.
size_t behind_value(const std::string& json, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < json.size(); ++at) {
    char c = json[at];
    if (quoted) {
      at += c == '\\';
      quoted = c != '"';
      if (!quoted && depth == 0) return at + 1;
      continue;
    }
    if (c == '"') quoted = true;
    if (depth == 0 && (c == ',' || c == '}' || c == ']' || c == ':')) return at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
  return at;
}

// The elements of an array, or the keys and values of an object in turn.
std::vector<std::string> pieces(const std::string& json) {
  std::vector<std::string> all;
  for (size_t at = 1; at + 1 < json.size();) {
    size_t end = behind_value(json, at);
    all.push_back(json.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

// What JSON escapes the language reads, too; braces are its own.
std::string text_literal(const std::string& json) {
  std::string text;
  for (char c : json) {
    if (c == '{' || c == '}') text += '\\';
    text += c;
  }
  return text;
}

std::string in_quotes(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return text_literal(quoted + "\"");
}

std::string literal(const compiler::Types& types, Type type, const std::string& json);

std::string record_literal(const compiler::Types& types, compiler::RecordId record,
                           const std::string& json, const std::vector<std::string>& only) {
  std::vector<std::string> all = pieces(json);
  std::string text;
  for (const compiler::Field& field : types.records[record].fields) {
    if (!only.empty() && std::find(only.begin(), only.end(), field.name) == only.end()) continue;
    std::string key = compiler::json_quoted(field.wire_name);
    for (size_t i = 0; i + 1 < all.size(); i += 2) {
      if (all[i] != key) continue;
      text += (text.empty() ? "{ " : ", ") + field.name + " = " +
              literal(types, field.type, all[i + 1]);
    }
  }
  return text.empty() ? "{}" : text + " }";
}

std::string literal(const compiler::Types& types, Type type, const std::string& json) {
  if (json == "null") return json;
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Uuid:
    case TypeKind::Bytes:
      return text_literal(json);
    case TypeKind::Json:
      return in_quotes(json);
    case TypeKind::Date:
      return "@" + json.substr(1, json.size() - 2);
    case TypeKind::Timestamp:
      return "@" + compiler::plan_text(types, type.required(),
                                       compiler::Constant{int64_t(std::atoll(json.c_str()))});
    case TypeKind::Duration: {
      int64_t micros = std::atoll(json.c_str());
      return (micros < 0 ? "-" : "") + dsl::duration_text(micros < 0 ? -micros : micros);
    }
    case TypeKind::Enum:
      for (const auto& one : types.enumeration(type).cases) {
        if (compiler::json_quoted(one.wire_name) == json) return one.name;
      }
      return text_literal(json);
    case TypeKind::Record:
      return record_literal(types, type.ref, json, {});
    case TypeKind::List:
    case TypeKind::Map: {
      bool map = type.is(TypeKind::Map);
      std::string text;
      std::vector<std::string> all = pieces(json);
      for (size_t i = 0; i < all.size(); i += map ? 2 : 1) {
        text += text.empty() ? "" : ", ";
        if (map) text += text_literal(all[i]) + " = ";
        text += literal(types, types.element(type), all[map ? i + 1 : i]);
      }
      return (map ? "{" : "[") + text + (map ? "}" : "]");
    }
    default:
      return json;
  }
}

// The names of the fields that the rows of a step have.
std::vector<std::string> written_fields(const compiler::Types& types, const TestStep& step) {
  std::vector<std::string> names;
  for (const compiler::Field& field : types.records[step.row].fields) {
    std::string key = compiler::json_quoted(field.wire_name);
    bool written = std::any_of(step.rows.begin(), step.rows.end(), [&](const std::string& row) {
      std::vector<std::string> all = pieces(row);
      for (size_t i = 0; i < all.size(); i += 2) {
        if (all[i] == key) return true;
      }
      return false;
    });
    if (written) names.push_back(field.name);
  }
  return names;
}

// All rows of a step anew.
TestEdit whole_list(const TestStep& step, const std::vector<std::string>& rows) {
  std::string text = rows.empty() ? "[ ]" : "[\n";
  for (const std::string& row : rows) text += "    " + row + ",\n";
  return {step.rows_span, rows.empty() ? text : text + "  ]"};
}

// Rows that are missing become rows that were found, the others go, what is left comes last.
void edit_rows(const compiler::Types& types, const TestStep& step,
               const std::vector<FoundRow>& found, std::vector<TestEdit>& edits) {
  std::vector<std::string> rows, names = written_fields(types, step);
  for (const FoundRow& row : found) rows.push_back(row.row);
  RowDifference difference = compare_rows(step.rows, rows);
  if (difference.empty()) return;
  auto written = [&](const std::string& row) { return row_literal(types, step.row, row, names); };
  size_t kept = step.rows.size() - difference.missing.size();
  if (kept == 0 || difference.unexpected.size() < difference.missing.size()) {
    // Right ones as they are, in the order in which they stand.
    std::vector<std::string> all;
    for (const std::string& row : rows) all.push_back(written(row));
    edits.push_back(whole_list(step, all));
    return;
  }
  std::vector<bool> taken(step.rows.size());
  size_t next = 0;
  for (const std::string& missing : difference.missing) {
    size_t i = 0;
    while (taken[i] || step.rows[i] != missing) ++i;
    taken[i] = true;
    edits.push_back({step.row_spans[i], written(difference.unexpected[next++])});
  }
  std::string more;
  for (; next < difference.unexpected.size(); ++next)
    more += ",\n    " + written(difference.unexpected[next]);
  // Where the last row is a new one, too, both are one edit.
  dsl::Span last = step.row_spans.back();
  if (more.empty()) return;
  if (taken.back())
    std::find_if(edits.begin(), edits.end(), [&](const TestEdit& edit) {
      return edit.place.begin == last.begin;
    })->text += more;
  else
    edits.push_back({{last.end, last.end, last.file}, more});
}

}  // namespace

std::string row_literal(const compiler::Types& types, compiler::RecordId record,
                        const std::string& json, const std::vector<std::string>& only) {
  return record_literal(types, record, json, only);
}

std::vector<TestEdit> edits_for(const compiler::Compiled& compiled, const compiler::TestCase& test,
                                const TestOutcome& outcome) {
  std::vector<TestEdit> edits;
  const compiler::Types& types = compiled.graph.types;
  for (const TestStep& step : test.steps) {
    if (step.kind != TestStep::Kind::Expect || step.rows_span.empty()) continue;
    std::vector<FoundRow> found = found_rows(compiled.plan, step, outcome);
    if (step.mode != TestStep::Mode::Changes) {
      edit_rows(types, step, found, edits);
      continue;
    }
    compiler::TestCase alone{"", {step}, {}};
    if (check_test(compiled.plan, alone, outcome).empty()) continue;
    std::vector<std::string> rows, names = written_fields(types, step);
    for (const FoundRow& row : found)
      rows.push_back(std::string(row.change == TestStep::Change::Insert ? "insert " : "update ") +
                     row_literal(types, step.row, row.row, names));
    edits.push_back(whole_list(step, rows));
  }
  return edits;
}

std::string edited(std::string text, std::vector<TestEdit> edits) {
  std::sort(edits.begin(), edits.end(),
            [](const TestEdit& a, const TestEdit& b) { return a.place.begin > b.place.begin; });
  for (const TestEdit& edit : edits)
    text.replace(edit.place.begin, edit.place.end - edit.place.begin, edit.text);
  return text;
}

}  // namespace weir::tools
