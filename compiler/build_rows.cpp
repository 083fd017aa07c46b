// Stateless operators: where, select, extend, drop, flatten.
#include <algorithm>

#include "compiler/builder.h"
#include "compiler/constant.h"

namespace weir::compiler {

using dsl::Code;

namespace {

// Above this size a value that later items of its block use is computed in a step of its own, not
// written out again.
constexpr size_t kCopiedSizeMax = 8;

}  // namespace

Scope Builder::scope_of(const StreamEnd& in) const {
  Scope scope;
  const auto& fields = graph_.types.records[in.row].fields;
  for (uint32_t i = 0; i < fields.size(); ++i)
    scope.names.push_back({fields[i].name, field_expr(i, fields[i].type, {}), -1, fields[i].span});
  scope.facts = in.facts;
  scope.row = in.row;
  scope.has_event_time = in.has_event_time;
  scope.no_event_time = in.no_event_time;
  scope.has_meta = in.has_meta;
  return scope;
}

std::vector<RowStep>& Builder::rows(StreamEnd& in, Context& context, dsl::Span span) {
  if (context.open_rows != in.node) {
    context.open_rows = add_node(RowsNode{}, {in.node}, in.row, context.stream, span).id;
    in.node = context.open_rows;
  }
  depth_[in.node]++;
  return std::get<RowsNode>(graph_.nodes[in.node].is).steps;
}

StreamEnd Builder::where(const dsl::WhereOp& op, StreamEnd in, Context& context, dsl::Span span) {
  if (!op.predicate) return failed();
  Scope scope = scope_of(in);
  Expr predicate = checker_.check_condition(*op.predicate, scope, "`where`", true);
  if (predicate.type.is(TypeKind::Error)) return failed();
  facts_of(predicate, true, in.facts);
  rows(in, context, span).push_back(WhereStep{std::move(predicate)});
  return in;
}

void Builder::project(StreamEnd& in, Context& context, std::vector<Field> fields,
                      std::vector<Expr> values, dsl::Span span) {
  std::set<std::string> facts;
  std::vector<int> key_part(values.size(), StreamEnd::kNotKey);
  for (size_t i = 0; i < values.size(); ++i) {
    std::string path = path_of(values[i]);
    if (path.empty()) continue;
    if (values[i].op == Op::Field || values[i].op == Op::Unwrap) {
      const Expr& field = values[i].op == Op::Field ? values[i] : values[i].args[0];
      if (field.op == Op::Field && field.index < in.key_part.size())
        key_part[i] = in.key_part[field.index];
    }
    for (auto fact = in.facts.lower_bound(path);
         fact != in.facts.end() && fact->compare(0, path.size(), path) == 0; ++fact) {
      if (fact->size() == path.size() || (*fact)[path.size()] == '.')
        facts.insert("f" + std::to_string(i) + fact->substr(path.size()));
    }
  }
  in.row = new_row(std::move(fields));
  in.facts = std::move(facts);
  in.key_part = std::move(key_part);
  rows(in, context, span).push_back(ProjectStep{in.row, std::move(values)});
  graph_.nodes[in.node].row = in.row;
}

std::string Builder::last_name(const dsl::Expr& expr) {
  if (auto* ref = std::get_if<dsl::NameRef>(&expr.node)) return ref->name;
  if (auto* member = std::get_if<dsl::Member>(&expr.node)) return member->field.text;
  return "";
}

std::string Builder::item_name(const dsl::BlockItem& item) {
  if (item.name) return item.name->text;
  std::string name = item.value ? last_name(*item.value) : "";
  if (name.empty()) {
    // `count()` is probably the `count`.
    std::string meant = "value";
    if (auto* call = item.value ? std::get_if<dsl::Call>(&item.value->node) : nullptr) {
      meant = last_name(*call->callee);
      std::string of = call->arguments.size() == 1 && call->arguments[0].value
                           ? last_name(*call->arguments[0].value)
                           : "";
      if (!of.empty()) meant += "_" + of;
      if (meant.empty()) meant = "value";
    }
    diagnostics_.report(Code::empty_operator, item.span, "this item needs a name")
        .with_fix({item.span.begin, item.span.begin, item.span.file}, meant + " = ");
  }
  return name;
}

// A `select` with aggregates was meant as a `group`: by its plain fields, as SQL would have it.
dsl::Fix Builder::as_group(const dsl::Block& block, dsl::Span select) const {
  std::string keys, rest;
  for (const dsl::BlockItem& item : block.items) {
    bool plain = !item.spread && !item.name && item.value && !last_name(*item.value).empty();
    std::string& into = plain ? keys : rest;
    into += (into.empty() ? "" : ", ") + std::string(declarations_.sources->text(item.span));
  }
  if (keys.empty()) {
    constexpr uint32_t kSelectBytes = 6;
    return {{select.begin, select.begin + kSelectBytes, select.file}, "group"};
  }
  return {{select.begin, block.span.end, select.file}, "group by " + keys + " { " + rest + " }"};
}

StreamEnd Builder::shape(const dsl::Block& block, bool extend, StreamEnd in, Context& context,
                         dsl::Span span) {
  if (block.items.empty()) {
    diagnostics_.report(Code::empty_operator, span,
                        extend ? "`extend` without a field" : "`select` without a field");
    return failed();
  }
  struct Item {
    Field field;
    Expr value;
    dsl::Span span;
  };
  std::vector<Item> items;
  Scope scope = scope_of(in);
  if (!extend) scope.group_instead = as_group(block, span);
  const size_t input_fields = scope.names.size();
  bool bad = false;

  auto field_named = [&](const std::string& name, Type type, const std::string& wire,
                         dsl::Span at) {
    Field field;
    field.name = name;
    field.wire_name = wire.empty() ? name : wire;
    field.type = type;
    field.span = at;
    return field;
  };
  auto set = [&](Field field, Expr value, dsl::Span at, bool replaces) {
    for (Item& item : items) {
      if (item.field.name != field.name) continue;
      if (!replaces) {
        diagnostics_.report(Code::declared_twice, at, "there are two fields `" + field.name + "`")
            .with_note(item.span, "the first one");
        bad = true;
        return;
      }
      item.field.type = field.type;
      item.value = value;
      return;
    }
    items.push_back({std::move(field), std::move(value), at});
  };
  // The field of the input, as narrow as it is known.
  auto input_field = [&](uint32_t index) {
    const Field& field = graph_.types.records[in.row].fields[index];
    Expr value = field_expr(index, field.type, span);
    return field.type.optional && in.facts.count("f" + std::to_string(index))
               ? unwrapped(std::move(value))
               : value;
  };
  auto spread_input = [&](const std::set<std::string>& except, dsl::Span at) {
    for (uint32_t i = 0; i < input_fields; ++i) {
      const Field field = graph_.types.records[in.row].fields[i];
      if (except.count(field.name)) continue;
      Expr value = input_field(i);
      Type type = value.type;
      set(field_named(field.name, type, field.wire_name, field.span), std::move(value), at, false);
    }
  };
  if (extend) spread_input({}, span);

  // Writes what there is into a row of its own: the input's fields, then the items.
  auto flush = [&] {
    std::vector<Field> fields = graph_.types.records[in.row].fields;
    fields.resize(input_fields);
    std::vector<Expr> values;
    for (uint32_t i = 0; i < input_fields; ++i) {
      Expr value = input_field(i);
      fields[i].type = value.type;
      values.push_back(std::move(value));
    }
    for (Item& item : items) {
      fields.push_back(item.field);
      values.push_back(item.value);
    }
    project(in, context, std::move(fields), std::move(values), span);
    for (size_t i = 0; i < items.size(); ++i)
      items[i].value = field_expr(uint32_t(input_fields + i), items[i].field.type, items[i].span);
    Scope fresh = scope_of(in);
    fresh.names.resize(input_fields);
    scope = std::move(fresh);
    for (size_t i = 0; i < items.size(); ++i)
      scope.names.push_back({items[i].field.name, items[i].value, int(i), items[i].field.span});
  };

  for (const dsl::BlockItem& item : block.items) {
    if (item.spread) {
      std::set<std::string> except;
      for (const auto& name : item.except) except.insert(name.text);
      auto check_except = [&](const std::vector<Field>& fields) {
        for (const auto& name : item.except) {
          auto there = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& field) { return field.name == name.text; });
          if (there != fields.end()) declarations_.note(name.span, there->span);
          if (there != fields.end()) continue;
          std::vector<std::string_view> candidates;
          for (const Field& field : fields) candidates.push_back(field.name);
          auto& diagnostic = diagnostics_.report(
              Code::unknown_field, name.span, "there is no field `" + name.text + "` to leave out");
          if (std::string near = nearest(name.text, candidates); !near.empty())
            diagnostic.with_fix(name.span, near);
          bad = true;
        }
      };
      if (!item.value) {
        if (extend) {
          diagnostics_.report(Code::empty_operator, item.span, "`extend` keeps all fields already");
          bad = true;
          continue;
        }
        std::vector<Field> fields = graph_.types.records[in.row].fields;
        fields.resize(input_fields);
        check_except(fields);
        spread_input(except, item.span);
        continue;
      }
      Expr record = checker_.required(checker_.check(*item.value, scope), "`..`");
      if (record.type.is(TypeKind::Error)) {
        bad = true;
        continue;
      }
      if (!record.type.is(TypeKind::Record)) {
        diagnostics_.report(
            Code::type_mismatch, item.value->span,
            "`..` wants a record, and this is " + to_text(graph_.types, record.type));
        bad = true;
        continue;
      }
      std::vector<Field> fields = graph_.types.record(record.type).fields;
      check_except(fields);
      for (uint32_t i = 0; i < fields.size(); ++i) {
        if (except.count(fields[i].name)) continue;
        Expr member = make(Op::Member, fields[i].type, {record}, item.span);
        member.index = i;
        if (fields[i].type.optional && in.facts.count(path_of(member)))
          member = unwrapped(std::move(member));
        Type type = member.type;
        set(field_named(fields[i].name, type, fields[i].wire_name, fields[i].span),
            std::move(member), item.span, extend);
      }
      continue;
    }
    std::string name = item_name(item);
    if (name.empty() || !item.value) {
      bad = true;
      continue;
    }
    scope.items_used.clear();
    Expr value = checker_.check(*item.value, scope);
    if (value.type.is(TypeKind::Error)) {
      bad = true;
      continue;
    }
    bool copies_much = std::any_of(scope.items_used.begin(), scope.items_used.end(), [&](int used) {
      return size_of(items[size_t(used)].value, kCopiedSizeMax + 1) > kCopiedSizeMax;
    });
    if (copies_much && !bad) {
      flush();
      value = checker_.check(*item.value, scope);
    }
    if (value.type.is(TypeKind::Null)) {
      diagnostics_
          .report(Code::type_mismatch, item.value->span, "nothing says what type this `null` has")
          .with_fix_text("a cast: int64(null) is not there yet; use a field of that type");
      bad = true;
      continue;
    }
    std::string wire;
    if (!item.name && value.op == Op::Field)
      wire = graph_.types.records[in.row].fields[value.index].wire_name;
    Type type = value.type;
    set(field_named(name, type, wire, item.span), std::move(value), item.span, extend);
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].field.name == name)
        scope.names.push_back({name, items[i].value, int(i), items[i].field.span});
    }
  }
  if (bad) return failed();
  std::vector<Field> fields;
  std::vector<Expr> values;
  for (Item& item : items) {
    fields.push_back(std::move(item.field));
    values.push_back(std::move(item.value));
  }
  if (fields.empty()) {
    diagnostics_.report(Code::empty_operator, span, "nothing is left of the row");
    return failed();
  }
  project(in, context, std::move(fields), std::move(values), span);
  return in;
}

StreamEnd Builder::drop(const dsl::DropOp& op, StreamEnd in, Context& context, dsl::Span span) {
  const std::vector<Field> fields = graph_.types.records[in.row].fields;
  std::set<std::string> dropped;
  bool bad = false;
  for (const auto& name : op.fields) {
    auto there = std::find_if(fields.begin(), fields.end(),
                              [&](const Field& field) { return field.name == name.text; });
    if (there != fields.end()) declarations_.note(name.span, there->span);
    if (there == fields.end()) {
      std::vector<std::string_view> candidates;
      for (const Field& field : fields) candidates.push_back(field.name);
      auto& diagnostic = diagnostics_.report(Code::unknown_field, name.span,
                                             "there is no field `" + name.text + "` to drop");
      if (std::string near = nearest(name.text, candidates); !near.empty()) {
        diagnostic.with_note("did you mean `" + near + "`?").with_fix(name.span, near);
      }
      bad = true;
    }
    dropped.insert(name.text);
  }
  if (bad) return failed();
  std::vector<Field> kept;
  std::vector<Expr> values;
  for (uint32_t i = 0; i < fields.size(); ++i) {
    if (dropped.count(fields[i].name)) continue;
    Expr value = field_expr(i, fields[i].type, span);
    if (fields[i].type.optional && in.facts.count("f" + std::to_string(i)))
      value = unwrapped(std::move(value));
    kept.push_back(fields[i]);
    kept.back().type = value.type;
    kept.back().initial.reset();
    values.push_back(std::move(value));
  }
  if (kept.empty()) {
    diagnostics_.report(Code::empty_operator, span, "nothing is left of the row");
    return failed();
  }
  project(in, context, std::move(kept), std::move(values), span);
  return in;
}

StreamEnd Builder::flatten(const dsl::FlattenOp& op, StreamEnd in, Context& context,
                           dsl::Span span) {
  if (!op.value) return failed();
  Scope scope = scope_of(in);
  Expr container = checker_.required(checker_.check(*op.value, scope), "`flatten`");
  if (container.type.is(TypeKind::Error)) return failed();
  const bool is_map = container.type.is(TypeKind::Map);
  if (!is_map && !container.type.is(TypeKind::List)) {
    diagnostics_
        .report(
            Code::type_mismatch, op.value->span,
            "`flatten` wants a list or a map, and this is " + to_text(graph_.types, container.type))
        .with_label(to_text(graph_.types, container.type));
    return failed();
  }
  if (op.names.size() != (is_map ? 2 : 1)) {
    diagnostics_
        .report(Code::wrong_arguments, op.names.empty() ? span : op.names.back().span,
                is_map ? "an entry of a map has a key and a value: two names are wanted"
                       : "an element of a list has one name")
        .with_fix_text(is_map ? "as key, value" : "as " + op.names[0].text);
    return failed();
  }
  if (in.changelog != Changelog::None) {
    not_supported(diagnostics_, span, "`flatten` of a windowed or grouped result");
    return failed();
  }
  FlattenStep step;
  std::vector<Field> fields = graph_.types.records[in.row].fields;
  std::vector<Expr> values;
  for (uint32_t i = 0; i < fields.size(); ++i) {
    Expr value = field_expr(i, fields[i].type, span);
    if (value.type.optional && in.facts.count("f" + std::to_string(i)))
      value = unwrapped(std::move(value));
    fields[i].type = value.type;
    fields[i].initial.reset();
    values.push_back(std::move(value));
  }
  std::vector<Type> types = {graph_.types.element(container.type)};
  if (is_map) types.insert(types.begin(), type_of(TypeKind::String));
  for (size_t i = 0; i < types.size(); ++i) {
    Expr local = checker_.new_local(types[i], op.names[i].span);
    step.locals.push_back(local.index);
    // A name that the row has already is the element's from here on.
    size_t at = 0;
    while (at < fields.size() && fields[at].name != op.names[i].text) ++at;
    if (at == fields.size()) {
      fields.emplace_back();
      values.emplace_back();
    }
    fields[at].name = fields[at].wire_name = op.names[i].text;
    fields[at].type = types[i];
    fields[at].span = op.names[i].span;
    values[at] = std::move(local);
  }
  step.container = std::move(container);
  rows(in, context, span).push_back(std::move(step));
  project(in, context, std::move(fields), std::move(values), span);
  return in;
}

}  // namespace weir::compiler
