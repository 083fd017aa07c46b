// Diagnostics for programs: JSON lines, and SARIF for code review.
#include <cstdio>
#include <utility>

#include "dsl/fix.h"
#include "dsl/render.h"
#include "dsl/utf8.h"

namespace weir::dsl {
namespace {

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    CodePoint c = decode_utf8(text, at);
    if (c.length == 0) {
      out += "\\ufffd";
      ++at;
      continue;
    }
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value < 0x20 || c.value == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c.value);
      out += escape;
    } else {
      out += text.substr(at, c.length);
    }
    at += c.length;
  }
  out += '"';
}

// One JSON object, its members in the order of the calls.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_text(out_, value);
    return *this;
  }
  JsonObject& number(std::string_view key, uint64_t value) {
    return raw(key, std::to_string(value));
  }
  JsonObject& raw(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
    return *this;
  }
  JsonObject& place(const Sources& sources, Span span) {
    if (span.file >= sources.size()) return *this;
    const SourceFile& file = sources.file(span.file);
    LineColumn from = file.line_column(span.begin), to = file.line_column(span.end);
    text("file", file.path());
    return number("line", from.line)
        .number("column", from.column)
        .number("end_line", to.line)
        .number("end_column", to.column);
  }
  std::string take() { return out_ + "}"; }

 private:
  void begin(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    append_json_text(out_, key);
    out_ += ':';
  }
  std::string out_ = "{";
};

// Where something stands, in the words of SARIF.
std::string region(const SourceFile& file, Span span) {
  LineColumn from = file.line_column(span.begin), to = file.line_column(span.end);
  return JsonObject()
      .number("startLine", from.line)
      .number("startColumn", from.column)
      .number("endLine", to.line)
      .number("endColumn", to.column)
      .take();
}

std::string artifact(const SourceFile& file) {
  return JsonObject().text("uri", file.path()).take();
}

std::string sarif_text(std::string_view text) { return JsonObject().text("text", text).take(); }

JsonObject sarif_place(const SourceFile& file, Span span) {
  JsonObject physical, location;
  physical.raw("artifactLocation", artifact(file)).raw("region", region(file, span));
  location.raw("physicalLocation", physical.take());
  return location;
}

std::string sarif_fix(const SourceFile& file, const Fix& fix, std::string_view shown) {
  JsonObject replacement, change, result;
  replacement.raw("deletedRegion", region(file, fix.span))
      .raw("insertedContent", sarif_text(fix.replacement));
  change.raw("artifactLocation", artifact(file))
      .raw("replacements", "[" + replacement.take() + "]");
  result.raw("description", sarif_text(shown)).raw("artifactChanges", "[" + change.take() + "]");
  return result.take();
}

std::string sarif_result(const Diagnostic& diagnostic, const Sources& sources) {
  bool error = info(diagnostic.code).severity == Severity::Error;
  std::string message = diagnostic.message, related;
  JsonObject result;
  for (const Note& note : diagnostic.notes) {
    if (!note.span || note.span->file >= sources.size()) {
      message += "\n" + note.text;
      continue;
    }
    JsonObject place = sarif_place(sources.file(note.span->file), *note.span);
    related += (related.empty() ? "" : ",") + place.raw("message", sarif_text(note.text)).take();
  }
  result.text("ruleId", code_text(diagnostic.code)).text("level", error ? "error" : "warning");
  result.raw("message", sarif_text(message));
  if (diagnostic.span.file < sources.size()) {
    JsonObject place = sarif_place(sources.file(diagnostic.span.file), diagnostic.span);
    result.raw("locations", "[" + place.take() + "]");
  }
  if (!related.empty()) result.raw("relatedLocations", "[" + related + "]");
  if (diagnostic.fix && diagnostic.fix->span.file < sources.size()) {
    const SourceFile& file = sources.file(diagnostic.fix->span.file);
    std::string shown = fixed_lines(file, *diagnostic.fix).text;
    result.raw("fixes", "[" + sarif_fix(file, *diagnostic.fix, shown) + "]");
  }
  return result.take();
}

}  // namespace

void SarifLog::add(const Diagnostics& diagnostics, const Sources& sources) {
  for (const Diagnostic& diagnostic : diagnostics.sorted())
    results_ += (results_.empty() ? "" : ",\n") + sarif_result(diagnostic, sources);
}

std::string SarifLog::take(std::string_view version) {
  std::string rules;
  for (const CodeInfo& code : all_codes()) {
    JsonObject rule, level;
    level.text("level", code.severity == Severity::Error ? "error" : "warning");
    rule.text("id", code_text(code.code)).text("name", code.name);
    rule.raw("shortDescription", sarif_text(code.summary));
    rule.raw("defaultConfiguration", level.take());
    rules += (rules.empty() ? "" : ",\n") + rule.take();
  }
  JsonObject driver, tool, run, log;
  driver.text("name", "weir").text("version", version).raw("rules", "[" + rules + "]");
  tool.raw("driver", driver.take());
  run.raw("tool", tool.take()).text("columnKind", "unicodeCodePoints");
  run.raw("results", "[" + std::exchange(results_, {}) + "]");
  log.text("$schema", "https://json.schemastore.org/sarif-2.1.0.json").text("version", "2.1.0");
  log.raw("runs", "[" + run.take() + "]");
  return log.take() + "\n";
}

std::string render_json(const Diagnostics& diagnostics, const Sources& sources) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    JsonObject object;
    bool error = info(diagnostic.code).severity == Severity::Error;
    object.text("code", code_text(diagnostic.code)).text("severity", error ? "error" : "warning");
    object.text("message", diagnostic.message)
        .place(sources, diagnostic.span)
        .text("label", diagnostic.label);
    std::string notes;
    for (const Note& note : diagnostic.notes) {
      JsonObject item;
      item.text("text", note.text);
      if (note.span) item.place(sources, *note.span);
      notes += (notes.empty() ? "" : ",") + item.take();
    }
    object.raw("notes", "[" + notes + "]");
    JsonObject fix;
    if (diagnostic.fix)
      fix.text("replacement", diagnostic.fix->replacement).place(sources, diagnostic.fix->span);
    if (!diagnostic.fix_text.empty()) fix.text("text", diagnostic.fix_text);
    bool has_fix = diagnostic.fix || !diagnostic.fix_text.empty();
    object.raw("fix", has_fix ? fix.take() : "null");
    out += object.take() + "\n";
  }
  return out;
}

}  // namespace weir::dsl
