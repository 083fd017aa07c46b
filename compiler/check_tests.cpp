#include "compiler/check_tests.h"

#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

class TestChecker {
 public:
  TestChecker(const Declarations& declarations, Graph& graph, Builder& builder,
              dsl::Diagnostics& diagnostics)
      : declarations_(declarations),
        graph_(graph),
        builder_(builder),
        diagnostics_(diagnostics),
        checker_(declarations, graph, diagnostics) {}

  TestCase check(const dsl::Declaration& declaration, const dsl::TestDecl& test) {
    TestCase out;
    out.title = test.title.text;
    out.span = test.title.span.empty() ? declaration.span : test.title.span;
    bool expects = false;
    for (const dsl::TestStep& step : test.steps) {
      expects |= step.kind == dsl::TestStep::Kind::Expect;
      if (auto checked = check_step(step)) out.steps.push_back(std::move(*checked));
    }
    check_modes(out);
    if (!expects)
      diagnostics_.report(Code::bad_test, out.span, "this test expects nothing")
          .with_fix_text("expect … [ … ]");
    return out;
  }

 private:
  std::optional<TestStep> check_step(const dsl::TestStep& step) {
    TestStep out;
    out.span = step.span;
    out.kind = TestStep::Kind(int(step.kind));
    if (step.kind == dsl::TestStep::Kind::Advance) {
      auto micros = step.duration ? checker_.duration(*step.duration, "`advance`") : std::nullopt;
      if (!micros) return std::nullopt;
      if (*micros < 0) {
        diagnostics_.report(Code::bad_test, step.duration->span, "a clock does not go back");
        return std::nullopt;
      }
      out.advance_us = *micros;
      return out;
    }
    if (!step.target) return std::nullopt;
    if (step.target->nested || !step.target->operators.empty()) {
      diagnostics_
          .report(Code::bad_test, step.target->span,
                  "a test names a stream, and this is a pipeline")
          .with_fix_text("stream name = …");
      return std::nullopt;
    }
    out.mode = TestStep::Mode(int(step.mode));
    if (step.rows.file)
      out.file = step.rows.file->text;
    else
      out.rows_span = step.rows.span;
    auto row = target(step, out);
    if (!row) return std::nullopt;
    out.row = *row;
    for (const dsl::TestRow& item : step.rows.rows) {
      if (!check_kind(item, step, out)) continue;
      if (item.value && step.kind == dsl::TestStep::Kind::Given &&
          std::holds_alternative<dsl::NullLiteral>(item.value->node)) {
        out.rows.emplace_back();  // a record without a value
        continue;
      }
      auto* literal = item.value ? std::get_if<dsl::RecordLiteral>(&item.value->node) : nullptr;
      if (!literal) {
        if (item.value)
          diagnostics_.report(Code::bad_test, item.value->span,
                              "a row is a record: `{ field = value, … }`");
        continue;
      }
      if (auto json = record_json(*literal, *row)) {
        out.rows.push_back(std::move(*json));
        out.row_spans.push_back(item.value->span);
      }
    }
    return out;
  }

  // What the row is: in `changes` an insert or an update, elsewhere just a row.
  bool check_kind(const dsl::TestRow& item, const dsl::TestStep& step, TestStep& out) {
    using Kind = dsl::TestRow::Kind;
    dsl::Span span = item.value ? item.value->span : step.span;
    bool changes = out.mode == TestStep::Mode::Changes;
    if (item.kind == Kind::Delete) {
      not_supported(diagnostics_, span, "`delete` rows");
      return false;
    }
    if (changes != (item.kind != Kind::Plain)) {
      diagnostics_
          .report(Code::bad_test, span,
                  changes ? "a change is `insert { … }` or `update { … }`"
                          : "`insert` and `update` are rows of `changes`")
          .with_fix_text(changes ? "insert { … }" : "expect … changes [ … ]");
      return false;
    }
    if (changes)
      out.changes.push_back(item.kind == Kind::Insert ? TestStep::Change::Insert
                                                      : TestStep::Change::Update);
    return true;
  }

  // `changes` and all rows that appeared are two ways to write the same rows.
  void check_modes(const TestCase& test) {
    for (const TestStep& step : test.steps) {
      if (step.kind != TestStep::Kind::Expect || step.mode != TestStep::Mode::Changes) continue;
      for (const TestStep& other : test.steps) {
        if (other.kind == TestStep::Kind::Expect && other.stream == step.stream &&
            other.mode == TestStep::Mode::Appeared && other.what == TestStep::What::Rows)
          diagnostics_.report(Code::bad_test, other.span,
                              "one test has the changes of `" + step.stream +
                                  "` or the rows that appeared, not both");
      }
    }
  }

  // The row that the step's records have; sets what is expected of what.
  std::optional<RecordId> target(const dsl::TestStep& step, TestStep& out) {
    const dsl::Name& name = step.target->head;
    out.stream = name.text;
    bool given = step.kind == dsl::TestStep::Kind::Given;
    if (step.target->head_is_call) {
      auto* of = step.target->head_arguments.size() == 1
                     ? std::get_if<dsl::NameRef>(&step.target->head_arguments[0].value->node)
                     : nullptr;
      if (given || name.text != "errors" || !of) {
        diagnostics_.report(
            Code::bad_test, step.target->span,
            given ? "rows are given to a source"
                  : "`errors(source)` is the stream of bad rows, and this is something else");
        return std::nullopt;
      }
      if (step.mode == dsl::TestStep::Mode::Changes) {
        diagnostics_.report(Code::bad_test, step.target->span, "bad rows do not change");
        return std::nullopt;
      }
      auto source = declarations_.values.find(of->name);
      if (source == declarations_.values.end() || source->second.kind != ValueKind::Source) {
        diagnostics_.report(Code::bad_test, step.target->head_arguments[0].value->span,
                            "`errors` wants a source, and `" + of->name + "` is none");
        return std::nullopt;
      }
      out.what = TestStep::What::Errors;
      out.stream = of->name;
      return errors_row();
    }
    auto value = declarations_.values.find(name.text);
    if (given && (value == declarations_.values.end() || value->second.kind != ValueKind::Source)) {
      std::vector<std::string_view> candidates;
      for (const auto& [other, info] : declarations_.values) {
        if (info.kind == ValueKind::Source) candidates.push_back(other);
      }
      auto& diagnostic = diagnostics_.report(
          Code::bad_test, name.span, "`given` wants a source, and `" + name.text + "` is none");
      if (std::string near = nearest(name.text, candidates); !near.empty())
        diagnostic.with_fix(name.span, near);
      return std::nullopt;
    }
    StreamEnd end = given ? builder_.stream(name) : builder_.stream_or_sink(name);
    if (!end.ok()) return std::nullopt;
    if (step.mode == dsl::TestStep::Mode::Changes && !end.has_its_keys()) {
      diagnostics_.report(
          Code::bad_test, name.span,
          "`changes` of `" + name.text +
              "` can't be told: its rows have lost the keys that say which row changes");
      return std::nullopt;
    }
    return end.row;
  }

  RecordId errors_row() {
    if (errors_row_) return *errors_row_;
    RecordType row;
    Type string = type_of(TypeKind::String), int64 = type_of(TypeKind::Int64);
    for (auto [name, type] : {std::pair{"reason", string}, std::pair{"detail", string.nullable()},
                              std::pair{"raw", string.nullable()}, std::pair{"topic", string},
                              std::pair{"partition", int64}, std::pair{"offset", int64},
                              std::pair{"stream", string}, std::pair{"key", string.nullable()}}) {
      row.fields.push_back({name, name, type, std::nullopt, {}});
    }
    graph_.types.records.push_back(std::move(row));
    errors_row_ = RecordId(graph_.types.records.size() - 1);
    return *errors_row_;
  }

  std::optional<std::string> record_json(const dsl::RecordLiteral& literal, RecordId record) {
    std::string json = "{";
    bool good = true;
    std::set<std::string> given;
    for (const dsl::BlockItem& item : literal.block->items) {
      if (item.spread || !item.name || !item.value) {
        diagnostics_.report(Code::bad_test, item.span, "a field of a row is `name = value`");
        good = false;
        continue;
      }
      const RecordType type = graph_.types.records[record];
      const Field* field = nullptr;
      std::vector<std::string_view> candidates;
      for (const Field& candidate : type.fields) {
        if (candidate.name == item.name->text) field = &candidate;
        candidates.push_back(candidate.name);
        if (declarations_.asked_for(item.name->text))
          declarations_.meanings->offers.push_back(
              {candidate.name, to_text(graph_.types, candidate.type)});
      }
      if (field) declarations_.note(item.name->span, field->span);
      if (!field) {
        auto& diagnostic =
            diagnostics_.report(Code::unknown_field, item.name->span,
                                "these rows have no field `" + item.name->text + "`");
        if (std::string near = nearest(item.name->text, candidates); !near.empty()) {
          diagnostic.with_note("did you mean `" + near + "`?").with_fix(item.name->span, near);
        }
        good = false;
        continue;
      }
      if (!given.insert(field->name).second) {
        diagnostics_.report(Code::declared_twice, item.name->span,
                            "`" + field->name + "` is given twice");
        good = false;
        continue;
      }
      auto value = value_json(*item.value, field->type, "field `" + field->name + "`");
      if (!value) {
        good = false;
        continue;
      }
      json += (json.size() > 1 ? "," : "") + json_quoted(field->wire_name) + ":" + *value;
    }
    return good ? std::optional(json + "}") : std::nullopt;
  }

  std::optional<std::string> value_json(const dsl::Expr& expr, Type type, const std::string& what) {
    if (auto* record = std::get_if<dsl::RecordLiteral>(&expr.node);
        record && type.is(TypeKind::Record))
      return record_json(*record, type.ref);
    if (auto* record = std::get_if<dsl::RecordLiteral>(&expr.node);
        record && type.is(TypeKind::Map) && record->block->items.empty())
      return "{}";
    if (auto* list = std::get_if<dsl::ListLiteral>(&expr.node); list && type.is(TypeKind::List)) {
      std::string json = "[";
      for (const auto& item : list->items) {
        auto element = value_json(*item, graph_.types.element(type), "an element of " + what);
        if (!element) return std::nullopt;
        json += (json.size() > 1 ? "," : "") + *element;
      }
      return json + "]";
    }
    if (auto* map = std::get_if<dsl::MapLiteral>(&expr.node); map && type.is(TypeKind::Map)) {
      std::string json = "{";
      for (const auto& [key, value] : map->entries) {
        auto* text = std::get_if<dsl::TextLiteral>(&key->node);
        auto element = text ? value_json(*value, graph_.types.element(type), "a value of " + what)
                            : std::nullopt;
        if (!element) return std::nullopt;
        json += (json.size() > 1 ? "," : "") + json_quoted(text->text) + ":" + *element;
      }
      return json + "}";
    }
    // A text where the wire has text: an uuid, a date, an instant, bytes in base64, any JSON.
    if (auto* text = std::get_if<dsl::TextLiteral>(&expr.node)) {
      if (type.is(TypeKind::Json)) return text->text;
      if (type.is(TypeKind::Uuid) || type.is(TypeKind::Bytes) || type.is(TypeKind::Enum) ||
          type.is(TypeKind::Duration)) {
        return json_quoted(text->text);
      }
    }
    auto constant = checker_.constant(expr, type, what);
    if (!constant) return std::nullopt;
    return json_text(graph_.types, type, *constant);
  }

  const Declarations& declarations_;
  Graph& graph_;
  Builder& builder_;
  dsl::Diagnostics& diagnostics_;
  Checker checker_;
  std::optional<RecordId> errors_row_;
};

}  // namespace

std::vector<TestCase> check_tests(const Declarations& declarations, Graph& graph, Builder& builder,
                                  dsl::Diagnostics& diagnostics) {
  std::vector<TestCase> tests;
  TestChecker checker(declarations, graph, builder, diagnostics);
  for (const auto& declaration : declarations.program->declarations) {
    if (auto* test = std::get_if<dsl::TestDecl>(&declaration.node))
      tests.push_back(checker.check(declaration, *test));
  }
  return tests;
}

}  // namespace weir::compiler
