#include "compiler/print_expr.h"

#include "compiler/constant.h"
#include "dsl/literal.h"

namespace weir::compiler {
namespace {

const char* infix(Op op) {
  switch (op) {
    case Op::Add:
      return " + ";
    case Op::Subtract:
      return " - ";
    case Op::Multiply:
      return " * ";
    case Op::Divide:
      return " / ";
    case Op::Modulo:
      return " % ";
    case Op::Equal:
      return " == ";
    case Op::NotEqual:
      return " != ";
    case Op::Less:
      return " < ";
    case Op::LessEqual:
      return " <= ";
    case Op::Greater:
      return " > ";
    case Op::GreaterEqual:
      return " >= ";
    case Op::And:
      return " and ";
    case Op::Or:
      return " or ";
    case Op::Coalesce:
      return " ?? ";
    default:
      return nullptr;
  }
}

class Printer {
 public:
  Printer(const Graph& graph, RecordId row) : graph_(graph), row_(row) {}

  std::string print(const Expr& e, bool inner = false) {
    if (++parts_ > 500) return "…";
    auto arg = [&](size_t i) { return print(e.args[i], true); };
    auto in_brackets = [&](std::string text) { return inner ? "(" + text + ")" : text; };
    if (const char* word = infix(e.op)) return in_brackets(arg(0) + word + arg(1));
    switch (e.op) {
      case Op::Constant:
        return constant(e);
      case Op::Field:
        return row_ != kNoRecord && e.index < fields().size() ? fields()[e.index].name
                                                              : "field" + std::to_string(e.index);
      case Op::Local:
        return "x" + std::to_string(e.index);
      case Op::Param:
        return e.index < graph_.params.size() ? graph_.params[e.index].name : "param";
      case Op::EventTime:
        return "event_time()";
      case Op::Meta: {
        static const char* const names[] = {"topic",     "partition", "offset",
                                            "timestamp", "key",       "headers"};
        return std::string("meta.") + (e.index < 6 ? names[e.index] : "?");
      }
      case Op::State:
        return "state" + std::to_string(e.index);
      case Op::Other:
        return "other" + std::to_string(e.index);
      case Op::Argument:
        return "arg" + std::to_string(e.index);
      case Op::Wrap:
        return print(e.args[0], inner);
      case Op::Unwrap:
        return print(e.args[0], inner);
      case Op::IsNull:
        return in_brackets(arg(0) + " is null");
      case Op::Not:
        if (e.args[0].op == Op::IsNull)
          return in_brackets(print(e.args[0].args[0], true) + " is not null");
        return in_brackets("not " + arg(0));
      case Op::Negate:
        return "-" + arg(0);
      case Op::If:
        return in_brackets("if " + print(e.args[0]) + " then " + print(e.args[1]) + " else " +
                           print(e.args[2]));
      case Op::Let:
        return in_brackets("let x" + std::to_string(e.index) + " = " + print(e.args[0]) + " in " +
                           print(e.args[1]));
      case Op::Cast:
        return to_text(graph_.types, e.type.required()) + "(" + print(e.args[0]) + ")";
      case Op::Try:
        return in_brackets("try " + arg(0));
      case Op::Fail:
        return "fail(" + print(e.args[0]) + ")";
      case Op::KeyBytes:
        return list(e, "key(", ")");
      case Op::KeyValues:
        return "values of " + print(e.args[0]);
      case Op::Keep:
      case Op::Call:
        return e.name.substr(0, 5) == "weir_" ? list(e, e.name.substr(5) + "(", ")")
                                              : list(e, e.name + "(", ")");
      case Op::Member: {
        std::string object = arg(0);
        Type type = e.args[0].type;
        return object + "." +
               (type.is(TypeKind::Record) ? graph_.types.record(type).fields[e.index].name
                                          : std::to_string(e.index));
      }
      case Op::MakeRecord:
        return list(e, "{ ", " }");
      case Op::MakeList:
        return list(e, "[", "]");
      case Op::Index:
        return arg(0) + "[" + print(e.args[1]) + "]";
      case Op::ListMap:
        return method(e, "map");
      case Op::ListFilter:
        return method(e, "filter");
      case Op::ListAny:
        return method(e, "any");
      case Op::ListAll:
        return method(e, "all");
      case Op::KeyField:
        return "key" + std::to_string(e.index);
      case Op::WindowStart:
        return "window_start";
      case Op::WindowEnd:
        return "window_end";
      default:
        return "?";
    }
  }

 private:
  const std::vector<Field>& fields() const { return graph_.types.records[row_].fields; }

  std::string constant(const Expr& e) {
    if (e.constant.is_null()) return e.type.optional ? "null" : "_";
    if (e.type.is(TypeKind::Enum)) {
      const auto& cases = graph_.types.enumeration(e.type).cases;
      auto index = size_t(std::get<int64_t>(e.constant.value));
      return index < cases.size() ? cases[index].name : "?";
    }
    if (e.type.is(TypeKind::String)) return json_quoted(std::get<std::string>(e.constant.value));
    if (e.type.is(TypeKind::Duration))
      return dsl::duration_text(std::get<int64_t>(e.constant.value));
    std::string text = plan_text(graph_.types, e.type.required(), e.constant);
    return e.type.is(TypeKind::Timestamp) || e.type.is(TypeKind::Date) ? "@" + text : text;
  }

  std::string list(const Expr& e, std::string open, const char* close) {
    for (size_t i = 0; i < e.args.size(); ++i) open += (i ? ", " : "") + print(e.args[i]);
    return open + close;
  }

  std::string method(const Expr& e, const char* name) {
    return print(e.args[0], true) + "." + name + "(x" + std::to_string(e.index) + " => " +
           print(e.args[1]) + ")";
  }

  const Graph& graph_;
  RecordId row_;
  size_t parts_ = 0;
};

}  // namespace

std::string print_expr(const Graph& graph, const Expr& expr, RecordId row) {
  return Printer(graph, row).print(expr);
}

}  // namespace weir::compiler
