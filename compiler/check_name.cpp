// Names and paths: locals and fields first, then enum cases where one is wanted, parameters, `row`
// and `meta`.
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

Expr Checker::known_present(Expr expr, const Scope& scope) const {
  if (!expr.type.optional) return expr;
  std::string path = path_of(expr);
  if (path.empty() || !scope.facts.count(path)) return expr;
  return unwrapped(std::move(expr));
}

Expr Checker::enum_case(EnumId id, const dsl::Name& name, dsl::Span span) {
  const EnumType& enumeration = graph_.types.enums[id];
  Type type = type_of(TypeKind::Enum);
  type.ref = id;
  for (size_t i = 0; i < enumeration.cases.size(); ++i) {
    if (enumeration.cases[i].name == name.text)
      return constant_expr(type, int_constant(int64_t(i)), span);
  }
  std::vector<std::string_view> candidates;
  for (const auto& item : enumeration.cases) candidates.push_back(item.name);
  auto& diagnostic = report(Code::unknown_field, name.span,
                            "enum `" + enumeration.name + "` has no case `" + name.text + "`");
  std::string near = nearest(name.text, candidates);
  for (const auto& item : enumeration.cases) {
    if (item.wire_name == name.text) near = item.name;
  }
  if (!near.empty()) diagnostic.with_note("did you mean `" + near + "`?").with_fix(name.span, near);
  return error(span);
}

bool Checker::is_param(const std::string& name) const {
  auto value = declarations_.values.find(name);
  return value != declarations_.values.end() &&
         (value->second.kind == ValueKind::Param || value->second.kind == ValueKind::Secret);
}

// What an editor may propose in the place of its marker.
void Checker::offer(std::string_view name, const Scope& scope) const {
  if (!declarations_.asked_for(name)) return;
  Meanings* meanings = declarations_.meanings;
  for (const auto& visible : scope.names)
    meanings->offers.push_back({visible.name, text(visible.value.type)});
  for (const auto& [value, info] : declarations_.values) {
    if (info.kind == ValueKind::Param)
      meanings->offers.push_back({value, text(graph_.params[info.param].type)});
  }
}

void Checker::unknown(const std::string& name, dsl::Span span, const Scope& scope) {
  offer(name, scope);
  if (scope.rows_of_group && scope.rows_of_group->find(name)) {
    auto& diagnostic =
        report(Code::field_outside_aggregate, span,
               "`" + name +
                   "` differs from row to row: here it needs to be a key, or inside an aggregate");
    diagnostic.with_note("`by " + name + "` makes a key of it: a group for each value")
        .with_fix(place(span), "last(" + name + ")");
    return;
  }
  if (declarations_.values.count(name)) {
    report(Code::wrong_kind_of_name, span,
           "`" + name + "` is a stream or source, and a value is wanted here");
    return;
  }
  std::vector<std::string_view> candidates;
  for (const auto& visible : scope.names) candidates.push_back(visible.name);
  for (const auto& [value, info] : declarations_.values) {
    if (info.kind == ValueKind::Param) candidates.push_back(value);
  }
  for (const auto& [enumeration, id] : declarations_.enums) candidates.push_back(enumeration);
  if (scope.has_meta) candidates.push_back("meta");
  std::string near = nearest(name, candidates);
  auto& diagnostic = report(Code::unknown_name, span,
                            scope.names.empty() ? "nothing is called `" + name + "` here"
                                                : "there is no field or value `" + name + "` here");
  if (!near.empty()) {
    diagnostic.with_note("did you mean `" + near + "`?").with_fix(place(span), near);
  } else if (declarations_.functions.count(name)) {
    diagnostic.with_note("`" + name + "` is a function").with_fix_text(name + "(…)");
  } else if (!scope.names.empty()) {
    constexpr size_t kShownMax = 12;
    std::string shown;
    for (size_t i = 0; i < scope.names.size() && i < kShownMax; ++i)
      shown += (i == 0 ? "`" : ", `") + scope.names[i].name + "`";
    diagnostic.with_note("there are " + shown + (scope.names.size() > kShownMax ? " …" : ""));
  }
}

Expr Checker::name(const dsl::NameRef& ref, dsl::Span span, Scope& scope, Type hint) {
  const Scope::Visible* visible = scope.find(ref.name);
  if (frame && (!visible || visible->value.op == Op::Field)) {
    for (const Scope::Visible& value : frame->values) {
      if (value.name == ref.name) return value.value;
    }
  }
  if (visible) {
    if (visible->item >= 0) scope.items_used.insert(visible->item);
    note(span, visible->declared);
    Expr value = visible->value;
    value.span = span;
    return known_present(std::move(value), scope);
  }
  if (hint.is(TypeKind::Enum)) {
    for (const auto& item : graph_.types.enumeration(hint).cases) {
      if (item.name == ref.name) return enum_case(hint.ref, dsl::Name{ref.name, span}, span);
    }
  }
  if (auto value = declarations_.values.find(ref.name);
      value != declarations_.values.end() &&
      (value->second.kind == ValueKind::Param || value->second.kind == ValueKind::Secret)) {
    if (value->second.kind == ValueKind::Secret) {
      report(Code::wrong_kind_of_name, span,
             "secret `" + ref.name + "` can only be the value of a connector's option")
          .with_note("so that it can't reach a row, a log or a message");
      return error(span);
    }
    Expr param = make(Op::Param, graph_.params[value->second.param].type, {}, span);
    param.index = value->second.param;
    note(span, value->second.span);
    declarations_.params_used.insert(param.index);
    return param;
  }
  if (ref.name == "row" && scope.row) {
    Type type = type_of(TypeKind::Record);
    type.ref = *scope.row;
    std::vector<Expr> fields;
    const auto& declared = graph_.types.records[*scope.row].fields;
    for (uint32_t i = 0; i < declared.size(); ++i)
      fields.push_back(field_expr(i, declared[i].type, span));
    return make(Op::MakeRecord, type, std::move(fields), span);
  }
  if (hint.is(TypeKind::Enum) && !scope.rows_of_group) {
    dsl::Name name{ref.name, span};
    std::vector<std::string_view> fields;
    for (const auto& visible : scope.names) fields.push_back(visible.name);
    if (nearest(ref.name, fields).empty()) return enum_case(hint.ref, name, span);
  }
  unknown(ref.name, span, scope);
  return error(span);
}

Expr Checker::meta(const dsl::Name& field, dsl::Span span, Scope& scope) {
  if (!scope.has_meta) {
    report(Code::unknown_name, span, scope.no_meta)
        .with_note("keep what is needed later with `extend` before it");
    return error(span);
  }
  struct Known {
    const char* name;
    MetaField field;
    Type type;
  };
  Type bytes = type_of(TypeKind::Bytes).nullable();
  const Known all[] = {
      {"topic", MetaField::Topic, type_of(TypeKind::String)},
      {"partition", MetaField::Partition, type_of(TypeKind::Int32)},
      {"offset", MetaField::Offset, type_of(TypeKind::Int64)},
      {"timestamp", MetaField::Timestamp, timestamp_type(TimeUnit::Milli)},
      {"key", MetaField::Key, bytes},
      {"headers", MetaField::Headers, graph_.types.map_of(bytes)},
  };
  std::vector<std::string_view> candidates;
  for (const Known& known : all) {
    if (field.text == known.name) {
      Expr value = make(Op::Meta, known.type, {}, span);
      value.index = uint32_t(known.field);
      return value;
    }
    candidates.push_back(known.name);
  }
  auto& diagnostic = report(Code::unknown_field, field.span, "`meta` has no `" + field.text + "`");
  if (std::string near = nearest(field.text, candidates); !near.empty()) {
    diagnostic.with_note("did you mean `" + near + "`?").with_fix(field.span, near);
  }
  return error(span);
}

Expr Checker::member(const dsl::Member& member, dsl::Span span, Scope& scope) {
  if (auto* ref = std::get_if<dsl::NameRef>(&member.object->node); ref && !scope.find(ref->name)) {
    if (ref->name == "meta") return meta(member.field, span, scope);
    // In a `merge` the state that is merged in.
    if (ref->name == "other") {
      std::vector<std::string_view> fields;
      for (const auto& visible : scope.names) {
        if (visible.name.starts_with("other.")) fields.push_back(visible.name);
      }
      std::string whole = "other." + member.field.text;
      if (scope.find(whole)) return name({whole}, span, scope, {});
      if (!fields.empty()) {
        auto& diagnostic = report(Code::unknown_field, member.field.span,
                                  "the state has no field `" + member.field.text + "`");
        if (std::string near = nearest(whole, fields); !near.empty())
          diagnostic.with_note("did you mean `" + near + "`?").with_fix(place(span), near);
        return error(span);
      }
    }
    if (auto enumeration = declarations_.enums.find(ref->name);
        enumeration != declarations_.enums.end()) {
      return enum_case(enumeration->second, member.field, span);
    }
  }
  Expr object = check(*member.object, scope);
  if (object.type.is(TypeKind::Error)) return object;
  if (object.op == Op::MakeRecord && !object.type.optional) {
    const auto& fields = graph_.types.record(object.type).fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name != member.field.text) continue;
      note(member.field.span, fields[i].span);
      Expr field = object.args[i];
      field.span = span;
      return known_present(std::move(field), scope);
    }
  }
  if (!object.type.is(TypeKind::Record)) {
    report(Code::type_mismatch, object.span,
           "`." + member.field.text + "` wants a record, and this is " + text(object.type))
        .with_label(text(object.type));
    return error(span);
  }
  if (object.type.optional && !member.safe) {
    std::string shown = source_text(object.span);
    report(Code::may_be_null, object.span,
           "`" + shown + "` may be null where `." + member.field.text + "` is taken of it")
        .with_label(text(object.type))
        .with_fix(place(span), shown + "?." + member.field.text);
    return error(span);
  }
  const auto& fields = graph_.types.record(object.type).fields;
  uint32_t index = 0;
  while (index < fields.size() && fields[index].name != member.field.text) ++index;
  if (index < fields.size()) note(member.field.span, fields[index].span);
  if (index == fields.size()) {
    if (declarations_.asked_for(member.field.text)) {
      for (const Field& field : fields)
        declarations_.meanings->offers.push_back({field.name, text(field.type)});
    }
    std::vector<std::string_view> candidates;
    for (const Field& field : fields) candidates.push_back(field.name);
    auto& diagnostic = report(
        Code::unknown_field, member.field.span,
        "`" + graph_.types.record(object.type).name + "` has no field `" + member.field.text + "`");
    if (std::string near = nearest(member.field.text, candidates); !near.empty()) {
      diagnostic.with_note("did you mean `" + near + "`?").with_fix(place(member.field.span), near);
    }
    return error(span);
  }
  Type type = fields[index].type;
  auto member_of = [&](Expr of) {
    if (of.op == Op::MakeRecord) {  // `row.a` uses a, and no other field
      Expr value = std::move(of.args[index]);
      value.span = span;
      return value;
    }
    Expr value = make(Op::Member, type, {std::move(of)}, span);
    value.index = index;
    return value;
  };
  if (!object.type.optional) return known_present(member_of(std::move(object)), scope);
  // a?.b: null where a is.
  return with_value(std::move(object), [&](const Expr& value) {
    Expr present = wrapped(member_of(unwrapped(value)));
    Type optional = present.type;
    return make(Op::If, optional,
                {make(Op::IsNull, type_of(TypeKind::Bool), {value}, span),
                 constant_expr(optional, Constant{}, span), std::move(present)},
                span);
  });
}

}  // namespace weir::compiler
