// Literals: numbers take the type that is wanted if they fit, lists, maps and records that of the
// place where they go.
#include <cmath>
#include <map>

#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

Expr Checker::number(const dsl::NumberLiteral& literal, dsl::Span span, Type hint, bool negative) {
  hint = hint.required();
  if (literal.has_exponent || hint.is_float()) {
    double value = std::strtod(literal.digits.c_str(), nullptr);
    if (!std::isfinite(value)) {
      report(Code::literal_out_of_range, span, "`" + literal.digits + "` is larger than a float64");
      return error(span);
    }
    Type type = type_of(hint.is(TypeKind::Float32) ? TypeKind::Float32 : TypeKind::Float64);
    if (type.is(TypeKind::Float32)) value = double(float(value));
    return constant_expr(type, Constant{negative ? -value : value}, span);
  }
  auto digits = read_decimal(literal.digits);
  if (!digits) {
    report(Code::literal_out_of_range, span, "`" + literal.digits + "` has more than 38 digits")
        .with_fix_text(literal.digits + "e0");
    return error(span);
  }
  __int128 value = negative ? -digits->unscaled : digits->unscaled;
  Type natural = decimal_type(uint8_t(digits->digits), uint8_t(digits->scale));
  if (!literal.has_point) {
    if (hint.is_integer() && fits_integer(hint.kind, value))
      return constant_expr(hint, Constant{int64_t(value)}, span);
    if (fits_integer(TypeKind::Int64, value))
      natural = type_of(TypeKind::Int64);
    else if (fits_integer(TypeKind::UInt64, value))
      natural = type_of(TypeKind::UInt64);
  }
  Constant constant = natural.is_integer() ? Constant{int64_t(value)} : Constant{value};
  if (hint.is(TypeKind::Decimal) && hint.precision > 0) {
    if (auto fitting = weir::compiler::convert(constant, natural, hint))
      return constant_expr(hint, std::move(*fitting), span);
    // Beside a decimal: as few digits as it has.
    if (natural.is_integer())
      natural = decimal_type(uint8_t(digits->digits), 0), constant = Constant{value};
  }
  return constant_expr(natural, std::move(constant), span);
}

Expr Checker::instant(const dsl::InstantLiteral& literal, dsl::Span span, Type hint) {
  Type type = hint.is(TypeKind::Timestamp) ? hint.required() : timestamp_type(TimeUnit::Milli);
  // The unit that is wanted, or the coarsest finer one that holds the fraction.
  if (literal.nanos % 1'000)
    type.unit = TimeUnit::Nano;
  else if (literal.nanos % 1'000'000 && type.unit == TimeUnit::Milli)
    type.unit = TimeUnit::Micro;
  int64_t scale = type.unit == TimeUnit::Milli   ? 1'000
                  : type.unit == TimeUnit::Micro ? 1'000'000
                                                 : 1'000'000'000;
  __int128 value = __int128(literal.seconds) * scale + literal.nanos / (1'000'000'000 / scale);
  if (!fits_integer(TypeKind::Int64, value)) {
    report(Code::literal_out_of_range, span, "this instant does not fit into " + text(type));
    return error(span);
  }
  return constant_expr(type, Constant{int64_t(value)}, span);
}

// Pieces and values, joined by the concat kernel; a value is cast to string as `string(e)` would.
Expr Checker::interpolation(const dsl::Interpolation& parts, dsl::Span span, Scope& scope) {
  Type string = type_of(TypeKind::String);
  std::vector<Expr> pieces;
  bool failed = false;
  for (size_t i = 0; i < parts.texts.size(); ++i) {
    if (!parts.texts[i].empty())
      pieces.push_back(constant_expr(string, text_constant(parts.texts[i]), span));
    if (i >= parts.values.size() || !parts.values[i]) continue;
    Expr value = required(check(*parts.values[i], scope), "a text");
    if (!value.type.is(TypeKind::Error))
      value = explicit_cast(std::move(value), string, parts.values[i]->span);
    if (value.type.is(TypeKind::Error))
      failed = true;
    else
      pieces.push_back(std::move(value));
  }
  if (failed) return error(span);
  if (pieces.empty()) return constant_expr(string, text_constant(""), span);
  return joined(std::move(pieces), [&](Expr left, Expr right) {
    Expr concat = make(Op::Call, string, {std::move(left), std::move(right)}, span);
    concat.name = "weir_text_concat";
    return concat;
  });
}

Expr Checker::list(const dsl::ListLiteral& literal, dsl::Span span, Scope& scope, Type hint) {
  Type element = hint.is(TypeKind::List) ? graph_.types.element(hint) : Type{};
  std::vector<Expr> items;
  for (const auto& item : literal.items) items.push_back(check(*item, scope, element));
  if (element.is(TypeKind::Error)) {
    if (items.empty()) {
      report(Code::type_mismatch, span, "nothing says what type the elements of `[]` have");
      return error(span);
    }
    std::vector<Expr*> all;
    for (Expr& item : items) all.push_back(&item);
    if (!unify(all, span, "list")) return error(span);
    element = items.front().type;
  } else {
    for (Expr& item : items) item = convert(std::move(item), element, "an element of the list");
  }
  for (const Expr& item : items) {
    if (item.type.is(TypeKind::Error)) return error(span);
  }
  return make(Op::MakeList, graph_.types.list_of(element), std::move(items), span);
}

Expr Checker::map(const dsl::MapLiteral& literal, dsl::Span span, Scope& scope, Type hint) {
  Type element = hint.is(TypeKind::Map) ? graph_.types.element(hint) : Type{};
  std::map<std::string, dsl::Span, std::less<>> keys;
  std::vector<Expr> texts, values;
  bool failed = false;
  for (const auto& [key, value] : literal.entries) {
    texts.push_back(check_as(*key, scope, type_of(TypeKind::String), "the key of a map"));
    failed |= texts.back().type.is(TypeKind::Error);
    if (auto* known = std::get_if<std::string>(&texts.back().constant.value)) {
      auto [first, fresh] = keys.try_emplace(*known, key->span);
      if (!fresh) {
        report(Code::declared_twice, key->span, "the key \"" + *known + "\" stands twice")
            .with_note(place(first->second), "here first");
        failed = true;
      }
    }
    values.push_back(check(*value, scope, element));
    failed |= values.back().type.is(TypeKind::Error) && values.back().op != Op::Fail;
  }
  if (failed) return error(span);
  if (element.is(TypeKind::Error)) {
    std::vector<Expr*> all;
    for (Expr& value : values) all.push_back(&value);
    if (!unify(all, span, "map")) return error(span);
    element = values.front().type;
  }
  std::vector<Expr> arguments;
  for (size_t i = 0; i < values.size(); ++i) {
    arguments.push_back(std::move(texts[i]));
    arguments.push_back(convert(std::move(values[i]), element, "a value of the map"));
    if (arguments.back().type.is(TypeKind::Error)) return error(span);
  }
  return make(Op::MakeList, graph_.types.map_of(element), std::move(arguments), span);
}

Expr Checker::record(const dsl::RecordLiteral& literal, dsl::Span span, Scope& scope, Type hint) {
  const dsl::Block& block = *literal.block;
  if (hint.is(TypeKind::Record)) {
    // By the declaration's fields; those left out need a default or may be null.
    RecordId id = hint.ref;
    std::vector<Expr> values(graph_.types.records[id].fields.size());
    std::vector<bool> given(values.size(), false);
    bool failed = false;
    for (const auto& item : block.items) {
      if (item.spread) {
        not_supported(diagnostics_, place(item.span), "`..` in a record value");
        return error(span);
      }
      std::string name = item.name ? item.name->text : "";
      if (!item.name) {
        if (auto* ref = std::get_if<dsl::NameRef>(&item.value->node)) name = ref->name;
        if (auto* path = std::get_if<dsl::Member>(&item.value->node)) name = path->field.text;
      }
      const auto& fields = graph_.types.records[id].fields;
      size_t index = 0;
      while (index < fields.size() && fields[index].name != name) ++index;
      if (index == fields.size()) {
        std::vector<std::string_view> candidates;
        for (const Field& field : fields) candidates.push_back(field.name);
        auto& diagnostic =
            report(Code::unknown_field, item.name ? item.name->span : item.span,
                   "record `" + graph_.types.records[id].name + "` has no field `" + name + "`");
        if (std::string near = nearest(name, candidates); !near.empty()) {
          diagnostic.with_note("did you mean `" + near + "`?");
          if (item.name) diagnostic.with_fix(item.name->span, near);
        }
        failed = true;
        continue;
      }
      if (given[index]) {
        report(Code::declared_twice, item.span, "`" + name + "` is given twice");
        failed = true;
        continue;
      }
      given[index] = true;
      if (item.name) note(item.name->span, fields[index].span);
      Type type = fields[index].type;
      values[index] = check_as(*item.value, scope, type, "field `" + name + "`");
      failed |= values[index].type.is(TypeKind::Error);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (given[i]) continue;
      const Field& field = graph_.types.records[id].fields[i];
      if (field.initial || field.type.optional) {
        values[i] = constant_expr(field.type, field.initial.value_or(Constant{}), span);
      } else {
        report(Code::type_mismatch, span,
               "field `" + field.name + "` of `" + graph_.types.records[id].name + "` is missing");
        failed = true;
      }
    }
    if (failed) return error(span);
    return make(Op::MakeRecord, hint.required(), std::move(values), span);
  }
  // A record of its own: the fields as written.
  RecordType made;
  made.span = span;
  std::vector<Expr> values;
  for (const auto& item : block.items) {
    if (item.spread) {
      not_supported(diagnostics_, place(item.span), "`..` in a record value");
      return error(span);
    }
    std::string name = item.name ? item.name->text : "";
    if (!item.name) {
      if (auto* ref = std::get_if<dsl::NameRef>(&item.value->node)) name = ref->name;
      if (auto* path = std::get_if<dsl::Member>(&item.value->node)) name = path->field.text;
      if (name.empty()) {
        report(Code::type_mismatch, item.span, "this field of the record needs a name")
            .with_fix_text("name = " + source_text(item.span));
        return error(span);
      }
    }
    Expr value = check(*item.value, scope);
    if (value.type.is(TypeKind::Error)) return error(span);
    if (value.type.is(TypeKind::Null)) {
      report(Code::type_mismatch, item.span, "nothing says what type this `null` has");
      return error(span);
    }
    made.fields.push_back({name, name, value.type, std::nullopt, item.span});
    values.push_back(std::move(value));
  }
  if (values.empty()) {
    report(Code::type_mismatch, span, "a record without fields");
    return error(span);
  }
  Type type = type_of(TypeKind::Record);
  type.ref = RecordId(graph_.types.records.size());
  graph_.types.records.push_back(std::move(made));
  return make(Op::MakeRecord, type, std::move(values), span);
}

}  // namespace weir::compiler
