#include "compiler/declarations.h"

#include "compiler/aggregates.h"
#include "compiler/checker.h"
#include "compiler/constant.h"
#include "compiler/standard_library.h"
#include "dsl/render.h"
#include "dsl/utf8.h"

namespace weir::compiler {

using dsl::Code;

std::string nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
  return dsl::did_you_mean(name, candidates);
}

dsl::Diagnostic& not_supported(dsl::Diagnostics& diagnostics, dsl::Span span,
                               const std::string& what) {
  return diagnostics.report(Code::not_supported_yet, span, "not supported yet: " + what);
}

namespace {

// Whether only a call says what the type is.
bool is_open(const dsl::TypeRef& ref, const dsl::Signature& signature, bool standard) {
  for (const auto& parameter : signature.type_parameters) {
    if (ref.name.text == parameter.text) return true;
  }
  if (standard && ref.name.text == "decimal" && ref.arguments.empty()) return true;
  for (const auto& inner : ref.parameters) {
    if (is_open(inner, signature, standard)) return true;
  }
  return false;
}

// How the kernels of one name are told apart: by their first parameter. "int64", "list_string".
std::string overload_word(const dsl::TypeRef& ref) {
  return ref.parameters.empty() ? ref.name.text
                                : ref.name.text + "_" + overload_word(ref.parameters.back());
}

class Declarer {
 public:
  Declarer(Declarations& into, Graph& graph, dsl::Diagnostics& diagnostics)
      : into_(into), graph_(graph), diagnostics_(diagnostics) {}

  void run() {
    standard_functions();
    name_types();
    for (const auto& declaration : into_.program->declarations) name_value(declaration);
    for (const auto& declaration : into_.program->declarations) fill_record(declaration);
    refuse_record_cycles();
    for (const auto& declaration : into_.program->declarations) fill_defaults(declaration);
    for (const auto& declaration : into_.program->declarations) name_function(declaration);
    for (const auto& declaration : into_.program->declarations) fill_param(declaration);
    for (const auto& declaration : into_.program->declarations) fill_aggregate(declaration);
  }

 private:
  void twice(const dsl::Name& name, dsl::Span first) {
    diagnostics_.report(Code::declared_twice, name.span, "`" + name.text + "` is declared twice")
        .with_note(first, "declared here first");
  }

  void standard_functions() {
    for (const StandardModule& module : standard_library()) {
      into_.modules.insert(std::string(module.name));
      std::map<std::string, int> overloads;
      for (const auto& declaration : module.program.declarations)
        overloads[declaration.name.text]++;
      for (const auto& declaration : module.program.declarations) {
        auto* fn = std::get_if<dsl::FnDecl>(&declaration.node);
        if (!fn) continue;
        add_function(declaration, *fn, std::string(module.name),
                     overloads[declaration.name.text] > 1);
      }
    }
    for (const char* module : {"math", "text", "time", "list", "json", "url", "net", "geo", "hash",
                               "regex", "crypto", "stats", "window"}) {
      into_.modules.insert(module);
    }
  }

  void add_function(const dsl::Declaration& declaration, const dsl::FnDecl& fn, std::string module,
                    bool overloaded) {
    Function function;
    function.name = declaration.name.text;
    function.module = std::move(module);
    function.span = declaration.name.span;
    function.signature = &fn.signature;
    for (const auto& parameter : fn.signature.parameters)
      function.generic |= is_open(parameter.type, fn.signature, function.standard());
    auto type_of = [&](const dsl::TypeRef& ref) {
      return is_open(ref, fn.signature, function.standard())
                 ? Type{}
                 : resolve_type(ref, into_, graph_, diagnostics_);
    };
    for (const auto& parameter : fn.signature.parameters) {
      function.parameters.push_back(parameter.name.text);
      function.types.push_back(type_of(parameter.type));
    }
    function.result = type_of(fn.signature.result);
    function.body = fn.body.get();
    if (fn.is_extern) {
      function.kernel = "weir_" + function.module + "_" + function.name;
      if (overloaded && !function.types.empty())
        function.kernel += "_" + overload_word(fn.signature.parameters[0].type);
    }
    into_.functions[function.name].push_back(std::move(function));
  }

  void name_types() {
    std::map<std::string, dsl::Span> seen;
    for (const auto& declaration : into_.program->declarations) {
      auto* record = std::get_if<dsl::RecordDecl>(&declaration.node);
      auto* enumeration = std::get_if<dsl::EnumDecl>(&declaration.node);
      if (!record && !enumeration) continue;
      auto [at, fresh] = seen.try_emplace(declaration.name.text, declaration.name.span);
      if (!fresh) {
        twice(declaration.name, at->second);
        continue;
      }
      if (record) {
        into_.records[declaration.name.text] = RecordId(graph_.types.records.size());
        graph_.types.records.push_back({declaration.name.text, {}, declaration.name.span});
      } else {
        into_.enums[declaration.name.text] = EnumId(graph_.types.enums.size());
        graph_.types.enums.push_back(read_enum(declaration.name.text, *enumeration));
      }
    }
  }

  EnumType read_enum(const std::string& name, const dsl::EnumDecl& declared) {
    EnumType type{name, {}};
    std::map<std::string, dsl::Span> names, wires;
    for (const auto& item : declared.cases) {
      const dsl::Name& wire = item.wire_name ? *item.wire_name : item.name;
      auto [at, fresh] = names.try_emplace(item.name.text, item.name.span);
      if (!fresh) {
        twice(item.name, at->second);
        continue;
      }
      auto [wire_at, wire_fresh] = wires.try_emplace(wire.text, wire.span);
      if (!wire_fresh) twice(wire, wire_at->second);
      type.cases.push_back({item.name.text, wire.text});
    }
    return type;
  }

  void name_value(const dsl::Declaration& declaration) {
    std::visit([&](const auto& node) { name_of(declaration, node); }, declaration.node);
  }

  void add_value(const dsl::Name& name, ValueKind kind, const dsl::Declaration& declaration,
                 uint32_t param = 0) {
    if (name.text.empty()) return;  // the parser has said what is missing
    auto [at, fresh] =
        into_.values.try_emplace(name.text, ValueName{kind, &declaration, name.span, param});
    if (!fresh) twice(name, at->second.span);
  }

  template <class Node>
  void name_of(const dsl::Declaration&, const Node&) {}
  void name_of(const dsl::Declaration& d, const dsl::ParamDecl&) {
    add_value(d.name, ValueKind::Param, d, add_param(d, false));
  }
  void name_of(const dsl::Declaration& d, const dsl::SecretDecl&) {
    add_value(d.name, ValueKind::Secret, d, add_param(d, true));
  }
  void name_of(const dsl::Declaration& d, const dsl::SourceDecl& source) {
    add_value(d.name, source.is_table ? ValueKind::Table : ValueKind::Source, d);
  }
  void name_of(const dsl::Declaration& d, const dsl::StreamDecl& stream) {
    add_value(d.name, stream.is_table ? ValueKind::Table : ValueKind::Stream, d);
    name_late(d, stream.pipeline.get());
  }
  void name_of(const dsl::Declaration& d, const dsl::SinkDecl& sink) {
    name_late(d, sink.pipeline.get());
  }
  void name_of(const dsl::Declaration& d, const dsl::SplitDecl& split) {
    for (const auto& arm : split.arms) add_value(arm.name, ValueKind::Split, d);
  }
  void name_of(const dsl::Declaration& d, const dsl::ImportDecl& import) {
    if (import.schema) not_supported(diagnostics_, d.span, "`import schema`");
  }

  void name_late(const dsl::Declaration& d, const dsl::Pipeline* pipeline) {
    if (!pipeline) return;
    name_late(d, pipeline->nested.get());
    for (const auto& op : pipeline->operators) {
      auto name = [&](const auto* node) {
        if (node && node->late) add_value(*node->late, ValueKind::Late, d);
      };
      name(std::get_if<dsl::WindowOp>(&op.node));
      name(std::get_if<dsl::DedupOp>(&op.node));
      name(std::get_if<dsl::OverOp>(&op.node));
      name(std::get_if<dsl::ScanOp>(&op.node));
      if (auto* all = std::get_if<dsl::UnionOp>(&op.node)) {
        for (const auto& input : all->inputs) name_late(d, input.get());
      }
    }
  }

  uint32_t add_param(const dsl::Declaration& d, bool secret) {
    Param param;
    param.name = d.name.text;
    param.type = type_of(TypeKind::String);
    param.secret = secret;
    graph_.params.push_back(std::move(param));
    return uint32_t(graph_.params.size() - 1);
  }

  void fill_record(const dsl::Declaration& declaration) {
    auto* declared = std::get_if<dsl::RecordDecl>(&declaration.node);
    auto at = into_.records.find(declaration.name.text);
    if (!declared || at == into_.records.end()) return;
    if (!graph_.types.records[at->second].fields.empty()) return;  // declared twice
    std::map<std::string, dsl::Span> names, wires;
    std::vector<Field> fields;
    for (const auto& item : declared->fields) {
      auto [seen, fresh] = names.try_emplace(item.name.text, item.name.span);
      if (!fresh) {
        twice(item.name, seen->second);
        continue;
      }
      Field field;
      field.name = item.name.text;
      field.wire_name = item.wire_name ? item.wire_name->text : item.name.text;
      field.type = resolve_type(item.type, into_, graph_, diagnostics_);
      field.span = item.span;
      auto [wire, wire_fresh] = wires.try_emplace(field.wire_name, item.span);
      if (!wire_fresh) twice(item.wire_name ? *item.wire_name : item.name, wire->second);
      fields.push_back(std::move(field));
    }
    if (fields.empty()) {
      diagnostics_.report(Code::empty_operator, declaration.name.span,
                          "record `" + declaration.name.text + "` has no fields");
    }
    graph_.types.records[at->second].fields = std::move(fields);
  }

  // A record that holds itself, in whatever wrapping, has no layout. Its field becomes Error:
  // nothing recurses into it.
  void refuse_record_cycles() {
    enum class Mark : uint8_t { New, Open, Done };
    std::vector<Mark> marks(graph_.types.records.size(), Mark::New);
    int depth = 0;
    auto visit = [&](auto&& self, RecordId id) -> void {
      marks[id] = Mark::Open;
      depth++;
      for (Field& field : graph_.types.records[id].fields) {
        Type inner = field.type;
        while (inner.is(TypeKind::List) || inner.is(TypeKind::Map))
          inner = graph_.types.element(inner);
        if (!inner.is(TypeKind::Record)) continue;
        if (marks[inner.ref] == Mark::Open) {
          diagnostics_.report(
              Code::declaration_cycle, field.span,
              "record `" + graph_.types.records[inner.ref].name + "` contains itself");
          field.type = Type{};
        } else if (depth >= kRecordDepthMax) {
          diagnostics_.report(Code::too_deep, field.span,
                              "records nested deeper than " + std::to_string(kRecordDepthMax));
          field.type = Type{};
        } else if (marks[inner.ref] == Mark::New) {
          self(self, inner.ref);
        }
      }
      depth--;
      marks[id] = Mark::Done;
    };
    for (RecordId id = 0; id < marks.size(); ++id) {
      if (marks[id] == Mark::New) visit(visit, id);
    }
  }

  void fill_defaults(const dsl::Declaration& declaration) {
    auto* declared = std::get_if<dsl::RecordDecl>(&declaration.node);
    auto at = into_.records.find(declaration.name.text);
    if (!declared || at == into_.records.end()) return;
    for (const auto& item : declared->fields) {
      if (!item.initial) continue;
      for (Field& field : graph_.types.records[at->second].fields) {
        if (field.name != item.name.text) continue;
        Type type = field.type;
        if (type.is(TypeKind::Record) || type.is(TypeKind::List) || type.is(TypeKind::Map)) {
          not_supported(diagnostics_, item.initial->span,
                        "a default of type " + to_text(graph_.types, type))
              .with_fix_text("make the field optional and write `?? …` where it is used");
          break;
        }
        auto value = Checker(into_, graph_, diagnostics_)
                         .constant(*item.initial, type, "the default of `" + item.name.text + "`");
        // The vector may have moved: constants can make record types.
        for (Field& again : graph_.types.records[at->second].fields) {
          if (again.name == item.name.text) again.initial = std::move(value);
        }
        break;
      }
    }
  }

  void name_function(const dsl::Declaration& declaration) {
    if (auto* fn = std::get_if<dsl::FnDecl>(&declaration.node)) {
      if (fn->is_extern) {
        diagnostics_
            .report(Code::unknown_function, declaration.name.span,
                    "`extern fn` is for the standard library: `" + declaration.name.text +
                        "` needs a body")
            .with_fix_text("fn " + declaration.name.text + "(…) -> … = …");
        return;
      }
      auto& same = into_.functions[declaration.name.text];
      if (!same.empty() && !same.front().standard()) {
        twice(declaration.name, same.front().span);
        return;
      }
      if (auto at = into_.aggregates.find(declaration.name.text); at != into_.aggregates.end()) {
        twice(declaration.name, at->second.span);
        return;
      }
      if (!same.empty()) into_.hidden_functions[declaration.name.text] = std::move(same);
      same.clear();  // the user's function hides the library's
      add_function(declaration, *fn, "", false);
    } else if (auto* aggregate = std::get_if<dsl::AggregateDecl>(&declaration.node)) {
      name_aggregate(declaration, *aggregate);
    } else if (std::get_if<dsl::PipeDecl>(&declaration.node)) {
      auto [at, fresh] = into_.pipes.try_emplace(declaration.name.text, &declaration);
      if (!fresh) twice(declaration.name, at->second->name.span);
    }
  }

  void name_aggregate(const dsl::Declaration& declaration, const dsl::AggregateDecl& declared) {
    auto [at, fresh] = into_.aggregates.try_emplace(declaration.name.text);
    auto function = into_.functions.find(declaration.name.text);
    if (!fresh) return twice(declaration.name, at->second.span);
    if (function != into_.functions.end() && !function->second.front().standard())
      return twice(declaration.name, function->second.front().span);
    AggregateFunction& made = at->second;
    made.declared = &declared;
    made.span = declaration.name.span;
    const dsl::Signature& signature = declared.signature;
    if (!signature.type_parameters.empty()) {
      not_supported(diagnostics_, signature.type_parameters[0].span,
                    "an `aggregate fn` with type parameters");
    }
    for (const auto& parameter : signature.parameters) {
      made.parameters.push_back(parameter.name.text);
      made.types.push_back(resolve_type(parameter.type, into_, graph_, diagnostics_));
    }
    made.result = resolve_type(signature.result, into_, graph_, diagnostics_);
  }

  // Once all functions are named: initial values may call them.
  void fill_aggregate(const dsl::Declaration& declaration) {
    auto at = into_.aggregates.find(declaration.name.text);
    if (at == into_.aggregates.end()) return;
    AggregateFunction& aggregate = at->second;
    if (aggregate.declared != std::get_if<dsl::AggregateDecl>(&declaration.node)) return;
    aggregate.state = read_state(aggregate.declared->state, into_, graph_, diagnostics_);
    Checker checker(into_, graph_, diagnostics_);
    aggregate.body = expand_declared(aggregate, checker, diagnostics_);
  }

  void fill_param(const dsl::Declaration& declaration) {
    auto* declared = std::get_if<dsl::ParamDecl>(&declaration.node);
    if (!declared) return;
    auto at = into_.values.find(declaration.name.text);
    if (at == into_.values.end() || at->second.declaration != &declaration) return;
    Type type = resolve_type(declared->type, into_, graph_, diagnostics_);
    if (type.is(TypeKind::Record) || type.is(TypeKind::List) || type.is(TypeKind::Map) ||
        type.is(TypeKind::Json)) {
      not_supported(diagnostics_, declared->type.span,
                    "a parameter of type " + to_text(graph_.types, type));
      type = Type{};
    }
    graph_.params[at->second.param].type = type;
    if (!declared->initial) return;
    dsl::Diagnostics found;
    graph_.params[at->second.param].initial =
        Checker(into_, graph_, found)
            .constant(*declared->initial, type, "parameter `" + declaration.name.text + "`");
    for (const dsl::Diagnostic& each : found.all()) {
      bool other_type = each.code == Code::type_mismatch;
      auto& said =
          diagnostics_.report(other_type ? Code::bad_param : each.code, each.span, each.message);
      said.label = each.label;
      said.notes = each.notes;
      said.fix = each.fix;
      said.fix_text = each.fix_text;
    }
  }

  static constexpr int kRecordDepthMax = 32;

  Declarations& into_;
  Graph& graph_;
  dsl::Diagnostics& diagnostics_;
};

std::optional<int64_t> small_number(const dsl::ExprPtr& expr) {
  auto* number = expr ? std::get_if<dsl::NumberLiteral>(&expr->node) : nullptr;
  if (!number || number->has_point || number->has_exponent || number->digits.size() > 4)
    return std::nullopt;
  return std::atoi(number->digits.c_str());
}

Type decimal_of(const dsl::TypeRef& ref, dsl::Diagnostics& diagnostics) {
  auto precision = ref.arguments.size() == 2 ? small_number(ref.arguments[0]) : std::nullopt;
  auto scale = ref.arguments.size() == 2 ? small_number(ref.arguments[1]) : std::nullopt;
  if (!precision || !scale || *precision < 1 || *precision > kDecimalDigitsMax ||
      *scale > *precision) {
    diagnostics
        .report(Code::bad_type, ref.span,
                "`decimal` wants digits (1 to 38) and how many of them are behind the point")
        .with_fix_text("decimal(12, 2)");
    return Type{};
  }
  return decimal_type(uint8_t(*precision), uint8_t(*scale));
}

Type timestamp_of(const dsl::TypeRef& ref, dsl::Diagnostics& diagnostics) {
  if (ref.arguments.size() == 1 && ref.arguments[0]) {
    if (auto* name = std::get_if<dsl::NameRef>(&ref.arguments[0]->node)) {
      if (name->name == "ms") return timestamp_type(TimeUnit::Milli);
      if (name->name == "us") return timestamp_type(TimeUnit::Micro);
      if (name->name == "ns") return timestamp_type(TimeUnit::Nano);
    }
  }
  diagnostics.report(Code::bad_type, ref.span, "`timestamp` wants its unit: `ms`, `us` or `ns`")
      .with_fix(ref.span, "timestamp(ms)");
  return Type{};
}

}  // namespace

void unknown_state(dsl::Diagnostics& diagnostics, const dsl::Name& name,
                   const std::vector<std::string_view>& fields) {
  auto& diagnostic = diagnostics.report(Code::unknown_name, name.span,
                                        "the state has no field `" + name.text + "`");
  if (std::string near = nearest(name.text, fields); !near.empty())
    diagnostic.with_note("did you mean `" + near + "`?").with_fix(name.span, near);
  else
    diagnostic.with_fix_text("let " + name.text + " = …");
}

std::vector<StateField> read_state(const std::vector<dsl::StateField>& declared,
                                   const Declarations& declarations, Graph& graph,
                                   dsl::Diagnostics& diagnostics) {
  std::vector<StateField> state;
  std::map<std::string, dsl::Span> names;
  for (const dsl::StateField& field : declared) {
    auto [seen, fresh] = names.try_emplace(field.name.text, field.name.span);
    if (!fresh) {
      diagnostics
          .report(Code::declared_twice, field.name.span,
                  "`" + field.name.text + "` is declared twice")
          .with_note(seen->second, "declared here first");
      continue;
    }
    StateField made;
    made.name = field.name.text;
    made.type = resolve_type(field.type, declarations, graph, diagnostics);
    if (made.type.is(TypeKind::Record) || made.type.is(TypeKind::List) ||
        made.type.is(TypeKind::Map)) {
      not_supported(diagnostics, field.type.span,
                    "state of type " + to_text(graph.types, made.type));
      made.type = Type{};
    }
    if (field.initial && !made.type.is(TypeKind::Error)) {
      auto initial = Checker(declarations, graph, diagnostics)
                         .constant(*field.initial, made.type, "`" + made.name + "`");
      auto* text = initial ? std::get_if<std::string>(&initial->value) : nullptr;
      if (text && !text->empty()) {
        not_supported(diagnostics, field.initial->span, "a text that state begins with")
            .with_fix_text("\"\", or a `string?` that begins with null");
      }
      if (initial) made.initial = std::move(*initial);
    }
    state.push_back(std::move(made));
  }
  return state;
}

Type resolve_type(const dsl::TypeRef& ref, const Declarations& declarations, Graph& graph,
                  dsl::Diagnostics& diagnostics) {
  const std::string& name = ref.name.text;
  Type type;
  bool takes_arguments = name == "decimal" || name == "timestamp";
  bool takes_parameters = name == "list" || name == "map";
  if (name.empty()) return type;  // the parser has said what is missing
  if (name == "->") {
    not_supported(diagnostics, ref.span, "functions as values");
    return type;
  }
  if (name == "stream" || name == "table") {
    not_supported(diagnostics, ref.span, "`" + name + "` as a type");
    return type;
  }
  if (name == "decimal") {
    type = decimal_of(ref, diagnostics);
  } else if (name == "timestamp") {
    type = timestamp_of(ref, diagnostics);
  } else if (name == "list" && ref.parameters.size() == 1) {
    Type element = resolve_type(ref.parameters[0], declarations, graph, diagnostics);
    if (!element.is(TypeKind::Error)) type = graph.types.list_of(element);
  } else if (name == "map" && ref.parameters.size() == 2) {
    Type key = resolve_type(ref.parameters[0], declarations, graph, diagnostics);
    Type element = resolve_type(ref.parameters[1], declarations, graph, diagnostics);
    if (key != type_of(TypeKind::String) && !key.is(TypeKind::Error)) {
      diagnostics.report(Code::bad_type, ref.parameters[0].span, "the keys of a map are `string`");
    } else if (!element.is(TypeKind::Error)) {
      type = graph.types.map_of(element);
    }
  } else if (takes_parameters) {
    diagnostics.report(Code::bad_type, ref.span, "`" + name + "` wants the type of its elements")
        .with_fix_text(name == "list" ? "list<string>" : "map<string, int64>");
    return type;
  } else if (auto plain = plain_kind(name)) {
    type = type_of(*plain);
  } else if (auto record = declarations.records.find(name); record != declarations.records.end()) {
    type = type_of(TypeKind::Record);
    type.ref = record->second;
  } else if (auto enumeration = declarations.enums.find(name);
             enumeration != declarations.enums.end()) {
    type = type_of(TypeKind::Enum);
    type.ref = enumeration->second;
  } else {
    std::vector<std::string_view> candidates = {"decimal", "timestamp", "list", "map"};
    for (auto kind = TypeKind::Bool; kind <= TypeKind::Json; kind = TypeKind(uint8_t(kind) + 1)) {
      if (plain_kind(kind_name(kind))) candidates.push_back(kind_name(kind));
    }
    for (const auto& [record, id] : declarations.records) candidates.push_back(record);
    for (const auto& [enumeration, id] : declarations.enums) candidates.push_back(enumeration);
    auto& report =
        diagnostics.report(Code::unknown_type, ref.name.span, "there is no type `" + name + "`");
    static const std::map<std::string, std::string, std::less<>> others = {
        {"int", "int64"},
        {"integer", "int64"},
        {"long", "int64"},
        {"float", "float64"},
        {"double", "float64"},
        {"text", "string"},
        {"str", "string"},
        {"boolean", "bool"},
        {"datetime", "timestamp(ms)"},
        {"varchar", "string"},
        {"char", "string"},
        {"bigint", "int64"},
        {"smallint", "int16"},
        {"tinyint", "int8"},
        {"short", "int16"},
        {"byte", "int8"},
        {"real", "float32"},
        {"numeric", "decimal(12, 2)"},
        {"bigdecimal", "decimal(12, 2)"},
        {"number", "float64"},
        {"instant", "timestamp(ms)"},
        {"object", "json"},
        {"array", "list"},
        {"blob", "bytes"},
        {"binary", "bytes"}};
    std::string small = dsl::ascii_lower(name);
    std::string near = others.count(small) ? others.at(small) : nearest(name, candidates);
    if (near.empty()) near = nearest(small, candidates);
    if (!near.empty()) {
      // `varchar(40)` goes with its length.
      dsl::Span written = ref.name.span;
      bool plain = near != "decimal" && near != "timestamp" && near != "list" && near != "map";
      if (!ref.arguments.empty() && plain) {
        written = ref.span;
        if (ref.optional) near += "?";
      }
      report.with_note("did you mean `" + near + "`?").with_fix(written, near);
    }
    return type;
  }
  if (!takes_arguments && !ref.arguments.empty()) {
    diagnostics.report(Code::bad_type, ref.span, "`" + name + "` takes nothing in parentheses");
  }
  if (!takes_parameters && !ref.parameters.empty()) {
    diagnostics.report(Code::bad_type, ref.span, "`" + name + "` takes no types in `< >`");
  }
  type.optional = ref.optional;
  return type;
}

Declarations declare(const dsl::Program& program, const dsl::Sources& sources, Graph& graph,
                     dsl::Diagnostics& diagnostics) {
  Declarations declarations;
  declarations.program = &program;
  declarations.sources = &sources;
  Declarer(declarations, graph, diagnostics).run();
  return declarations;
}

}  // namespace weir::compiler
