#include "compiler/connectors.h"

#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

const std::vector<ConnectorInfo>& all_connectors() {
  static const std::vector<ConnectorInfo> all = {
#define CONNECTOR(name, role, address, replayable, exactly_once) \
  {#name, Role::role, address, replayable, exactly_once},
#define OPTION(...)
#include "compiler/connectors.def"
#undef CONNECTOR
#undef OPTION
  };
  return all;
}

const std::vector<OptionInfo>& all_options() {
  static const std::vector<OptionInfo> all = {
#define CONNECTOR(...)
#define OPTION(connector, role, name, kind, values, doc) \
  {#connector, Role::role, #name, OptionKind::kind, values, doc},
#include "compiler/connectors.def"
#undef CONNECTOR
#undef OPTION
  };
  return all;
}

const ConnectorInfo* find_connector(std::string_view name, Role role) {
  for (const ConnectorInfo& info : all_connectors()) {
    if (info.name == name && info.role == role) return &info;
  }
  return nullptr;
}

namespace {

bool is_later_connector(std::string_view name) {
  for (std::string_view later : {"postgres_cdc", "debezium", "postgres", "redis", "s3",
                                 "opensearch", "clickhouse", "http"}) {
    if (name == later) return true;
  }
  return false;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t end = text.find(' ');
    words.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return words;
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::string_view word : words)
    text += (text.empty() ? "`" : ", `") + std::string(word) + "`";
  return text;
}

Type type_of_option(OptionKind kind) {
  switch (kind) {
    case OptionKind::Integer:
    case OptionKind::Size:
      return type_of(TypeKind::Int64);
    case OptionKind::Number:
      return type_of(TypeKind::Float64);
    case OptionKind::Bool:
      return type_of(TypeKind::Bool);
    case OptionKind::Duration:
      return type_of(TypeKind::Duration);
    case OptionKind::Start:
      return timestamp_type(TimeUnit::Milli);
    default:
      return type_of(TypeKind::String);
  }
}

class OptionChecker {
 public:
  OptionChecker(const Declarations& declarations, const Graph& graph, Checker& checker,
                dsl::Diagnostics& diagnostics, std::vector<OptionValue>& into)
      : declarations_(declarations),
        graph_(graph),
        checker_(checker),
        diagnostics_(diagnostics),
        into_(into) {}

  void value(const std::string& name, const dsl::Expr& expr, Type type) {
    if (parameter(name, expr, type)) return;
    auto constant = checker_.constant(expr, type, "option `" + name + "`");
    if (constant) into_.push_back({name, type, std::move(*constant), -1});
  }

  // `{ "a.b" = v }` or `{ a = v, b = { … } }`: names become dotted.
  void map(const std::string& name, const dsl::Expr& expr) {
    if (auto* literal = std::get_if<dsl::MapLiteral>(&expr.node)) {
      for (const auto& [key, value] : literal->entries) {
        auto* text = std::get_if<dsl::TextLiteral>(&key->node);
        if (text)
          entry(name + "." + text->text, *value);
        else
          diagnostics_.report(Code::bad_option, key->span,
                              "a name of `" + name + "` is a plain text");
      }
    } else if (auto* record = std::get_if<dsl::RecordLiteral>(&expr.node)) {
      for (const auto& item : record->block->items) {
        if (item.spread || !item.name)
          diagnostics_.report(Code::bad_option, item.span, "`" + name + "` wants `name = value`");
        else
          entry(name + "." + item.name->text, *item.value);
      }
    } else {
      diagnostics_.report(Code::bad_option, expr.span, "`" + name + "` wants names and values")
          .with_fix_text(name + " = { \"name\" = \"value\" }");
    }
  }

 private:
  bool parameter(const std::string& name, const dsl::Expr& expr, Type type) {
    auto* ref = std::get_if<dsl::NameRef>(&expr.node);
    auto found = ref ? declarations_.values.find(ref->name) : declarations_.values.end();
    if (found == declarations_.values.end()) return false;
    if (found->second.kind != ValueKind::Param && found->second.kind != ValueKind::Secret)
      return false;
    const Param& param = graph_.params[found->second.param];
    declarations_.params_used.insert(found->second.param);
    bool fits = param.type.required() == type || widens(param.type.required(), type) ||
                type.is(TypeKind::String);
    if (param.type.is(TypeKind::Error)) return true;
    if (!fits || param.type.optional) {
      diagnostics_.report(Code::type_mismatch, expr.span,
                          "option `" + name + "` wants " + to_text(graph_.types, type) + ", and `" +
                              ref->name + "` is " + to_text(graph_.types, param.type));
      return true;
    }
    into_.push_back({name, type, Constant{}, int32_t(found->second.param)});
    return true;
  }

  void entry(const std::string& name, const dsl::Expr& expr) {
    if (std::holds_alternative<dsl::MapLiteral>(expr.node) ||
        std::holds_alternative<dsl::RecordLiteral>(expr.node))
      return map(name, expr);
    if (parameter(name, expr, type_of(TypeKind::String))) return;
    if (auto* word = std::get_if<dsl::NameRef>(&expr.node)) {
      into_.push_back({name, type_of(TypeKind::String), text_constant(word->name), -1});
      return;
    }
    if (auto* list = std::get_if<dsl::ListLiteral>(&expr.node)) {
      for (size_t i = 0; i < list->items.size(); ++i)
        entry(name + "." + std::to_string(i), *list->items[i]);
      return;
    }
    Scope none;
    size_t errors = diagnostics_.error_count();
    Expr checked = checker_.check(expr, none);
    if (diagnostics_.error_count() != errors || checked.type.is(TypeKind::Error)) return;
    auto constant = fold(checked);
    if (!constant || constant->is_null()) {
      diagnostics_.report(Code::constant_expected, expr.span,
                          "option `" + name + "` wants a value that is known before any row comes");
      return;
    }
    into_.push_back({name, checked.type.required(), std::move(*constant), -1});
  }

  const Declarations& declarations_;
  const Graph& graph_;
  Checker& checker_;
  dsl::Diagnostics& diagnostics_;
  std::vector<OptionValue>& into_;
};

}  // namespace

std::string option_word(const dsl::Option& option) {
  if (!option.value) return "";
  if (auto* name = std::get_if<dsl::NameRef>(&option.value->node)) return name->name;
  return "";
}

const ConnectorInfo* check_connector(const dsl::Connector& connector, Role role,
                                     dsl::Diagnostics& diagnostics) {
  if (connector.name.text.empty()) return nullptr;
  if (auto* info = find_connector(connector.name.text, role)) return info;
  const char* word = role == Role::Source ? "source" : "sink";
  if (is_later_connector(connector.name.text)) {
    not_supported(diagnostics, connector.name.span, "the connector `" + connector.name.text + "`");
    return nullptr;
  }
  std::vector<std::string_view> candidates;
  for (const auto& info : all_connectors()) {
    if (info.role == role) candidates.push_back(info.name);
  }
  bool other_role =
      find_connector(connector.name.text, role == Role::Source ? Role::Sink : Role::Source);
  auto& diagnostic = diagnostics.report(
      Code::unknown_connector, connector.name.span,
      other_role ? "`" + connector.name.text + "` can't be a " + word
                 : std::string("there is no ") + word + " connector `" + connector.name.text + "`");
  std::string near = nearest(connector.name.text, candidates);
  if (!near.empty())
    diagnostic.with_note("did you mean `" + near + "`?").with_fix(connector.name.span, near);
  else
    diagnostic.with_note("there are " + listed(candidates));
  return nullptr;
}

std::string check_address(const dsl::Connector& connector, const ConnectorInfo& info,
                          Checker& checker, dsl::Diagnostics& diagnostics) {
  if (info.address.empty()) {
    if (!connector.arguments.empty()) {
      diagnostics.report(Code::bad_option, connector.arguments[0].value->span,
                         "`" + connector.name.text + "` takes nothing in its parentheses");
    }
    return "";
  }
  if (connector.arguments.size() != 1 || connector.arguments[0].name) {
    diagnostics
        .report(Code::missing_option, connector.name.span,
                "`" + connector.name.text + "` wants its " + std::string(info.address) +
                    " in parentheses")
        .with_fix_text(connector.name.text + "(\"…\")");
    return "";
  }
  const dsl::Expr& expr = *connector.arguments[0].value;
  if (auto* name = std::get_if<dsl::NameRef>(&expr.node); name && !checker.is_param(name->name)) {
    std::string what(info.address);
    diagnostics
        .report(Code::bad_option, expr.span, "the " + what + " is a text, which stands in quotes")
        .with_fix(expr.span, "\"" + name->name + "\"");
    return name->name;
  }
  if (std::holds_alternative<dsl::Interpolation>(expr.node) ||
      std::holds_alternative<dsl::NameRef>(expr.node)) {
    not_supported(diagnostics, expr.span, "a " + std::string(info.address) + " that is computed");
    return "";
  }
  auto constant =
      checker.constant(expr, type_of(TypeKind::String), "the " + std::string(info.address));
  if (!constant) return "";
  std::string address = std::get<std::string>(constant->value);
  if (address.empty())
    diagnostics.report(Code::bad_option, expr.span, "an empty " + std::string(info.address));
  return address;
}

std::string choice_of(const std::string& name, const dsl::Expr& value,
                      const std::vector<std::string_view>& words, dsl::Diagnostics& diagnostics) {
  auto* ref = std::get_if<dsl::NameRef>(&value.node);
  auto* text = std::get_if<dsl::TextLiteral>(&value.node);
  std::string word = ref ? ref->name : text ? text->text : "";
  for (std::string_view allowed : words) {
    if (word != allowed) continue;
    if (text) {
      diagnostics
          .report(Code::bad_option, value.span,
                  "`" + name + "` is one of some words, which stand without quotes")
          .with_fix(value.span, word);
    }
    return word;
  }
  std::string near = nearest(word, words);
  auto& diagnostic = diagnostics.report(
      Code::bad_option, value.span,
      word.empty() ? "`" + name + "` is one of " + listed(words)
                   : "there is no " + name + " `" + word + "`; there is " + listed(words));
  if (near.empty() && words.size() == 1) near = words.front();
  if (!near.empty()) diagnostic.with_fix(value.span, near);
  return near;
}

std::string option_name(const dsl::Option& option, const ConnectorInfo& info,
                        const std::vector<std::string_view>& others,
                        dsl::Diagnostics& diagnostics) {
  const std::string& name = option.name.text;
  std::vector<std::string_view> candidates = others;
  for (const OptionInfo& candidate : all_options()) {
    if (candidate.connector == info.name && candidate.role == info.role)
      candidates.push_back(candidate.name);
  }
  for (std::string_view candidate : candidates) {
    if (candidate == name) return name;
  }
  const char* word = info.role == Role::Source ? "source" : "sink";
  auto& diagnostic = diagnostics.report(
      Code::unknown_option, option.name.span,
      std::string("a `") + std::string(info.name) + "` " + word + " has no option `" + name + "`");
  std::string near = nearest(name, candidates);
  if (!near.empty())
    diagnostic.with_note("did you mean `" + near + "`?").with_fix(option.name.span, near);
  else
    diagnostic.with_note("there are " + listed(candidates));
  return near;
}

void check_option(const std::string& name, const dsl::Option& option, const ConnectorInfo& info,
                  const Declarations& declarations, const Graph& graph, Checker& checker,
                  dsl::Diagnostics& diagnostics, std::vector<OptionValue>& into) {
  const OptionInfo* known = nullptr;
  for (const OptionInfo& candidate : all_options()) {
    if (candidate.connector == info.name && candidate.role == info.role && candidate.name == name)
      known = &candidate;
  }
  if (!known) return;
  if (option.every || option.immediately || !option.nested.empty()) {
    diagnostics.report(Code::bad_option, option.span,
                       "`" + name + "` takes a value and nothing behind it");
    return;
  }
  if (!option.value) return;
  OptionChecker check(declarations, graph, checker, diagnostics, into);
  std::string word = option_word(option);
  switch (known->kind) {
    case OptionKind::Map:
      check.map(name, *option.value);
      return;
    case OptionKind::Choice:
    case OptionKind::Start: {
      auto words = words_of(known->values);
      for (std::string_view allowed : words) {
        if (allowed == word) {
          into.push_back({name, type_of(TypeKind::String), text_constant(word), -1});
          return;
        }
      }
      if (known->kind == OptionKind::Start && (word.empty() || declarations.values.count(word))) {
        check.value(name, *option.value, timestamp_type(TimeUnit::Milli));
        return;
      }
      choice_of(name, *option.value, words, diagnostics);
      return;
    }
    default:
      check.value(name, *option.value, type_of_option(known->kind));
      return;
  }
}

}  // namespace weir::compiler
