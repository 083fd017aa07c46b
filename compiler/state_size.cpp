// `weir explain --state`: what each stateful operator keeps, how large it becomes, and what bounds
// it.
//
// A grouping operator keeps, for each pane of time and each shard, a hash table from keys to
// accumulators; one that keeps rows has them by key. How far back in time they reach is known:
// windows and frames plus the watermark's delay. How many keys and rows that time has is not: those
// are the unknowns of the formula.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/compile.h"
#include "compiler/explain.h"
#include "compiler/memory_model.h"
#include "compiler/passes.h"
#include "compiler/to_plan.h"
#include "dsl/literal.h"

namespace weir::compiler {
namespace {

std::string number_text(double value) {
  std::string text = std::to_string(int64_t(std::llround(value)));
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) bytes /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, bytes < 10 && unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}

std::string listed(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// A part of a canonical key (stdlib/engine/key.h).
double key_bytes(const Types& types, Type type, double text) {
  double bytes = type.optional ? 1 : 0;
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
      return bytes + text;
    case TypeKind::Enum: {
      double all = 0;
      const EnumType& cases = types.enumeration(type);
      for (const auto& each : cases.cases) all += double(each.wire_name.size());
      return bytes + (cases.cases.empty() ? 0 : all / double(cases.cases.size()));
    }
    default:
      return bytes + size_of(types, type.required());
  }
}

bool has_text(Type type) { return type.is_text(); }

// The call of a kernel that keeps values in a field, or null.
const Expr* kept_call(const Expr& expr) {
  if (expr.op == Op::Keep) return &expr;
  for (const Expr& arg : expr.args) {
    if (const Expr* found = kept_call(arg)) return found;
  }
  return nullptr;
}
const Expr* key_bytes_of(const Expr& expr) {
  if (expr.op == Op::KeyBytes) return &expr;
  for (const Expr& arg : expr.args) {
    if (const Expr* found = key_bytes_of(arg)) return found;
  }
  return nullptr;
}

class StateSizes {
 public:
  StateSizes(const Graph& graph, const Suppose& supposed) : graph_(graph), supposed_(supposed) {}

  std::vector<StateOperator> run() {
    std::vector<StateOperator> all;
    for (const Node& node : graph_.nodes) {
      auto* keyed = std::get_if<KeyedNode>(&node.is);
      if (!keyed) continue;
      StateOperator made;
      made.id = keyed->id;
      made.what = operator_text(graph_, node);
      for (const KeyColumn& key : keyed->keys)
        made.keys.emplace_back(key.name, to_text(graph_.types, key.value.type));
      if (keyed->rows)
        rows(node, *keyed, made);
      else
        groups(node, *keyed, made);
      all.push_back(std::move(made));
    }
    return all;
  }

 private:
  // How far the greatest event time may be ahead of a node's watermark.
  int64_t delay(NodeId id) const {
    const Node& node = graph_.nodes[id];
    int64_t most = 0;
    if (auto* source = std::get_if<SourceNode>(&node.is)) most = source->watermark_us.value_or(0);
    for (NodeId input : node.inputs) most = std::max(most, delay(input));
    auto* keyed = std::get_if<KeyedNode>(&node.is);
    return most + (keyed && keyed->window ? keyed->window->grace_us : 0);
  }

  double keys_of(const KeyedNode& keyed) const {
    double few = 1;
    for (const KeyColumn& key : keyed.keys) {
      auto values = values_of(graph_.types, key.value.type);
      few *= values ? double(*values) : std::numeric_limits<double>::infinity();
    }
    return std::min(few, supposed_.keys);
  }
  std::string keys_text(const KeyedNode& keyed) const {
    if (keyed.keys.empty()) return "1 key";
    bool few = !grows(keyed).size();
    return few ? number_text(keys_of(keyed)) + " keys" : "keys";
  }
  // The keys that have no end of values.
  std::vector<std::string> grows(const KeyedNode& keyed) const {
    std::vector<std::string> names;
    for (const KeyColumn& key : keyed.keys) {
      if (!values_of(graph_.types, key.value.type)) names.push_back("`" + key.name + "`");
    }
    return names;
  }

  double key_size(const KeyedNode& keyed) const {
    double bytes = 0;
    for (size_t i = 0; i < keyed.keys.size(); ++i) {
      Type type = keyed.keys[i].value.type;
      bool in_front = i + 1 < keyed.keys.size();
      bool text = has_text(type) || type.is(TypeKind::Enum);
      bytes += key_bytes(graph_.types, type, supposed_.key_text) + (text && in_front ? 2 : 0);
    }
    return bytes;
  }

  void groups(const Node& node, const KeyedNode& keyed, StateOperator& into) const {
    uint32_t slot = slot_bytes(state_layout(graph_.types, keyed).size);
    double keys = keys_of(keyed), shards = supposed_.shards, panes = 1;
    std::string times;
    if (keyed.window) {
      const WindowSpec& window = *keyed.window;
      double span =
          double(window.size_us) + double(window.grace_us) + double(delay(node.inputs[0]));
      panes = std::ceil(span / double(window.pane_us()));
      times = number_text(panes) + (panes == 1 ? " pane × " : " panes × ");
    }
    std::string each = keys_text(keyed);
    into.parts.push_back({times + number_text(shards) + " shards × " + std::to_string(slot) +
                              " B × slots(" + each + " ÷ " + number_text(shards) + ")",
                          panes * slot * slots_for(keys, shards, slot)});
    bool text_key = std::any_of(keyed.keys.begin(), keyed.keys.end(),
                                [](const KeyColumn& key) { return has_text(key.value.type); });
    if (double key = key_size(keyed); key > kKeyInSlotBytes || text_key) {
      std::string what = text_key ? "key" : number_text(key) + " B";
      into.parts.push_back(
          {times + each + " × " + what + (text_key ? ", where it is longer than 16 B" : ""),
           key > kKeyInSlotBytes ? panes * arena_bytes(keys, key, shards) : 0});
    }
    values(keyed, times, panes, keys, into);
    if (keyed.window && keyed.window->pane_us() < keyed.window->size_us) {
      // sliding.h: on average half of a window's panes, and what came since.
      double kept = double(keyed.window->size_us) / double(keyed.window->pane_us()) / 2 + 1;
      into.parts.push_back({number_text(kept) + " combined × " + number_text(shards) +
                                " shards × " + std::to_string(slot) + " B × slots(" + each + " ÷ " +
                                number_text(shards) + ")",
                            kept * slot * slots_for(keys, shards, slot)});
    }
    bound_of_groups(node, keyed, into);
  }

  // Texts and values that the accumulators point to.
  void values(const KeyedNode& keyed, const std::string& times, double panes, double keys,
              StateOperator& into) const {
    for (const AggregateUse& use : keyed.aggregates) {
      double fixed = 0;
      std::string also;
      for (uint32_t i = use.state_begin; i < use.state_end; ++i) {
        const StateField& field = keyed.state[i];
        fixed += size_of(graph_.types, field.type) + (field.type.optional ? 1 : 0);
        if (field.grows) {
          add_kept(use, i, times, panes, keys, keys_text(keyed), also, into);
        } else if (has_text(field.type)) {
          also = " and its text";
          into.parts.push_back(
              {times + keys_text(keyed) + " × text of `" + use.name + "`, and of each it replaced",
               panes * arena_bytes(keys, supposed_.text, supposed_.shards)});
        }
      }
      into.keeps.emplace_back(use.name, use.function + ": " + number_text(fixed) + " B" + also);
    }
  }

  void add_kept(const AggregateUse& use, uint32_t field, const std::string& times, double panes,
                double keys, const std::string& keys_text, std::string& also,
                StateOperator& into) const {
    auto at = std::find_if(use.step.begin(), use.step.end(),
                           [&](const StateAssign& step) { return step.field == field; });
    const Expr* call = at == use.step.end() ? nullptr : kept_call(at->value);
    if (!call) return;
    double entry = 0;
    if (const Expr* made = key_bytes_of(*call)) {
      for (size_t i = 0; i < made->args.size(); ++i) {
        Type type = made->args[i].type;
        entry += key_bytes(graph_.types, type, supposed_.text) +
                 (has_text(type) && i + 1 < made->args.size() ? 2 : 0);
      }
    }
    auto constant = [&]() -> double {
      if (call->args.empty()) return 0;
      auto* whole = std::get_if<int64_t>(&call->args[0].constant.value);
      return whole ? double(*whole) : 0;
    };
    double room = 0, taken = 0;
    std::string what;
    if (call->name == "weir_top_add") {
      room = bag_room(std::min(supposed_.values, 2 * constant() + 16), entry);
      taken = with_all_outgrown(room);
      what = number_text(constant()) + " values of " + number_text(entry) + " B";
    } else if (call->name == "weir_set_add") {
      room = set_room(supposed_.values, entry);
      what = "different values × " + number_text(entry) + " B, with an index";
    } else if (call->name == "weir_distinct_add") {
      double registers = std::exp2(constant());
      room = supposed_.values > registers / 32 ? registers + 16 : bag_room(supposed_.values, 4);
      what = "at most " + number_text(registers) + " B";
    } else if (call->name == "weir_quantile_add") {
      constexpr double kNumbers = 256, kBins = 1400;  // stdlib/engine/quantile.h
      room = supposed_.values <= kNumbers ? bag_room(supposed_.values, 4) : bag_room(kBins, 8);
      what = "8 B for each of 256 values, then 12 B for each bin of magnitudes";
    } else {
      room = bag_room(supposed_.values, entry);
      what = "values × " + number_text(entry + 4) + " B";
    }
    also = " and what it keeps";
    into.parts.push_back(
        {times + keys_text + " × " + what + " for `" + use.name + "`, by powers of two",
         panes * arena_bytes(keys, taken > 0 ? taken : with_outgrown(room), supposed_.shards)});
  }

  void bound_of_groups(const Node& node, const KeyedNode& keyed, StateOperator& into) const {
    if (keyed.window) {
      bool complete = std::any_of(graph_.stages.begin(), graph_.stages.end(), [&](const Stage& s) {
        return s.input == node.id && s.emit == EmitMode::Complete;
      });
      if (complete) {
        into.bounded = false;
        into.bounds.push_back("`emit = complete` shows every window again: none is forgotten");
        return;
      }
      into.bounds.push_back("by the window: a pane of " +
                            dsl::duration_text(keyed.window->pane_us()) +
                            " goes when the watermark has passed its last window" +
                            (keyed.window->grace_us
                                 ? " and its grace of " + dsl::duration_text(keyed.window->grace_us)
                                 : ""));
      return;
    }
    std::vector<std::string> growing = grows(keyed);
    if (!growing.empty()) {
      into.bounded = false;
      into.bounds.push_back("one group for each " + listed(growing, ", ") + ", kept for ever");
    }
    for (const AggregateUse& use : keyed.aggregates) {
      if (!use.unbounded) continue;
      into.bounded = false;
      into.bounds.push_back("`" + use.name + " = " + use.function +
                            "(…)` keeps values of all rows, for ever");
    }
    if (into.bounded) {
      into.bounds.push_back(keyed.keys.empty()
                                ? "there is one group"
                                : "by its keys: there are at most " + number_text(keys_of(keyed)));
    }
  }

  void rows(const Node& node, const KeyedNode& keyed, StateOperator& into) const {
    const KeptRows& kept = *keyed.rows;
    bool dedup = kept.kind == KeptRows::Kind::Dedup;
    double keys = keys_of(keyed), rows = supposed_.rows;
    std::string each = keys_text(keyed);
    into.parts.push_back({each + " × (" + std::to_string(kKeptKeyBytes) + " B and the key)",
                          keys * (kKeptKeyBytes + key_size(keyed))});
    double group = state_layout(graph_.types, keyed).size, texts = 0;
    for (const StateField& field : keyed.state) texts += has_text(field.type) ? 1 : 0;
    if (dedup) {
      into.parts.push_back({each + " × rows × " + std::to_string(kKeptRowBytes) + " B",
                            keys * rows * kKeptRowBytes});
    } else {
      into.parts.push_back({each + " × rows × (" + number_text(kKeptRowBytes + group) + " B" +
                                (texts > 0 ? " and " + number_text(texts) + " × text)" : ")"),
                            keys * rows * (kKeptRowBytes + group + texts * supposed_.text)});
    }
    if (kept.scan) {
      into.parts.push_back({each + " × " + number_text(group) + " B: the state of the key",
                            keys * (group + texts * supposed_.text)});
      size_t end = keyed.state.size() - (kept.within_us > 0 ? 1 : 0);
      for (size_t i = kept.scan->state_begin; i < end; ++i)
        into.keeps.emplace_back(keyed.state[i].name, to_text(graph_.types, keyed.state[i].type));
    }
    for (const KeptRows::Frame& frame : kept.frames) {
      if (frame.kind == KeptRows::Frame::Kind::All) {
        into.parts.push_back({each + " × " + number_text(group) + " B: all rows, summed up",
                              keys * (group + texts * supposed_.text)});
        continue;
      }
      // frame_window.h: what the rows of a frame come to, from each of them on.
      double in_frame =
          frame.kind == KeptRows::Frame::Kind::Rows ? std::min<double>(rows, frame.rows) : rows;
      into.parts.push_back({each + " × (rows of a frame + 1) × " + number_text(group) + " B",
                            keys * (in_frame + 1) * group});
    }
    for (size_t i = dedup ? keyed.aggregates.size() : kept.fields; i < keyed.aggregates.size(); ++i)
      into.keeps.emplace_back(keyed.aggregates[i].name, keyed.aggregates[i].function);
    bound_of_rows(node, keyed, into);
  }

  void bound_of_rows(const Node& node, const KeyedNode& keyed, StateOperator& into) const {
    const KeptRows& kept = *keyed.rows;
    int64_t back = kept.within_us;
    bool for_ever = kept.scan.has_value(), expires = kept.kind != KeptRows::Kind::Dedup && back > 0;
    for (const KeptRows::Frame& frame : kept.frames) {
      for_ever |= frame.kind != KeptRows::Frame::Kind::Time;
      back = std::max(back, frame.from_us);
    }
    int64_t waits = delay(node.inputs[0]);
    std::string span = dsl::duration_text(back) + " of event time" +
                       (waits ? " and the " + dsl::duration_text(waits) + " of the watermark" : "");
    if (!for_ever || expires) {
      into.bounds.push_back("by time: rows and keys of " + span);
      return;
    }
    std::vector<std::string> growing = grows(keyed);
    into.bounded = growing.empty();
    if (growing.empty())
      into.bounds.push_back("by its keys: there are at most " + number_text(keys_of(keyed)));
    else
      into.bounds.push_back("something is kept of each " + listed(growing, ", ") + " for ever");
  }

  const Graph& graph_;
  const Suppose& supposed_;
};

}  // namespace

std::optional<uint64_t> values_of(const Types& types, Type type) {
  if (type.is(TypeKind::Bool)) return 2 + (type.optional ? 1 : 0);
  if (type.is(TypeKind::Enum))
    return types.enumeration(type).cases.size() + (type.optional ? 1 : 0);
  return std::nullopt;
}

bool suppose(Suppose& all, std::string_view name, double value) {
  const std::pair<std::string_view, double*> kNames[] = {
      {"keys", &all.keys}, {"rows", &all.rows},         {"values", &all.values},
      {"text", &all.text}, {"key_text", &all.key_text}, {"shards", &all.shards}};
  for (const auto& [known, place] : kNames) {
    if (known != name) continue;
    *place = value;
    return true;
  }
  return false;
}

double StateOperator::bytes() const {
  double all = 0;
  for (const StatePart& part : parts) all += part.bytes;
  return all;
}

std::vector<StateOperator> state_operators(const Graph& graph, const Suppose& supposed) {
  return StateSizes(graph, supposed).run();
}

std::string print_state(const Graph& graph, const Suppose& supposed) {
  std::string text;
  bool tables = false;
  for (const StateOperator& each : state_operators(graph, supposed)) {
    text += each.id + "  " + each.what + "\n";
    std::vector<std::string> keys, keeps;
    for (const auto& [name, type] : each.keys) keys.push_back(name + ": " + type);
    for (const auto& [name, what] : each.keeps) keeps.push_back(name + " = " + what);
    if (!keys.empty()) text += "  key    " + listed(keys, ", ") + "\n";
    if (!keeps.empty()) text += "  keeps  " + listed(keeps, ", ") + "\n";
    const char* head = "  size   ";
    for (const StatePart& part : each.parts) {
      tables |= part.formula.find("slots(") != std::string::npos;
      text += head + part.formula + "\n";
      head = "       + ";
    }
    text += "       = " + bytes_text(each.bytes()) + "\n";
    head = each.bounded ? "  bound  " : "  grows  ";
    for (const std::string& bound : each.bounds) text += head + bound + "\n";
  }
  if (text.empty()) return "no state\n";
  text += "\nsupposed: " + number_text(supposed.keys) + " keys, " + number_text(supposed.rows) +
          " rows and " + number_text(supposed.values) + " values of each; texts of " +
          number_text(supposed.text) + " B, of " + number_text(supposed.key_text) +
          " B in keys (--suppose keys=…)\n";
  if (tables) {
    text +=
        "slots(n): of a table with n groups: 16, 64, 256 …, from 256 KiB on doubling, at most five "
        "eighths full\n";
  }
  return text;
}

}  // namespace weir::compiler
